/**
 * Which requests ask a model for work. Quotas and sessions count these; lists, settings, files,
 * counts of tokens, telemetry, and asking again for an answer that was asked for before are
 * none. By head alone, so that it is known before the first byte of a body. Pure.
 */
import { withoutQuery } from './paths.js'
import type { Api } from './provider.js'

/** APIs whose POST a model answers. */
const ASKED_BY_POST: ReadonlySet<Api> = new Set<Api>([
  'chat',
  'completions',
  'messages',
  'generate',
  'converse',
  'invoke',
  'embeddings',
  'rerank',
  'moderations',
  'images',
  'audio',
  'video',
  'ocr',
])

/** Of these, what changes something that is there: a stored answer's notes, a voice. */
const MANAGES = /\/(?:completions\/[^/]+|voices|voice_consents|cancel|delete)$/

/** Where each of the others begins work; all else below its path manages or asks again. */
const BEGINS: { readonly [A in Api]?: RegExp } = {
  responses: /\/responses(?:\/compact)?$/,
  interactions: /\/interactions$/,
  assistants: /\/(?:runs|submit_tool_outputs)$/,
  batches: /(?:\/batches|:batchGenerateContent|:asyncBatchEmbedContent)$/,
}

/** A key or a session for later is prepared; any other opens one at once: WebRTC and SIP. */
const PREPARES = /\/(?:client_secrets|(?:transcription_)?sessions|auth_tokens)$/
/** Mistral's; OpenAI keeps conversations under the same name, and a model answers elsewhere. */
const MISTRAL_CONVERSATION = /\/v1\/conversations(?:\/[^/]+(?:\/restart)?)?$/

/**
 * Does a model work for this request? `path` may have a query; `api` and `provider` are
 * as `recognise` gave them. A WebSocket is a call by its GET, all others by POST.
 */
export function isModelCall(
  head: { readonly method: string; readonly path: string },
  { api, provider }: { readonly api: Api; readonly provider: string },
): boolean {
  const path = withoutQuery(head.path)
  // A WebSocket; a session that is only prepared is asked for by POST.
  if (api === 'realtime') return head.method === 'GET'
  if (head.method !== 'POST') return false
  if (ASKED_BY_POST.has(api)) return !MANAGES.test(path)
  if (api === 'session') return !PREPARES.test(path)
  if (api === 'other') return provider === 'mistral' && MISTRAL_CONVERSATION.test(path)
  return BEGINS[api]?.test(path) ?? false
}
