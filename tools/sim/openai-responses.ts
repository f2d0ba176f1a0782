/**
 * OpenAI's responses, whole and streamed; text only.
 * https://platform.openai.com/docs/api-reference/responses
 */
import { CREATED, answer, pieces } from './answers.js'
import type { Answer } from './answers.js'
import { listOf, objectOf, textOf } from './json.js'
import type { Json } from './json.js'
import { textOfContent } from './openai-chat.js'
import { json, namedEvent } from './reply.js'
import type { Reply } from './reply.js'

export function createResponse(body: Json): Reply {
  const model = textOf(body['model'], 'gpt-simulated')
  const said = answer({ model, prompt: promptOf(body), tools: [], answersTool: false })
  if (body['stream'] === true) return { kind: 'events', events: events(model, said) }
  return json(200, completed(model, said))
}

function promptOf(body: Json): string {
  const input = body['input']
  if (typeof input === 'string') return input
  return listOf(input)
    .map((item) => textOfContent(objectOf(item)['content']))
    .join('\n')
}

const part = (text: string): object => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: [],
})

const item = (said: Answer, status: string, content: readonly object[]): object => ({
  id: `msg_${said.id}`,
  type: 'message',
  status,
  role: 'assistant',
  content,
})

function started(model: string, said: Answer): Json {
  return {
    id: `resp_${said.id}`,
    object: 'response',
    created_at: CREATED,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: null,
    model,
    output: [],
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    temperature: 1,
    top_p: 1,
    metadata: {},
    usage: null,
  }
}

function completed(model: string, said: Answer): Json {
  return {
    ...started(model, said),
    status: 'completed',
    output: [item(said, 'completed', [part(said.text)])],
    usage: {
      input_tokens: said.inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: said.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: said.inputTokens + said.outputTokens,
    },
  }
}

function events(model: string, said: Answer): string[] {
  const at = { item_id: `msg_${said.id}`, output_index: 0, content_index: 0 }
  const sequence: [string, object][] = [
    ['response.created', { response: started(model, said) }],
    ['response.in_progress', { response: started(model, said) }],
    [
      'response.output_item.added',
      { output_index: 0, item: item(said, 'in_progress', []) },
    ],
    ['response.content_part.added', { ...at, part: part('') }],
    ...pieces(said.text).map((delta): [string, object] => [
      'response.output_text.delta',
      { ...at, delta, logprobs: [] },
    ]),
    ['response.output_text.done', { ...at, text: said.text, logprobs: [] }],
    ['response.content_part.done', { ...at, part: part(said.text) }],
    [
      'response.output_item.done',
      { output_index: 0, item: item(said, 'completed', [part(said.text)]) },
    ],
    ['response.completed', { response: completed(model, said) }],
  ]
  return sequence.map(([type, fields], index) =>
    namedEvent(type, { type, sequence_number: index, ...fields }),
  )
}
