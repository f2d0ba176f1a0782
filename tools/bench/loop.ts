// Usage: node dist/tools/bench/loop.js [--limit MS]
// How long reading holds the event loop, in milliseconds: requests and answers as hostile as
// the limits let them be, each read as the proxy reads it. The best of several runs, since a
// shared machine is only ever slower. Exit 1 when one is over the limit (5).
import { parseArgs } from 'node:util'
import { ExchangeLog } from '../../src/proxy/words/exchange-log.js'
import { JSON_LIMITS } from '../../src/json/json-bounds.js'
import { recognise } from '../../src/providers/index.js'
import { ByteBudget, Hold } from '../../src/proxy/bounds/byte-budget.js'
import { Conversations } from '../../src/conversations/conversations.js'
import { Reading } from '../../src/proxy/reading/reading.js'

const MiB = 1024 * 1024
const RUNS = 40

const URLS = {
  chat: 'https://api.openai.com/v1/chat/completions',
  responses: 'https://api.openai.com/v1/responses',
  messages: 'https://api.anthropic.com/v1/messages',
  gemini: 'https://generativelanguage.googleapis.com/v1beta/models/g:generateContent',
  converse: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
  cohere: 'https://api.cohere.com/v1/chat',
} as const

interface Shape {
  readonly name: string
  readonly url: string
  readonly side: 'request' | 'answer'
  readonly body: Buffer
  readonly contentType: string
}

/** `piece` as often as 1 MiB holds it, or `most` times. */
function filled(begin: string, piece: string, end: string, most = Infinity): Buffer {
  const room = Math.floor((MiB - begin.length - end.length) / (piece.length + 1))
  const list = Array.from({ length: Math.min(room, most) }, () => piece).join(',')
  return Buffer.from(`${begin}${list}${end}`)
}

function request(name: string, url: string, body: Buffer): Shape {
  return { name, url, side: 'request', body, contentType: 'application/json' }
}

function answer(
  name: string,
  url: string,
  body: Buffer,
  contentType = 'application/json',
): Shape {
  return { name, url, side: 'answer', body, contentType }
}

/** As many small messages as the limit of values lets through, and one over it. */
function messages(values: number): number {
  return Math.floor((JSON_LIMITS.maxValues - 4) / values)
}

const chunk = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
const call = '{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}'
const shapes: readonly Shape[] = [
  request('depth 100,000', URLS.chat, Buffer.from('['.repeat(100_000))),
  request('objects, over the limit', URLS.chat, filled('{"x":[', '{}', ']}')),
  request(
    'numbers, at the limit',
    URLS.chat,
    filled('{"x":[', '1', ']}', JSON_LIMITS.maxValues - 2),
  ),
  request(
    'objects, at the limit',
    URLS.chat,
    filled('{"x":[', '{}', ']}', JSON_LIMITS.maxValues - 2),
  ),
  request(
    'keys, all different',
    URLS.chat,
    Buffer.from(
      `{${Array.from({ length: JSON_LIMITS.maxValues - 2 }, (_, i) => `"k${i}":1`).join(',')}}`,
    ),
  ),
  request(
    'objects with a key each',
    URLS.chat,
    filled('{"x":[', '{"a":1}', ']}', messages(2)),
  ),
  request(
    'tiny messages',
    URLS.chat,
    filled('{"messages":[', '{"role":"user","content":"x"}', ']}', messages(3)),
  ),
  request(
    'turns of both sides',
    URLS.chat,
    filled(
      '{"messages":[',
      '{"role":"user","content":"x"},{"role":"assistant","content":"y"}',
      ']}',
      messages(6),
    ),
  ),
  request(
    'messages without words',
    URLS.chat,
    filled('{"messages":[', '{}', ']}', messages(1)),
  ),
  request(
    'parts of one message',
    URLS.messages,
    filled(
      '{"messages":[{"role":"user","content":[',
      '{"type":"text","text":"x"}',
      ']}]}',
      messages(3),
    ),
  ),
  request(
    'tool results',
    URLS.messages,
    filled(
      '{"messages":[{"role":"user","content":[',
      '{"type":"tool_result","tool_use_id":"a","content":"x"}',
      ']}]}',
      messages(4),
    ),
  ),
  request('tools', URLS.chat, filled('{"tools":[', '{"type":"x"}', ']}', messages(2))),
  request(
    'calls in the history',
    URLS.chat,
    filled('{"messages":[{"role":"assistant","tool_calls":[', call, ']}]}', messages(6)),
  ),
  request(
    'results that are objects',
    URLS.gemini,
    filled(
      '{"contents":[{"parts":[',
      '{"functionResponse":{"name":"f","response":{"a":1}}}',
      ']}]}',
      messages(5),
    ),
  ),
  request(
    'one deep result',
    URLS.gemini,
    filled(
      '{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{"a":[',
      '1',
      ']}}}]}]}',
      messages(1) - 12,
    ),
  ),
  request(
    'images by URL',
    URLS.chat,
    filled(
      '{"messages":[{"role":"user","content":[',
      '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}',
      ']}]}',
      messages(4),
    ),
  ),
  request(
    'items',
    URLS.responses,
    filled('{"input":[', '{"role":"user","content":"x"}', ']}', messages(3)),
  ),
  request(
    'one text of 1 MiB',
    URLS.chat,
    filled(
      `{"messages":[{"role":"user","content":"${'a'.repeat(MiB - 100)}`,
      '',
      '"}]}',
      1,
    ),
  ),
  request(
    'one text of 1 MiB, all of it escapes',
    URLS.chat,
    filled(
      `{"messages":[{"role":"user","content":"${'\\u00e9'.repeat(170_000)}`,
      '',
      '"}]}',
      1,
    ),
  ),
  request(
    'documents',
    URLS.cohere,
    filled('{"message":"x","documents":[', '{"text":"x"}', ']}', messages(2)),
  ),
  answer('objects, over the limit', URLS.chat, filled('{"choices":[', '{}', ']}')),
  answer(
    'objects, at the limit',
    URLS.chat,
    filled('{"choices":[', '{}', ']}', JSON_LIMITS.maxValues - 2),
  ),
  answer(
    'choices',
    URLS.chat,
    filled('{"choices":[', '{"message":{"content":"a"}}', ']}', messages(3)),
  ),
  answer(
    'calls',
    URLS.chat,
    filled('{"choices":[{"message":{"tool_calls":[', call, ']}}]}', messages(6)),
  ),
  answer(
    'output items',
    URLS.responses,
    filled('{"output":[', '{"type":"x_call"}', ']}', messages(2)),
  ),
  answer(
    'candidates',
    URLS.gemini,
    filled('{"candidates":[', '{"content":{"parts":[{"text":"a"}]}}', ']}', messages(5)),
  ),
  answer(
    'blocks',
    URLS.converse,
    filled('{"output":{"message":{"content":[', '{"text":"a"}', ']}}}', messages(2)),
  ),
  answer(
    'events in one chunk of 64 KiB',
    URLS.chat,
    Buffer.from(chunk.repeat(Math.floor((64 * 1024) / chunk.length))),
    'text/event-stream',
  ),
  answer(
    'one event of 1 MiB',
    URLS.chat,
    Buffer.from(`data: ${filled('{"choices":[', '{}', ']}').toString()}\n\n`),
    'text/event-stream',
  ),
  answer(
    'lines in one chunk of 64 KiB',
    'http://127.0.0.1:11434/api/chat',
    Buffer.from('{"message":{"content":"a"}}\n'.repeat(2300)),
    'application/x-ndjson',
  ),
  answer(
    'numbers of an embedding',
    'https://api.openai.com/v1/embeddings',
    filled('{"data":[{"embedding":[', '0.0123456', ']}]}'),
  ),
]

