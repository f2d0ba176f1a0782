/**
 * Fields of HTTP/2 in the words of HTTP/1.1 and back (RFC 9113 §8.2, §8.3), so that one
 * pipeline serves both. Pure. That names, values and pseudo-fields are well formed has been
 * checked by whoever read the frames.
 */
import type { OutgoingHttpHeaders } from 'node:http2'

/** A request's head as HTTP/1.1 would have brought it. */
export interface H2RequestHead {
  readonly method: string
  readonly path: string
  /** Flat; pseudo-fields are gone, `host` leads, the framing is that of HTTP/1.1. */
  readonly rawHeaders: string[]
}

/** Of these Node's HTTP/2 carries one at most; a second is a mistake that HTTP/1.1 let pass. */
const SINGLE: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])

/** RFC 9113 §8.2.2, RFC 7540 §3.2.1. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

/**
 * `raw` is flat and begins with the pseudo-fields. `bodyless`: the head was the whole message.
 * Cookie crumbs are joined again (RFC 9113 §8.2.3). A `Host` that repeats `:authority` counts
 * once; one that differs stays beside it, for the caller to refuse.
 */
export function fromH2(raw: readonly string[], bodyless: boolean): H2RequestHead {
  let method = ''
  let path = ''
  let authority: string | undefined
  let cookieAt = -1
  let hasLength = false
  const rest: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (name === ':method') method = value
    else if (name === ':path') path = value
    else if (name === ':authority') authority = value
    else if (name.startsWith(':') || FORBIDDEN.has(name)) continue
    else if (name === 'host' && value === authority) continue
    else if (name === 'cookie' && cookieAt >= 0) rest[cookieAt] += `; ${value}`
    else {
      if (name === 'cookie') cookieAt = rest.length + 1
      if (name === 'content-length') hasLength = true
      rest.push(name, value)
    }
  }
  const host = authority === undefined ? [] : ['host', authority]
  const framing = bodyless || hasLength ? [] : ['transfer-encoding', 'chunked']
  return { method, path, rawHeaders: [...host, ...rest, ...framing] }
}

/** RFC 9110 §15: a client takes a status that is none for a 5xx; Node's HTTP/2 sends none. */
const LAST_STATUS = 599
const INSTEAD_STATUS = 500

/**
 * The fields of a message for Node's HTTP/2; `status` leads those of an answer, undefined for a
 * request's and for trailers. `fields` is flat. Values of a repeated name stand together, in
 * their order; of a field that Node carries once only the first counts. A status above 599 goes
 * as 500. Fields that HTTP/2 forbids, pseudo-fields and a `TE` other than `trailers` are left
 * out (RFC 9113 §8.2.2).
 */
export function toH2(status: number | undefined, fields: readonly string[]) {
  const sent = status !== undefined && status > LAST_STATUS ? INSTEAD_STATUS : status
  const head: OutgoingHttpHeaders = sent === undefined ? {} : { ':status': sent }
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    const value = fields[i + 1] as string
    if (FORBIDDEN.has(name) || name.startsWith(':') || name === '__proto__') continue
    const before = Object.hasOwn(head, name) ? head[name] : undefined
    if (before !== undefined && SINGLE.has(name)) continue
    if (name === 'te' && value.toLowerCase() !== 'trailers') continue
    if (before === undefined) head[name] = value
    else head[name] = Array.isArray(before) ? [...before, value] : [String(before), value]
  }
  return head
}
