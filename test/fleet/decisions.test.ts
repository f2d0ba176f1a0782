/** Attempts, PINs and grants of several gateways, by a Redis. */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { SharedDecisions } from '../../src/fleet/counters/decisions.js'
import { redisAddress } from '../../src/fleet/counters/redis.js'
import { SharedCounters } from '../../src/fleet/counters/shared-counters.js'
import type { GrantsHere } from '../../src/household/elsewhere.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import type { Grant } from '../../src/policy/state.js'
import { UsageCounters } from '../../src/policy/usage.js'
import { needs } from '../support/needs.js'
import { until } from '../support/proxied.js'
import { RedisServer } from '../support/redis-server.js'

class House implements GrantsHere {
  grants: Grant[] = []
  get current() {
    return { grants: this.grants }
  }
  mint(grant: Grant): void {
    this.grants.push(grant)
  }
  spend(id: string): void {
    this.grants = this.grants.filter((grant) => grant.id !== id)
  }
  get ids(): string[] {
    return this.grants.map(({ id }) => id).toSorted()
  }
}

class Gateway implements AsyncDisposable {
  readonly house = new House()
  readonly decisions: SharedDecisions
  readonly connection: SharedCounters

  constructor(server: RedisServer, id: string) {
    const common = { name: 'house', id }
    this.connection = new SharedCounters({
      address: () => redisAddress(server.url),
      ...{ ...common, gateways: 2, zone: 'UTC', clock: systemClock, log: silentLog },
    })
    this.connection.attach({ counters: new UsageCounters(), times: new LocalTimes() })
    this.decisions = new SharedDecisions({
      ...common,
      ask: (args) => this.connection.ask(args),
      skewMs: () => 0,
      now: () => systemClock.now(),
    })
    this.decisions.attach(this.house)
  }

  async start(): Promise<void> {
    await this.connection.start()
    await until(() => this.connection.isUp)
  }

  /** What the server says, however long it takes: the machine of a test may be busy. */
  async attempt(device: string, token?: string): Promise<boolean> {
    const answer = this.decisions.attempt(device, token)
    await this.connection.ask(['PING'])
    return answer()
  }

  async look(): Promise<void> {
    await this.decisions.look()
    await this.connection.ask(['PING'])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.connection.stop()
  }
}

const grant = (id: string, more: Partial<Grant> = {}): Grant => ({
  ...{ id, mac: '02:00:5e:10:00:01', policy: 'bedtime', once: false },
  until: systemClock.now() + 600_000,
  ...more,
})

describe('what people decide, at two gateways', () => {
  let server: RedisServer
  let [one, two] = [] as unknown as [Gateway, Gateway]

  before(async function () {
    needs(this, 'redis-server')
    server = await RedisServer.start()
    one = new Gateway(server, 'one')
    two = new Gateway(server, 'two')
    await Promise.all([one.start(), two.start()])
  })
  after(async () => {
    await one?.[Symbol.asyncDispose]()
    await two?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  it('counts attempts of a device together, and of a token, and a right one clears them', async () => {
    const said: boolean[] = []
    for (let i = 0; i < 4; i++)
      said.push(await one.attempt('phone', `a${i}`), await two.attempt('phone', `b${i}`))
    // 5 in 15 minutes.
    assert.deepEqual(said, [true, true, true, true, true, false, false, false])
    assert.equal(await two.attempt('tablet', 'a1'), true)
    assert.equal(await one.attempt('tablet', 'a1'), true)
    // Of one token 3.
    assert.equal(await two.attempt('tablet', 'a1'), false)
    two.decisions.succeeded('phone')
    assert.equal(await one.attempt('phone'), true)
  })

  it('lets a PIN be used once', async () => {
    assert.equal(await one.decisions.usePin('p1'), true)
    assert.equal(await two.decisions.usePin('p1'), false)
    assert.equal(await two.decisions.usePin('p2'), true)
  })

  it('has a grant of one hold at the other, and gone when it is used at either', async () => {
    one.house.mint(grant('long'))
    one.house.mint(grant('once', { once: true }))
    one.house.mint(grant('over', { until: systemClock.now() - 1 }))
    one.house.mint(grant('said', { found: ['digest of this machine'] }))
    await one.look()
    await two.look()
    assert.deepEqual(two.house.ids, ['long', 'once'])
    assert.deepEqual(
      two.house.grants.find(({ id }) => id === 'once'),
      one.house.grants.find(({ id }) => id === 'once'),
    )
    two.house.spend('once')
    for (const gateway of [two, one, two, one]) await gateway.look()
    assert.deepEqual(one.house.ids, ['long', 'over', 'said'])
    assert.deepEqual(two.house.ids, ['long'])
  })

  it('takes from there what is a grant, and nothing else', async () => {
    const until = systemClock.now() + 600_000
    const put = (id: string, value: unknown) =>
      one.connection.ask(['HSET', '{house}:grants', id, JSON.stringify(value)])
    const { ids } = two.house
    await put('for-all', {
      kind: 'grant',
      until,
      grant: { id: 'for-all', policy: 'p', once: false },
    })
    await put('another', { kind: 'grant', until, grant: grant('other') })
    await put('long-one', {
      kind: 'grant',
      until,
      grant: grant('long-one', { endpoint: 'x'.repeat(3_000) }),
    })
    await put('nothing', null)
    await two.look()
    assert.deepEqual(two.house.ids, ids)
  })

  it('leaves each to itself while the server is away', async () => {
    await server.kill()
    await until(() => !one.connection.isUp)
    const startedAt = performance.now()
    assert.equal(await one.decisions.attempt('phone', undefined)(), true)
    assert.equal(await one.decisions.usePin('p1'), true)
    await one.decisions.look()
    assert.ok(performance.now() - startedAt < 2_000)
  })
})
