/**
 * OpenAI's chat completions, whole and streamed, with tool calls.
 * https://platform.openai.com/docs/api-reference/chat
 */
import { CREATED, answer, pieces } from './answers.js'
import type { Answer, Question } from './answers.js'
import { isObject, listOf, objectOf, textOf } from './json.js'
import type { Json } from './json.js'
import { json, plainEvent } from './reply.js'
import type { Reply } from './reply.js'

const HEADERS = { 'openai-version': '2020-10-01', 'openai-processing-ms': '12' }

export function chatCompletion(body: Json): Reply {
  const messages = listOf(body['messages']).map(objectOf)
  if (messages.length === 0) {
    return openaiError(400, 'invalid_request_error', "'messages' must not be empty")
  }
  const question = questionOf(body, messages)
  const said = answer(question)
  if (body['stream'] === true) {
    const options = objectOf(body['stream_options'])
    const events = chunks(question.model, said, options['include_usage'] === true)
    return { kind: 'events', events, headers: HEADERS }
  }
  return json(
    200,
    {
      id: `chatcmpl-${said.id}`,
      object: 'chat.completion',
      created: CREATED,
      model: question.model,
      choices: [
        { index: 0, message: message(said), logprobs: null, finish_reason: finish(said) },
      ],
      usage: usage(said),
      service_tier: 'default',
      system_fingerprint: 'fp_simulated',
    },
    HEADERS,
  )
}

/** The envelope that OpenAI's SDKs raise from. */
export function openaiError(status: number, type: string, text: string): Reply {
  const code =
    status === 401 ? 'invalid_api_key' : status === 429 ? 'rate_limit_exceeded' : null
  return json(status, { error: { message: text, type, param: null, code } })
}

export function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content
  return listOf(content)
    .filter(isObject)
    .map((part) => textOf(part['text']))
    .join('')
}

function questionOf(body: Json, messages: readonly Json[]): Question {
  const tools = body['tool_choice'] === 'none' ? [] : listOf(body['tools']).map(objectOf)
  const words = body['simulated_words']
  return {
    model: textOf(body['model'], 'gpt-simulated'),
    prompt: messages.map((each) => textOfContent(each['content'])).join('\n'),
    tools: tools.map((tool) => {
      const callable = objectOf(tool['function'])
      return { name: textOf(callable['name']), schema: callable['parameters'] }
    }),
    answersTool: messages.at(-1)?.['role'] === 'tool',
    ...(typeof words === 'number' ? { words } : {}),
  }
}

const finish = (said: Answer): string =>
  said.toolCall === undefined ? 'stop' : 'tool_calls'

function message(said: Answer): object {
  const base = { role: 'assistant', refusal: null, annotations: [] }
  if (said.toolCall === undefined) return { ...base, content: said.text }
  return { ...base, content: null, tool_calls: [callOf(said.toolCall)] }
}

const callOf = (call: NonNullable<Answer['toolCall']>): object => ({
  id: `call_${call.id}`,
  type: 'function',
  function: { name: call.name, arguments: JSON.stringify(call.input) },
})

function usage(said: Answer): object {
  return {
    prompt_tokens: said.inputTokens,
    completion_tokens: said.outputTokens,
    total_tokens: said.inputTokens + said.outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

function chunks(model: string, said: Answer, includeUsage: boolean): string[] {
  const chunk = (choices: readonly object[], counted: object | null = null): string =>
    plainEvent({
      id: `chatcmpl-${said.id}`,
      object: 'chat.completion.chunk',
      created: CREATED,
      model,
      service_tier: 'default',
      system_fingerprint: 'fp_simulated',
      choices,
      ...(includeUsage ? { usage: counted } : {}),
    })
  const choice = (delta: object, reason: string | null = null): object => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: reason,
  })
  return [
    chunk([
      choice({ role: 'assistant', content: said.toolCall === undefined ? '' : null }),
    ]),
    ...deltas(said).map((delta) => chunk([choice(delta)])),
    chunk([choice({}, finish(said))]),
    ...(includeUsage ? [chunk([], usage(said))] : []),
    'data: [DONE]\n\n',
  ]
}

function deltas(said: Answer): object[] {
  const call = said.toolCall
  if (call === undefined) return pieces(said.text).map((content) => ({ content }))
  const text = JSON.stringify(call.input)
  const half = Math.floor(text.length / 2)
  const part = (fields: object): object => ({ tool_calls: [{ index: 0, ...fields }] })
  return [
    part({
      id: `call_${call.id}`,
      type: 'function',
      function: { name: call.name, arguments: '' },
    }),
    part({ function: { arguments: text.slice(0, half) } }),
    part({ function: { arguments: text.slice(half) } }),
  ]
}
