/**
 * OpenAI's API: chat completions, responses, embeddings and the list of models.
 * https://platform.openai.com/docs/api-reference
 */
import { createHash } from 'node:crypto'
import { CREATED, countTokens } from './answers.js'
import { listOf, objectOf, textOf } from './json.js'
import type { Json } from './json.js'
import { chatCompletion, openaiError } from './openai-chat.js'
import { createResponse } from './openai-responses.js'
import { json } from './reply.js'
import type { Asked, Dialect, Reply } from './reply.js'

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'o4-mini', 'text-embedding-3-small']
const EMBEDDING_DIMENSIONS = 16

const ROUTES: Readonly<Record<string, (body: Json) => Reply>> = {
  'POST /v1/chat/completions': chatCompletion,
  'POST /v1/responses': createResponse,
  'POST /v1/embeddings': embeddings,
  'GET /v1/models': models,
}

export const openai: Dialect = (asked) => {
  const route = ROUTES[`${asked.method} ${asked.path}`]
  if (route === undefined || asked.headers['anthropic-version'] !== undefined) {
    return undefined
  }
  if (!authorised(asked)) {
    return openaiError(401, 'invalid_request_error', 'Incorrect API key provided.')
  }
  if (asked.method === 'POST' && asked.json === undefined) {
    return openaiError(400, 'invalid_request_error', 'The body is not valid JSON.')
  }
  const body = objectOf(asked.json)
  return simulatedError(textOf(body['model'])) ?? route(body)
}

/** A model called `error-429` answers with that status, as OpenAI words it. */
function simulatedError(model: string): Reply | undefined {
  switch (model) {
    case 'error-401':
      return openaiError(401, 'invalid_request_error', 'Incorrect API key provided.')
    case 'error-429':
      return openaiError(429, 'requests', 'Rate limit reached for requests.')
    case 'error-500':
      return openaiError(500, 'server_error', 'The server had an error.')
    default:
      return undefined
  }
}

function authorised(asked: Asked): boolean {
  const value = asked.headers['authorization']
  return typeof value === 'string' && value.startsWith('Bearer ') && value.length > 7
}

function models(): Reply {
  const data = MODELS.map((id) => ({
    id,
    object: 'model',
    created: CREATED,
    owned_by: 'simulator',
  }))
  return json(200, { object: 'list', data })
}

function embeddings(body: Json): Reply {
  const input = body['input']
  const texts = typeof input === 'string' ? [input] : listOf(input).map((t) => textOf(t))
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0)
  return json(200, {
    object: 'list',
    data: texts.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: vector(text, body['encoding_format'] === 'base64'),
    })),
    model: textOf(body['model']),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  })
}

/** Numbers in [-1, 1] from the text's hash; base64 is little-endian 32-bit floats. */
function vector(text: string, asBase64: boolean): readonly number[] | string {
  const hash = createHash('sha256').update(text).digest()
  const values = Float32Array.from(
    { length: EMBEDDING_DIMENSIONS },
    (_, i) => hash.readInt16LE(i * 2) / 32_768,
  )
  return asBase64 ? Buffer.from(values.buffer).toString('base64') : [...values]
}
