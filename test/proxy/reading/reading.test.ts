import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { ExchangeRecord } from '../../../src/core/record.js'
import { JSON_LIMITS } from '../../../src/json/json-bounds.js'
import { recognise } from '../../../src/providers/index.js'
import { ByteBudget, Hold } from '../../../src/proxy/bounds/byte-budget.js'
import { Conversations } from '../../../src/conversations/conversations.js'
import { ExchangeLog } from '../../../src/proxy/words/exchange-log.js'
import { Reading } from '../../../src/proxy/reading/reading.js'
import type { ReadingOptions } from '../../../src/proxy/reading/reading.js'
import { ManualClock } from '../../support/manual-clock.js'
import { sse } from '../../support/exchanges.js'

const MiB = 1024 * 1024
const CHAT = '/v1/chat/completions'

interface Given {
  readonly path?: string
  readonly body: Buffer | string
  readonly whole?: boolean
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly budget?: number
}

type BenchOptions = Partial<ReadingOptions> & { readonly host?: string }

class Bench {
  readonly log: ExchangeLog
  readonly budget: ByteBudget
  readonly reading: Reading
  now = 0

  constructor(
    path = CHAT,
    budget = 10 * MiB,
    { host = 'api.openai.com', ...options }: BenchOptions = {},
  ) {
    const recognised = recognise({ host, method: 'POST', path }, 'openai')
    assert.ok(recognised !== undefined)
    this.budget = new ByteBudget(budget, budget)
    this.log = new ExchangeLog({
      requestId: 'r',
      connectionId: 'c',
      device: { ip: '192.0.2.1' },
      startedAt: 0,
      endpointDomain: 'api.openai.com',
      httpVersion: '1.1',
      method: 'POST',
      path,
    })
    const conversations = new Conversations({
      clock: new ManualClock(),
      newId: () => 's1',
      kept: 'none',
    })
    const hold = new Hold(this.budget, 'client')
    const about = {
      log: this.log,
      path,
      hold,
      own: undefined,
      elapsed: () => this.now,
    }
    this.reading = new Reading(recognised, about, {
      json: JSON_LIMITS,
      previewChars: 200,
      catalogue: undefined,
      conversations,
      ...options,
    })
  }

  get record(): ExchangeRecord {
    return this.log.record
  }

  answer(
    chunks: readonly Buffer[],
    contentType: string,
    coding?: string,
    fields: readonly string[] = [],
  ): Promise<void> {
    this.reading.responseHead(200, {
      fields,
      contentType,
      contentEncoding: coding,
      contentLength: undefined,
    })
    for (const chunk of chunks) {
      this.now += 10
      this.reading.push(chunk)
    }
    this.log.ended({ outcome: 'response', latencyMs: this.now })
    return new Promise((resolve) => this.reading.end(true, resolve))
  }
}

async function asked(given: Given): Promise<ExchangeRecord> {
  const bench = new Bench(given.path)
  const { contentType = 'application/json', contentEncoding } = given
  const head = { contentType, contentEncoding }
  await bench.reading.request(Buffer.from(given.body), given.whole ?? true, head)
  return bench.record
}

const user = (content: string) =>
  JSON.stringify({ messages: [{ role: 'user', content }] })

