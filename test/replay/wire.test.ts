/**
 * What passes is recorded and comes again as it was, over HTTP/1.1 and HTTP/2: each kind of body,
 * coding and end that a provider's answer may have.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import {
  brotliCompressSync,
  createGzip,
  deflateSync,
  gunzipSync,
  gzipSync,
} from 'node:zlib'
import { brotliDecompressSync, constants, inflateSync } from 'node:zlib'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import type { Recording } from '../../src/replay/recording.js'
import { certificate, NAME, originCa } from '../support/proxied.js'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { providerOf, startRecorder } from '../support/recorded.js'
import { HTTP_VERSIONS, Yori } from '../support/yori.js'
import type { HttpVersion } from '../support/yori.js'

const GAP_MS = 60
const TEXT = JSON.stringify({ id: 'a', choices: [{ message: { content: 'Grüße 🌙' } }] })
/** No text, and the same at each run. */
const BLOB = Buffer.from(
  Array.from({ length: 2048 }, (_, n) => [
    ...createHash('sha256').update(String(n)).digest(),
  ]).flat(),
)
const WORDS = 'many words '.repeat(100_000)
const DECODERS = { gzip: gunzipSync, br: brotliDecompressSync, deflate: inflateSync }

/** `zstd -c` of TEXT: one frame with a checksum. */
const ZSTD = Buffer.from(
  'KLUv/QRY6QEAeyJpZCI6ImEiLCJjaG9pY2VzIjpbeyJtZXNzYWdlIjp7ImNvbnRlbnQiOiJHcsO8w59lIPCfjJkifX1dfRUJa48=',
  'base64',
)

let asked = 0

/** By the path of the request. */
const ANSWERS: Readonly<Record<string, RequestListener>> = {
  '/v1/plain': (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-length', Buffer.byteLength(TEXT))
    response.end(TEXT)
  },
  '/v1/gzip': (_, response) => coded(response, 'gzip', gzipSync(TEXT)),
  '/v1/br': (_, response) => coded(response, 'br', brotliCompressSync(TEXT)),
  '/v1/deflate': (_, response) => coded(response, 'deflate', deflateSync(TEXT)),
  '/v1/zstd': (_, response) => coded(response, 'zstd', ZSTD),
  '/v1/stream': (_, response) => {
    response.setHeader('content-type', 'text/event-stream')
    stream(response)
  },
  '/v1/stream-gzip': (_, response) => {
    response.setHeader('content-type', 'text/event-stream')
    response.setHeader('content-encoding', 'gzip')
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
    gzip.pipe(response)
    stream(gzip)
  },
  '/v1/cut-character': (_, response) => {
    const bytes = Buffer.from('data: {"delta":"🌙"}\n\n')
    response.write(bytes.subarray(0, 17))
    setTimeout(() => response.end(bytes.subarray(17)), 20)
  },
  '/v1/blob': (_, response) => {
    response.setHeader('content-type', 'audio/mpeg')
    response.end(BLOB)
  },
  '/v1/echo': (request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => response.end(hash.digest('hex')))
  },
  '/v1/many': (_, response) => response.end(WORDS),
  '/v1/none': (_, response) => response.writeHead(204).end(),
  '/v1/busy': (_, response) =>
    response
      .writeHead(429, { 'retry-after': '7', 'content-type': 'application/json' })
      .end('{"error":{"message":"slow down"}}'),
  '/v1/count': (_, response) => response.end(String(++asked)),
  '/v1/broken': (_, response) => {
    response.write('the beginning')
    setTimeout(() => response.destroy(), 20)
  },
  '/v1/trailers': (_, response) => {
    response.writeHead(200, { trailer: 'x-checksum', 'content-type': 'text/plain' })
    response.write('body')
    response.addTrailers({ 'x-checksum': 'abc' })
    response.end()
  },
}

function coded(
  response: Parameters<RequestListener>[1],
  coding: string,
  bytes: Buffer,
): void {
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-encoding', coding)
  response.end(bytes)
}

