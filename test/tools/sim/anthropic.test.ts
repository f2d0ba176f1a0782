/** The provider's own SDK talks to the simulator directly: the shapes are its own. */
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import type { Agent } from 'undici'
import { Simulator } from '../../../tools/sim/simulator.js'
import { anthropicSdk } from '../../support/sdk.js'
import { TOOL_SCHEMA, originOf, trusting } from './shared.js'

describe('tools/sim with the Anthropic SDK', () => {
  let simulator: Simulator
  let agent: Agent
  let client: Anthropic
  beforeEach(async () => {
    simulator = await Simulator.start()
    agent = trusting(simulator)
    client = anthropicSdk({ dispatcher: agent, origin: originOf(simulator) })
  })
  afterEach(async () => {
    await agent.destroy()
    await simulator[Symbol.asyncDispose]()
  })
  const asked = {
    model: 'claude-haiku-4-5',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: 'Say hello' }],
  }

  it('answers a message, and streams the same one event by event', async () => {
    const whole = await client.messages.create(asked)
    const events: string[] = []
    const stream = client.messages.stream(asked)
    stream.on('streamEvent', (event) => events.push(event.type))
    const streamed = await stream.finalMessage()
    const block = whole.content[0]
    assert.ok(block?.type === 'text')
    assert.match(block.text, /Say hello/)
    assert.deepEqual(streamed.content, whole.content)
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens)
    assert.equal(events[0], 'message_start')
    assert.equal(events.at(-1), 'message_stop')
  })

  it('uses a tool in a stream', async () => {
    const stream = client.messages.stream({
      ...asked,
      tools: [{ name: 'forecast', input_schema: TOOL_SCHEMA }],
    })
    const { content, stop_reason: reason } = await stream.finalMessage()
    const block = content[0]
    assert.ok(block?.type === 'tool_use')
    assert.deepEqual(block.input, { city: 'Zürich', days: 7 })
    assert.equal(reason, 'tool_use')
  })

  it('refuses as the provider does, also inside a stream', async () => {
    await assert.rejects(
      client.messages.create({ ...asked, model: 'error-429' }),
      Anthropic.RateLimitError,
    )
    await assert.rejects(
      client.messages.stream({ ...asked, model: 'error-in-stream' }).finalMessage(),
      /Overloaded/,
    )
  })
})
