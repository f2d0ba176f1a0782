/**
 * The trust page and what belongs to it, over HTTP: the certificate in each form, the beginning
 * of a test and what became of it. Any device of a private network that we are on may read
 * these (`access.trust_page`), since a device that cannot get the certificate can never be
 * served; they hold nothing but what every client of ours is shown in a handshake, and of
 * devices only what the asking one is itself.
 */
import { X509Certificate } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { formatSocketAddress } from '../../core/address.js'
import { dateText } from '../../core/moment-text.js'
import type { Device } from '../../core/record.js'
import { unreachable } from '../../core/unreachable.js'
import { matchesHostname } from '../../core/hostname.js'
import { languageOf } from '../answers/block-texts.js'
import { deviceKindOf } from './device-kind.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import type { SitePort } from './port.js'
import { SELF_TEST_PATH } from './self-test.js'
import type { Seen } from '../../learned/trials.js'
import { trustPage, trustPageFields } from './trust-page.js'
import { TRUST_TEXTS } from './trust-texts.js'
import type { TrustTexts } from './trust-texts.js'
import { ROOT_FILE } from '../../core/trust-paths.js'

interface Http {
  readonly request: HttpRequest
  readonly response: HttpResponse
}

/** `path` is one of ours, without its query. */
export function serveTrustSite(
  http: Http,
  path: string,
  from: HttpClient,
  services: SitePort,
): void {
  const { method } = http.request
  const { device } = from.state.record
  if (path === '/trust/again') {
    if (method === 'POST')
      void begin(http, device, services).catch(() => send(http, 500, []))
    else send(http, 405, ['allow', 'POST'])
    return
  }
  if (method !== 'GET' && method !== 'HEAD') {
    send(http, 405, ['allow', 'GET, HEAD'])
    return
  }
  const file = ROOT_FILE.exec(path)
  if (file !== null) {
    sendRoot(http, file[1] as string, file[2] as string, services)
    if (method === 'GET' && file[1] === 'root') services.memory.gotRoot(device)
  } else if (path === '/trust/result') sendResult(http, device, services)
  else sendPage(http, from, services)
}

/** The first endpoint that a test can ask for: switched on, one name, and mintable now. */
export function testNameOf(services: SitePort): string | undefined {
  const { endpoints, never } = services.policy.routes
  const found = endpoints
    .enabled()
    .find(
      ({ domain, route }) =>
        route === 'intercept' &&
        !domain.startsWith('*.') &&
        !never.some((pattern) => matchesHostname(pattern, domain)) &&
        services.certificates.mintable(domain),
    )
  return found?.domain
}

function sendPage(http: Http, from: HttpClient, services: SitePort): void {
  const { roots, reach } = services
  const { device } = from.state.record
  const testName = testNameOf(services)
  const { staged } = roots
  const switchAt =
    staged?.switchAtMs === undefined
      ? undefined
      : dateText(staged.switchAtMs, services.decider.zone)
  const root = { sha256: roots.rootFingerprint, path: '/yori-root' }
  const names = [device.hostname, device.ip, device.mac].filter(
    (name) => name !== undefined,
  )
  const body = trustPage({
    guess: deviceKindOf(http.request.headers['user-agent']),
    seenAs: names,
    root,
    ...(staged === undefined
      ? {}
      : {
          staged: {
            sha256: staged.fingerprint,
            path: '/yori-next-root',
            from: switchAt,
          },
        }),
    constrained: roots.constrained,
    testName,
    address: addressOf(http.request, from, reach()),
    language: languageOf(http.request.headers['accept-language']),
  })
  send(http, 200, trustPageFields(testName), body)
}

/**
 * Under the name by which it was opened, unless that leads to this machine alone, or is an address
 * of IPv6, which another device may not have.
 */
function addressOf(
  { headers }: HttpRequest,
  from: HttpClient,
  reach: readonly { address: string; port: number }[],
): string | undefined {
  const { host } = headers
  const name = host?.replace(/:\d+$/, '') ?? ''
  const isLocal = /^(localhost|127\..*|\[::1\])$/i.test(name)
  const [first] = reach
  const isWorse = name.startsWith('[') && first?.address.includes(':') === false
  if (host !== undefined && !isLocal && !isWorse && !from.state.caller.loopback)
    return `http://${host}/`
  return first === undefined ? undefined : `http://${formatSocketAddress(first)}/`
}

