/**
 * Where a client's library puts the key for its provider, by whose API it speaks: the field, or
 * the query for Gemini. To see whether there is one, and to put another in its place. Pure;
 * values are held no longer than a call.
 */
import { withoutQuery } from './paths.js'

/** A request's end-to-end fields, flat, and its target. */
export interface Credentialed {
  readonly fields: readonly string[]
  readonly path: string
}

/** In lower case; every library uses one of them. */
const FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
])

/** A browser's WebSocket can send no fields: OpenAI takes the key as one of its protocols. */
const PROTOCOLS = 'sec-websocket-protocol'
const PROTOCOL_KEY = 'openai-insecure-api-key.'

/** The first key that a request carries, without its scheme; undefined: it carries none. */
export function credentialIn(request: Credentialed): string | undefined {
  const [first] = credentialsIn(request)
  return first
}

/** All keys that a request carries, in order. */
export function* credentialsIn({ fields, path }: Credentialed): Iterable<string> {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    const value = fields[i + 1] as string
    if (FIELDS.has(name)) {
      const key = value.replace(/^Bearer +/i, '').trim()
      if (key !== '') yield key
    } else if (name === PROTOCOLS) yield* protocolKeys(value)
  }
  for (const item of queryItems(path)) {
    const key = isKey(item) ? decoded(item.slice('key='.length)) : ''
    if (key !== '') yield key
  }
}

function protocolKeys(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one.startsWith(PROTOCOL_KEY))
    .map((one) => one.slice(PROTOCOL_KEY.length))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The same request with this key as its only one, where a server of that API looks. */
export function withCredential(
  request: Credentialed,
  speaks: string,
  key: string,
): Credentialed {
  return {
    ...request,
    ...withoutCredential(request),
    fields: [...withoutCredential(request).fields, ...fieldFor(speaks, key)],
  }
}

/** The same request without any. */
export function withoutCredential({ fields, path }: Credentialed): Credentialed {
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    if (FIELDS.has(name.toLowerCase())) continue
    if (name.toLowerCase() !== PROTOCOLS) kept.push(name, value)
    else kept.push(name, withoutKey(value))
  }
  const items = queryItems(path)
  if (!items.some(isKey)) return { fields: kept, path }
  const others = items.filter((one) => !isKey(one))
  const query = others.length === 0 ? '' : `?${others.join('&')}`
  return { fields: kept, path: withoutQuery(path) + query }
}

function withoutKey(protocols: string): string {
  const others = protocols
    .split(',')
    .filter((one) => !one.trim().startsWith(PROTOCOL_KEY))
  return others.join(',').trim()
}

function fieldFor(speaks: string, key: string): [string, string] {
  switch (speaks) {
    case 'anthropic':
      return ['x-api-key', key]
    case 'gemini':
      return ['x-goog-api-key', key]
    case 'azure-openai':
      return ['api-key', key]
    default:
      return ['authorization', `Bearer ${key}`]
  }
}

function queryItems(path: string): string[] {
  const query = path.slice(withoutQuery(path).length + 1)
  return query === '' ? [] : query.split('&')
}

function isKey(item: string): boolean {
  return item.startsWith('key=')
}
