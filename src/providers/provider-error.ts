/**
 * What went wrong, in any of the shapes in which providers, the gateways before them and the
 * frameworks beneath them say so. Pure; one reading for all, since gateways mix the shapes.
 */
import { cutAt } from './bounded-text.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import type { ProviderError } from './provider.js'

/** Of a message, in UTF-16 units. */
const MAX_MESSAGE_CHARS = 4096
/** Of several errors in one body. */
const MAX_JOINED = 8

/**
 * `{error: {message, type, code}}` and `{error: "text"}` count whatever the status;
 * `{object: "error", message}` too (vLLM, Mistral). A status that failed (`failed`) makes
 * errors of `{message}`, `{detail}` and `{errors: [...]}` (Cohere, AWS, FastAPI,
 * Cloudflare), at most eight joined. Undefined: the body tells of none.
 */
export function readError(body: Json, failed: boolean): ProviderError | undefined {
  const { error } = body
  const nested = asRecord(error)
  if (nested !== undefined) return fromObject(nested)
  if (typeof error === 'string' && error.length > 0)
    return made(error, { type: undefined, code: body.code })
  if (!failed && body.object !== 'error') return undefined
  for (const said of [error, body.errors, body.detail, body.message, body.Message]) {
    const message = messageOf(said)
    if (message !== undefined)
      return made(message, { type: firstText(body.type, body.__type), code: body.code })
  }
  return undefined
}

function fromObject(error: Json): ProviderError {
  return made(messageOf(error) ?? '', {
    type: firstText(error.type, error.status),
    code: error.code,
  })
}

/** A text, an object that holds one, or a list of either, as validation errors are. */
function messageOf(said: unknown): string | undefined {
  const single = oneMessage(said)
  if (single !== undefined) return single
  const several = asList(said)
    .slice(0, MAX_JOINED)
    .map(oneMessage)
    .filter((message) => message !== undefined)
  return several.length === 0 ? undefined : several.join('; ')
}

function oneMessage(said: unknown): string | undefined {
  if (typeof said === 'string') return said === '' ? undefined : said
  const object = asRecord(said)
  return firstText(object?.message, object?.msg, object?.detail)
}

function made(
  message: string,
  { type, code }: { readonly type: string | undefined; readonly code: unknown },
): ProviderError {
  return { message: cutAt(message, MAX_MESSAGE_CHARS), type, code: codeText(code) }
}

function codeText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : asText(value)
}
