/**
 * What a proxy does to the fields of a message: which are hop-by-hop, which are its own, which
 * pass. Works on Node's flat `[name, value, name, value, ...]` lists, so that names, values,
 * duplicates and order survive. Pure. RFC 9110 §7.6.1, RFC 9112 §9.
 */
import { inLowerCase } from './field-names.js'

/** Never forwarded in either direction. `trailer` goes because request trailers are dropped. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Ours to set on a request: the upstream library frames it and names the host. */
export const OURS_ON_REQUEST: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
])

/** Fields of these families are for us alone. */
export function isOurs(name: string): boolean {
  return name.startsWith('x-yori-') || name.startsWith('x-cylestio-')
}

/** Codings that every runtime undoes by itself, plus their wildcards' absence. */
const DECODABLE: ReadonlySet<string> = new Set([
  'gzip',
  'x-gzip',
  'deflate',
  'br',
  'identity',
])

/**
 * A request's head, taken apart. Texts are as received, each character a byte; of a field
 * that stands several times the last counts, but in `fields`, `hosts` and `own`.
 */
export interface RequestHead {
  /** End-to-end fields, flat, in the client's order and spelling. */
  readonly fields: string[]
  /** All values of `Host`, in order. */
  readonly hosts: readonly string[]
  /**
   * In bytes, as declared; undefined when no length was. That it is a number has been seen
   * to by whoever read the head.
   */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  /** It names a transfer coding that nobody here undoes, RFC 9112 §6.1. */
  readonly foreignCoding: boolean
  readonly userAgent: string | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Of each message of a call (gRPC, Connect). */
  readonly messageEncoding: string | undefined
  /** Its body is a range of a file (RFC 9110 §14.4, or as protocols of uploads say it). */
  readonly isRange: boolean
  readonly accept: string | undefined
  readonly proxyAuthorization: string | undefined
  /** It waits to be told to go on, RFC 9110 §10.1.1. */
  readonly expects: boolean
  /** Undefined when it stands there twice, too. */
  readonly traceparent: string | undefined
  /** `X-Yori-*` and `X-Cylestio-*` by lower-case name, the first of each; never forwarded. */
  readonly own: ReadonlyMap<string, string> | undefined
}

/** By its framing, RFC 9112 §6.3: without a length and a coding there is no body. */
export function carriesBody(
  head: Pick<RequestHead, 'chunked' | 'contentLength'>,
): boolean {
  return head.chunked || (head.contentLength ?? 0) > 0
}

/**
 * The same of a head that has not been split, a flat list: any `Transfer-Encoding`, or a
 * length over 0.
 */
export function framesBody(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 14 && name.length !== 17) continue
    const lower = inLowerCase(name)
    if (lower === 'transfer-encoding') return true
    if (lower === 'content-length' && Number(rawHeaders[i + 1]) > 0) return true
  }
  return false
}

/**
 * Splits a received head into what goes on and what we must know. One pass over a flat
 * list, as long as the limits on heads let it be. What goes on is without hop-by-hop
 * fields, those that `Connection` names and our own; `Accept-Encoding` is reduced, unless
 * it is signed.
 */
