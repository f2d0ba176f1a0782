/**
 * Which requests are answered out of the cache, and by which key. A request counts as
 * deterministic where nothing is drawn by lot for it: it asks for temperature 0, or for
 * embeddings. What a server would look up, run or remember for it makes it none. Pure.
 */
import { createHash } from 'node:crypto'
import type { Api } from '../../providers/provider.js'

export interface CacheAsked {
  readonly api: Api
  /** The name of the door. */
  readonly door: string
  /** Device, key of ours, and whatever else tells one client from another. */
  readonly client: readonly string[]
  readonly method: string
  /** With its query. */
  readonly path: string
  /** As they go up, flat: credentials too. */
  readonly fields: readonly string[]
  /** As it goes up. */
  readonly body: Buffer
}

/** They change from request to request, and nothing in an answer by them. */
const PASSING: ReadonlySet<string> = new Set([
  ...['traceparent', 'tracestate', 'baggage', 'x-request-id', 'x-client-request-id'],
  ...['idempotency-key', 'date', 'user-agent', 'cache-control', 'pragma'],
  ...['x-correlation-id', 'sentry-trace', 'content-length'],
])

/** APIs that write, and say how much is left to chance. */
const DRAWING: ReadonlySet<Api> = new Set<Api>([
  'chat',
  'completions',
  'messages',
  'generate',
])

/** Undefined: it is not for the cache. */
export function cacheKey(asked: CacheAsked): string | undefined {
  const { api, door, client, method, path, fields, body } = asked
  if (method !== 'POST' || codingOf(fields)) return undefined
  if (!isDeterministic(api, body)) return undefined
  const named = fieldsOf(fields)
  const digest = createHash('sha256').update(body).digest('base64')
  const text = JSON.stringify([door, client, method, path, named, digest])
  return createHash('sha256').update(text).digest('base64')
}

/** What the client says of it: `Cache-Control`, RFC 9111 §5.2.1. */
export function cacheWish(control: string | undefined): 'any' | 'fresh' | 'none' {
  const words = (control ?? '').toLowerCase().split(',')
  const said = new Set(words.map((word) => word.trim()))
  if (said.has('no-store')) return 'none'
  return said.has('no-cache') || said.has('max-age=0') ? 'fresh' : 'any'
}

export function isDeterministic(api: Api, body: Buffer): boolean {
  const isDrawing = DRAWING.has(api)
  if (!isDrawing && api !== 'embeddings') return false
  const asked = objectIn(body)
  if (asked === undefined) return false
  if (!isDrawing) return true
  return temperatureIn(asked) === 0 && !reachesOut(asked)
}

/** At its place in each of the APIs: Gemini has it in `generationConfig`, Ollama in `options`. */
function temperatureIn(asked: Json): unknown {
  for (const name of ['generationConfig', 'generation_config', 'options']) {
    const nested = asked[name]
    if (isObject(nested) && 'temperature' in nested) return nested['temperature']
  }
  return asked['temperature']
}

/** The server is to search, to run something, or to remember. */
function reachesOut(asked: Json): boolean {
  const { tools } = asked
  if (asked['store'] === true) return true
  if (REACHING.some((name) => asked[name] !== undefined && asked[name] !== null))
    return true
  if (tools === undefined || tools === null) return false
  return !Array.isArray(tools) || !tools.every(isClientsOwn)
}

const REACHING = [
  ...['web_search_options', 'mcp_servers', 'container', 'search_parameters'],
  ...['cachedContent', 'cached_content', 'plugins', 'connectors', 'data_sources'],
]

/** The client itself runs it. Of Gemini, a tool is a list of functions and nothing else. */
function isClientsOwn(tool: unknown): boolean {
  if (!isObject(tool)) return false
  const { type } = tool
  if (type !== undefined) return type === 'function' || type === 'custom'
  const names = Object.keys(tool)
  if (names.includes('input_schema')) return true
  return names.every((name) => /^function_?declarations$/i.test(name))
}

type Json = Readonly<Record<string, unknown>>

function objectIn(body: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is in a coding cannot be read. */
function codingOf(fields: readonly string[]): boolean {
  return fields.some(
    (field, i) => i % 2 === 0 && field.toLowerCase() === 'content-encoding',
  )
}

/** In the order of their names; those of one name in the order in which they came. */
function fieldsOf(fields: readonly string[]): [string, string][] {
  const named: [string, string][] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    if (PASSING.has(name) || name.startsWith('x-stainless-')) continue
    named.push([name, fields[i + 1] as string])
  }
  return named.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
