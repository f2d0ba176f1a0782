/**
 * May a request be sent once more that had gone, and was left without a byte of an answer by a
 * connection that had served before? Mostly the provider had closed it for idleness while the
 * request was on its way; but it may as well have acted on it. RFC 9110 §9.2.2, RFC 9112 §9.3.1.
 * Pure.
 */
import type { Recognised } from '../../providers/index.js'
import { isModelCall } from '../../providers/calls.js'
import type { Api } from '../../providers/provider.js'

/**
 * A close that crossed the request on its way is here within a round trip; who works at an answer
 * and fails does so later. Milliseconds from when it was sent.
 */
export const KEEP_ALIVE_RACE_MS = 1_000

/** Once more is the same as once, RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
])

/** An answer is all that comes of these: no file, job, or session stays behind. */
const PLAIN: ReadonlySet<Api> = new Set<Api>([
  'chat',
  'completions',
  'messages',
  'generate',
  'converse',
  'invoke',
  'responses',
  'embeddings',
  'rerank',
  'moderations',
])

export interface WasSent {
  readonly method: string
  readonly path: string
  /** As they went up, flat. */
  readonly fields: readonly string[]
  readonly recognised: Recognised | undefined
}

export interface HowItEnded {
  /** Nothing of it had gone, or the provider said that it has not acted on it. */
  readonly isUnsent: boolean
  /** Milliseconds since it was sent. */
  readonly afterMs: number
}

/** Asked where no byte of an answer has come. */
export function maySendAgain(sent: WasSent, { isUnsent, afterMs }: HowItEnded): boolean {
  if (isUnsent || IDEMPOTENT.has(sent.method)) return true
  if (hasIdempotencyKey(sent.fields)) return true
  return afterMs <= KEEP_ALIVE_RACE_MS && isPlainCall(sent)
}

/** A provider that knows of it answers the second as it did the first. */
function hasIdempotencyKey(fields: readonly string[]): boolean {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    if (name.length === KEY_FIELD.length && name.toLowerCase() === KEY_FIELD)
      return (fields[i + 1] as string).trim() !== ''
  }
  return false
}

const KEY_FIELD = 'idempotency-key'

function isPlainCall({ method, path, recognised }: WasSent): boolean {
  if (recognised === undefined || !PLAIN.has(recognised.api)) return false
  const { api, provider } = recognised
  return isModelCall({ method, path }, { api, provider: provider.name })
}
