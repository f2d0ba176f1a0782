/**
 * A request that a hostile origin takes whole, on a connection that has served before, and closes
 * without a byte of an answer: how often it arrives, by the origin's own count. Sent again is what
 * cannot have been acted on, what may be asked twice (RFC 9110 §9.2.2), what bears a key for that,
 * and an inference that was closed on as if for idleness. HTTP/1.1 and HTTP/2, behind a pool and
 * without one, in observe and in enforce.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, createSecureServer } from 'node:http2'
import type { Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { KEEP_ALIVE_RACE_MS } from '../../../src/proxy/exchange/sent-again.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

type Deed = 'answers' | 'closes' | 'closes late' | 'refuses' | 'goes away'

const NAME = 'one.again.test'
const CHAT = 'chat/completions'

interface Playing {
  readonly method?: 'POST' | 'GET' | 'PUT' | 'DELETE' | 'PATCH'
  readonly path?: string
  readonly fields?: Readonly<Record<string, string>>
}

const OF_H2: ReadonlySet<Deed> = new Set<Deed>(['refuses', 'goes away'])
const keyed = { 'Idempotency-Key': 'order-1' }

const AGAIN: readonly (readonly [string, Deed, Playing])[] = [
  ['an inference, closed on at once', 'closes', {}],
  ['GET', 'closes', { method: 'GET', path: 'models' }],
  ['PUT', 'closes', { method: 'PUT', path: 'settings' }],
  ['DELETE, late', 'closes late', { method: 'DELETE', path: 'files/1' }],
  ['a POST with a key', 'closes', { path: 'batches', fields: keyed }],
  ['an inference with a key, late', 'closes late', { fields: keyed }],
  ['a POST whose stream is refused', 'refuses', { path: 'batches' }],
  ['a POST above the last stream of a GOAWAY', 'goes away', { path: 'batches' }],
]

const ONCE: readonly (readonly [string, Deed, Playing])[] = [
  ['an inference, closed on late', 'closes late', {}],
  ['a batch', 'closes', { path: 'batches' }],
  ['a POST of something else', 'closes', { path: 'settings' }],
  ['PATCH', 'closes', { method: 'PATCH', path: 'settings' }],
  [
    'a POST with an empty key',
    'closes',
    { path: 'batches', fields: { 'Idempotency-Key': '' } },
  ],
]

/** Does its deed to the next request, and answers all others. */
class HostileOrigin implements AsyncDisposable {
  deed: Deed = 'answers'
  readonly arrived: { readonly path: string; readonly wasReused: boolean }[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #served = new WeakSet<object>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('sessionError', () => undefined)
    server.on('request', (asked: IncomingMessage, response: ServerResponse) => {
      response.on('error', () => undefined)
      asked.resume().once('end', () => void this.#serve(asked, response))
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async #serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const { stream } = response as unknown as Partial<Http2ServerResponse>
    const carrier = stream?.session ?? asked.socket
    const wasReused = this.#served.has(carrier)
    this.arrived.push({ path: asked.url ?? '', wasReused })
    const { deed } = this
    this.deed = 'answers'
    if (deed === 'refuses') stream?.close(constants.NGHTTP2_REFUSED_STREAM)
    else if (deed === 'goes away') stream?.session?.goaway(0, (stream.id ?? 0) - 2)
    else if (deed === 'answers') {
      this.#served.add(carrier)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{}')
    } else {
      if (deed === 'closes late') await sleep(KEEP_ALIVE_RACE_MS * 1.5)
      carrier.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

describe('a request that was taken whole and not answered', () => {
  let folder: TempFolder
  let yori: Yori
  let plain: HostileOrigin
  let secure: HostileOrigin

  before(async () => {
    folder = await tempFolder()
    const ca = new TestCa()
    const { certificatePem: cert, keyPem: key } = ca.issue({ names: [NAME] })
    plain = await new HostileOrigin(createServer()).start()
    secure = await new HostileOrigin(createSecureServer({ cert, key })).start()
    const file = folder.file('catalogue.yaml')
    const entry = { upstream: 'h2', speaks: 'openai', route: 'intercept' }
    const providers = [{ name: 'over-h2', hosts: [NAME], ...entry }]
    await writeFile(file, JSON.stringify({ providers }))
    const at = `http://127.0.0.1:${plain.port}`
    // The second of a pool is there to be asked in its place, and never is.
    const other = 'http://127.0.0.1:1'
    const pooled = (base_url: string) => ({
      pool: [{ base_url }, { base_url: other, priority: 1 }],
    })
    yori = await Yori.start({
      trust: [ca],
      origins: { [NAME]: secure },
      config: {
        catalogue: { file },
        gateway: {
          pools: { health_interval: 0, eject_after: 1000, breaker_requests: 10_000 },
          providers: {
            'h1-alone': { base_url: at },
            'h1-pool': pooled(at),
            'h2-alone': { base_url: `https://${NAME}`, api: 'openai' },
            'h2-pool': pooled(`https://${NAME}`),
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const one of [plain, secure]) await one[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** How often it arrived, and what the client was told; undefined: nothing. */
  async function played(
    door: string,
    deed: Deed,
    { method = 'POST', path = CHAT, fields = {} }: Playing,
  ): Promise<{ readonly times: number; readonly status: number | undefined }> {
    const origin = door.startsWith('h1') ? plain : secure
    const url = (rest: string): string => `${yori.url}/llm/${door}/v1/${rest}`
    const warm = await request(url('models'))
    assert.equal(warm.statusCode, 200, await warm.body.text())
    origin.arrived.length = 0
    origin.deed = deed
    const body = method === 'GET' ? null : JSON.stringify({ model: 'm', messages: [] })
    const headers = { 'content-type': 'application/json', ...fields }
    const status = await request(url(path), { method, headers, body }).then(
      async (answered) => {
        await answered.body.dump()
        return answered.statusCode
      },
      () => undefined,
    )
    assert.equal(origin.arrived[0]?.wasReused, true)
    return { times: origin.arrived.length, status }
  }

  for (const mode of ['observe', 'enforce'] as const)
    describe(`in ${mode}`, () => {
      before(() => {
        const isOn = mode === 'enforce'
        const policies = isOn ? { files: { privacy: { action: 'block' } } } : {}
        const enforcement = { enabled: isOn, consent_accepted: isOn }
        return yori.reload({ mode, enforcement, policies })
      })

      for (const door of ['h1-alone', 'h1-pool', 'h2-alone', 'h2-pool']) {
        const isThere = ([, deed]: readonly [string, Deed, Playing]): boolean =>
          // Those that take long, in one mode.
          !(door.startsWith('h1') && OF_H2.has(deed)) &&
          !(mode === 'enforce' && deed === 'closes late')
        for (const [title, deed, playing] of AGAIN.filter(isThere))
          it(`arrives twice by ${door}: ${title}`, async () => {
            const { times, status } = await played(door, deed, playing)
            assert.deepEqual([times, status], [2, 200])
          })
        for (const [title, deed, playing] of ONCE.filter(isThere))
          it(`arrives once by ${door}: ${title}`, async () => {
            const { times, status } = await played(door, deed, playing)
            assert.equal(times, 1)
            assert.notEqual(status, 200)
          })
      }
    })
})
