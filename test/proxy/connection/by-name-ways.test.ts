/**
 * Every limit that needs no reading, by every way in, for everything that passes unread: refused
 * by an alert while it holds, and ended within a minute where it begins meanwhile.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { request } from 'undici'
import type { TimeRule } from '../../../src/policy/state.js'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { openReader } from '../../../src/audit/queries.js'
import { parseSocketAddress } from '../../../src/core/address.js'
import type { SocketAddress } from '../../../src/core/address.js'
import type { Destination } from '../../../src/net/original-destination.js'
import { rawTlsClient } from '../../support/clients.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { ask, NAME, originCa, until } from '../../support/proxied.js'
import { tempFolder } from '../../support/temp-folder.js'
import { Yori } from '../../support/yori.js'

/** Of the catalogue, and no endpoint of the configuration. */
const CHAT = 'claude.ai'
const OTHER_DEVICE = '127.0.0.2'
/** Inspected: what is asked there counts. */
const COUNTED = 'api.mistral.ai'
const certificate = originCa.issue({ names: [CHAT, NAME, COUNTED] })

const WAYS = ['CONNECT', 'redirected', 'dialled'] as const
type Way = (typeof WAYS)[number]

const UNREAD = ['a web chat', 'an endpoint set to tunnel', 'an endpoint that is pinned']
type Unread = (typeof UNREAD)[number]

interface Limit {
  readonly what: string
  readonly files: Record<string, unknown>
  /** It does not hold before. */
  readonly begins: (house: House) => Promise<void>
  /** It does not hold for another device. */
  readonly isOfDevice: boolean
}

const block = (params: Record<string, unknown>) => ({ action: 'block', params })

const LIMITS: readonly Limit[] = [
  {
    what: 'bedtime',
    files: { bedtime: block({ start_hour: 21, end_hour: 7 }) },
    begins: (house) => house.goOn(60),
    isOfDevice: false,
  },
  {
    what: 'a time rule',
    files: {},
    begins: async (house) => {
      await house.rule({})
      await house.goOn(60)
    },
    isOfDevice: false,
  },
  {
    what: 'a block of a device',
    files: {},
    begins: async (house) => {
      await house.rule({ ips: ['127.0.0.1'], start: 0, end: 24 * 60 - 1 })
      await house.goOn(60)
    },
    isOfDevice: true,
  },
  {
    what: 'an allowance of messages',
    files: { daily_allowance: block({ messages: 1, carry_days: 0 }) },
    begins: async (house) => {
      assert.equal(await house.call(), 200)
      await house.goOn(60)
    },
    // Devices that nobody has named count as one.
    isOfDevice: false,
  },
  {
    what: 'a quota of the hour',
    files: { hourly_quota: block({ per_hour: 1 }) },
    begins: async (house) => {
      await house.goOn(60)
      assert.equal(await house.call(), 200)
      await house.goOn(30)
    },
    isOfDevice: false,
  },
]