function stream(to: NodeJS.WritableStream): void {
  let count = 0
  const next = (): void => {
    if (count === 4) return void to.end()
    to.write(`data: {"delta":"word${count++}"}\n\n`)
    setTimeout(next, GAP_MS)
  }
  next()
}

interface Heard {
  readonly status: number
  readonly type: unknown
  readonly coding: unknown
  readonly retryAfter: unknown
  readonly text: string
  readonly trailers: unknown
  readonly broke: boolean
  /** Between two pieces. */
  /** From the request to the last piece: one taken late makes it no shorter. */
  readonly tookMs: number
}

async function hear(yori: Yori, version: HttpVersion, one: Asking): Promise<Heard> {
  const { path, method = 'GET', body, headers = {} } = one
  const asked = performance.now()
  const answer = await request(`https://${NAME}${path}`, {
    method,
    body: body ?? null,
    headers: {
      authorization: 'Bearer k',
      'accept-encoding': 'gzip, br, deflate',
      ...headers,
    },
    dispatcher: yori.dispatcher(undefined, version),
  })
  const pieces: Buffer[] = []
  let broke = false
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) pieces.push(piece)
  } catch {
    broke = true
  }
  const bytes = Buffer.concat(pieces)
  const coding = answer.headers['content-encoding'] as keyof typeof DECODERS | undefined
  const plain =
    coding === undefined || bytes.length === 0 ? bytes : DECODERS[coding](bytes)
  return {
    status: answer.statusCode,
    type: answer.headers['content-type'],
    coding,
    retryAfter: answer.headers['retry-after'],
    text: plain.toString('latin1'),
    trailers: answer.trailers,
    broke,
    tookMs: performance.now() - asked,
  }
}

interface Asking {
  readonly path: string
  readonly method?: Dispatcher.HttpMethod
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

const form = (boundary: string): Asking => ({
  path: '/v1/plain',
  method: 'POST',
  headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  body: `--${boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--${boundary}--\r\n`,
})

const LONG = 'a long request '.repeat(100_000)

/** What is asked when it is recorded, and, where it is written otherwise, when it is replayed. */
const ASKED: readonly (readonly [name: string, Asking, Asking?])[] = [
  ['an answer of known length', { path: '/v1/plain' }],
  ['gzip', { path: '/v1/gzip' }],
  ['br', { path: '/v1/br' }],
  ['deflate', { path: '/v1/deflate' }],
  ['a stream', { path: '/v1/stream' }],
  ['trailers', { path: '/v1/trailers' }],
  ['a stream in gzip', { path: '/v1/stream-gzip' }],
  ['a character that is cut in two', { path: '/v1/cut-character' }],
  ['bytes that are no text', { path: '/v1/blob' }],
  ['a request of 1.5 MB', { path: '/v1/echo', method: 'POST', body: LONG }],
  ['an answer of 1.1 MB', { path: '/v1/many' }],
  ['an answer without a body', { path: '/v1/none', method: 'DELETE' }],
  ['HEAD', { path: '/v1/plain', method: 'HEAD' }],
  ['an error of the provider', { path: '/v1/busy' }],
  ['an answer that breaks off', { path: '/v1/broken' }],
  [
    'JSON in another order',
    { path: '/v1/plain', method: 'POST', body: '{"a": 1, "b": [2]}' },
    { path: '/v1/plain', method: 'POST', body: '{"b":[2],"a":1}' },
  ],
  ['a form with another boundary', form('one'), form('two')],
  [
    'a request that comes coded',
    {
      path: '/v1/gzip',
      method: 'POST',
      body: gzipSync('{"x":"y"}'),
      headers: { 'content-encoding': 'gzip' },
    },
    { path: '/v1/gzip', method: 'POST', body: '{"x":"y"}' },
  ],
  [
    'a query with another key',
    { path: '/v1/plain?alt=sse&key=AIzaOne-secret' },
    { path: '/v1/plain?key=two&alt=sse' },
  ],
]

for (const version of HTTP_VERSIONS)
  describe(`a recording over ${version}`, function () {
    this.timeout(60_000)
    let origin: Origin
    let replaying: Yori
    let recordings: Recording[]
    const live = new Map<string, Heard>()
    before(async () => {
      origin = await startOrigin({
        certificate,
        handler: (asking, response) => {
          const answer = ANSWERS[String(asking.url).split('?', 1)[0] ?? '']
          if (answer === undefined) response.writeHead(500).end()
          else answer(asking, response)
        },
      })
      const recorder = startRecorder()
      await using yori = await Yori.start({
        origins: { [NAME]: origin },
        trust: [originCa],
        observers: [recorder.observer],
      })
      for (const [name, one] of ASKED) live.set(name, await hear(yori, version, one))
      const other = { path: '/v1/zstd', headers: { 'accept-encoding': 'zstd' } }
      const raw = await request(`https://${NAME}${other.path}`, {
        headers: { authorization: 'Bearer k', ...other.headers },
        dispatcher: yori.dispatcher(undefined, version),
      })
      assert.deepEqual(Buffer.from(await raw.body.arrayBuffer()), ZSTD)
      asked = 0
      for (let i = 0; i < 3; i++) await hear(yori, version, { path: '/v1/count' })
      // Side by side: each is to be found again by what it says.
      await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          hear(yori, version, { path: '/v1/echo', method: 'POST', body: `side ${i}` }),
        ),
      )
      recordings = await recorder.stop()
      assert.deepEqual(recorder.leftOut, [])
      await origin[Symbol.asyncDispose]()
      replaying = await Yori.start({ provider: providerOf(recordings) })
    })
    after(() => replaying[Symbol.asyncDispose]())

