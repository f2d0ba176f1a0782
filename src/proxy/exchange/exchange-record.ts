/** The record that an exchange opens with, and what is noted there later. */
import type { ExchangeOutcome, ExchangeRecord } from '../../core/record.js'
import { grpcFailure } from '../../http/grpc.js'
import { isModelCall } from '../../providers/calls.js'
import type { Recognised } from '../../providers/index.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { HttpClient } from '../words/http-words.js'
import type { ExchangePort } from './port.js'

export function openRecord(about: ExchangeAbout<ExchangePort>): ExchangeRecord {
  const { requestId, request, from, services, recognised } = about
  const { head, path, target } = about.facts
  const connection = from.state.record
  // The catalogue's name for the host counts before that of the API that it speaks.
  const provider =
    services.catalogue.entryFor(target.host)?.name ?? recognised?.provider.name
  return {
    requestId,
    connectionId: connection.connectionId,
    device: connection.device,
    startedAt: services.clock.now(),
    endpointDomain: target.host,
    httpVersion: request.httpVersion,
    method: request.method ?? 'GET',
    path: path.split('?', 1)[0] as string,
    ...(head.userAgent === undefined ? {} : { userAgent: head.userAgent }),
    ...(provider === undefined ? {} : { provider }),
    ...(recognised === undefined
      ? { uninspectable: 'unknown-api' }
      : { api: recognised.api, call: isCall(about, recognised) }),
    requestBytes: 0,
    responseBytes: 0,
  }
}

function isCall(
  { request, facts }: ExchangeAbout<ExchangePort>,
  { api, provider }: Recognised,
): boolean {
  const head = { method: request.method ?? 'GET', path: facts.path }
  return isModelCall(head, { api, provider: provider.name })
}

/** Of a call, whose own outcome stands in a field of its response's head or trailers. */
export function noteCall(record: ExchangeRecord, rawFields: readonly string[]): void {
  const failure = grpcFailure(rawFields)
  if (failure !== undefined) record.reason ??= failure
}

/** A conversation begins that takes another way, and the provider said yes. */
export function noteElsewhere(
  { api, status = 0 }: ExchangeRecord,
  { state }: Pick<HttpClient, 'state'>,
): void {
  if (api === 'session' && status >= 200 && status < 300) state.log.ledElsewhere()
}

/** The client went before it had everything. */
export function noteGone(
  record: ExchangeRecord,
  about: ExchangeAbout<ExchangePort>,
): void {
  const { stalled } = about.from
  record.code = stalled ? 'YORI_CLIENT_STALLED' : 'YORI_CLIENT_GONE'
  record.reason = stalled
    ? 'the client took nothing of the response for too long'
    : 'the client closed before the response was complete'
  record.truncated = about.response.headersSent
}

/** How it ended; the bytes are counted already. */
export function noteEnd(
  record: ExchangeRecord,
  about: ExchangeAbout<ExchangePort>,
  outcome: ExchangeOutcome,
): void {
  record.outcome = outcome
  record.policyDecision ??= 'allow'
  record.latencyMs = about.elapsed()
  const trailers = about.request.rawTrailers.length / 2
  if (trailers > 0 && !about.overH2) record.trailersDropped = trailers
}
