import assert from 'node:assert/strict'
import { FactsBuilder } from '../../src/providers/facts.js'
import { READER_LIMITS } from '../../src/providers/provider.js'
import type { RequestFacts, ResponseFacts } from '../../src/providers/provider.js'
import { SESSION_LIMITS, Sessions } from '../../src/conversations/sessions.js'
import type { Placed, Session } from '../../src/conversations/sessions.js'
import { readRequest } from '../support/exchanges.js'

const CHAT = 'https://api.openai.com/v1/chat/completions'
const MESSAGES = 'https://api.anthropic.com/v1/messages'
const RESPONSES = 'https://api.openai.com/v1/responses'
const HOUR = 3_600_000

type Said = Record<string, unknown>
const user = (content: string): Said => ({ role: 'user', content })
const assistant = (content: string): Said => ({ role: 'assistant', content })

const chat = (...messages: Said[]): RequestFacts =>
  readRequest({ url: CHAT, body: { model: 'gpt-4o', messages } }).facts

function answer(fields: { text?: string; id?: string; calls?: string[] }): ResponseFacts {
  const builder = new FactsBuilder(READER_LIMITS)
  builder.text.append(fields.text ?? '')
  builder.responseId = fields.id
  for (const id of fields.calls ?? []) builder.toolCall(id, { name: 'look', id })
  return builder.build(undefined, true)
}

class Bench {
  now = 1_000_000
  readonly ended: Session[] = []
  readonly sessions: Sessions
  #serial = 0

  constructor(maxSessions = SESSION_LIMITS.maxSessions) {
    this.sessions = new Sessions({
      limits: { ...SESSION_LIMITS, maxSessions },
      newId: () => `s${++this.#serial}`,
      ended: (session) => this.ended.push(session),
    })
  }

  ask(facts: RequestFacts, more: { device?: string; sessionId?: string } = {}): Placed {
    return this.sessions.place(
      { device: 'aa:bb', provider: 'openai', facts, ...more },
      this.now,
    )
  }

  /** The session's id and how it was found. */
  where(facts: RequestFacts, more: { device?: string; sessionId?: string } = {}): string {
    const { session, match } = this.ask(facts, more)
    return `${session.id} ${match}`
  }
}

