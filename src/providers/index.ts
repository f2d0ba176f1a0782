/**
 * Every provider that YORI reads, and who speaks in an exchange: by host, then by path, then
 * by the body's shape for hosts that nobody here owns (a gateway, a server in the house). A
 * new provider is one file and one line in this array.
 */
import { anthropic } from './anthropic.js'
import { bedrock } from './bedrock.js'
import { cohere } from './cohere.js'
import { geminiSetup, isOffer, isOfferBody } from './elsewhere.js'
import { gemini, geminiApi, vertex } from './gemini.js'
import { knownCall } from './grpc-calls.js'
import type { GrpcCall } from './grpc-calls.js'
import { asRecord } from './json.js'
import { isMcpBody, mcp } from './mcp.js'
import { mistral } from './mistral.js'
import { ollama, ollamaApi } from './ollama.js'
import { openaiFamily } from './openai-family.js'
import { openai, openaiApi } from './openai.js'
import { isInFrames } from '../http/grpc.js'
import { plainPath } from './paths.js'
import type { Api, ExchangeHead, Provider } from './provider.js'

export const providers: readonly Provider[] = [
  openai,
  anthropic,
  gemini,
  vertex,
  mistral,
  cohere,
  ollama,
  bedrock,
  mcp,
  ...openaiFamily,
]

/** Who reads an exchange, and as what. */
export interface Recognised {
  readonly provider: Provider
  readonly api: Api
  /** Of gRPC: how its messages are read. */
  readonly call?: GrpcCall
}

/**
 * Who is spoken to: by a known service of gRPC, then by host, then by path. A host that
 * nobody here owns is read as what the catalogue says it `speaks`, then by the path
 * alone, as the provider that made the path; undefined when that says nothing either. An
 * offer of WebRTC is a `session`, whoever is asked; `UNKNOWN`'s where nobody is known.
 */
export function recognise(asked: ExchangeHead, speaks?: string): Recognised | undefined {
  const path = plainPath(asked.path)
  const head = path === asked.path ? asked : { ...asked, path }
  const called = isInFrames(head.contentType) ? byCall(head.path) : undefined
  if (called !== undefined) return called
  const known = byHead(head, speaks)
  return isOffer(head) ? { ...(known ?? UNKNOWN), api: 'session' } : known
}

/** The service says who is spoken to, on whatever host. */
function byCall(path: string): Recognised | undefined {
  const known = knownCall(path)
  const provider = known && providerNamed(known.provider)
  if (known === undefined || provider === undefined) return undefined
  const { api, call } = known
  return { provider: known.over(provider), api, call }
}

function byHead(head: ExchangeHead, speaks: string | undefined): Recognised | undefined {
  for (const provider of providers) {
    const api = provider.recognises(head)
    if (api !== undefined) return { provider, api }
  }
  const named = speaks === undefined ? undefined : providerNamed(speaks)
  const api = named?.apiOf(head)
  if (named !== undefined && api !== undefined) return { provider: named, api }
  const byPath = recogniseByPath(head)
  if (byPath !== undefined || named === undefined) return byPath
  return { provider: named, api: 'other' }
}

/** Of a host and path that nobody knows, what a body's shape tells, and its text. */
export const UNKNOWN: Recognised = {
  provider: { ...openai, name: 'unknown' },
  api: 'other',
}

/** A reader for a name from the catalogue: `speaks` of an entry of the user's own. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name)
}

function recogniseByPath(head: ExchangeHead): Recognised | undefined {
  const own = ollamaApi(head)
  if (own !== undefined) return { provider: ollama, api: own }
  // `/models/<model>:<method>` is Google's; `/models` alone is everybody's.
  const google = head.path.includes('/models/') ? geminiApi(head) : undefined
  if (google !== undefined && google !== 'models')
    return { provider: gemini, api: google }
  const api = openaiApi(head)
  if (api === undefined) return undefined
  return { provider: api === 'messages' ? anthropic : openai, api }
}

/**
 * By what a parsed body cannot do without, when host and path say nothing. A guess: the
 * first of the shapes that fits.
 */
export function recogniseBody(body: unknown): Recognised | undefined {
  if (isMcpBody(body)) return { provider: mcp, api: 'mcp' }
  const value = asRecord(body)
  if (value === undefined) return undefined
  if (isOfferBody(value)) return { provider: openai, api: 'session' }
  if (geminiSetup(value) !== undefined) return { provider: gemini, api: 'session' }
  if (Array.isArray(value.contents)) return { provider: gemini, api: 'generate' }
  if (typeof value.anthropic_version === 'string')
    return { provider: anthropic, api: 'messages' }
  if (Array.isArray(value.messages)) {
    const anthropicOnly = value.system !== undefined || value.stop_sequences !== undefined
    return anthropicOnly && value.max_tokens !== undefined
      ? { provider: anthropic, api: 'messages' }
      : { provider: openai, api: 'chat' }
  }
  if (typeof value.model !== 'string') return undefined
  if (value.prompt !== undefined) return { provider: openai, api: 'completions' }
  return value.input === undefined ? undefined : { provider: openai, api: 'responses' }
}