export function readRequestHead(rawHeaders: readonly string[]): RequestHead {
  const named = connectionNamed(rawHeaders)
  let isSealed: boolean | undefined
  const fields: string[] = []
  const hosts: string[] = []
  let contentLength: number | undefined
  let chunked = false
  let foreignCoding = false
  let userAgent: string | undefined
  let contentType: string | undefined
  let contentEncoding: string | undefined
  let messageEncoding: string | undefined
  let accept: string | undefined
  let proxyAuthorization: string | undefined
  let expects = false
  let isRange = false
  let traceparents = 0
  let traceparent: string | undefined
  let own: Map<string, string> | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    const lower = inLowerCase(name)
    switch (lower) {
      case 'host':
        hosts.push(value)
        continue
      case 'content-length':
        contentLength = Number(value)
        continue
      case 'transfer-encoding':
        chunked = true
        foreignCoding ||= namesForeignCoding(value)
        continue
      case 'proxy-authorization':
        proxyAuthorization = value
        continue
      case 'accept-encoding': {
        if (named !== undefined && named.has(lower)) continue
        isSealed ??= isSigned(rawHeaders, lower)
        fields.push(name, isSealed ? value : reduceAcceptEncoding(value))
        continue
      }
      case 'user-agent':
        userAgent = value
        break
      case 'content-type':
        contentType = value
        break
      case 'content-encoding':
        contentEncoding = value
        break
      case 'grpc-encoding':
      case 'connect-content-encoding':
        messageEncoding = value
        break
      case 'expect':
        expects = true
        continue
      case 'content-range':
      case 'upload-offset':
      case 'x-goog-upload-offset':
        isRange = true
        break
      case 'traceparent':
        traceparents += 1
        traceparent = traceparents === 1 ? value : undefined
        break
      case 'accept':
        accept = value
        break
      default:
        if (HOP_BY_HOP.has(lower) || OURS_ON_REQUEST.has(lower)) continue
        if (lower.charCodeAt(0) === 0x78 && isOurs(lower)) {
          own ??= new Map()
          if (!own.has(lower)) own.set(lower, value)
          continue
        }
    }
    if (named !== undefined && named.has(lower)) continue
    fields.push(name, value)
  }
  return {
    fields,
    hosts,
    contentLength,
    chunked,
    foreignCoding,
    userAgent,
    contentType,
    contentEncoding,
    messageEncoding,
    isRange,
    accept,
    proxyAuthorization,
    expects,
    traceparent,
    own,
  }
}

/** An answer's head, taken apart, as `RequestHead`. */
export interface ResponseHead {
  /** End-to-end fields and a valid `Content-Length`, flat, in the provider's order. */
  readonly fields: string[]
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly contentLength: number | undefined
  /** As of a request: without its field the body could not be understood. */
  readonly foreignCoding: boolean
}

/**
 * The same of an answer: without hop-by-hop fields and those that `Connection` names.
 * `Alt-Svc` goes too: it would lead clients around us by QUIC (RFC 7838).
 */
export function readResponseHead(rawHeaders: readonly string[]): ResponseHead {
  const named = connectionNamed(rawHeaders)
  const fields: string[] = []
  let contentType: string | undefined
  let contentEncoding: string | undefined
  let contentLength: number | undefined
  let foreignCoding = false
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = inLowerCase(name)
    if (lower === 'transfer-encoding')
      foreignCoding ||= namesForeignCoding(rawHeaders[i + 1] as string)
    if (HOP_BY_HOP.has(lower) || lower === 'alt-svc') continue
    if (named !== undefined && named.has(lower)) continue
    if (lower === 'content-type') contentType = rawHeaders[i + 1]
    else if (lower === 'content-encoding') contentEncoding = rawHeaders[i + 1]
    else if (lower === 'content-length') contentLength = Number(rawHeaders[i + 1])
    fields.push(name, rawHeaders[i + 1] as string)
  }
  return { fields, contentType, contentEncoding, contentLength, foreignCoding }
}

/** `identity` is no coding any more (RFC 9112 §7), and changes nothing where it is named. */
function namesForeignCoding(value: string): boolean {
  return value.split(',').some((item) => {
    const coding = item.trim().toLowerCase()
    return coding !== '' && coding !== 'chunked' && coding !== 'identity'
  })
}

/**
 * Has the client signed that field, so that its every byte counts? AWS Signature Version 4 and
 * 4A list the fields in `Authorization`, RFC 9421 in `Signature-Input`.
 */
export function isSigned(rawHeaders: readonly string[], lowerName: string): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = inLowerCase(rawHeaders[i] as string)
    const value = rawHeaders[i + 1] as string
    if (name === 'authorization') {
      if (signedByAws(value).includes(lowerName)) return true
    } else if (name === 'signature-input' && value.includes(`"${lowerName}"`)) return true
  }
  return false
}

/** `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=a;b;c, Signature=...`. */
function signedByAws(authorization: string): readonly string[] {
  if (!authorization.startsWith('AWS4-')) return []
  const word = 'SignedHeaders='
  const at = authorization.indexOf(word)
  if (at < 0) return []
  const list = authorization.slice(at + word.length)
  const end = list.indexOf(',')
  return (end < 0 ? list : list.slice(0, end)).trim().toLowerCase().split(';')
}