describe('reading', () => {
  const hostile: [string, Given, Record<string, unknown>][] = [
    [
      'nested 100,000 deep',
      { body: `{"model":"m","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}` },
      { uninspectable: 'too-deep', model: 'm' },
    ],
    [
      'of a million values',
      { body: `{"model":"m","x":[${'1,'.repeat(999_999)}1]}` },
      { uninspectable: 'partly-unseen', model: 'm' },
    ],
    [
      'of 100,000 values',
      { body: `{"model":"m","x":[${'1,'.repeat(99_999)}1]}` },
      { uninspectable: 'too-many-values', model: 'm' },
    ],
    [
      'of 50 MB, of which the beginning is there',
      {
        body: `{"model":"m","messages":[{"role":"user","content":"${'a'.repeat(MiB)}`,
        whole: false,
      },
      { uninspectable: 'partly-unseen', model: 'm', promptPreview: 'a'.repeat(200) },
    ],
    [
      'too large, whose model stands behind the messages',
      {
        body: `{"messages":[{"role":"user","content":"${'a'.repeat(MiB / 2)}"}],"model":"m","x":"`,
        whole: false,
      },
      { uninspectable: 'partly-unseen', model: 'm' },
    ],
    [
      'too large, that breaks off inside the name of the model',
      { body: '{"messages":[],"model":"gpt-4', whole: false },
      { uninspectable: 'partly-unseen', model: undefined },
    ],
    [
      'of 50 MB, all of it there',
      { body: `{"model":"m","x":"${'a'.repeat(50 * MiB)}"}` },
      { uninspectable: 'partly-unseen', model: 'm' },
    ],
    [
      'with __proto__ and constructor for keys',
      {
        body: '{"__proto__":{"model":"evil","stream":true},"constructor":{"prototype":{"x":1}},"messages":[{"role":"user","content":"hi","__proto__":{"role":"system"}}]}',
      },
      {
        model: undefined,
        stream: undefined,
        promptPreview: 'hi',
        uninspectable: undefined,
      },
    ],
    [
      'with lone surrogates',
      { body: '{"model":"\\ud800","messages":[{"role":"user","content":"a\\udc00b"}]}' },
      { promptPreview: 'a\udc00b', uninspectable: undefined },
    ],
    [
      'with bytes that are no UTF-8',
      { body: Buffer.from('{"model":"\xff\xfe","messages":[]}', 'latin1') },
      { model: '\ufffd\ufffd' },
    ],
    [
      'that breaks off',
      { body: '{"model":"m","messages":[{"role":"us' },
      { uninspectable: 'malformed', model: 'm' },
    ],
    [
      'that is no JSON',
      { body: 'model=m', contentType: 'text/plain' },
      { uninspectable: undefined },
    ],
    [
      'that is no text',
      {
        body: Buffer.from([0x0a, 0xff, 0xfe, 0x00, 0x01]),
        contentType: 'application/x-protobuf',
      },
      { uninspectable: 'not-text' },
    ],
    ['that is a number', { body: '7' }, { uninspectable: undefined, model: undefined }],
    [
      'under a coding that cannot be taken off',
      { body: gzipSync(user('hi')), contentEncoding: 'zstd' },
      { uninspectable: 'content-coding', promptPreview: undefined },
    ],
    [
      'at a path nobody knows',
      { body: '{}', path: '/v1/unheard/of' },
      { uninspectable: 'unknown-api' },
    ],
  ]
  for (const [what, given, expected] of hostile)
    it(`YORI has a verdict on a request body ${what}`, async () => {
      const record = await asked(given)
      for (const [key, value] of Object.entries(expected))
        assert.equal(record[key as keyof ExchangeRecord], value, key)
      assert.equal(({} as { model?: string }).model, undefined)
    })

  it('YORI takes the last of two keys, as those do who are asked', async () => {
    const record = await asked({ body: '{"model":"a","model":"b","messages":[]}' })
    assert.equal(record.model, 'b')
  })

  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
  for (const [coding, encode] of Object.entries(codings)) {
    it(`YORI reads a request under ${coding}, and one that is too long of it`, async () => {
      const head = { contentType: 'application/json', contentEncoding: coding }
      const small = new Bench()
      const content = await small.reading.request(encode(user('hi')), true, head)
      assert.equal(content.state, 'whole')
      assert.equal(content.prompt, 'hi')
      assert.equal(small.record.promptPreview, 'hi')
      assert.equal(small.record.uninspectable, undefined)

      const large = new Bench()
      const text = `{"model":"m","messages":[{"role":"user","content":"${'a'.repeat(3 * MiB)}"}]}`
      const cut = await large.reading.request(encode(text), true, head)
      assert.equal(cut.state, 'truncated')
      assert.equal(large.record.uninspectable, 'partly-unseen')
      assert.equal(large.record.model, 'm')
      assert.equal(large.record.promptPreview, 'a'.repeat(200))
      await large.answer([Buffer.from('{}')], 'application/json')
      assert.equal(large.budget.held, 0)

      const broken = new Bench()
      const none = await broken.reading.request(Buffer.from('no coding'), true, head)
      assert.equal(none.state, 'invalid')
      assert.equal(broken.record.uninspectable, 'content-coding')
    })
  }

  it('YORI ends a record after a compressed request has been read', async () => {
    const bench = new Bench()
    const body = gzipSync(user(`${'a'.repeat(MiB / 2)} bye`))
    const head = { contentType: 'application/json', contentEncoding: 'gzip' }
    void bench.reading.request(body, true, head)
    await bench.answer([Buffer.from('{"model":"m"}')], 'application/json')
    assert.equal(bench.record.promptPreview?.slice(-5), 'a bye')
    assert.equal(bench.record.sessionId, 's1')
  })

  it('YORI keeps bodies where it is told to, as far as told, and no media', async () => {
    const bodies = { request: true, response: true, maxBytes: 24 }
    const json = { contentType: 'application/json', contentEncoding: undefined }
    const bench = new Bench(CHAT, 10 * MiB, { bodies })
    void bench.reading.request(Buffer.from(`{"messages":"xxxxxxxxé"}`), true, json)
    await bench.answer(
      [gzipSync('{"model":"a"}')].flatMap((bytes) => [
        bytes.subarray(0, 5),
        bytes.subarray(5),
      ]),
      'application/json',
      'gzip',
    )
    assert.equal(bench.record.requestBody, '{"messages":"xxxxxxxxé"')
    assert.equal(bench.record.responseBody, '{"model":"a"}')
    assert.equal(bench.budget.held, 0)

    const half = { request: true, response: false, maxBytes: 22 }
    const first = new Bench(CHAT, 10 * MiB, { bodies: half })
    void first.reading.request(Buffer.from(`{"messages":"xxxxxxxxé"}`), true, json)
    await first.answer([Buffer.from('{}')], 'application/json')
    assert.equal(first.record.requestBody, '{"messages":"xxxxxxxx')
    assert.equal(first.record.responseBody, undefined)

    const media = new Bench('/v1/audio/speech', 10 * MiB, { bodies })
    await media.answer([Buffer.from([0xff, 0xfb])], 'audio/mpeg')
    assert.equal(media.record.responseBody, undefined)
  })

  it('YORI takes from a response head what Bedrock counts there', async () => {
    const host = 'bedrock-runtime.us-east-1.amazonaws.com'
    const bench = new Bench('/model/m/invoke', 10 * MiB, { host })
    const fields = [
      'X-Amzn-Bedrock-Input-Token-Count',
      '7',
      'x-amzn-bedrock-output-token-count',
      '3',
    ]
    await bench.answer([Buffer.from('{}')], 'application/json', undefined, fields)
    assert.equal(bench.record.inputTokens, 7)
    assert.equal(bench.record.outputTokens, 3)
    assert.equal(bench.record.inputEstimated, false)
    assert.equal(bench.record.outputEstimated, false)
  })

  it('YORI knows by its body what neither host nor path tells', async () => {
    const bench = new Bench('/ask', 10 * MiB, { host: 'llm.home.arpa' })
    const body = JSON.stringify({
      model: 'claude',
      system: 'Be brief.',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const json = { contentType: 'application/json', contentEncoding: undefined }
    void bench.reading.request(Buffer.from(body), true, json)
    const said = { type: 'message', content: [{ type: 'text', text: 'x' }], usage: {} }
    const usage = { input_tokens: 9, output_tokens: 1 }
    await bench.answer(
      [Buffer.from(JSON.stringify({ ...said, usage }))],
      'application/json',
    )
    assert.equal(bench.record.promptPreview, 'hi')
    assert.equal(bench.record.inputTokens, 9)
    assert.equal(bench.record.uninspectable, undefined)
  })

  it('YORI records a form by its files', async () => {
    const body = [
      '--b',
      'Content-Disposition: form-data; name="model"',
      '',
      'whisper-1',
      '--b',
      'Content-Disposition: form-data; name="file"; filename="a.mp3"',
      'Content-Type: audio/mpeg',
      '',
      'x'.repeat(1000),
      '--b--',
      '',
    ].join('\r\n')
    const contentType = 'multipart/form-data; boundary=b'
    const record = await asked({ body, contentType, path: '/v1/audio/transcriptions' })
    assert.equal(record.model, 'whisper-1')
    assert.deepEqual(record.attachments, [
      { kind: 'audio', mediaType: 'audio/mpeg', bytes: 1000 },
    ])
    assert.equal(record.uninspectable, undefined)
    const cut = await asked({ body: body.slice(0, 300), contentType, whole: false })
    assert.equal(cut.uninspectable, 'partly-unseen')
  })

  it('YORI measures the first token and the pace of a stream, compressed or not', async () => {
    const chunk = (content: string) => ({
      model: 'm',
      choices: [{ index: 0, delta: { content } }],
    })
    const last = {
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 12 },
    }
    const events = [
      sse({ model: 'm', choices: [{ index: 0, delta: { role: 'assistant' } }] }),
      sse(chunk('Hello')),
      sse(chunk(' you')),
      sse(chunk('!')),
      sse(last, '[DONE]'),
    ].map((text) => Buffer.from(text))
    const plain = new Bench()
    await plain.answer(events, 'text/event-stream')
    assert.equal(plain.record.firstTokenMs, 20)
    // 12 tokens in the 30 ms from the first words to the end.
    assert.equal(plain.record.tokensPerSecond, 400)
    assert.equal(plain.budget.held, 0)

    const packed = new Bench()
    await packed.answer(
      [brotliCompressSync(Buffer.concat(events))],
      'text/event-stream',
      'br',
    )
    assert.equal(packed.record.outputTokens, 12)
    assert.equal(packed.record.firstTokenMs, 10)
    // It came in one piece: its pace says nothing.
    assert.equal(packed.record.tokensPerSecond, undefined)

    const body = new Bench()
    const said = { model: 'm', choices: [{ message: { content: 'Hello' } }] }
    await body.answer([Buffer.from(JSON.stringify(said))], 'application/json')
    assert.equal(body.record.firstTokenMs, undefined)
  })

  it('YORI says when a response was not read', async () => {
    const odd = new Bench()
    await odd.answer([Buffer.from('x')], 'application/json', 'compress')
    assert.equal(odd.record.uninspectable, 'content-coding')
    const full = new Bench(CHAT, 1)
    await full.answer([Buffer.from('{}')], 'application/json')
    assert.equal(full.record.uninspectable, 'no-room')
    const deep = new Bench()
    await deep.answer([Buffer.from('['.repeat(100_000))], 'application/json')
    assert.equal(deep.record.uninspectable, 'response')
    assert.equal(deep.budget.held, 0)
  })
})
