/**
 * A thousand recordings with keys of every form that is published, keys of no known form and
 * personal data, in every place where an exchange may have them: none of what went in is found
 * in what is written, however it is read.
 */
import assert from 'node:assert/strict'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { loadRules } from '../../config/read-detect.js'
import type { Frame } from '../../src/replay/frames.js'
import { pathWithout, withoutCredentials } from '../../src/replay/credential-fields.js'
import { RecordingBuilder } from '../../src/replay/recording-builder.js'
import { recordingText } from '../../src/replay/recording.js'
import type { Recording } from '../../src/replay/recording.js'
import { Sanitiser } from '../../src/replay/sanitiser.js'
import { bedrockEvent } from '../support/event-stream.js'
import { chance, madeUp } from '../support/made-up.js'

const COUNT = 1000
const loaded = loadRules()
if (loaded.kind === 'invalid') throw new Error('the rules do not hold')
const { rules, detector } = loaded
const sanitiser = new Sanitiser(detector, 'all')
/** Of which an example alone is found: a form that needs its words beside it has them there. */
const KEYS = rules.filter((rule) => rule.class === 'secret' && rule.by !== 'named')
/** Valid by their own checks; from the documents of who gives them out. */
const PERSONAL = [
  ...['jane.doe@example.com', 'max+tag@mail.example.org', '4111 1111 1111 1111'],
  ...['5555555555554444', 'DE89370400440532013000', 'GB29 NWBK 6016 1331 9268 19'],
  ...['078-05-1120', '203.0.113.77'],
]

type Next = () => number

/** A text, and what of it must not be found. */
interface Told {
  readonly text: string
  readonly secrets: readonly string[]
}

function secretOf(next: Next): Told {
  if (next() < 0.5) {
    const one = PERSONAL[Math.floor(next() * PERSONAL.length)] as string
    return { text: `Please note ${one} for me`, secrets: [one] }
  }
  for (;;) {
    const rule = KEYS[Math.floor(next() * KEYS.length)] as (typeof KEYS)[number]
    const text = `use this: ${madeUp(rule.example, next)} now`
    const found = detector.find(text).filter((one) => one.class === 'secret')
    // Drawn anew where chance has made a placeholder of it.
    if (found.length > 0)
      return { text, secrets: found.map(({ start, end }) => text.slice(start, end)) }
  }
}

interface Made {
  readonly fields?: readonly string[]
  readonly path?: string
  readonly body?: string | Buffer
  readonly type?: string
  readonly answer?: string | Buffer
  readonly answerType?: string
  readonly trailers?: readonly string[]
}

const JSON_TYPE = 'application/json'
const chat = (content: unknown): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
const events = (all: readonly unknown[]): string =>
  all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')

function cut(text: string, next: Next): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(next() * 5)
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}

/** Where it stands in an exchange. */
const PLACES: Readonly<Record<string, (text: string, next: Next) => Made>> = {
  'a message': (text) => ({ body: chat(`one line\n${text}`), type: JSON_TYPE }),
  'escapes of Unicode': (text) => ({
    body: chat('X').replace(
      '"X"',
      `"${[...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
    ),
    type: JSON_TYPE,
  }),
  'arguments of a tool': (text) => ({
    body: chat(JSON.stringify({ note: `a\n${text}`, more: ['x'] })),
    type: JSON_TYPE,
  }),
  'JSON in JSON in JSON': (text) => ({
    body: chat(JSON.stringify({ inner: JSON.stringify({ note: `"\n${text}` }) })),
    type: JSON_TYPE,
  }),
  'a stream of words': (text, next) => ({
    answer: events(
      cut(text, next).map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
    ),
    answerType: 'text/event-stream',
  }),
  'a stream of arguments': (text, next) => ({
    answer: events(
      cut(JSON.stringify({ note: text }), next).map((partial_json) => ({
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json },
      })),
    ),
    answerType: 'text/event-stream',
  }),
  'a stream in lines': (text, next) => ({
    answer: cut(text, next)
      .map((response) => `${JSON.stringify({ model: 'm', response, done: false })}\n`)
      .join(''),
    answerType: 'application/x-ndjson',
  }),
  'a stream that is a list': (text, next) => ({
    answer: JSON.stringify(
      cut(text, next).map((part) => ({
        candidates: [{ content: { parts: [{ text: part }] } }],
      })),
    ),
    answerType: JSON_TYPE,
  }),
  'a form': (text) => ({
    body: new URLSearchParams({ a: 'b', note: text }).toString(),
    type: 'application/x-www-form-urlencoded',
  }),
  'parts of a form': (text) => ({
    body: `--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n${text}\r\n--x--\r\n`,
    type: 'multipart/form-data; boundary=x',
  }),
  'a query': (text) => ({ path: `/v1/files?purpose=${encodeURIComponent(text)}` }),
  'a field': (text) => ({ fields: ['x-note', text] }),
  'a trailer': (text) => ({ trailers: ['x-note', text] }),
  'a page': (text) => ({ answer: `<p>${text}</p>`, answerType: 'text/html' }),
  'base64 in a message': (text) => ({
    body: chat(`as ${Buffer.from(`one line\n${text}`).toString('base64')} says`),
    type: JSON_TYPE,
  }),
  'a data URL': (text) => ({
    body: chat(`data:text/plain;base64,${Buffer.from(text).toString('base64')}`),
    type: JSON_TYPE,
  }),
  'a message of bytes': (text) => ({
    body: Buffer.concat([Buffer.of(0, 0, 0, 9, 0xff, 0xfe), Buffer.from(` ${text} `)]),
    type: 'application/grpc',
  }),
}
const NAMES = Object.keys(PLACES)

