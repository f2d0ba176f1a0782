/** Limits that hold across gateways, by a Redis that is there, is killed, and answers nobody. */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/core/clock.js'
import type { Clock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { Redis, redisAddress } from '../../src/fleet/counters/redis.js'
import { ReplyError, ReplyReader } from '../../src/fleet/counters/resp.js'
import { SharedCounters } from '../../src/fleet/counters/shared-counters.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import { UsageCounters } from '../../src/policy/usage.js'
import { ChildYori } from '../support/child-yori.js'
import { needs } from '../support/needs.js'
import { startOrigin } from '../support/origins.js'
import { until } from '../support/proxied.js'
import { RedisServer } from '../support/redis-server.js'

/** Of a budget of 100 over ten gateways: a share of it. */
const SLACK = 10

/** Its own clock; what passes is by it. */
class Gateway implements AsyncDisposable {
  readonly counters = new UsageCounters()
  readonly times = new LocalTimes()
  readonly shared: SharedCounters
  readonly #clock: Clock

  constructor(
    server: RedisServer,
    { id = 'g', gateways = 2, aheadMs = 0, name = 'test' },
  ) {
    this.#clock = {
      now: () => systemClock.now() + aheadMs,
      monotonic: () => systemClock.monotonic(),
    }
    this.shared = new SharedCounters({
      address: () => redisAddress(server.url),
      ...{ name, id, gateways, zone: 'UTC', clock: this.#clock, log: silentLog },
    })
    this.shared.attach(this)
    this.counters.share(this.shared)
  }

  async start(): Promise<this> {
    await this.shared.start()
    return this
  }

  get time() {
    return this.times.at(this.#clock.now(), 'UTC')
  }

  /** A call that passes while the day's are no more than `most`. */
  async call(device: string, most: number): Promise<boolean> {
    const subjects = { device, groups: [] }
    const ticket = this.counters.begin(subjects, this.time, this.#clock.now())
    await this.shared.told(subjects)
    const taken = this.counters.read('device', device, this.time).today.requests <= most
    const used = { tokens: 1, microUsd: 0, atMostMicroUsd: 0 }
    this.counters.end(ticket, { ...used, taken, policy: undefined }, this.time)
    return taken
  }

  used(device: string): number {
    return this.counters.read('device', device, this.time).today.requests
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shared.stop()
  }
}

async function passing(
  gateways: readonly Gateway[],
  device: string,
  { most, each }: { readonly most: number; readonly each: number },
): Promise<number> {
  const made = gateways.map(async (gateway) => {
    let passed = 0
    for (let i = 0; i < each; i++) if (await gateway.call(device, most)) passed++
    return passed
  })
  return (await Promise.all(made)).reduce((a, b) => a + b)
}

/**
 * Each has told all that is its own, and then heard all that is the others'. Who was late
 * counts a share for them, which may look the same.
 */
async function settled(gateways: readonly Gateway[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const before = gateways.map(({ shared }) => shared.counts.told)
    await until(() =>
      gateways.every(({ shared }, i) => shared.counts.told >= (before[i] ?? 0) + 2),
    )
  }
}

describe('replies of Redis', () => {
  const bytes = Buffer.from(
    '+OK\r\n:-12\r\n$-1\r\n$5\r\na\r\nbc\r\n-ERR no\r\n*2\r\n$0\r\n\r\n*1\r\n:7\r\n',
  )

  it('are the same wherever they are cut', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new ReplyReader()
      const replies = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((part) =>
        part.length === 0 ? [] : reader.push(part),
      )
      assert.deepEqual(replies, [
        'OK',
        -12,
        null,
        'a\r\nbc',
        new ReplyError('ERR no'),
        ['', [7]],
      ])
    }
  })

  it('are bounded, whatever the other end sends', () => {
    for (const text of [
      'HTTP/1.1 200\r\n',
      '$99999999\r\n',
      '*9999999\r\n',
      '*1\r\n'.repeat(20),
      ':1e9\r\n',
      `+${'x'.repeat(70_000)}`,
    ])
      assert.throws(
        () => new ReplyReader().push(Buffer.from(text)),
        RangeError,
        text.slice(0, 20),
      )
  })
})

describe('counters of several gateways', function () {
  let server: RedisServer

  before(async function () {
    needs(this, 'redis-server')
    server = await RedisServer.start()
  })
  after(() => server?.[Symbol.asyncDispose]())

  it('log in with what the URL says', async () => {
    await using locked = await RedisServer.start(['--requirepass', 'pass word'])
    const signal = AbortSignal.timeout(10_000)
    const open = (user: string) =>
      Redis.open(redisAddress(`redis://${user}@127.0.0.1:${locked.port}/3`), signal)
    const redis = await open('default:pass%20word')
    assert.match(String(await redis.ask(['CLIENT', 'INFO'])), / db=3 /)
    redis.close()
    await assert.rejects(open('default:wrong'), (error: Error) => {
      assert.match(error.message, /WRONGPASS/)
      assert.doesNotMatch(error.message, /:wrong/)
      return true
    })
  })

  it('let ten of them pass a budget of 100 together, whatever their clocks say', async () => {
    const gateways = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        new Gateway(server, {
          ...{ id: `g${i}`, gateways: 10, name: 'ten' },
          aheadMs: i === 3 ? 2 * 3_600_000 : i === 7 ? -26 * 60_000 : 0,
        }).start(),
      ),
    )
    try {
      await until(() =>
        gateways.every(({ shared }) => shared.isUp && shared.counts.told > 0),
      )
      const hours = () => gateways.map(({ time }) => `${time.date} ${time.hour}`)
      await until(() => new Set(hours()).size === 1)
      assert.ok(gateways.some(({ shared }) => Math.abs(shared.skewMs) > 7_000_000))
      const passed = await passing(gateways, 'phone', { most: 100, each: 25 })
      // A busy machine holds answers up; by what is let through meanwhile it can be more.
      assert.ok(passed <= 100 + SLACK, `${passed}`)
      await until(() => gateways.every((one) => one.used('phone') === passed))
      // A busy machine holds answers up, and then each has its share; nothing is left over in peace.
      for (const gateway of gateways)
        for (let left = 100 - gateway.used('phone'); left > 0; left--)
          await gateway.call('phone', 100)
      assert.ok((gateways[0]?.used('phone') ?? 0) <= 100 + SLACK)
      assert.equal(await passing(gateways, 'phone', { most: 100, each: 2 }), 0)
    } finally {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    }
  })

  it('let each pass its share while the server is away, and know all of it afterwards', async () => {
    await using own = await RedisServer.start()
    const gateways = await Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        new Gateway(own, { id: `g${i}`, gateways: 4, name: 'away' }).start(),
      ),
    )
    try {
      await until(() => gateways.every(({ shared }) => shared.counts.told > 0))
      const before = await passing(gateways, 'phone', { most: 40, each: 2 })
      assert.equal(before, 8)
      await settled(gateways)
      assert.ok(gateways.every((one) => one.used('phone') === before))
      await own.kill()
      await until(() => gateways.every(({ shared }) => !shared.isUp))
      const away = await passing(gateways, 'phone', { most: 40, each: 20 })
      // 32 were left: a fourth of them each.
      assert.equal(away, 32)
      // One that nobody has seen before likewise.
      assert.equal(await passing(gateways, 'tablet', { most: 10, each: 9 }), 8)
      await own.up()
      await until(() => gateways.every((one) => one.used('phone') === 40))
      assert.ok(gateways.every((one) => one.used('tablet') === 8))
      own.stall()
      const startedAt = performance.now()
      await gateways[0]?.call('phone', 40)
      assert.ok(performance.now() - startedAt < 2_000)
    } finally {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    }
  })

  it('keep a quota of 6 over two gateways, and answer when the server is away', async () => {
    await using own = await RedisServer.start()
    await using origin = await startOrigin({
      handler: (_request, response) => {
        response.setHeader('content-type', 'application/json')
        response.end(
          '{"id":"x","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
        )
      },
    })
    const start = (): Promise<ChildYori> =>
      ChildYori.start({
        config: {
          mode: 'enforce',
          enforcement: { enabled: true, consent_accepted: true },
          gateway: {
            providers: { mine: { base_url: `http://${origin.address}`, api: 'openai' } },
          },
          policies: {
            files: {
              hourly_quota: {
                ...{ enabled: true, action: 'block' },
                params: { per_hour: 6, peak_per_hour: 6 },
              },
            },
          },
          fleet: { counters: { url: own.url } },
        },
      })
    await using first = await start()
    await using second = await start()
    const ask = async ({ port }: ChildYori): Promise<number> => {
      const { status } = await fetch(
        `http://127.0.0.1:${port}/llm/mine/v1/chat/completions`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'm',
            messages: [{ role: 'user', content: 'hi' }],
          }),
        },
      )
      return status
    }
    const shared = (yori: ChildYori): boolean =>
      /counters are shared with other gateways/.test(yori.cli.stderr)
    await until(() => shared(first) && shared(second))
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push(await ask(first), await ask(second))
    const passed = statuses.filter((status) => status === 200).length
    assert.ok(passed >= 4 && passed <= 6, `${passed}: ${statuses.join(' ')}`)
    assert.ok(statuses.every((status) => status === 200 || status === 403))
    await own.kill()
    const startedAt = performance.now()
    assert.equal(await ask(first), 403)
    assert.ok(performance.now() - startedAt < 2_000)
    await until(() => /counters are not shared for now/.test(first.cli.stderr))
    // Of an hour of which nothing is known it has its share.
    await using third = await start()
    const alone: number[] = []
    for (let i = 0; i < 5; i++) alone.push(await ask(third))
    assert.deepEqual(alone, [200, 200, 200, 403, 403])
  })
})