function sendRoot(http: Http, which: string, form: string, { roots }: SitePort): void {
  const pem = which === 'root' ? roots.rootPem : roots.staged?.rootPem
  if (pem === undefined) {
    send(http, 404, [])
    return
  }
  const attachment = `attachment; filename="yori-${which}.${form}"`
  if (form === 'pem') {
    send(http, 200, typed('application/x-pem-file', attachment), pem)
  } else if (form === 'cer') {
    const { raw } = new X509Certificate(pem)
    send(http, 200, typed('application/x-x509-ca-cert', attachment), raw)
  } else {
    // Shown in place: iOS takes a profile only from a page, not from a file.
    const fields = typed('application/x-apple-aspen-config', 'inline')
    send(http, 200, fields, roots.profileOf(pem))
  }
}

/**
 * The next connections of this device are inspected again, whatever earlier ones taught. Only a page of ours may ask for that: browsers send Origin with every POST.
 */
async function begin(http: Http, device: Device, services: SitePort): Promise<void> {
  const { request } = http
  const name = testNameOf(services)
  if (name === undefined) return sayInstead(http, 'nothingToTest')
  const isNext = request.url?.endsWith('?root=next') === true
  if (isNext && (await services.certificates.nextContextFor(name)) === undefined)
    return sayInstead(http, 'nextNotAtHand')
  services.trials.begin(device, name, isNext ? 'next' : 'present')
  services.memory.forget(device)
  const url = `https://${name}${SELF_TEST_PATH}`
  if (request.headers.accept?.includes('text/html') === true) {
    send(http, 303, ['location', url, ...trustPageFields(name)])
    return
  }
  send(http, 200, typed('application/json'), JSON.stringify({ url }))
}

/** By the same rule as the block page. */
function wordsFor({ headers }: HttpRequest): TrustTexts['seen'] {
  return TRUST_TEXTS[languageOf(headers['accept-language'])].seen
}

function sayInstead(http: Http, which: 'nothingToTest' | 'nextNotAtHand'): void {
  const says = wordsFor(http.request)[which]
  send(http, 409, typed('application/json'), JSON.stringify({ url: null, says }))
}

function sendResult(http: Http, device: Device, services: SitePort): void {
  const seen = services.trials.seen(device)
  const words = wordsFor(http.request)
  const says = seen === undefined ? words.none : whatWasSeen(seen, words)
  const body = JSON.stringify({ kind: seen?.kind ?? null, says })
  send(http, 200, typed('application/json'), body)
}

/** What a person can do about it. */
function whatWasSeen(seen: Seen, words: TrustTexts['seen']): string {
  switch (seen.kind) {
    case 'nothing':
    case 'answered':
      return words[seen.kind]
    case 'refused':
      return words.refused.replace('WHY', () => seen.cause)
    case 'passed':
      return words.passed.replace('WHY', () => seen.coverage)
    default:
      return unreachable(seen)
  }
}

function typed(type: string, disposition?: string): string[] {
  return [
    ...['content-type', type, 'cache-control', 'no-store'],
    ...['x-content-type-options', 'nosniff'],
    ...(disposition === undefined ? [] : ['content-disposition', disposition]),
  ]
}

function send(
  { request, response }: Http,
  status: number,
  fields: readonly string[],
  body: string | Buffer = '',
): void {
  response.writeHead(status, STATUS_CODES[status] ?? '', [
    ...fields,
    ...['content-length', String(Buffer.byteLength(body))],
    ...(hasBody(request) ? ['connection', 'close'] : []),
  ])
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** What a client sends along is not read. RFC 9112 §6. */
function hasBody({ headers }: HttpRequest): boolean {
  const length = headers['content-length'] ?? '0'
  return headers['transfer-encoding'] !== undefined || length !== '0'
}
