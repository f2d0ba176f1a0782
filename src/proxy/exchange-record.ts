/** What an exchange is about, and the record that it opens with. */
import type { ConnectionRecord, ExchangeRecord } from '../core/record.js'
import type { RequestHead } from '../http/head.js'
import type { Target } from '../net/dial.js'
import type { Endpoint } from '../policy/endpoints.js'
import type { Recognised } from '../providers/index.js'
import type { HttpRequest } from './http-words.js'
import type { Services } from './services.js'

export interface ExchangeFacts {
  readonly head: RequestHead
  readonly target: Target
  /** Origin-form, for the provider. */
  readonly path: string
  /** The endpoint that governs it; undefined for a plain relay, which is not recorded. */
  readonly endpoint: Endpoint | undefined
  /** The value of `Upgrade` when the client asked for WebSocket. */
  readonly upgrade: string | undefined
}

export interface RecordAbout {
  readonly requestId: string
  readonly request: HttpRequest
  readonly connection: ConnectionRecord
  readonly facts: ExchangeFacts
  readonly recognised: Recognised | undefined
  readonly services: Pick<Services, 'catalogue' | 'clock'>
}

export function openRecord(about: RecordAbout): ExchangeRecord {
  const { requestId, request, connection, services, recognised } = about
  const { head, path, target } = about.facts
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
    ...(recognised === undefined ? { uninspectable: 'unknown-api' } : {}),
    requestBytes: 0,
    responseBytes: 0,
  }
}