/** As the running YORI tells it, in pieces that end anywhere. */
function* framesOf(
  n: number,
  made: Made,
  key: string,
  next: Next,
): Iterable<[Frame, Buffer]> {
  const { fields = [], path = '/v1/chat/completions', type, answerType } = made
  const {
    body = '{}',
    answer = `{"error":"the key ${key} is none"}`,
    trailers = [],
  } = made
  const coding = ['identity', 'gzip', 'br'][Math.floor(next() * 3)] as string
  const coder = { gzip: gzipSync, br: brotliCompressSync }[coding]
  const coded = coder === undefined ? Buffer.from(answer) : coder(answer)
  const head = withoutCredentials([
    ...['x-api-key', key, 'cookie', `a=${key}-cookie`],
    ...(type === undefined ? [] : ['content-type', type]),
    ...fields,
  ])
  const asked = pathWithout(`${path}${path.includes('?') ? '&' : '?'}key=${key}-query`)
  const nothing = Buffer.alloc(0)
  const pieces = function* (
    of: 'request' | 'response',
    all: Buffer,
  ): Iterable<[Frame, Buffer]> {
    for (let at = 0; at < all.length;) {
      const bytes = all.subarray(at, (at += 1 + Math.floor(next() * 40)))
      yield [{ kind: 'bytes', n, of, at: 1, length: bytes.length }, bytes]
    }
  }
  yield [
    {
      ...{ kind: 'request', n, id: `id-${n}`, startedAt: n, method: 'POST' },
      ...{ host: 'api.openai.com', port: 443, plain: false, path: asked.path },
      ...{ version: '1.1', fields: head.fields },
      secrets: [...head.secrets, ...asked.secrets],
    },
    nothing,
  ]
  const sent = Buffer.from(body as string)
  yield* pieces('request', sent)
  const said = withoutCredentials([
    ...['content-type', answerType ?? JSON_TYPE, 'content-encoding', coding],
    ...['set-cookie', `b=${key}-set`],
  ])
  yield [{ kind: 'head', n, at: 2, status: 200, fields: said.fields }, nothing]
  yield* pieces('response', coded)
  yield [{ kind: 'end', n, at: 3, trailers }, nothing]
  const bytes = { requestBytes: sent.length, responseBytes: coded.length }
  yield [
    {
      kind: 'ended',
      n,
      outcome: 'response',
      latencyMs: 4,
      isWhole: true,
      ...bytes,
      about: {},
    },
    nothing,
  ]
}

