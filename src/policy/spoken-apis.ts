/**
 * Which providers have which of the APIs that are asked for under `/v1/`, and where each keeps
 * OpenAI's: the vendors' references say so. Pure.
 */
import type { Door } from './door.js'

/** Calls that everybody has who is compatible with OpenAI at all. */
const COMMON = /^\/v1\/(?:chat\/completions|completions|embeddings|models)(?:[/?]|$)/
/** Those of Anthropic's API. */
const MESSAGES = /^\/v1\/(?:messages|complete)(?:[/?]|$)/
/** Mistral's and Cohere's own. */
const OWN: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/(?:fim|ocr)(?:[/?]|$)/, 'mistral'],
  [/^\/v1\/rerank(?:[/?]|$)/, 'cohere'],
  [/^\/v2\//, 'cohere'],
  [/^\/v1(?:alpha|beta)\//, 'gemini'],
]

/** Who has no more of OpenAI's API than the common calls. */
const IN_PART: ReadonlySet<string> = new Set(['gemini', 'cohere', 'mistral', 'ollama'])
/** Who has nothing of it. */
const NOT_AT_ALL: ReadonlySet<string> = new Set(['anthropic', 'bedrock', 'vertex'])
/** Who has Anthropic's beside OpenAI's, under the same prefix. */
const BOTH: ReadonlySet<string> = new Set(['openrouter'])

/** Does it have the API of a path such as `/v1/chat/completions`? A query may follow. */
export function apiSpokenAt({ name, speaks }: Door, path: string): boolean {
  if (MESSAGES.test(path)) return speaks === 'anthropic' || BOTH.has(name)
  const own = OWN.find(([pattern]) => pattern.test(path))
  if (own !== undefined) return own[1] === speaks
  if (NOT_AT_ALL.has(speaks)) return false
  return COMMON.test(path) || !IN_PART.has(speaks)
}

/** Where those have OpenAI's `/v1` that have it elsewhere, by the name of their door. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['openrouter', '/api/v1'],
  ['groq', '/openai/v1'],
  ['azure', '/openai/v1'],
  ['fireworks', '/inference/v1'],
  ['deepinfra', '/v1/openai'],
  ['dashscope', '/compatible-mode/v1'],
  ['perplexity', ''],
  ['z.ai', '/api/paas/v4'],
])
/** The same of those whose own API has a `/v1` too: for the common calls alone. */
const BESIDE: ReadonlyMap<string, string> = new Map([
  ['gemini', '/v1beta/openai'],
  ['cohere', '/compatibility/v1'],
])

/**
 * Where a provider has what was asked for as `path`, which begins with its version (`/v1/...`;
 * a query may follow): the same path, but for OpenAI's API where that stands elsewhere.
 */
export function versionedPath({ name, target }: Door, path: string): string {
  if (!path.startsWith('/v1/')) return path
  const rest = path.slice('/v1'.length)
  // Its base URL says where.
  if (target !== undefined && target.prefix !== '')
    return /\/v\d[^/]*$|\/openai$/.test(target.prefix) ? rest : path
  const beside = BESIDE.get(name)
  if (beside !== undefined) return COMMON.test(path) ? beside + rest : path
  const elsewhere = ELSEWHERE.get(name)
  return elsewhere === undefined ? path : elsewhere + rest
}

/**
 * The other way round: what was asked for at a door, as everybody calls it (`/v1/...`, or the path
 * of an API that is one provider's own). Undefined: nobody else has such a path.
 */
export function apiPathOf(
  { name, target }: Door,
  rest: string,
  isShort: boolean,
): string | undefined {
  if (isShort) return rest
  const there = [BESIDE.get(name), ELSEWHERE.get(name)].filter((one) => one !== undefined)
  for (const front of there)
    if (front !== '' && rest.startsWith(`${front}/`))
      return `/v1${rest.slice(front.length)}`
  if (/^\/v\d/.test(rest)) return rest
  const prefix = target?.prefix ?? ''
  return /\/v\d[^/]*$|\/openai$/.test(prefix) ? `/v1${rest}` : undefined
}
