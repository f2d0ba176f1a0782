/**
 * Recorded requests for another server or another model: which of them are calls, what they are
 * likely to cost, by whose key they go, and what is to be said of the answers. Keys come from the
 * environment; a recording has none. Pure.
 */
import { UNKNOWN, recognise } from '../../providers/index.js'
import type { Recognised } from '../../providers/index.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { ResponseFacts } from '../../providers/provider.js'
import { contentCoding } from '../../http/content-coding.js'
import { bytesOf } from '../../replay/recording.js'
import type { Recording } from '../../replay/recording.js'
import { nameOf } from './replay-asking.js'
import type { Said } from './replay-asking.js'

/** Of each provider the variables that its own libraries read, and the field that its key is in. */
const KEYS: Readonly<Record<string, readonly [names: readonly string[], field: string]>> =
  {
    anthropic: [['ANTHROPIC_API_KEY'], 'x-api-key'],
    gemini: [['GEMINI_API_KEY', 'GOOGLE_API_KEY'], 'x-goog-api-key'],
    google: [['GEMINI_API_KEY', 'GOOGLE_API_KEY'], 'x-goog-api-key'],
  }

export type KeyFound =
  | { readonly kind: 'found'; readonly field: string; readonly value: string }
  | { readonly kind: 'missing'; readonly names: readonly string[] }

export function keyFor(
  provider: string,
  env: Readonly<Record<string, string | undefined>>,
): KeyFound {
  const own = `${provider.toUpperCase().replace(/\W/g, '_')}_API_KEY`
  const [names, field] = KEYS[provider] ?? [[own], 'authorization']
  const value = names.map((name) => env[name] ?? '').find((text) => text !== '')
  if (value === undefined) return { kind: 'missing', names }
  const said = field === 'authorization' ? `Bearer ${value}` : value
  return { kind: 'found', field, value: said }
}

export function recognisedIn(recording: Recording): Recognised | undefined {
  const { method, url, fields } = recording.request
  const contentType = fields.find(([name]) => /^content-type$/i.test(name))?.[1]
  const host = nameOf(recording)
  const path = new URL(url).pathname
  return recognise({ host, method, path, contentType }, recording.about.provider)
}

/** A request that a model answers, whole; others are not sent anywhere. */
export function isCall({ request, about, response }: Recording): boolean {
  return (
    request.method === 'POST' &&
    request.isWhole &&
    request.body.kind === 'text' &&
    (about.model !== undefined || modelIn(request.body.text) !== undefined) &&
    (response === undefined || response.status < 400)
  )
}

function modelIn(text: string): string | undefined {
  try {
    const { model } = JSON.parse(text) as { model?: unknown }
    return typeof model === 'string' ? model : undefined
  } catch {
    return undefined
  }
}

/** The body for that model; where the path names it, the path. */
export function forModel(
  { request }: Recording,
  model: string | undefined,
): { readonly body: Buffer; readonly path: string } {
  const { pathname, search } = new URL(request.url)
  const as = { body: bytesOf(request.body), path: pathname + search }
  if (model === undefined) return as
  const path = as.path.replace(/(\/models\/)[^/:?]+/, `$1${encodeURIComponent(model)}`)
  if (request.body.kind !== 'text' || modelIn(request.body.text) === undefined)
    return { ...as, path }
  const said = JSON.parse(request.body.text) as Record<string, unknown>
  return { body: Buffer.from(JSON.stringify({ ...said, model })), path }
}

export interface Estimate {
  readonly calls: number
  /** Of those with a known price and known counts. */
  readonly microUsd: number
  /** Calls of which that is not known. */
  readonly unpriced: number
}

/** As many tokens as then, at the prices of now. */
export function estimate(
  recordings: readonly Recording[],
  catalogue: Catalogue,
  model: string | undefined,
): Estimate {
  let [microUsd, unpriced] = [0, 0]
  for (const { about, request } of recordings) {
    const { provider = '', inputTokens, outputTokens } = about
    const text = request.body.kind === 'text' ? request.body.text : ''
    const asked = model ?? about.model ?? modelIn(text)
    const usage = {
      ...{ inputTokens, outputTokens },
      ...{ inputEstimated: false, outputEstimated: false },
    }
    const isCounted = inputTokens !== undefined && outputTokens !== undefined
    const cost = isCounted ? catalogue.costOf(provider, asked, usage) : undefined
    if (cost === undefined) unpriced++
    else microUsd += cost
  }
  return { calls: recordings.length, microUsd, unpriced }
}

/** What an answer says, as its provider's reader reads it; undefined: it is coded. */
export function factsOf(recording: Recording, said: Said): ResponseFacts | undefined {
  const field = (name: string): string | undefined => {
    for (let i = 0; i + 1 < said.fields.length; i += 2)
      if (said.fields[i]?.toLowerCase() === name) return said.fields[i + 1]
    return undefined
  }
  if (contentCoding(field('content-encoding')) !== 'identity') return undefined
  const { provider, api } = recognisedIn(recording) ?? UNKNOWN
  const reader = provider.reader({
    api,
    path: new URL(recording.request.url).pathname,
    status: said.status,
    contentType: field('content-type'),
    header: field,
    promptChars: undefined,
  })
  reader.push(said.bytes)
  return reader.end(said.failure === undefined)
}

/** Of the recording itself, in the same words. */
export function recordedSaid({ response, latencyMs }: Recording): Said | undefined {
  if (response === undefined) return undefined
  const fields = response.fields
    .filter(([name]) => !/^content-encoding$/i.test(name))
    .flatMap(([name, value]) => [name, value])
  const bytes = Buffer.concat(response.pieces.map(({ content }) => bytesOf(content)))
  return { status: response.status, fields, bytes, ms: latencyMs }
}
