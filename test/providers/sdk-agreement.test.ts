import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { readAnswer, sse } from '../support/exchanges.js'

const SSE_TYPE = 'text/event-stream'

/** A `fetch` that answers every call with these bytes. */
function answering(body: string): () => Promise<Response> {
  return () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': SSE_TYPE } }))
}

const chat = sse(
  {
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi ' } }],
  },
  { id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'é😀' } }] },
  {
    id: 'c',
    model: 'm',
    choices: [
      {
        index: 0,
        delta: {
          tool_calls: [
            {
              index: 0,
              id: 't',
              type: 'function',
              function: { name: 'f', arguments: '{"a"' },
            },
          ],
        },
      },
    ],
  },
  {
    id: 'c',
    model: 'm',
    choices: [
      { index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] } },
    ],
  },
  {
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }],
  },
  {
    id: 'c',
    model: 'm',
    choices: [],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  },
  '[DONE]',
)

const messages = sse(
  {
    type: 'message_start',
    message: {
      id: 'm1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 25, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi é' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 't', name: 'f', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '{"a"' },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: ':1}' },
  },
  { type: 'content_block_stop', index: 1 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 15 },
  },
  { type: 'message_stop' },
)

const item = {
  id: 'i',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'Hi é', annotations: [] }],
}
const call = {
  id: 'fc',
  type: 'function_call',
  call_id: 't',
  name: 'f',
  arguments: '{"a":1}',
  status: 'completed',
}
const response = {
  id: 'r',
  object: 'response',
  model: 'm',
  status: 'completed',
  output: [item, call],
  usage: { input_tokens: 9, output_tokens: 4, total_tokens: 13 },
}
const responses = sse(
  {
    type: 'response.created',
    response: { ...response, status: 'in_progress', output: [] },
  },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
  {
    type: 'response.content_part.added',
    output_index: 0,
    content_index: 0,
    item_id: 'i',
    part: { type: 'output_text', text: '', annotations: [] },
  },
  {
    type: 'response.output_text.delta',
    output_index: 0,
    content_index: 0,
    item_id: 'i',
    delta: 'Hi ',
  },
  {
    type: 'response.output_text.delta',
    output_index: 0,
    content_index: 0,
    item_id: 'i',
    delta: 'é',
  },
  { type: 'response.output_item.done', output_index: 0, item },
  {
    type: 'response.output_item.added',
    output_index: 1,
    item: { ...call, arguments: '' },
  },
  { type: 'response.output_item.done', output_index: 1, item: call },
  { type: 'response.completed', response },
)

describe("what the vendors' libraries read", () => {
  it("YORI reads of a chat what OpenAI's library reads", async () => {
    const client = new OpenAI({ apiKey: 'x', fetch: answering(chat) })
    const said = await client.chat.completions
      .stream({ model: 'm', messages: [], stream_options: { include_usage: true } })
      .finalChatCompletion()
    const url = 'https://api.openai.com/v1/chat/completions'
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer: chat })
    const [choice] = said.choices
    assert.ok(choice !== undefined)
    assert.equal(facts.text, choice.message.content)
    assert.equal(facts.model, said.model)
    assert.equal(facts.responseId, said.id)
    assert.equal(facts.finishReason, choice.finish_reason)
    assert.equal(facts.usage.inputTokens, said.usage?.prompt_tokens)
    assert.equal(facts.usage.outputTokens, said.usage?.completion_tokens)
    const calls = choice.message.tool_calls?.map((each) =>
      each.type === 'function'
        ? {
            name: each.function.name,
            id: each.id,
            argumentsText: each.function.arguments,
          }
        : undefined,
    )
    assert.deepEqual(facts.toolCalls, calls)
  })

  it("YORI reads of a response what OpenAI's library reads", async () => {
    const client = new OpenAI({ apiKey: 'x', fetch: answering(responses) })
    const said = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse()
    const url = 'https://api.openai.com/v1/responses'
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer: responses })
    assert.equal(facts.text, said.output_text)
    assert.equal(facts.model, said.model)
    assert.equal(facts.responseId, said.id)
    assert.equal(facts.finishReason, said.status)
    assert.equal(facts.usage.inputTokens, said.usage?.input_tokens)
    assert.equal(facts.usage.outputTokens, said.usage?.output_tokens)
    const calls = said.output.flatMap((each) =>
      each.type === 'function_call'
        ? [{ name: each.name, id: each.call_id, argumentsText: each.arguments }]
        : [],
    )
    assert.deepEqual(facts.toolCalls, calls)
  })

  it("YORI reads of a message what Anthropic's library reads", async () => {
    const client = new Anthropic({ apiKey: 'x', fetch: answering(messages) })
    const said = await client.messages
      .stream({ model: 'm', max_tokens: 9, messages: [] })
      .finalMessage()
    const url = 'https://api.anthropic.com/v1/messages'
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer: messages })
    const text = said.content.map((block) => (block.type === 'text' ? block.text : ''))
    assert.equal(facts.text, text.join(''))
    assert.equal(facts.model, said.model)
    assert.equal(facts.responseId, said.id)
    assert.equal(facts.finishReason, said.stop_reason)
    assert.equal(facts.usage.inputTokens, said.usage.input_tokens)
    assert.equal(facts.usage.outputTokens, said.usage.output_tokens)
    const calls = said.content.flatMap((block) =>
      block.type === 'tool_use' ? [[block.name, block.id, block.input]] : [],
    )
    const read = facts.toolCalls.map(({ name, id, argumentsText }) => [
      name,
      id,
      JSON.parse(argumentsText) as unknown,
    ])
    assert.deepEqual(read, calls)
  })
})