/** All that somebody could read in it: as it is, and put together. */
function readings(recording: Recording): string {
  const raw = recordingText(recording)
  const all = [raw]
  const gather = (text: string, depth: number): void => {
    all.push(text)
    if (depth > 4) return
    const byName = new Map<string, string[]>()
    const walk = (value: unknown, name: string): void => {
      if (typeof value === 'string') {
        byName.set(name, [...(byName.get(name) ?? []), value])
        if (/[{[]/.test(value)) gather(value, depth + 1)
      } else if (typeof value === 'object' && value !== null)
        for (const [key, one] of Object.entries(value))
          walk(one, Array.isArray(value) ? name : key)
    }
    for (const line of [text, ...text.split('\n')])
      try {
        walk(JSON.parse(line.replace(/^data: /, '')), '')
      } catch {
        // It is no JSON.
      }
    for (const pieces of byName.values()) all.push(pieces.join(''))
    for (const [coded] of text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g))
      all.push(Buffer.from(coded, 'base64').toString())
    try {
      all.push(decodeURIComponent(text.replaceAll('+', ' ')))
    } catch {
      // It is no form.
    }
  }
  const { request, response } = recording
  const pieces = response?.pieces.map(({ content }) => content) ?? []
  const bytes = [request.body, ...pieces].map((content) =>
    content.kind === 'text' ? content.text : content.bytes.toString('latin1'),
  )
  gather(bytes[0] ?? '', 0)
  gather(bytes.slice(1).join(''), 0)
  gather(request.url, 0)
  return all.join('\n')
}

describe('a sanitised recording', () => {
  const made: { place: string; secrets: readonly string[]; recording?: Recording }[] = []
  before(async () => {
    const next = chance(27)
    const recorded: Recording[] = []
    const builder = new RecordingBuilder({
      sanitiser,
      recorded: (recording) => recorded.push(recording),
      leftOut: (why) => assert.fail(why),
    })
    for (let n = 0; n < COUNT; n++) {
      const { text, secrets } = secretOf(next)
      const place = NAMES[n % NAMES.length] as string
      const key = madeUp('k-{lower*9}-{lower*9}', next)
      for (const [frame, bytes] of framesOf(
        n,
        (PLACES[place] as never as (typeof PLACES)[string])(text, next),
        key,
        next,
      ))
        builder.take(frame, bytes)
      made.push({ place, secrets: [...secrets, key] })
    }
    await builder.settled()
    assert.equal(recorded.length, COUNT)
    recorded.forEach((recording, i) => Object.assign(made[i] as object, { recording }))
  })

  for (const [i, name] of NAMES.entries())
    it(`keeps nothing of what stood in ${name}`, () => {
      for (let n = i; n < COUNT; n += NAMES.length) {
        const { secrets, recording } = made[n] as (typeof made)[number]
        const text = readings(recording as Recording)
        for (const secret of secrets)
          assert.ok(!text.includes(secret), `${secret} is in ${text}`)
      }
    })

  it('is the same after another time', () => {
    for (const { recording } of made) {
      const { request, response } = recording as Recording
      const type = request.fields.find(([name]) => name === 'content-type')?.[1]
      assert.deepEqual(sanitiser.body(request.body, type, []), request.body)
      const texts = response?.pieces.flatMap(({ content }) =>
        content.kind === 'text' ? [content.text] : [],
      )
      const answered = response?.fields.find(([name]) => name === 'content-type')?.[1]
      assert.deepEqual(sanitiser.pieces(texts ?? [], answered, []), texts)
    }
  })

  it('stays what it was: JSON is JSON, and events are as many', () => {
    for (const { place, recording } of made) {
      const { request, response } = recording as Recording
      if (request.body.kind === 'text' && place.includes('JSON'))
        JSON.parse(request.body.text)
      const answer = response?.pieces
        .map(({ content }) => (content.kind === 'text' ? content.text : ''))
        .join('')
      if (place.startsWith('a stream of'))
        for (const line of answer?.split('\n\n') ?? [])
          if (line !== '') JSON.parse(line.replace(/^data: /, ''))
    }
  })

  it('keeps the sums of an event stream right', () => {
    const bytes = bedrockEvent('contentBlockDelta', {
      delta: { text: 'jane.doe@example.com' },
    })
    const type = 'application/vnd.amazon.eventstream'
    const kept = sanitiser.body({ kind: 'bytes', bytes }, type, [])
    assert.ok(kept.kind === 'bytes' && !kept.bytes.includes('jane.doe'))
    assert.equal(kept.bytes.length, bytes.length)
    const found = kept.bytes.readUInt32BE(bytes.length - 4)
    // The trailer of gzip is the same sum, little-endian: RFC 1952 §2.3.1.
    const zipped = gzipSync(kept.bytes.subarray(0, -4))
    assert.equal(found, zipped.readUInt32LE(zipped.length - 8))
  })

  it('takes for secrets what is drawn, not the words that stand beside it', () => {
    const signed =
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/bedrock/aws4_request, ' +
      'SignedHeaders=content-type;host, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc9'
    const { secrets } = withoutCredentials([
      ...[
        'authorization',
        signed,
        'via',
        '1.1 google',
        'cookie',
        'theme=light-mode; s=a1b2c3d4e5',
      ],
    ])
    assert.deepEqual(secrets, [
      'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/bedrock/aws4_request',
      'fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc9',
      ...['s=a1b2c3d4e5', 'a1b2c3d4e5'],
    ])
  })

  it('leaves what is nobody’s as it is', () => {
    const body = chat('The moon has 27 craters; see section 4.2 of 2026-11-30, id 1234.')
    const content = { kind: 'text', text: body } as const
    assert.deepEqual(sanitiser.body(content, JSON_TYPE, []), content)
  })
})