    for (const [name, one, otherwise] of ASKED)
      it(`gives again ${name}`, async () => {
        const { tookMs: before, ...was } = live.get(name) as Heard
        const { tookMs: now, ...is } = await hear(replaying, version, otherwise ?? one)
        // Whoever compresses in pieces ends them elsewhere: what they say is the same.
        assert.deepEqual(is, was)
        if (!name.startsWith('a stream')) return
        assert.ok(now >= 0.9 * 3 * GAP_MS, `${now} of ${before} ms`)
      })

    it('gives those that are the same in their order, and the last one again', async () => {
      const heard: string[] = []
      for (let i = 0; i < 4; i++)
        heard.push((await hear(replaying, version, { path: '/v1/count' })).text)
      assert.deepEqual(heard, ['1', '2', '3', '3'])
    })

    it('gives each of many that came side by side its own answer', async () => {
      await Promise.all(
        Array.from({ length: 24 }, async (_, i) => {
          const body = `side ${23 - i}`
          const one = { path: '/v1/echo', method: 'POST', body } as const
          const { text } = await hear(replaying, version, one)
          assert.equal(text, createHash('sha256').update(body).digest('hex'))
        }),
      )
    })

    it('gives zstd again without its coding, and no coding that is refused', async () => {
      const zstd = await hear(replaying, version, {
        path: '/v1/zstd',
        headers: { 'accept-encoding': 'zstd' },
      })
      assert.equal(Buffer.from(zstd.text, 'latin1').toString(), TEXT)
      assert.equal(zstd.coding, undefined)
      for (const refused of ['gzip;q=0, br', 'identity', '*;q=0.5, gzip;q=0.0']) {
        const plain = await hear(replaying, version, {
          path: '/v1/gzip',
          headers: { 'accept-encoding': refused },
        })
        assert.equal(Buffer.from(plain.text, 'latin1').toString(), TEXT)
        assert.equal(plain.coding, undefined)
      }
    })

    it('misses a body that was not recorded', async () => {
      const one = { path: '/v1/echo', method: 'POST', body: 'never' } as const
      const { status, text } = await hear(replaying, version, one)
      assert.equal(status, 404)
      assert.match(text, /YORI_REPLAY_MISSED/)
    })
  })