/** What reaches a reader in one piece: a read of a socket is at most this long. */
const READ_BYTES = 64 * 1024

function held(shape: Shape): number {
  const url = new URL(shape.url)
  const path = url.pathname
  const recognised = recognise({ host: url.hostname, method: 'POST', path })
  if (recognised === undefined) throw new Error(`nobody knows ${shape.url}`)
  const budget = new ByteBudget(64 * MiB, 64 * MiB)
  const log = new ExchangeLog({
    requestId: 'r',
    connectionId: 'c',
    device: { ip: '192.0.2.1' },
    startedAt: 0,
    endpointDomain: url.hostname,
    httpVersion: '1.1',
    method: 'POST',
    path,
  })
  const about = {
    log,
    path,
    hold: new Hold(budget, 'client'),
    own: undefined,
    elapsed: () => 0,
  }
  const reading = new Reading(recognised, about, {
    json: JSON_LIMITS,
    previewChars: 200,
    catalogue: undefined,
    conversations,
  })
  const head = { contentType: shape.contentType, contentEncoding: undefined }
  let longest = 0
  const step = (run: () => void): void => {
    const start = performance.now()
    run()
    longest = Math.max(longest, performance.now() - start)
  }
  const { body } = shape
  if (shape.side === 'request') {
    step(() => void reading.request(body.subarray(0, MiB), body.length <= MiB, head))
    return longest
  }
  reading.responseHead(200, { ...head, contentLength: undefined })
  for (let at = 0; at < body.length; at += READ_BYTES)
    step(() => reading.push(body.subarray(at, at + READ_BYTES)))
  step(() => reading.end(true, () => undefined))
  return longest
}

let id = 0
const conversations = new Conversations({
  clock: { now: () => 0 } as never,
  newId: () => `s${++id}`,
  kept: 'none',
})

const { values } = parseArgs({ options: { limit: { type: 'string', default: '5' } } })
const limit = Number(values.limit)
console.log(`node ${process.version}; best of ${RUNS} runs, milliseconds in one piece`)
for (const shape of shapes) {
  let best = Infinity
  for (let run = 0; run < RUNS; run++) best = Math.min(best, held(shape))
  const over = best > limit
  if (over) process.exitCode = 1
  const what = `${shape.side}: ${shape.name}`
  console.log(
    `${what.padEnd(48)}${String(shape.body.length).padStart(9)}${best.toFixed(2).padStart(8)}${over ? '  OVER' : ''}`,
  )
}