class House implements AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  readonly #clock: ManualClock
  readonly #name: string
  readonly #led: { to: Destination }
  readonly #catalogue: AsyncDisposable

  private constructor(parts: {
    yori: Yori
    origin: Origin
    clock: ManualClock
    name: string
    led: { to: Destination }
    catalogue: AsyncDisposable
  }) {
    this.yori = parts.yori
    this.origin = parts.origin
    this.#clock = parts.clock
    this.#name = parts.name
    this.#led = parts.led
    this.#catalogue = parts.catalogue
  }

  /** At 20:59:30. */
  static async open(unread: Unread, files: Record<string, unknown>): Promise<House> {
    const today = new Date().toISOString().slice(0, 10)
    const clock = new ManualClock(Date.parse(`${today}T20:59:30Z`))
    const name = unread === 'a web chat' ? CHAT : NAME
    const origin = await startOrigin({ certificate })
    const catalogue = await tempFolder()
    const file = catalogue.file('providers.yaml')
    writeFileSync(file, `providers:\n  - { name: openai, pinned_apps: [an app] }\n`)
    const led = { to: { kind: 'own' } as Destination }
    const isSet = unread === 'an endpoint set to tunnel'
    const yori = await Yori.start({
      origins: { [CHAT]: origin, [NAME]: origin, [COUNTED]: origin },
      trust: [originCa],
      clock,
      destination: () => led.to,
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
        policies: { files },
        catalogue: { file },
        endpoints: [
          { domain: COUNTED },
          { domain: NAME, ...(isSet ? { route: 'tunnel' } : {}) },
        ],
      },
    })
    const house = new House({ yori, origin, clock, name, led, catalogue })
    if (unread === 'an endpoint that is pinned') await house.#pin()
    return house
  }

  /** The device trusts us, and its app does not: the second time it is known to pin. */
  async #pin(): Promise<void> {
    const trusting = await this.yori.tls(COUNTED)
    await ask(trusting, `GET / HTTP/1.1\r\nHost: ${COUNTED}\r\n\r\n`)
    trusting.destroy()
    // A close without a word has to be repeated.
    for (const count of [2, 3]) {
      await assert.rejects(this.yori.tls(NAME, { ca: originCa.certificatePem }))
      await until(async () => (await this.yori.rows('connections')).length === count)
    }
  }

  async client(way: Way, localAddress = '127.0.0.1'): Promise<TLSSocket> {
    const ca = originCa.certificatePem
    const { port } = this.yori
    const there = parseSocketAddress(this.origin.address) as SocketAddress
    this.#led.to =
      way === 'redirected' ? { kind: 'original', address: there } : { kind: 'own' }
    if (way === 'CONNECT') {
      const socket = await this.yori.tls(this.#name, { ca })
      return quiet(socket)
    }
    const raw = connectTcp({ host: '127.0.0.1', port, localAddress })
    raw.on('error', () => undefined)
    await once(raw, 'connect')
    return quiet(await rawTlsClient({ servername: this.#name, ca, socket: raw }))
  }

  /** Of a model, at an endpoint that is inspected. */
  async call(): Promise<number> {
    this.#led.to = { kind: 'own' }
    const answer = await request(`https://${COUNTED}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: this.yori.dispatcher(),
      headers: { 'content-type': 'application/json' },
      body: '{"model":"m","messages":[{"role":"user","content":"x"}]}',
    })
    await answer.body.dump()
    await until(async () =>
      (await this.yori.rows('exchanges')).every((row) => row['event_type'] !== 'request'),
    )
    return answer.statusCode
  }

  async rule(about: Record<string, unknown>): Promise<void> {
    const value = {
      ...{ name: 'rule', days: [], groups: [], ips: [], macs: [], zone: 'UTC' },
      ...{ start: 21 * 60, end: 22 * 60, action: 'block', priority: 1, enabled: true },
      ...about,
    }
    using database = new PolicyDatabase(this.yori.folder.file('state/policy.db'))
    const entry = { key: 'rule', value: value as TimeRule, addedAt: 1, addedBy: 'a test' }
    database.put('rule', entry)
    // Another process, such as `yori time`, is heard within a second.
    const { decider } = this.yori.appliance.current.services
    await until(() => !decider.idle)
  }

  async goOn(seconds: number): Promise<void> {
    this.#clock.advance(seconds * 1000)
    this.yori.appliance.tick()
    await new Promise((resolve) => setImmediate(resolve))
    this.yori.appliance.tick()
  }

  async talks(socket: TLSSocket): Promise<void> {
    const text = `GET / HTTP/1.1\r\nHost: ${this.#name}\r\n\r\n`
    assert.match(await ask(socket, text), /^HTTP\/1\.1 200 /)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yori[Symbol.asyncDispose]()
    await this.origin[Symbol.asyncDispose]()
    await this.#catalogue[Symbol.asyncDispose]()
  }
}

function quiet(socket: TLSSocket): TLSSocket {
  return socket.on('error', () => undefined)
}

for (const unread of UNREAD)
  describe(`${unread} under`, () => {
    for (const { what, files, begins, isOfDevice } of LIMITS)
      it(`${what} ends when that begins, and is refused from then on, by every way`, async () => {
        await using house = await House.open(unread, files)
        const open: TLSSocket[] = []
        // Names of others lead to us by DNS only where they are endpoints.
        const ways = WAYS.filter((way) => unread !== 'a web chat' || way !== 'dialled')
        for (const way of ways) open.push(await house.client(way))
        for (const socket of open) await house.talks(socket)
        const ended = open.map((socket) => once(socket.resume(), 'end'))
        await begins(house)
        await Promise.all(ended)
        for (const socket of open) socket.destroy()
        const dialled = house.origin.accepted
        for (const way of ways)
          await assert.rejects(house.client(way), /alert access denied/, way)
        assert.equal(house.origin.accepted, dialled, 'nothing is dialled')
        // What is pinned is learned of each device by itself.
        if (isOfDevice && unread !== 'an endpoint that is pinned') {
          const other = await house.client('redirected', OTHER_DEVICE)
          await house.talks(other)
          other.destroy()
        }
        await assertRefused(house.yori, 2 * ways.length)
      })
  })

/** Those that were open and those that came later: each is one that a policy refused. */
async function assertRefused(yori: Yori, count: number): Promise<void> {
  const refused = async (): Promise<unknown[]> =>
    (await yori.rows('connections')).filter(
      ({ coverage, code }) => coverage === 'refused' && code === 'YORI_REFUSED_BY_POLICY',
    )
  await until(async () => (await refused()).length >= count)
  assert.equal((await refused()).length, count)
  using reader = openReader(yori.database)
  const { reasons } = reader.coverage(
    { nowMs: Date.now() + 86_400_000, zone: undefined },
    3,
  )
  const counted = reasons.find(({ reason }) => reason === 'YORI_REFUSED_BY_POLICY')
  assert.equal(counted?.count, count)
}
