/**
 * `/.well-known/yori/self-test` on an intercepted host: YORI's own answer in the name of a
 * provider. Who gets it was led here, asked for that name, and trusts our root. A page of our
 * own site may read it; no other site learns that it is there.
 */
import { STATUS_CODES } from 'node:http'
import { canonicalAddress } from '../../core/address.js'
import { canonicalHostname } from '../../core/hostname.js'
import { splitAuthority } from '../../http/head.js'
import { languageOf } from '../answers/block-texts.js'
import type { Intercepted } from '../words/connection-state.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import { RESERVED_PREFIX } from '../../core/own-paths.js'
import type { SitePort } from './port.js'

export const SELF_TEST_PATH = `${RESERVED_PREFIX}self-test`

/** 128 bits in hexadecimal are 32. */
const NONCE = /^[A-Za-z0-9_-]{1,64}$/

export function serveSelfTest(
  http: { request: HttpRequest; response: HttpResponse },
  from: HttpClient,
  intercepted: Intercepted,
  services: SitePort,
): void {
  const { request } = http
  const { record } = from.state
  const { device } = record
  const { name } = intercepted.party
  const origin = ownOrigin(request, services)
  const allowed =
    origin !== undefined || (request.headers.origin === undefined && !isForeign(request))
  const nonce = new URLSearchParams(request.url?.split('?', 2)[1]).get('nonce') ?? ''
  // A connection that stood before proves what was, not what is.
  from.goAway()
  const answered = answerOf(http)
  const common = [
    ...['vary', 'Origin, Accept'],
    ...(origin === undefined ? [] : ['access-control-allow-origin', origin]),
    ...(request.httpVersion.startsWith('1') ? ['connection', 'close'] : []),
  ]
  if (!allowed) return answered(403, [...common, ...plainFields('text/plain')], '')
  if (request.method !== 'GET')
    return answered(405, [...common, ...plainFields('text/plain')], '')
  const trial = services.trials.of(device, name)
  const fresh = trial === undefined || record.openedAt >= trial.since
  if (fresh) services.trials.saw(device, name, { kind: 'answered' })
  if (origin === undefined && request.headers.accept?.includes('text/html') === true) {
    void import('./trust-page.js').then(({ answeredPage, trustPageFields }) =>
      answered(
        200,
        [...common, ...trustPageFields(undefined)],
        answeredPage(name, languageOf(request.headers['accept-language'])),
      ),
    )
    return
  }
  const shown = NONCE.test(nonce) ? nonce : null
  const facts = { yori: true, name, nonce: shown, root: intercepted.root, fresh }
  answered(200, [...common, ...plainFields('application/json')], JSON.stringify(facts))
}

type Answered = (status: number, fields: readonly string[], body: string) => void

function answerOf({ response }: { response: HttpResponse }): Answered {
  return (status, fields, body) => {
    if (response.destroyed) return
    const length = String(Buffer.byteLength(body))
    const all = [...fields, 'content-length', length]
    response.writeHead(status, STATUS_CODES[status] ?? '', all)
    response.end(body)
  }
}

/** The request's Origin, when it is a page of our own site: own name, and a port of ours. */
function ownOrigin(request: HttpRequest, services: SitePort): string | undefined {
  const { origin } = request.headers
  const match = origin === undefined ? null : /^(https?):\/\/([^/]{1,300})$/.exec(origin)
  const authority = match === null ? undefined : splitAuthority(match[2] as string)
  if (authority === undefined) return undefined
  const host = canonicalHostname(authority.host) ?? canonicalAddress(authority.host)
  // An origin leaves out the usual port of its scheme. RFC 6454 §6.2.
  const port = authority.port ?? (match?.[1] === 'https' ? 443 : 80)
  const isOurs =
    host !== undefined &&
    services.policy.access.isOwnName(host) &&
    services.pagePorts().includes(port)
  return isOurs ? origin : undefined
}

/** A browser says where a request without Origin comes from; a program says nothing. */
function isForeign({ headers }: HttpRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'none' || site === 'same-origin') return false
  return headers['sec-fetch-dest'] !== 'document'
}

function plainFields(type: string): string[] {
  return [
    ...['content-type', type, 'cache-control', 'no-store'],
    ...['x-content-type-options', 'nosniff', 'referrer-policy', 'no-referrer'],
  ]
}
