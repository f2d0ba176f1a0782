/**
 * Readers of requests rest, whichever provider's: between two rests there are a bounded number
 * of messages, parts, calls and results, and no text of all of them is made at once. Counted in
 * rests; what is read is counted in characters of what was said.
 */
import assert from 'node:assert/strict'
import { LongTexts } from '../../src/core/long-text.js'
import type { Resting } from '../../src/core/resting.js'
import { recognise } from '../../src/providers/index.js'
import type { RequestFacts } from '../../src/providers/provider.js'

const COUNT = 20_000
/** Between two rests. */
const MOST = 256

const CHAT = ['api.openai.com', '/v1/chat/completions'] as const
const RESPONSES = ['api.openai.com', '/v1/responses'] as const
const ANTHROPIC = ['api.anthropic.com', '/v1/messages'] as const
const GEMINI = [
  'generativelanguage.googleapis.com',
  '/v1beta/models/gemini-2.5-flash:generateContent',
] as const
const BEDROCK = [
  'bedrock-runtime.us-east-1.amazonaws.com',
  '/model/amazon.nova-pro-v1:0/converse',
] as const
const COHERE = ['api.cohere.com', '/v1/chat'] as const
const OLLAMA = ['ollama.com', '/api/chat'] as const
const INTERACTIONS = [
  'generativelanguage.googleapis.com',
  '/v1beta/interactions',
] as const
const THREADS = ['api.openai.com', '/v1/threads'] as const

const TEXT = 'what does a steam engine do with its water?'
const some = <T>(one: T): T[] => Array.from({ length: COUNT }, () => one)
const user = (content: unknown) => ({ role: 'user', content })
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: TEXT } }
const ARGS = { a: TEXT }
const ARGS_CHARS = JSON.stringify(ARGS).length

/** What it is, whose, the body, and characters of each of its things. */
const LONG: readonly (readonly [
  string,
  readonly [host: string, path: string],
  object,
  number,
])[] = [
  ['messages of chat', CHAT, { messages: some(user(TEXT)) }, TEXT.length],
  [
    'calls of tools in one message',
    CHAT,
    { messages: [{ role: 'assistant', content: null, tool_calls: some(call) }] },
    TEXT.length,
  ],
  [
    'parts of one message',
    CHAT,
    { messages: [user(some({ type: 'text', text: TEXT }))] },
    TEXT.length,
  ],
  [
    'items of a response',
    RESPONSES,
    { input: some({ type: 'function_call_output', call_id: 'c', output: TEXT }) },
    TEXT.length,
  ],
  [
    'results of tools in one message',
    ANTHROPIC,
    {
      messages: [user(some({ type: 'tool_result', tool_use_id: 'c', content: TEXT }))],
    },
    TEXT.length,
  ],
  [
    'messages with a call each',
    ANTHROPIC,
    {
      messages: some({
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'c', name: 'f', input: ARGS }],
      }),
    },
    ARGS_CHARS,
  ],
  [
    'contents of Gemini',
    GEMINI,
    { contents: some({ role: 'model', parts: [{ functionCall: { args: ARGS } }] }) },
    ARGS_CHARS,
  ],
  [
    'parts of Gemini',
    GEMINI,
    { contents: [{ role: 'user', parts: some({ text: TEXT }) }] },
    TEXT.length,
  ],
  [
    'turns of an interaction',
    INTERACTIONS,
    { model: 'gemini-2.5-flash', input: some(user(TEXT)) },
    TEXT.length,
  ],
  [
    'messages of Converse',
    BEDROCK,
    { messages: some(user([{ text: TEXT }])) },
    TEXT.length,
  ],
  [
    'results of Converse',
    BEDROCK,
    { messages: [user([{ toolResult: { content: some({ json: ARGS }) } }])] },
    ARGS_CHARS,
  ],
  [
    'the history of a chat of Cohere',
    COHERE,
    { message: '', chat_history: some({ role: 'USER', message: TEXT }) },
    TEXT.length,
  ],
  ['messages of Ollama', OLLAMA, { messages: some(user(TEXT)) }, TEXT.length],
  ['messages of a thread', THREADS, { messages: some(user(TEXT)) }, TEXT.length],
]

function rested(work: Resting<RequestFacts>): { rests: number; facts: RequestFacts } {
  for (let rests = 0; ; rests++) {
    const step = work.next()
    if (step.done === true) return { rests, facts: step.value }
  }
}

function read([host, path]: readonly [string, string], body: object) {
  const known = recognise({ host, path, method: 'POST' })
  assert.ok(known !== undefined)
  const { provider, api } = known
  return rested(new LongTexts().throughout(provider.requestInSlices(body, { api, path })))
}

describe('a request of tens of thousands of things', () => {
  for (const [name, where, body, chars] of LONG)
    it(`is read in pieces: ${name}`, () => {
      const { rests, facts } = read(where, body)
      assert.ok(rests >= COUNT / MOST, `${rests}`)
      // Each of them, and a line end between two.
      assert.equal(facts.promptChars, COUNT * (chars + 1) - 1)
    })

  it('is read in pieces where all of them are the arguments of one call', () => {
    const input = { rows: some(ARGS) }
    const body = {
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input }] },
      ],
    }
    const { rests, facts } = read(ANTHROPIC, body)
    assert.ok(rests >= COUNT / MOST, `${rests}`)
    assert.equal(facts.promptChars, JSON.stringify(input).length)
  })

  it('shows the words of the person behind them', () => {
    const results = some({ type: 'tool_result', tool_use_id: 'c', content: TEXT })
    const said = [...results, { type: 'text', text: 'and who is Watt?' }]
    const { facts } = read(ANTHROPIC, { messages: [user(said)] })
    assert.match(facts.newestWords ?? '', /and who is Watt\?$/)
  })
})
