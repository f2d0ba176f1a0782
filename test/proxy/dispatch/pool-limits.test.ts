/**
 * How many connections and requests a target has, by what the target itself counts, over HTTP/1.1
 * and HTTP/2; and what becomes of those for whom there is no room.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { FickleOrigin } from '../../support/fickle-origin.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'What is the time?' }] }

/** Keeps whoever asks waiting until it is told, and counts connections. */
class PatientOrigin implements AsyncDisposable {
  readonly parked: ServerResponse[] = []
  most = 0
  asked = 0
  isOpen = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => this.#sockets.delete(socket))
      this.most = Math.max(this.most, this.#sockets.size)
    })
    server.on('request', (asking: IncomingMessage, response: ServerResponse) => {
      asking.resume()
      this.asked++
      if (this.isOpen) answer(response)
      else this.parked.push(response)
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on everybody is answered at once. */
  open(): void {
    this.isOpen = true
    for (const one of this.parked.splice(0)) answer(one)
  }

  shut(): void {
    this.isOpen = false
    this.asked = 0
    this.most = this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

function answer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{}')
}

describe('the limits of a target', () => {
  let folder: TempFolder
  let yori: Yori
  let plain: PatientOrigin
  let secure: PatientOrigin
  let other: FickleOrigin

  const gateway = (wait: number): object => ({
    pools: { wait, waiting: 4, health_interval: 0 },
    providers: {
      h1: {
        pool: [{ base_url: `http://127.0.0.1:${plain.port}`, max_connections: 2 }],
      },
      h2: { pool: [{ base_url: 'https://one.limit.test', max_connections: 1 }] },
      spilling: {
        pool: [{ base_url: `http://127.0.0.1:${plain.port}`, max_requests: 2 }],
        fallback: [{ provider: 'other' }],
      },
      other: { base_url: `http://${other.address}`, key: 'key-of-the-other' },
    },
  })

  before(async () => {
    folder = await tempFolder()
    const ca = new TestCa()
    const { certificatePem: cert, keyPem: key } = ca.issue({ names: ['one.limit.test'] })
    plain = await new PatientOrigin(createServer()).start()
    const settings = { maxConcurrentStreams: 2 }
    secure = await new PatientOrigin(createSecureServer({ cert, key, settings })).start()
    other = await FickleOrigin.start()
    const file = folder.file('catalogue.yaml')
    const entry = { upstream: 'h2', speaks: 'openai', route: 'intercept' }
    const providers = [{ name: 'over-h2', hosts: ['one.limit.test'], ...entry }]
    await writeFile(file, JSON.stringify({ providers }))
    yori = await Yori.start({
      trust: [ca],
      origins: { 'one.limit.test': secure },
      config: { catalogue: { file }, gateway: gateway(60) },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const one of [plain, secure, other]) await one[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    for (const one of [plain, secure]) one.shut()
  })

  afterEach(() => {
    for (const one of [plain, secure]) one.open()
  })

  async function ask(door: string) {
    const answered = await request(`${yori.url}/llm/${door}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ASKED),
    })
    return { ...answered, text: await answered.body.text() }
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await sleep(5)
  }

  /** Once it is there. */
  async function rowOf(isIt: (row: Row) => boolean): Promise<Row> {
    for (;;) {
      const found = (await yori.rows('exchanges')).find(isIt)
      if (found !== undefined) return found
      await sleep(5)
    }
  }

  const waiting = (door: string): number => {
    const { pools, upstream } = yori.appliance.current.services
    return (pools.find(door)?.line.length ?? 0) + (upstream.waiting ?? 0)
  }

  for (const mode of ['observe', 'enforce'] as const)
    for (const [door, connections] of [
      ['h1', 2],
      // Of two streams each, by what the server says.
      ['h2', 1],
    ] as const)
      it(`holds ${door} to ${connections} connections in ${mode}, and serves who waits`, async () => {
        await yori.reload({
          ...{
            mode,
            enforcement: {
              enabled: mode === 'enforce',
              consent_accepted: mode === 'enforce',
            },
          },
          gateway: gateway(60),
        })
        const origin = door === 'h1' ? plain : secure
        const all = Array.from({ length: 6 }, () => ask(door))
        await until(() => origin.parked.length === 2 && waiting(door) === 4)
        assert.equal(origin.asked, 2)
        origin.open()
        for (const { statusCode } of await Promise.all(all)) assert.equal(statusCode, 200)
        assert.equal(origin.asked, 6)
        assert.equal(origin.most, connections)
        assert.equal(waiting(door), 0)
      })

  for (const door of ['h1', 'h2'] as const)
    it(`tells 503 over ${door} who has waited too long, and counts it`, async () => {
      await yori.reload({ gateway: gateway(0.05) })
      const origin = door === 'h1' ? plain : secure
      const first = [ask(door), ask(door)]
      await until(() => origin.parked.length === 2)
      const { statusCode, headers, text } = await ask(door)
      assert.equal(statusCode, 503, text)
      assert.match(text, /YORI_UPSTREAM_BUSY/)
      assert.equal(headers['retry-after'], '1')
      const id = headers['x-yori-request-id']
      const row = await rowOf((one) => one['request_id'] === id && one['code'] !== null)
      assert.deepEqual([row['code'], row['event_type']], ['YORI_UPSTREAM_BUSY', 'error'])
      origin.open()
      for (const { statusCode: status } of await Promise.all(first))
        assert.equal(status, 200)
      assert.equal(origin.asked, 2)
      if (door === 'h1')
        assert.ok(
          (yori.appliance.current.services.pools.find('h1')?.line.counts.late ?? 0) > 0,
        )
    })

  it('sends who has waited too long to a fallback, where there is one', async () => {
    await yori.reload({ gateway: gateway(0.05) })
    const first = [ask('spilling'), ask('spilling')]
    await until(() => plain.parked.length === 2)
    const { statusCode, headers } = await ask('spilling')
    assert.equal(statusCode, 200)
    assert.equal(headers['x-yori-fallback'], 'other/m')
    plain.open()
    await Promise.all(first)
    assert.equal(plain.asked, 2)
  })

  it('forgets whoever leaves while it waits', async () => {
    await yori.reload({ gateway: gateway(60) })
    const first = [ask('h1'), ask('h1')]
    await until(() => plain.parked.length === 2)
    const leaves = new AbortController()
    const gone = request(`${yori.url}/llm/h1/v1/models`, { signal: leaves.signal })
    await until(() => waiting('h1') === 1)
    leaves.abort()
    await assert.rejects(gone)
    await until(() => waiting('h1') === 0)
    plain.open()
    await Promise.all(first)
    assert.equal(plain.asked, 2)
  })
})
