/** What an exchange's row opens with, and what is told to its log of the whole of it. */
import type { ExchangeOutcome, ExchangeRecord } from '../../core/record.js'
import type { Phase } from '../../core/phases.js'
import { grpcFailure } from '../../http/grpc.js'
import type { KeyHolder } from '../../policy/access-gate.js'
import { readProgram } from '../../providers/named-ids.js'
import { isModelCall } from '../../providers/calls.js'
import type { Recognised } from '../../providers/index.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import { ExchangeLog } from '../words/exchange-log.js'
import { providerOf } from '../words/exchange-provider.js'
import type { SeenExchange } from '../words/observer.js'
import type { HttpClient } from '../words/http-words.js'
import type { ExchangePort } from './port.js'

export function openLog(about: ExchangeAbout<ExchangePort>): ExchangeLog {
  const { requestId, request, from, services, recognised } = about
  const program = from.state.caller.loopback
    ? readProgram(about.facts.head.own)
    : undefined
  const { head, path, target } = about.facts
  const traceparent = traceIn(about.facts.head.traceparent)
  const connection = from.state.record
  return new ExchangeLog({
    requestId,
    connectionId: connection.connectionId,
    device: connection.device,
    startedAt: services.clock.now(),
    endpointDomain: target.host,
    httpVersion: request.httpVersion,
    method: request.method ?? 'GET',
    path: path.split('?', 1)[0] as string,
    userAgent: head.userAgent,
    traceparent,
    program,
    provider: providerOf(about),
    uninspectable: recognised === undefined ? 'unknown-api' : undefined,
    api: recognised?.api,
    call: recognised && isCall(about, recognised),
    ...keyFields(about.facts.holder),
    toolName: about.facts.door?.toolName,
  })
}

/** Of whoever asks by a key of ours. */
function keyFields(
  holder: KeyHolder | undefined,
): Pick<ExchangeRecord, 'key' | 'keySubjects' | 'tags'> {
  if (holder === undefined) return {}
  const { name: key, subjects: keySubjects, tags } = holder
  return { key, keySubjects, ...(Object.keys(tags).length === 0 ? {} : { tags }) }
}

/** Version 00 alone is known; anything else a client wrote there is not kept. */
function traceIn(text: string | undefined): string | undefined {
  const isOne =
    text !== undefined && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text)
  return isOne ? text : undefined
}

function isCall(
  { request, facts }: ExchangeAbout<ExchangePort>,
  { api, provider }: Recognised,
): boolean {
  const head = { method: request.method ?? 'GET', path: facts.path }
  return isModelCall(head, { api, provider: provider.name })
}

/** Of a call, whose own outcome stands in a field of its response's head or trailers. */
export function noteCall(log: ExchangeLog, rawFields: readonly string[]): void {
  const failure = grpcFailure(rawFields)
  if (failure !== undefined) log.failedThere(failure)
}

/** A conversation begins that takes another way, and the provider said yes. */
export function noteElsewhere(
  { api, status = 0 }: SeenExchange,
  { state }: Pick<HttpClient, 'state'>,
): void {
  if (api === 'session' && status >= 200 && status < 300) state.log.ledElsewhere()
}

/** The client went before it had everything. */
export function noteGone(
  log: ExchangeLog,
  about: ExchangeAbout<ExchangePort>,
  phase: Phase,
): void {
  log.failed({
    phase,
    ...(about.from.stalled
      ? {
          code: 'YORI_CLIENT_STALLED',
          reason: 'the client took nothing of the response for too long',
        }
      : {
          code: 'YORI_CLIENT_GONE',
          reason: 'the client closed before the response was complete',
        }),
  })
  log.brokenOff(about.response.headersSent)
}

export interface End {
  readonly outcome: ExchangeOutcome
  readonly latencyMs: number
  /** Of the request, and of the response. */
  readonly bytes: readonly [number, number]
}

/** How it ended, and what was decided on it has been told. */
export function noteEnd(
  log: ExchangeLog,
  about: ExchangeAbout<ExchangePort>,
  { outcome, latencyMs, bytes }: End,
): void {
  const trailers = about.request.rawTrailers.length / 2
  log.ended({
    outcome,
    latencyMs,
    requestBytes: bytes[0],
    responseBytes: bytes[1],
    trailersDropped: trailers > 0 && !about.overH2 ? trailers : undefined,
  })
  log.undisputed()
}
