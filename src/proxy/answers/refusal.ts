/**
 * The only place that turns a code into what a client sees: the provider's own error shape, so
 * that its library raises its ordinary error with our plain reason and the request id.
 */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { describeError } from '../../core/errors.js'
import type { ErrorCode, YoriError } from '../../core/errors.js'
import { grpcStatusOf, grpcTrailersOnly } from '../../http/grpc.js'
import { errorEnvelope } from '../../providers/envelope.js'
import type { Envelope } from '../../providers/envelope.js'
import { endSoon } from '../../net/end-soon.js'
import type { HttpResponse } from '../words/http-words.js'
import type { Recognised } from '../../providers/index.js'
import type { ExchangeHead } from '../../providers/provider.js'

/** RFC 7617 §2.1. */
const CHALLENGE = 'Basic realm="YORI", charset="UTF-8"'
/** RFC 6750 §3. */
const KEY_CHALLENGE = 'Bearer realm="YORI"'

export interface Refusal {
  readonly code: ErrorCode
  readonly requestId: string
  /** The provider whose shape the client expects; undefined on our own host. */
  readonly provider: string | undefined
  readonly detail?: string
  /** Seconds after which the same may be asked again: libraries wait, and ask. */
  readonly retryAfterS?: number | undefined
  /** The client speaks gRPC. */
  readonly grpc?: boolean
  /** End the connection after this answer: what the client still sends is not read. */
  readonly close?: boolean
}

/** The name of the provider at a host, where no path is known or matters. */
export function providerAt(
  services: { readonly recognise: (head: ExchangeHead) => Recognised | undefined },
  host: string,
): string | undefined {
  return services.recognise({ host, method: 'POST', path: '/' })?.provider.name
}

/** `isLocal`: the client is on this machine. */
export function refusalOf(
  error: YoriError,
  isLocal: boolean,
  about: Pick<Refusal, 'requestId' | 'provider'>,
): Refusal {
  const { code, retryAfterS } = error
  return { ...about, code, detail: error.toldTo(isLocal), retryAfterS }
}

/** Of 426, RFC 9110 §15.5.22: what to ask by instead. */
const INSTEAD = ['upgrade', 'HTTP/1.1', 'connection', 'upgrade, close']

/** Answers on an HTTP exchange whose response has not begun. */
export function refuse(response: HttpResponse, refusal: Refusal): void {
  const { status } = describeError(refusal.code)
  if (refusal.grpc === true) {
    const message = `YORI: ${messageOf(refusal)} (request ${refusal.requestId})`
    const fields = grpcTrailersOnly(grpcStatusOf(status), message)
    response.writeHead(200, 'OK', [...fields, 'x-yori-request-id', refusal.requestId])
    response.end()
    return
  }
  const envelope = bodyOf(refusal, status)
  const length = Buffer.byteLength(envelope.body)
  const fields = [
    ...['content-type', envelope.contentType, 'content-length', String(length)],
    ...Object.entries(envelope.headers).flat(),
    ...(refusal.retryAfterS === undefined
      ? []
      : ['retry-after', String(refusal.retryAfterS)]),
    ...(status === 407 ? ['proxy-authenticate', CHALLENGE] : []),
    // RFC 9110 §15.5.2: there must be one. Which field is meant stands in the message.
    ...(status === 401 ? ['www-authenticate', challengeOf(refusal.code)] : []),
    ...['x-yori-request-id', refusal.requestId],
    ...(status === 426 ? INSTEAD : []),
    ...(refusal.close === true ? ['connection', 'close'] : []),
  ]
  response.writeHead(status, STATUS_CODES[status] ?? 'Error', fields)
  response.end(envelope.body)
}

/** Answers on a socket for which there is no exchange: a head that could not be read. */
export function refuseRaw(socket: Duplex, refusal: Refusal): void {
  const { status } = describeError(refusal.code)
  const envelope = bodyOf(refusal, status)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    `content-type: ${envelope.contentType}`,
    `content-length: ${Buffer.byteLength(envelope.body)}`,
    ...(status === 407 ? [`proxy-authenticate: ${CHALLENGE}`] : []),
    `x-yori-request-id: ${refusal.requestId}`,
    'connection: close',
  ]
  endSoon(socket, `${head.join('\r\n')}\r\n\r\n${envelope.body}`)
}

function challengeOf(code: ErrorCode): string {
  return code.startsWith('YORI_KEY_') ? KEY_CHALLENGE : CHALLENGE
}

function messageOf({ code, detail }: Refusal): string {
  const { says } = describeError(code)
  return detail === undefined || detail === says ? says : `${says}: ${detail}`
}

function bodyOf(refusal: Refusal, status: number): Envelope {
  const message = messageOf(refusal)
  if (refusal.provider !== undefined) {
    return errorEnvelope(refusal.provider, {
      status,
      code: refusal.code,
      message: `YORI: ${message} (request ${refusal.requestId})`,
      requestId: refusal.requestId,
      retryAfterS: refusal.retryAfterS,
    })
  }
  return {
    contentType: 'application/json',
    body: JSON.stringify({ error: refusal.code, message, request_id: refusal.requestId }),
    headers: {},
  }
}