/** The lower-case names that `Connection` fields list, if any beyond the two usual tokens. */
function connectionNamed(rawHeaders: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 10 || inLowerCase(name) !== 'connection') continue
    for (const token of (rawHeaders[i + 1] as string).split(',')) {
      const option = token.trim().toLowerCase()
      if (option === '' || option === 'keep-alive' || option === 'close') continue
      named ??= new Set()
      named.add(option)
    }
  }
  return named
}

/**
 * Keeps the codings of an `Accept-Encoding` list that can be decoded here, with their weights
 * as written. `*` is dropped, since it would invite the others; `*;q=0` is kept. When nothing is
 * left it says `identity`: leaving the field out would mean "anything". RFC 9110 §12.5.3.
 */
export function reduceAcceptEncoding(value: string): string {
  if (value.trim() === '') return value
  const kept = value.split(',').filter((item) => {
    const [coding = '', ...parameters] = item.split(';')
    const name = coding.trim().toLowerCase()
    if (name === '*')
      return parameters.some((p) => /^\s*q\s*=\s*0(\.0{0,3})?\s*$/i.test(p))
    return DECODABLE.has(name)
  })
  if (kept.length === 0) return 'identity'
  return kept.join(',').trim()
}

/**
 * The host that a `Host` or `:authority` value names, without case, one trailing dot and
 * the default port; IPv6 keeps its brackets. Undefined when it is empty, malformed, or
 * names another port. RFC 9110 §7.2.
 */
export function authorityHost(value: string, defaultPort: number): string | undefined {
  const bracket = value.startsWith('[') ? value.indexOf(']') : -1
  const colon = bracket >= 0 ? value.indexOf(':', bracket) : value.indexOf(':')
  const host = colon >= 0 ? value.slice(0, colon) : value
  if (colon >= 0) {
    const port = value.slice(colon + 1)
    if (port !== '' && port !== String(defaultPort)) return undefined
  }
  const name = (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase()
  return name === '' ? undefined : name
}

/**
 * `host` (IPv6 without its brackets, the case as written) and `port`, 1 to 65,535, of an
 * authority; the port is undefined when none is written. Undefined for what is none. RFC
 * 3986 §3.2.
 */
export function splitAuthority(
  value: string,
): { host: string; port: number | undefined } | undefined {
  const bracket = value.startsWith('[') ? value.indexOf(']') : -1
  if (value.startsWith('[') && bracket < 0) return undefined
  const colon = value.indexOf(':', Math.max(bracket, 0))
  const host =
    bracket > 0 ? value.slice(1, bracket) : colon >= 0 ? value.slice(0, colon) : value
  if (bracket > 0 && colon !== bracket + 1 && bracket + 1 !== value.length)
    return undefined
  if (host === '') return undefined
  if (colon < 0) return { host, port: undefined }
  const digits = value.slice(colon + 1)
  if (digits === '') return { host, port: undefined }
  if (!/^[0-9]{1,5}$/.test(digits)) return undefined
  const port = Number(digits)
  return port >= 1 && port <= 65_535 ? { host, port } : undefined
}

/** The value of `Host` for a host and port; IPv6 in brackets. RFC 9110 §7.2. */
export function hostField(host: string, port: number, defaultPort: number): string {
  const written = host.includes(':') ? `[${host}]` : host
  return port === defaultPort ? written : `${written}:${port}`
}

/** The values of a field, joined as a list; empty without one. RFC 9110 §5.3. */
export function valuesOf(rawHeaders: readonly string[], lowerName: string): string {
  const values: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if ((rawHeaders[i] as string).toLowerCase() === lowerName)
      values.push(rawHeaders[i + 1] as string)
  }
  return values.join(', ')
}

/** A reason phrase that may be sent on, RFC 9112 §4; undefined: send another. */
export function reasonPhrase(message: string): string | undefined {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(message) ? message : undefined
}

/**
 * Of a flat list, its `[name, value]` pairs, in order and with duplicates; a name without
 * a value at its end is left out.
 */
export function fieldPairs(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    pairs.push([fields[i] as string, fields[i + 1] as string])
  }
  return pairs
}
