/**
 * Anthropic's messages, whole and event by event, with tools, and the list of models.
 * https://docs.anthropic.com/en/api/messages
 */
import { answer, countTokens, pieces } from './answers.js'
import type { Answer, Question } from './answers.js'
import { isObject, listOf, objectOf, textOf } from './json.js'
import type { Json } from './json.js'
import { json, namedEvent } from './reply.js'
import type { Asked, Dialect, Reply } from './reply.js'

const MODELS = ['claude-sonnet-4-5', 'claude-haiku-4-5']

const ROUTES: Readonly<Record<string, (body: Json) => Reply>> = {
  'POST /v1/messages': createMessage,
  'POST /v1/messages/count_tokens': tokenCount,
  'GET /v1/models': models,
}

export const anthropic: Dialect = (asked) => {
  const route = ROUTES[`${asked.method} ${asked.path}`]
  if (route === undefined) return undefined
  if (!authorised(asked)) return failure(401, 'authentication_error', 'invalid x-api-key')
  if (asked.method === 'POST' && asked.json === undefined) {
    return failure(400, 'invalid_request_error', 'The request body is not valid JSON')
  }
  const body = objectOf(asked.json)
  return simulatedError(textOf(body['model'])) ?? route(body)
}

function authorised(asked: Asked): boolean {
  const { 'x-api-key': key, authorization } = asked.headers
  return typeof key === 'string' || typeof authorization === 'string'
}

function failure(status: number, type: string, message: string): Reply {
  const requestId = 'req_simulated'
  return json(
    status,
    { type: 'error', error: { type, message }, request_id: requestId },
    { 'request-id': requestId },
  )
}

/** A model called `error-429` answers with that status, as Anthropic words it. */
function simulatedError(model: string): Reply | undefined {
  switch (model) {
    case 'error-401':
      return failure(401, 'authentication_error', 'invalid x-api-key')
    case 'error-429':
      return failure(
        429,
        'rate_limit_error',
        'Number of requests has exceeded your limit',
      )
    case 'error-500':
      return failure(500, 'api_error', 'Internal server error')
    case 'error-in-stream':
      return {
        kind: 'events',
        events: [
          namedEvent('error', {
            type: 'error',
            error: { type: 'overloaded_error', message: 'Overloaded' },
          }),
        ],
      }
    default:
      return undefined
  }
}

function models(): Reply {
  const data = MODELS.map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: '2026-01-01T00:00:00Z',
  }))
  return json(200, { data, has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) })
}

function tokenCount(body: Json): Reply {
  return json(200, { input_tokens: countTokens(questionOf(body).prompt) })
}

function createMessage(body: Json): Reply {
  if (typeof body['max_tokens'] !== 'number') {
    return failure(400, 'invalid_request_error', 'max_tokens: Field required')
  }
  const question = questionOf(body)
  const said = answer(question)
  const headers = { 'request-id': `req_${said.id}` }
  if (body['stream'] === true) {
    return { kind: 'events', events: events(question.model, said), headers }
  }
  const message = {
    ...opening(question.model, said),
    content: [
      said.toolCall === undefined
        ? { type: 'text', text: said.text }
        : { ...toolUse(said.toolCall), input: said.toolCall.input },
    ],
    stop_reason: stopReason(said),
    usage: { ...inputUsage(said), output_tokens: said.outputTokens },
  }
  return json(200, message, headers)
}

function questionOf(body: Json): Question {
  const messages = listOf(body['messages']).map(objectOf)
  const tools = listOf(body['tools']).map(objectOf)
  const last = listOf(messages.at(-1)?.['content']).filter(isObject)
  const words = body['simulated_words']
  return {
    model: textOf(body['model'], 'claude-simulated'),
    prompt: [body['system'], ...messages.map((each) => each['content'])]
      .map(contentText)
      .filter((text) => text !== '')
      .join('\n'),
    tools: tools.map((tool) => ({
      name: textOf(tool['name']),
      schema: tool['input_schema'],
    })),
    answersTool: last.some((block) => block['type'] === 'tool_result'),
    ...(typeof words === 'number' ? { words } : {}),
  }
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = listOf(content).filter(isObject)
  return blocks.map((block) => textOf(block['text']) || textOf(block['content'])).join('')
}

const stopReason = (said: Answer): string =>
  said.toolCall === undefined ? 'end_turn' : 'tool_use'

const toolUse = (call: NonNullable<Answer['toolCall']>): Json => ({
  type: 'tool_use',
  id: `toolu_${call.id}`,
  name: call.name,
  input: {},
})

const inputUsage = (said: Answer): Json => ({
  input_tokens: said.inputTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
})

const opening = (model: string, said: Answer): Json => ({
  id: `msg_${said.id}`,
  type: 'message',
  role: 'assistant',
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { ...inputUsage(said), output_tokens: 1 },
})

function events(model: string, said: Answer): string[] {
  const call = said.toolCall
  const block = call === undefined ? { type: 'text', text: '' } : toolUse(call)
  const deltas =
    call === undefined
      ? pieces(said.text).map((text) => ({ type: 'text_delta', text }))
      : ['', JSON.stringify(call.input)].map((partial) => ({
          type: 'input_json_delta',
          partial_json: partial,
        }))
  const sequence: Json[] = [
    { type: 'message_start', message: opening(model, said) },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason(said), stop_sequence: null },
      usage: { output_tokens: said.outputTokens },
    },
    { type: 'message_stop' },
  ]
  return sequence.map((event) => namedEvent(textOf(event['type']), event))
}
