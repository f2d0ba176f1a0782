import assert from 'node:assert/strict'
import type { CallEvent } from '../../src/core/call-event.js'
import type { ExchangeRecord, WritableRow } from '../../src/core/record.js'
import { FactsBuilder } from '../../src/providers/facts.js'
import { READER_LIMITS } from '../../src/providers/provider.js'
import type { ResponseFacts } from '../../src/providers/provider.js'
import type { Kept } from '../../src/conversations/call-events.js'
import { MAX_LISTENERS } from '../../src/conversations/event-hub.js'
import { Conversations } from '../../src/conversations/conversations.js'
import { readRequest } from '../support/exchanges.js'
import { ManualClock } from '../support/manual-clock.js'

const url = 'https://api.openai.com/v1/chat/completions'
const HOUR = 3_600_000

function answer(text: string, calls: readonly string[] = []): ResponseFacts {
  const builder = new FactsBuilder(READER_LIMITS)
  builder.text.append(text)
  builder.finishReason = 'stop'
  for (const id of calls)
    builder.toolCall(id, { name: 'look', id, argumentsText: '{"secret":1}' })
  return builder.build(undefined, true)
}

class Bench {
  readonly clock = new ManualClock()
  readonly events: CallEvent[] = []
  readonly conversations: Conversations
  #serial = 0

  constructor(kept: Kept = 'none') {
    this.conversations = new Conversations({
      clock: this.clock,
      newId: () => `s${++this.#serial}`,
      kept,
    })
    this.conversations.calls.events.follow((event) => this.events.push(event))
  }

  exchange(
    messages: readonly object[],
    facts: ResponseFacts | undefined,
  ): ExchangeRecord {
    const record: WritableRow<ExchangeRecord> = {
      requestId: `r${this.events.length}`,
      connectionId: 'c',
      device: { ip: '192.0.2.1' },
      startedAt: this.clock.now(),
      endpointDomain: 'api.openai.com',
      httpVersion: '1.1',
      method: 'POST',
      path: '/v1/chat/completions',
      provider: 'openai',
      model: 'gpt-4o',
      requestBytes: 0,
      responseBytes: 0,
    }
    const asked = readRequest({ url, body: { model: 'gpt-4o', messages } }).facts
    const { session, isNew = false, row } = this.conversations.place(record, asked, {})
    Object.assign(record, row)
    const said = { facts: asked, session, isNew, isWithheld: false }
    this.conversations.calls.requestRead(record, said)
    assert.ok(session !== undefined)
    record.outcome = facts === undefined ? 'error' : 'response'
    record.latencyMs = 120
    record.inputTokens = 10
    record.outputTokens = 5
    if (facts === undefined) record.code = 'YORI_UPSTREAM_TIMEOUT'
    this.conversations.answered(session, record, facts)
    this.conversations.calls.responseRead(record, { ...said, facts })
    return record
  }

  names(): string[] {
    return this.events.splice(0).map(({ name }) => name)
  }
}

const user = { role: 'user', content: 'Look up two things' }
const calls = {
  role: 'assistant',
  content: null,
  tool_calls: ['a', 'b'].map((id) => ({
    id,
    type: 'function',
    function: { name: 'look', arguments: '{}' },
  })),
}
const results = ['a', 'b'].map((id) => ({
  role: 'tool',
  tool_call_id: id,
  content: `result of ${id}`,
}))

