/**
 * A flat list of fields by name, as Node's own server gives them: names in lower case, what may
 * stand once by its first value, the rest joined. Pure. RFC 9110 §5.3.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { inLowerCase } from './field-names.js'

/** Of these the first counts, as in Node's `IncomingMessage.headers`. */
const SINGLE: ReadonlySet<string> = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires'],
  ...['from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified'],
  ...['location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after'],
  ...['server', 'user-agent'],
])

/** `rawHeaders`: flat, as received. `set-cookie` is the one name with a list. */
export function fieldsByName(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const found = Object.create(null) as Record<string, string | string[] | undefined>
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = inLowerCase(rawHeaders[i] as string)
    const value = rawHeaders[i + 1] as string
    const before = found[name]
    if (name === 'set-cookie') {
      if (Array.isArray(before)) before.push(value)
      else found[name] = [value]
    } else if (typeof before !== 'string') found[name] = value
    else if (!SINGLE.has(name))
      found[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return found
}
