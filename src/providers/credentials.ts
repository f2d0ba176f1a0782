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

/** The first key that a request carries, without its scheme; undefined: it carries none. */
export function credentialIn({ fields, path }: Credentialed): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!FIELDS.has((fields[i] as string).toLowerCase())) continue
    const key = (fields[i + 1] as string).replace(/^Bearer +/i, '').trim()
    if (key !== '') return key
  }
  return queryItems(path).find(isKey)?.slice('key='.length) || undefined
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

function withoutCredential({ fields, path }: Credentialed): Credentialed {
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    if (!FIELDS.has(name.toLowerCase())) kept.push(name, fields[i + 1] as string)
  }
  const items = queryItems(path)
  if (!items.some(isKey)) return { fields: kept, path }
  const others = items.filter((one) => !isKey(one))
  const query = others.length === 0 ? '' : `?${others.join('&')}`
  return { fields: kept, path: withoutQuery(path) + query }
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
