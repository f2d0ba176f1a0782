/**
 * A request that has come, with all that serves it, and the two things that become of it: an
 * exchange with a provider, or an answer of ours.
 */
import { randomUUID } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { ErrorCode } from '../../core/errors.js'
import type { RequestHead } from '../../http/head.js'
import type { KeyHolder } from '../../policy/access-gate.js'
import { isGrpc } from '../../http/grpc.js'
import { providerHostForPath } from '../../providers/paths.js'
import { askingSdk } from '../answers/asking-sdk.js'
import { providerAt, refuse } from '../answers/refusal.js'
import { Exchange } from '../exchange/exchange.js'
import type { ExchangeFacts } from '../words/exchange-about.js'
import { owesBody } from '../words/http-words.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import type { DispatchPort } from './port.js'

export interface Http {
  readonly request: HttpRequest
  readonly response: HttpResponse
}

export interface Arrived {
  readonly http: Http
  readonly from: HttpClient
  readonly services: DispatchPort
  readonly head: RequestHead
  readonly upgrade: string | undefined
  /** It came with a key of ours. */
  readonly holder?: KeyHolder
}

/** Visible ASCII; anything else would have to be percent-encoded. RFC 3986 §2. */
export const ORIGIN_FORM = /^\/[\x21-\x7e]*$/
const ABSOLUTE_FORM = /^https:\/\/([^/?#]*)/i

/** A server must take the absolute form too, RFC 9112 §3.2.2. */
export function originForm(url: string): { authority: string | undefined; path: string } {
  const absolute = ABSOLUTE_FORM.exec(url)
  if (absolute === null) return { authority: undefined, path: url }
  const path = url.slice(absolute[0].length)
  return { authority: absolute[1], path: path.startsWith('/') ? path : `/${path}` }
}

/** What an exchange is about, with what its head says. */
export function facts(
  arrived: Arrived,
  rest: Pick<ExchangeFacts, 'target' | 'path' | 'endpoint' | 'door'>,
): ExchangeFacts {
  const { head, upgrade, holder } = arrived
  return { head, upgrade, ...(holder === undefined ? {} : { holder }), ...rest }
}

/** Begins an exchange, which goes on by itself. */
export function exchange(arrived: Arrived, about: ExchangeFacts): void {
  new Exchange(arrived.http, arrived.from, about, arrived.services).begin()
}

/** As the client called us: there it comes back. */
export function ownOrigin({ from, head }: Pick<Arrived, 'from' | 'head'>): string {
  const scheme = from.socket instanceof TLSSocket ? 'https' : 'http'
  return `${scheme}://${head.hosts[0] ?? ''}`
}

/** Answers in the shape of the provider at `host`, else of the library that asks. */
export function decline(
  arrived: Arrived,
  code: ErrorCode,
  host: string | undefined,
  detail?: string,
): void {
  const provider = host === undefined ? undefined : providerAt(arrived.services, host)
  declineAs(arrived, provider ?? sdkOf(arrived), code, detail)
}

/** Answers in the shape of that provider. */
export function declineAs(
  arrived: Arrived,
  provider: string,
  code: ErrorCode,
  detail?: string,
): void {
  const { http, from } = arrived
  from.began()
  http.response.once('close', () => from.ended())
  refuse(http.response, {
    code,
    requestId: randomUUID(),
    provider,
    close: owesBody(http.request) || code === 'YORI_TOO_MANY_CONNECTIONS',
    grpc: isGrpc(http.request.httpVersion, arrived.head.contentType),
    ...(detail === undefined ? {} : { detail }),
  })
}

/** In our own name: whose library is to understand us. */
export function sdkOf({ http, services }: Arrived): string {
  const { path } = originForm(http.request.url ?? '/')
  const host = providerHostForPath(path)
  const byPath = host === undefined ? undefined : providerAt(services, host)
  return askingSdk(http.request.rawHeaders, byPath)
}