describe('sessions', () => {
  it('YORI joins the turns of a conversation by its history', () => {
    const bench = new Bench()
    const first = [user('What is a router?')]
    const second = [...first, assistant('A box.'), user('And a switch?')]
    const third = [...second, assistant('Another box.'), user('Thanks')]
    assert.equal(bench.where(chat(...first)), 's1 new')
    assert.equal(bench.where(chat(...second)), 's1 history')
    assert.equal(bench.where(chat(...third)), 's1 history')
    const { hits, misses, created, active } = bench.sessions.counts()
    assert.deepEqual(
      { hits, misses, created, active },
      {
        hits: 2,
        misses: 1,
        created: 1,
        active: 1,
      },
    )
  })

  it('YORI keeps two devices with the same prompt apart', () => {
    const bench = new Bench()
    const first = [user('Hi')]
    const second = [...first, assistant('Hello'), user('How are you?')]
    assert.equal(bench.where(chat(...first), { device: 'aa:01' }), 's1 new')
    assert.equal(bench.where(chat(...first), { device: 'aa:02' }), 's2 new')
    assert.equal(bench.where(chat(...second), { device: 'aa:02' }), 's2 history')
    assert.equal(bench.where(chat(...second), { device: 'aa:01' }), 's1 history')
  })

  it('YORI keeps agents apart that a device names at length', () => {
    const bench = new Bench()
    const agent = 'a'.repeat(120)
    const place = (agentId: string, ...messages: Said[]) =>
      bench.sessions.place(
        { device: 'aa:bb', provider: 'openai', agentId, facts: chat(...messages) },
        bench.now,
      ).session.id
    assert.equal(place(`${agent}1`, user('Hi')), 's1')
    const next = [user('Hi'), assistant('Hello'), user('More')]
    assert.equal(place(`${agent}2`, ...next), 's2')
    assert.equal(place(`${agent}1`, ...next), 's1')
  })

  it('YORI gives the first of several that began alike to the first that goes on', () => {
    const bench = new Bench()
    const first = [user('Hi')]
    const second = [...first, assistant('Hello'), user('Again')]
    assert.equal(bench.where(chat(...first)), 's1 new')
    assert.equal(bench.where(chat(...first)), 's2 new')
    assert.equal(bench.where(chat(...second)), 's1 history')
    assert.equal(bench.where(chat(...second)), 's2 history')
    // Nobody is at that state any more: an edited message belongs to the newest.
    const edited = [...first, assistant('Hello'), user('Edited')]
    assert.equal(bench.where(chat(...edited)), 's2 history')
  })

  it('YORI prefers the conversation that was given this very answer', () => {
    const bench = new Bench()
    const one = bench.ask(chat(user('Tell a story'))).session
    const two = bench.ask(chat(user('Tell a story'))).session
    bench.sessions.answered(
      one,
      answer({ text: 'Once there was a very old red fox.' }),
      0,
    )
    const said = 'A long time ago a small robot lived here.'
    bench.sessions.answered(two, answer({ text: said }), bench.now)
    bench.sessions.answered(
      one,
      answer({ text: 'Once there was an old fox, said he.' }),
      bench.now,
    )
    const next = chat(user('Tell a story'), assistant(said), user('More'))
    assert.equal(bench.where(next), 's2 history')
  })

  it('YORI keeps parallel tool results together, in one message or in many', () => {
    const bench = new Bench()
    const call = (id: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: `{"city":"${id}"}` },
    })
    const start = [user('Weather in two cities?')]
    const calls = { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] }
    const results = ['a', 'b'].map((id) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'sunny',
    }))
    assert.equal(bench.where(chat(...start)), 's1 new')
    assert.equal(bench.where(chat(...start, calls, ...results)), 's1 history')

    const ask = (input: Said[]) =>
      readRequest({ url: RESPONSES, body: { model: 'gpt-5', input } }).facts
    const items = ['c', 'd'].map((id) => ({
      type: 'function_call',
      call_id: id,
      name: 'weather',
      arguments: '{}',
    }))
    const outputs = ['c', 'd'].map((id) => ({
      type: 'function_call_output',
      call_id: id,
      output: 'rain',
    }))
    assert.equal(bench.where(ask([user('And there?')])), 's2 new')
    assert.equal(
      bench.where(ask([user('And there?'), ...items, ...outputs])),
      's2 history',
    )
    // The same, each result behind its call.
    assert.equal(bench.where(ask([user('And here?')])), 's3 new')
    const mixed = [items[0], outputs[0], items[1], outputs[1]] as Said[]
    assert.equal(bench.where(ask([user('And here?'), ...mixed])), 's3 fuzzy')
  })

  it("YORI follows a provider's own ids", () => {
    const bench = new Bench()
    const ask = (more: Said) =>
      readRequest({ url: RESPONSES, body: { model: 'gpt-5', input: 'Go on', ...more } })
        .facts
    const { session } = bench.ask(ask({}))
    bench.sessions.answered(session, answer({ id: 'resp_1' }), bench.now)
    const next = bench.ask(ask({ previous_response_id: 'resp_1' }))
    assert.equal(`${next.session.id} ${next.match}`, 's1 response-id')
    bench.sessions.answered(session, answer({ id: 'resp_2' }), bench.now)
    assert.equal(bench.where(ask({ previous_response_id: 'resp_2' })), 's1 response-id')
    assert.equal(bench.where(ask({ previous_response_id: 'resp_?' })), 's2 new')
    const other = { device: 'cc:dd' }
    assert.equal(bench.where(ask({ previous_response_id: 'resp_2' }), other), 's3 new')
    assert.equal(bench.where(ask({ conversation: { id: 'conv_1' } })), 's4 new')
    assert.equal(bench.where(ask({ conversation: 'conv_1' })), 's4 conversation-id')
  })

  it('YORI takes the id that the client gives, within its device', () => {
    const bench = new Bench()
    const named = { sessionId: 'mine' }
    assert.equal(bench.where(chat(user('One')), named), 'mine new')
    assert.equal(bench.where(chat(user('Two')), named), 'mine named')
    const other = bench.ask(chat(user('Two')), { ...named, device: 'cc:dd' })
    assert.equal(other.match, 'new')
    // The history leads there too, once the client leaves the id out.
    const next = chat(user('Two'), assistant('2'), user('Three'))
    assert.equal(bench.where(next), 'mine history')
  })

  it('YORI knows a trimmed conversation by tool calls and by the words of the model', () => {
    const bench = new Bench()
    const { session } = bench.ask(chat(user('First'), user('Look it up')))
    assert.equal(session.fragmented, true)
    bench.sessions.answered(session, answer({ calls: ['call_1'] }), bench.now)
    const trimmed = chat(
      user('A summary of all that'),
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', tool_call_id: 'call_1', content: 'found' },
    )
    assert.equal(bench.where(trimmed), 's1 fuzzy')
    const said = 'The answer to the question is forty-two.'
    bench.sessions.answered(session, answer({ text: said }), bench.now)
    const dropped = chat(user('What comes last'), assistant(said), user('Why?'))
    assert.equal(bench.where(dropped), 's1 fuzzy')
    const unknown = chat(
      user('Elsewhere'),
      assistant('Something else was said.'),
      user('?'),
    )
    assert.equal(bench.where(unknown), 's2 new')
    assert.equal(bench.sessions.counts().fuzzyMatches, 2)
  })

  it('YORI flags a conversation whose beginning it has not seen', () => {
    const bench = new Bench()
    const seen = bench.ask(chat({ role: 'system', content: 'Be kind' }, user('Hi')))
    assert.equal(seen.session.fragmented, false)
    const history = [user('1'), assistant('2'), user('3')]
    assert.equal(bench.ask(chat(...history)).session.fragmented, true)
    assert.equal(bench.sessions.counts().fragmented, 1)
  })

  it('YORI begins anew when the user asks for it, and not when it is only mentioned', () => {
    const bench = new Bench()
    const first = [user('Hi')]
    bench.ask(chat(...first))
    const reset = [...first, assistant('Hello'), user('Let’s start over!')]
    assert.equal(bench.where(chat(...reset)), 's2 new')
    const after = [...reset, assistant('Of course.'), user('New plan')]
    assert.equal(bench.where(chat(...after)), 's2 history')
    const mention = [...first, assistant('Hello'), user('Why do people start over?')]
    assert.equal(bench.where(chat(...mention)), 's1 history')
    assert.equal(bench.sessions.counts().resets, 1)
  })

  it('YORI ends what rests for an hour, and tells it', () => {
    const bench = new Bench()
    const first = [user('Hi')]
    bench.ask(chat(...first))
    bench.now += HOUR
    const second = [...first, assistant('Hello'), user('Still there?')]
    assert.equal(bench.where(chat(...second)), 's1 history')
    bench.now += HOUR + 1
    const third = [...second, assistant('Yes'), user('And now?')]
    assert.equal(bench.where(chat(...third)), 's2 new')
    assert.deepEqual(
      bench.ended.map(({ id, exchanges }) => [id, exchanges]),
      [['s1', 2]],
    )
    assert.equal(bench.sessions.counts().expired, 1)
  })

  it('YORI remembers a bounded number of conversations', () => {
    const bench = new Bench(3)
    for (const name of ['a', 'b', 'c', 'd']) bench.ask(chat(user(name)))
    const { active, evicted } = bench.sessions.counts()
    assert.deepEqual([active, evicted], [3, 1])
    assert.deepEqual(
      bench.ended.map(({ id }) => id),
      ['s1'],
    )
    assert.equal(bench.where(chat(user('a'), assistant('x'), user('y'))), 's5 new')
    assert.equal(bench.where(chat(user('d'), assistant('x'), user('y'))), 's4 history')
  })

  it('YORI reads the roles of Gemini and the blocks of Anthropic alike', () => {
    const bench = new Bench()
    const gemini = (contents: Said[]) =>
      readRequest({
        url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent',
        body: { contents },
      }).facts
    const said = (role: string, text: string) => ({ role, parts: [{ text }] })
    const start = [said('user', 'Hi')]
    assert.equal(bench.where(gemini(start)), 's1 new')
    const next = [...start, said('model', 'Hello'), said('user', 'More')]
    assert.equal(bench.where(gemini(next)), 's1 history')

    const anthropic = (messages: Said[]) =>
      readRequest({ url: MESSAGES, body: { model: 'claude', messages } }).facts
    const uses = ['t1', 't2'].map((id) => ({
      type: 'tool_use',
      id,
      name: 'f',
      input: {},
    }))
    const results = ['t1', 't2'].map((id) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: 'done',
    }))
    assert.equal(bench.where(anthropic([user('Do both')])), 's2 new')
    const both = [
      user('Do both'),
      { role: 'assistant', content: uses },
      { role: 'user', content: results },
    ]
    assert.equal(bench.where(anthropic(both)), 's2 history')
  })
})
