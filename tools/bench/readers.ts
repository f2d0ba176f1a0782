// Usage: node dist/tools/bench/readers.js
// CPU of reading, in microseconds an exchange: what a reader adds to a request's body, to a
// 1 KB answer and to streams of 100 events, and what the same parse costs without a reader.
import { gzipSync } from 'node:zlib'
import { ContentDecoder } from '../../src/http/content-coding.js'
import { measureJson, parseBounded } from '../../src/json/json-bounds.js'
import { recognise } from '../../src/providers/index.js'
import type { ResponseFacts } from '../../src/providers/provider.js'

interface Bench {
  readonly name: string
  readonly bytes: number
  readonly run: () => unknown
}

const ROUNDS = 5
const ROUND_MS = 300

const TEXT = 'The quick brown fox jumps over the lazy dog, and then once more. '
const OPENAI = { host: 'api.openai.com', path: '/v1/chat/completions', method: 'POST' }
const RESPONSES = { host: 'api.openai.com', path: '/v1/responses', method: 'POST' }
const ANTHROPIC = { host: 'api.anthropic.com', path: '/v1/messages', method: 'POST' }

function request(turns: number): Buffer {
  const messages = Array.from({ length: turns }, (_, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content: TEXT.repeat(2),
  }))
  return Buffer.from(JSON.stringify({ model: 'gpt-4o', stream: true, messages }))
}

const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-123',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-2024-08-06',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: TEXT.repeat(9), refusal: null },
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 20,
      completion_tokens: 100,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
  }),
)

function events(list: readonly (readonly [string, object])[]): Buffer {
  const text = list.map(
    ([name, data]) =>
      `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`,
  )
  return Buffer.from(text.join(''))
}

function chatStream(): Buffer {
  const chunk = (delta: object, finish: string | null): readonly [string, object] => [
    '',
    {
      id: 'chatcmpl-123',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'gpt-4o-2024-08-06',
      service_tier: 'default',
      system_fingerprint: 'fp_1',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      obfuscation: 'abcdef',
    },
  ]
  const list = Array.from({ length: 98 }, () => chunk({ content: ' word' }, null))
  return Buffer.concat([
    events([...list, chunk({}, 'stop')]),
    Buffer.from('data: [DONE]\n\n'),
  ])
}

function messagesStream(): Buffer {
  const start = {
    type: 'message_start',
    message: { id: 'm', model: 'claude', content: [], usage: { input_tokens: 9 } },
  }
  const delta = {
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: ' word' },
  }
  const deltas = Array.from({ length: 96 }, () => [delta.type, delta] as const)
  const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} }
  return events([
    [start.type, start],
    ...deltas,
    [end.type, end],
    ['message_stop', { type: 'message_stop' }],
  ])
}

function responsesStream(): Buffer {
  const delta = {
    type: 'response.output_text.delta',
    sequence_number: 5,
    item_id: 'msg_0123456789abcdef0123456789abcdef',
    output_index: 0,
    content_index: 0,
    delta: ' word',
    logprobs: [],
    obfuscation: 'abcdef',
  }
  const part = { type: 'output_text', text: ' word'.repeat(96) }
  const response = {
    id: 'resp',
    model: 'gpt',
    status: 'completed',
    output: [{ type: 'message', content: [part] }],
    usage: { input_tokens: 5, output_tokens: 96 },
  }
  const deltas = Array.from({ length: 96 }, () => [delta.type, delta] as const)
  return events([
    ['response.created', { type: 'response.created', response }],
    ...deltas,
    ['response.output_text.done', { type: 'response.output_text.done', text: part.text }],
    ['response.completed', { type: 'response.completed', response }],
  ])
}

type Head = typeof OPENAI

function reader(
  head: Head,
  contentType: string,
  chunks: readonly Buffer[],
): () => ResponseFacts {
  return () => {
    const found = recognise(head)
    if (found === undefined) throw new Error(`nobody knows ${head.host}`)
    const context = { api: found.api, path: head.path, status: 200, contentType }
    const reading = found.provider.reader(context)
    for (const chunk of chunks) reading.push(chunk)
    return reading.end()
  }
}

function askedOf(body: Buffer): () => unknown {
  return () => {
    const parsed = parseBounded(body)
    const found = recognise(OPENAI)
    if (parsed.kind !== 'whole' || found === undefined) throw new Error(parsed.kind)
    return found.provider.readRequest(parsed.value, { api: found.api, path: OPENAI.path })
  }
}

/** As a server flushes them: an event a chunk. */
function byEvent(stream: Buffer): Buffer[] {
  return stream
    .toString()
    .split('\n\n')
    .filter((event) => event.length > 0)
    .map((event) => Buffer.from(`${event}\n\n`))
}

function stream(name: string, head: Head, bytes: Buffer): Bench {
  return {
    name,
    bytes: bytes.length,
    run: reader(head, 'text/event-stream', byEvent(bytes)),
  }
}

const small = request(1)
const large = request(200)
const zipped = gzipSync(answer)
const bodies: readonly Bench[] = [
  { name: 'request, 1 message', bytes: small.length, run: askedOf(small) },
  { name: 'request, 200 messages', bytes: large.length, run: askedOf(large) },
  {
    name: '  its JSON.parse alone',
    bytes: large.length,
    run: () => JSON.parse(large.toString()) as unknown,
  },
  { name: '  its measure alone', bytes: large.length, run: () => measureJson(large) },
  {
    name: 'answer, JSON',
    bytes: answer.length,
    run: reader(OPENAI, 'application/json', [answer]),
  },
  {
    name: '  its JSON.parse alone',
    bytes: answer.length,
    run: () => JSON.parse(answer.toString()) as unknown,
  },
  {
    name: '  its gunzip',
    bytes: zipped.length,
    run: () => {
      const decoder = new ContentDecoder('gzip', () => undefined)
      decoder.push(zipped)
      return decoder.end()
    },
  },
  stream('100 events, OpenAI chat', OPENAI, chatStream()),
  stream('100 events, OpenAI responses', RESPONSES, responsesStream()),
  stream('100 events, Anthropic', ANTHROPIC, messagesStream()),
]

/** The best of the rounds: the machine is shared, and only slower than it could be. */
function measure(bench: Bench): number {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage()
    const end = performance.now() + ROUND_MS
    let runs = 0
    while (performance.now() < end) {
      for (let i = 0; i < 20; i++) bench.run()
      runs += 20
    }
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, (user + system) / runs)
  }
  return best
}

console.log(
  `node ${process.version}; best of ${ROUNDS} rounds of ${ROUND_MS} ms, CPU time`,
)
console.log(`${'what'.padEnd(32)}${'bytes'.padStart(8)}${'us'.padStart(10)}`)
for (const bench of bodies)
  console.log(
    `${bench.name.padEnd(32)}${String(bench.bytes).padStart(8)}${measure(bench).toFixed(1).padStart(10)}`,
  )