describe('conversations', () => {
  it('YORI tells of calls, tools and sessions in the order in which they happen', () => {
    const bench = new Bench()
    bench.exchange([user], answer('', ['a', 'b']))
    assert.deepEqual(bench.names(), [
      'session.start',
      'llm.call.start',
      'llm.call.finish',
      'tool.execution',
      'tool.execution',
    ])
    bench.exchange([user, calls, ...results], answer('Both are there, I think.'))
    assert.deepEqual(bench.names(), [
      'tool.result',
      'tool.result',
      'llm.call.start',
      'llm.call.finish',
    ])
    // The client repeats the results; they are no news.
    const later = [user, calls, ...results, { role: 'assistant', content: 'Both' }]
    bench.exchange([...later, { role: 'user', content: 'Thanks' }], undefined)
    assert.deepEqual(bench.names(), ['llm.call.start', 'llm.call.error'])
    bench.clock.advance(HOUR + 1)
    bench.conversations.sweep()
    const [ended] = bench.events
    assert.equal(ended?.name, 'session.end')
    assert.deepEqual(ended.attributes, {
      'session.duration_ms': 0,
      'session.events_count': 11,
      'session.exchanges_count': 3,
    })
  })

  it('YORI gives events their attributes, and one trace to a session', () => {
    const bench = new Bench()
    bench.exchange([user], answer('Done, and nothing to add.'))
    const [start, asked, finish] = bench.events
    assert.equal(finish?.attributes['llm.vendor'], 'openai')
    assert.equal(finish.attributes['llm.model'], 'gpt-4o')
    assert.equal(finish.attributes['llm.response.duration_ms'], 120)
    assert.equal(finish.attributes['llm.usage.input_tokens'], 10)
    assert.equal(finish.attributes['llm.usage.output_tokens'], 5)
    assert.equal(finish.attributes['llm.usage.total_tokens'], 15)
    assert.match(finish.trace_id, /^[0-9a-f]{32}$/)
    assert.match(finish.span_id, /^[0-9a-f]{16}$/)
    assert.equal(start?.trace_id, finish.trace_id)
    assert.equal(asked?.session_id, 's1')
    assert.equal(finish.level, 'INFO')
  })

  it('YORI says what failed', () => {
    const bench = new Bench()
    bench.exchange([user], undefined)
    const failed = bench.events.at(-1)
    assert.equal(failed?.name, 'llm.call.error')
    assert.equal(failed.level, 'ERROR')
    assert.equal(failed.attributes['error.type'], 'YORI_UPSTREAM_TIMEOUT')
  })

  it('YORI puts no word of prompts, answers and tools in an event unless they are kept', () => {
    const said = (kept: Kept): string => {
      const bench = new Bench(kept)
      bench.exchange([user], answer('The model said this.', ['a']))
      bench.exchange([user, calls, ...results], answer('And then this.'))
      return JSON.stringify(bench.events)
    }
    const prompt = /Look up two things|result of a/
    const reply = /The model said this|secret/
    assert.doesNotMatch(said('none'), prompt)
    assert.doesNotMatch(said('none'), reply)
    assert.match(said('request'), prompt)
    assert.doesNotMatch(said('request'), reply)
    assert.match(said('both'), prompt)
    assert.match(said('both'), reply)
  })

  it('YORI ends every session when it stops, and goes on with none of them', () => {
    const bench = new Bench()
    const user = { role: 'user', content: 'What is a router?' }
    const first = bench.exchange([user], answer('A box that joins two networks.'))
    bench.clock.advance(5000)
    bench.exchange([{ role: 'user', content: 'Good morning' }], answer('Hello'))
    bench.conversations.end()
    const ended = bench.events.filter(({ name }) => name === 'session.end')
    assert.deepEqual(
      ended.map(({ session_id: id }) => id),
      ['s1', 's2'],
    )
    assert.equal(ended[0]?.attributes['session.exchanges_count'], 1)
    assert.equal(bench.conversations.counts().active, 0)
    const history = [
      user,
      { role: 'assistant', content: 'A box that joins two networks.' },
    ]
    const later = bench.exchange(
      [...history, { role: 'user', content: 'And a switch?' }],
      answer('Another'),
    )
    assert.notEqual(later.sessionId, first.sessionId)
    assert.equal(later.fragmented, true)
  })

  it('YORI is not harmed by a listener, and takes a bounded number', () => {
    const bench = new Bench()
    const { events } = bench.conversations.calls
    const first = events.follow(() => {
      throw new Error('a listener failed')
    })
    bench.exchange([user], answer('Still here.'))
    assert.equal(bench.names().length, 3)
    assert.equal(events.failures, 3)
    first?.[Symbol.dispose]()
    for (let i = 1; i < MAX_LISTENERS; i++) assert.ok(events.follow(() => undefined))
    assert.equal(
      events.follow(() => undefined),
      undefined,
    )
  })

  it('YORI names an agent by its system prompt, or as the client says', () => {
    const bench = new Bench()
    const system = { role: 'system', content: 'You are a gardener.' }
    const one = bench.exchange([system, user], answer('x'))
    const two = bench.exchange([system, { role: 'user', content: 'y' }], answer('z'))
    assert.match(one.agentId ?? '', /^agent_[0-9a-f]{16}$/)
    assert.equal(two.agentId, one.agentId)
    assert.equal(bench.exchange([user], answer('x')).agentId, undefined)
  })
})
