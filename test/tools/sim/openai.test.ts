/** The provider's own SDK talks to the simulator directly: the shapes are its own. */
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import type { Agent } from 'undici'
import { Simulator } from '../../../tools/sim/simulator.js'
import { openaiSdk } from '../../support/sdk.js'
import { TOOL_SCHEMA, originOf, trusting } from './shared.js'

describe('tools/sim with the openai SDK', () => {
  let simulator: Simulator
  let agent: Agent
  let client: OpenAI
  beforeEach(async () => {
    simulator = await Simulator.start()
    agent = trusting(simulator)
    client = openaiSdk({ dispatcher: agent, origin: originOf(simulator) })
  })
  afterEach(async () => {
    await agent.destroy()
    await simulator[Symbol.asyncDispose]()
  })
  const messages = [{ role: 'user' as const, content: 'Say hello' }]

  it('answers a chat completion, the same each time', async () => {
    const first = await client.chat.completions.create({ model: 'gpt-4o-mini', messages })
    const second = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
    })
    assert.match(first.choices[0]?.message.content ?? '', /Say hello/)
    assert.deepEqual(second, first)
    assert.equal(first.usage?.prompt_tokens, 3)
    assert.equal(simulator.requests.last.header('authorization'), 'Bearer simulated-key')
  })

  it('streams the same text, with usage only when asked for', async () => {
    const whole = await client.chat.completions.create({ model: 'gpt-4o', messages })
    for (const includeUsage of [false, true]) {
      const stream = await client.chat.completions.create({
        model: 'gpt-4o',
        messages,
        stream: true,
        ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
      })
      let text = ''
      let tokens: number | undefined
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        tokens = chunk.usage?.completion_tokens ?? tokens
      }
      assert.equal(text, whole.choices[0]?.message.content)
      assert.equal(tokens, includeUsage ? whole.usage?.completion_tokens : undefined)
    }
  })

  it('calls the first tool, and speaks once it has the result', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'forecast', parameters: TOOL_SCHEMA },
      },
    ]
    const stream = client.chat.completions.stream({ model: 'gpt-4o', messages, tools })
    const final = await stream.finalChatCompletion()
    const message = final.choices[0]?.message
    const call = message?.tool_calls?.[0]
    assert.ok(message !== undefined && call?.type === 'function')
    assert.equal(final.choices[0]?.finish_reason, 'tool_calls')
    assert.equal(call.function.name, 'forecast')
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Zürich', days: 7 })
    const after = await client.chat.completions.create({
      model: 'gpt-4o',
      tools,
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: 'sunny' },
      ],
    })
    assert.equal(after.choices[0]?.finish_reason, 'stop')
    assert.match(after.choices[0].message.content ?? '', /sunny/)
  })

  it('answers responses whole and streamed, embeddings and models', async () => {
    const response = await client.responses.create({ model: 'gpt-4o', input: 'Count' })
    assert.match(response.output_text, /Count/)
    let streamed = ''
    const stream = await client.responses.create({
      model: 'gpt-4o',
      input: 'Count',
      stream: true,
    })
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') streamed += event.delta
    }
    assert.equal(streamed, response.output_text)

    const model = 'text-embedding-3-small'
    const { data } = await client.embeddings.create({ model, input: ['a', 'b'] })
    assert.deepEqual(
      data.map((each) => each.embedding.length),
      [16, 16],
    )
    assert.ok((await client.models.list()).data.some((each) => each.id === 'gpt-4o'))
  })

  it('refuses as the provider does: 401, 429, 500', async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'error-401', messages }),
      OpenAI.AuthenticationError,
    )
    await assert.rejects(
      client.chat.completions.create({ model: 'error-429', messages }),
      OpenAI.RateLimitError,
    )
    await assert.rejects(
      client.chat.completions.create({ model: 'error-500', messages }),
      OpenAI.InternalServerError,
    )
  })
})
