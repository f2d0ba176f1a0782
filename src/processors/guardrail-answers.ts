/**
 * What a model answered, for guardrails that are asked over HTTP once it has gone to its
 * client: collected up to its bound, then its texts in the shape of each. Pure.
 */
import type { GuardrailShape } from './guardrail-messages.js'
import { Texts } from './texts.js'
import type { Told } from './told.js'
import { ProcessorFailure } from './words.js'

/** Answers under way, and the bytes that are kept of all of them. */
const MAX_ANSWERS = 1024
const MAX_BYTES = 16 * 1024 * 1024

interface Collected {
  readonly pieces: Buffer[]
  bytes: number
}

export interface WholeAnswer {
  readonly status: number
  readonly bytes: Buffer
}

export class AnswerPieces {
  readonly #open = new Map<string, Collected>()
  #bytes = 0

  get size(): number {
    return this.#open.size
  }

  /** The answer, with its last piece. @throws ProcessorFailure where there is no room for it */
  take(requestId: string, told: Told): WholeAnswer | undefined {
    if (told.kind !== 'response_body') return undefined
    const one = this.#open.get(requestId) ?? { pieces: [], bytes: 0 }
    if (!this.#open.has(requestId) && this.#open.size >= MAX_ANSWERS) throw noRoom()
    if (this.#bytes + told.bytes.length > MAX_BYTES) {
      this.forget(requestId)
      throw noRoom()
    }
    this.#open.set(requestId, one)
    one.pieces.push(told.bytes)
    one.bytes += told.bytes.length
    this.#bytes += told.bytes.length
    if (!told.isLast) return undefined
    this.forget(requestId)
    return { status: told.status, bytes: Buffer.concat(one.pieces) }
  }

  forget(requestId: string): void {
    this.#bytes -= this.#open.get(requestId)?.bytes ?? 0
    this.#open.delete(requestId)
  }
}

function noRoom(): ProcessorFailure {
  return new ProcessorFailure('busy', 'too many answers are under way')
}

/** JSON. */
export function guardrailAnswer(
  shape: GuardrailShape,
  requestId: string,
  { status, bytes }: WholeAnswer,
): string {
  const { json, texts } = read(bytes.toString())
  if (shape === 'litellm')
    return JSON.stringify({
      ...{ texts, images: [], tools: [], request_data: {}, input_type: 'response' },
      ...{ litellm_call_id: requestId, litellm_trace_id: requestId, model: null },
      additional_provider_specific_params: {},
    })
  return JSON.stringify({
    request: { json: {}, text: '', isStreamingRequest: false, isTransformed: false },
    response: {
      json: json ?? {},
      text: texts.join('\n'),
      statusCode: status,
      isTransformed: false,
    },
    ...{ provider: null, requestType: null, metadata: { request_id: requestId } },
    eventType: 'afterRequestHook',
  })
}

interface Read {
  /** Undefined: it is none. */
  readonly json: unknown
  readonly texts: readonly string[]
}

function read(text: string): Read {
  const json = parsed(text)
  if (json !== undefined) return { json, texts: new Texts(json).all }
  if (!/^\s{0,16}(?:data|event|id|:)/.test(text))
    return { json, texts: text === '' ? [] : [text] }
  const said = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => piecesOf(parsed(line.slice(5))))
    .join('')
  return { json, texts: said === '' ? [] : [said] }
}

/** Of one event of a stream. */
function piecesOf(event: unknown): string {
  if (typeof event !== 'object' || event === null) return ''
  const { type, delta } = event as { type?: unknown; delta?: unknown }
  // OpenAI's Responses say each piece by itself, and all of it once more at the end.
  if (typeof type === 'string' && type.startsWith('response.'))
    return type === 'response.output_text.delta' && typeof delta === 'string' ? delta : ''
  return new Texts(event).all.join('')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
