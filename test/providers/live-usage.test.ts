/** What live turns used, also where the provider says it elsewhere, or not at all. */
import assert from 'node:assert/strict'
import { SessionReader } from '../../src/providers/live.js'

const frame = (value: object): string => JSON.stringify(value)
const says = (text: string): string => {
  const content = [{ type: 'input_text', text }]
  return frame({ type: 'conversation.item.create', item: { role: 'user', content } })
}
const done = (text: string, more: object = {}, beside: object = {}): string => {
  const output = [{ type: 'message', content: [{ type: 'output_text', text }] }]
  const response = { id: 'r', status: 'completed', output, ...more }
  return frame({ type: 'response.done', response, ...beside })
}

describe('what a live turn used', () => {
  it("stands beside xAI's response, whose own usage is empty", () => {
    const reader = new SessionReader('openai', 'grok-4')
    reader.fromServer(frame({ type: 'ping', event_id: 'p', timestamp: 1 }))
    reader.fromClient(frame({ type: 'pong' }))
    reader.fromClient(says('Hello'))
    const usage = { input_tokens: 40, output_tokens: 9, total_tokens: 49 }
    reader.fromServer(done('Hi', { usage: {} }, { usage }))
    const { response } = reader.end()
    assert.equal(response.unread, 0)
    assert.equal(response.usage.inputTokens, 40)
    assert.equal(response.usage.outputTokens, 9)
    assert.equal(response.usage.inputEstimated, false)
    assert.equal(response.usage.outputEstimated, false)
  })

  it("is Gemini's candidatesTokenCount as well as its responseTokenCount", () => {
    for (const name of ['candidatesTokenCount', 'responseTokenCount']) {
      const reader = new SessionReader('gemini')
      reader.fromClient(
        frame({ clientContent: { turns: [{ parts: [{ text: 'Hi' }] }] } }),
      )
      reader.fromServer(
        frame({ serverContent: { modelTurn: { parts: [{ text: 'Hello' }] } } }),
      )
      reader.fromServer(frame({ serverContent: { turnComplete: true } }))
      // On its own, after the turn.
      reader.fromServer(frame({ usageMetadata: { promptTokenCount: 8, [name]: 5 } }))
      const { usage } = reader.end().response
      assert.equal(usage.inputTokens, 8)
      assert.equal(usage.outputTokens, 5)
      assert.equal(usage.inputEstimated, false)
      assert.equal(usage.outputEstimated, false)
    }
  })

  it('is estimated where the provider does not say, and marked', () => {
    const reader = new SessionReader('openai', 'gpt-realtime')
    reader.fromClient(says('x'.repeat(40)))
    reader.fromServer(done('y'.repeat(80), { usage: null }))
    const { usage } = reader.end().response
    assert.equal(usage.inputTokens, 10)
    assert.equal(usage.outputTokens, 20)
    assert.equal(usage.inputEstimated, true)
    assert.equal(usage.outputEstimated, true)
  })

  it('is counted once where it is told again', () => {
    const reader = new SessionReader('openai', 'gpt-realtime')
    const usage = { input_tokens: 100, output_tokens: 10 }
    for (const id of ['a', 'a', 'b', 'a']) reader.fromServer(done('y', { id, usage }))
    const told = reader.end().response.usage
    assert.deepEqual(
      [told.inputTokens, told.outputTokens, told.inputEstimated],
      [200, 20, false],
    )
  })

  it('is estimated for the turn without it alone', () => {
    const reader = new SessionReader('openai', 'gpt-realtime')
    reader.fromClient(says('x'.repeat(40)))
    reader.fromServer(done('y', { usage: { input_tokens: 100, output_tokens: 10 } }))
    reader.fromServer(done('z'.repeat(79)))
    const { usage } = reader.end().response
    assert.equal(usage.inputTokens, 110)
    // A line feed stands between turns.
    assert.equal(usage.outputTokens, 30)
    assert.equal(usage.inputEstimated, true)
    assert.equal(usage.outputEstimated, true)
  })

  it('is estimated for an answer that breaks off, and not for one that failed', () => {
    const broken = new SessionReader('gemini')
    broken.fromClient(frame({ realtimeInput: { text: 'x'.repeat(8) } }))
    broken.fromServer(
      frame({ serverContent: { modelTurn: { parts: [{ text: 'y'.repeat(12) }] } } }),
    )
    const { usage } = broken.end(false).response
    assert.equal(usage.inputTokens, 2)
    assert.equal(usage.outputTokens, 3)
    assert.equal(usage.inputEstimated, true)
    assert.equal(usage.outputEstimated, true)

    const failed = new SessionReader('openai')
    failed.fromClient(says('Hello'))
    const error = { type: 'server_error', message: 'no' }
    failed.fromServer(done('', { status: 'failed', status_details: { error } }))
    assert.equal(failed.end().response.usage.inputTokens, undefined)
  })
})
