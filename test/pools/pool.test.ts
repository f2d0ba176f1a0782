/** Who is asked, who is left out, and how they come back: pure, on a clock that is advanced. */
import assert from 'node:assert/strict'
import type { Lease } from '../../src/pools/pool.js'
import { Pools, TargetMemory } from '../../src/pools/pools.js'
import { counted, fails, LIMITS, makePool, ok, UNSENT } from './support.js'

/** `dead` fails; the others answer. */
const unless =
  (...dead: string[]) =>
  (lease: Lease): void =>
    dead.includes(lease.id) ? fails(lease) : ok(lease)

describe('a pool of targets', () => {
  it('is asked in turns by weight, spread evenly', () => {
    const { ask } = makePool([{ id: 'a', weight: 5 }, 'b', 'c'])
    // nginx, commit 52327e0627f49dbda1e8db695e63a4b0af4448b1: a a b a c a a.
    assert.deepEqual(ask(7, ok), ['a', 'a', 'b', 'a', 'c', 'a', 'a'])
    assert.deepEqual(counted(ask(700, ok)), { a: 500, b: 100, c: 100 })
  })

  it('asks whoever has the least to do, by weight', () => {
    const { take } = makePool([{ id: 'a', weight: 2 }, 'b'], {
      balance: 'least_requests',
    })
    const taken = Array.from({ length: 9 }, () => take()?.id ?? '')
    assert.deepEqual(counted(taken), { a: 6, b: 3 })
  })

  it('asks whoever answers soonest, and forgets who was slow', () => {
    const { ask, clock } = makePool(['slow', 'fast'], { balance: 'peak_ewma' })
    const answer = (lease: Lease): void => {
      lease.answered(lease.id === 'slow' ? 1000 : 10)
      ok(lease)
    }
    assert.deepEqual(ask(2, answer).toSorted(), ['fast', 'slow'])
    assert.deepEqual(counted(ask(50, answer)), { fast: 50 })
    clock.advance(60_000)
    assert.equal(counted(ask(20, answer))['slow'], 1)
  })

  it('keeps what belongs together, and moves only the keys of who goes', () => {
    const names = ['a', 'b', 'c', 'd']
    const { take } = makePool(names, { balance: 'consistent_hash' })
    const keys = Array.from({ length: 2000 }, (_, i) => `session-${i}`)
    const at = (key: string, without: number[] = []): string => {
      const lease = take({ key, without: new Set(without) })
      lease?.end({ kind: 'left' })
      return lease?.id ?? ''
    }
    const before = keys.map((key) => at(key))
    assert.deepEqual(
      keys.map((key) => at(key)),
      before,
    )
    for (const count of Object.values(counted(before))) assert.ok(count > 400, `${count}`)
    keys.forEach((key, i) => {
      if (before[i] !== 'b') assert.equal(at(key, [1]), before[i])
    })
  })

  it('asks the next priority when none of the lower may be asked', () => {
    const { ask, take } = makePool([
      { id: 'a', maxRequests: 1 },
      { id: 'spare', priority: 1 },
    ])
    assert.deepEqual(counted(ask(9, ok)), { a: 9 })
    const held = take()
    assert.equal(take()?.id, 'spare')
    held?.end({ kind: 'answered' })
    assert.equal(take()?.id, 'a')
  })

  it('has no target when each has all the requests that it may have', () => {
    const { take } = makePool([{ maxRequests: 2 }, { maxRequests: 1 }])
    assert.equal([take(), take(), take()].filter(Boolean).length, 3)
    assert.equal(take(), undefined)
  })

  it('leaves one out after five failures in a row, and for longer each time', () => {
    const { ask, clock, pool } = makePool(['a', 'b', 'dead'])
    ask(15, unless('dead'))
    assert.deepEqual(
      pool.seen().map(({ standing }) => standing),
      ['up', 'up', 'out'],
    )
    assert.equal(counted(ask(1000, unless('dead')))['dead'], undefined)
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      const { outForMs = 0 } = pool.seen()[2] ?? {}
      waits.push(outForMs)
      clock.advance(outForMs - 1)
      assert.equal(counted(ask(100, unless('dead')))['dead'], undefined)
      clock.advance(1)
      // One request alone finds out.
      assert.equal(counted(ask(100, unless('dead')))['dead'], 1)
    }
    assert.deepEqual(waits.slice(0, 3), [30_000, 60_000, 90_000])
    assert.equal(waits.at(-1), 300_000)
  })

  it('tries one that comes back with one request, which can be sent again', () => {
    const { ask, take, clock, pool } = makePool(['a', 'b', 'dead'])
    ask(15, unless('dead'))
    clock.advance(30_000)
    assert.notEqual(take({ mayTry: false })?.id, 'dead')
    const trial = take()
    assert.equal(trial?.id, 'dead')
    assert.equal(trial.isTrial, true)
    assert.equal(counted(ask(50, ok))['dead'], undefined)
    // Its client went: the next one is it.
    trial.end({ kind: 'left' })
    const again = take()
    assert.equal(again?.isTrial, true)
    assert.ok(pool.mayRetry({ kind: 'unanswered' }, again, 0))
    assert.ok(
      pool.mayRetry({ kind: 'status', status: 500, retryAfterMs: undefined }, again, 0),
    )
    again.end({ kind: 'answered' })
    assert.equal(pool.seen()[2]?.standing, 'up')
  })

  it('lets one that is back grow to its weight, and takes it out at its first failure', () => {
    const { ask, clock, pool } = makePool(['a', 'b', 'dead'])
    ask(15, unless('dead'))
    clock.advance(30_000)
    ask(1, ok)
    const shares: number[] = []
    for (let i = 0; i < 4; i++) {
      shares.push(counted(ask(300, ok))['dead'] ?? 0)
      clock.advance(10_000)
    }
    const [first = 0, second = 0, third = 0, last = 0] = shares
    assert.ok(first > 5 && first < 25, String(shares))
    assert.ok(first < second && second < third && third < last, String(shares))
    assert.equal(last, 100)
    const other = makePool(['a', 'b', 'dead'])
    other.ask(15, unless('dead'))
    other.clock.advance(30_000)
    other.ask(1, ok)
    other.clock.advance(5_000)
    assert.equal(counted(other.ask(300, unless('dead')))['dead'], 1)
    assert.equal(pool.seen()[2]?.ejections, 1)
  })

  it('never leaves out more than half, nor the last', () => {
    const three = makePool(['a', 'x', 'y'])
    three.ask(60, unless('x', 'y'))
    const out = three.pool.seen().filter(({ standing }) => standing === 'out')
    assert.equal(out.length, 1)
    const one = makePool(['x'])
    assert.deepEqual(counted(one.ask(20, fails)), { x: 20 })
    assert.equal(one.pool.seen()[0]?.standing, 'up')
    const four = makePool(['a', 'x', 'y', 'z'])
    four.ask(100, unless('x', 'y', 'z'))
    assert.equal(four.pool.seen().filter(({ standing }) => standing === 'out').length, 2)
  })

  it('trips where too large a share fails, though never five in a row', () => {
    const { ask, pool } = makePool(['a', 'flaky'])
    let asked = 0
    ask(80, (lease) => {
      if (lease.id === 'flaky' && ++asked % 2 === 0) fails(lease)
      else ok(lease)
    })
    assert.equal(pool.seen()[1]?.standing, 'out')
    assert.ok(asked <= 21, `${asked}`)
  })

  it('counts no 429 against a target, and leaves it alone as long as it says', () => {
    const { ask, pool, clock } = makePool(['a', 'busy'])
    ask(40, (lease) => {
      if (lease.id !== 'busy') return ok(lease)
      lease.rests(5_000)
      const failure = { kind: 'status', status: 429, retryAfterMs: 5_000 } as const
      lease.end({ kind: 'failed', failure })
    })
    assert.equal(pool.seen()[1]?.standing, 'up')
    assert.deepEqual(counted(ask(10, ok)), { a: 10 })
    clock.advance(5_000)
    // With one request at first: its client is not to hear that it has too much to do yet.
    const first = counted(ask(20, ok))['busy'] ?? 0
    assert.ok(first >= 1 && first <= 4, `${first}`)
    clock.advance(LIMITS.slowStartMs)
    assert.equal(counted(ask(20, ok))['busy'], 10)
  })

  it('looks by TCP and TLS: down after three looks, tried again after one that is good', () => {
    const { pool, clock, take, ask } = makePool(['a', 'b'], {
      limits: { healthEveryMs: 10_000 },
    })
    for (let i = 0; i < 3; i++) {
      assert.equal(pool.seen()[0]?.standing, 'up')
      assert.deepEqual(pool.toLookAt(), [0, 1])
      assert.deepEqual(pool.toLookAt(), [])
      pool.looked(0, false)
      pool.looked(1, true)
      clock.advance(10_000)
    }
    assert.equal(pool.seen()[0]?.standing, 'out')
    assert.deepEqual(counted(ask(9, ok)), { b: 9 })
    // What answers needs no look.
    assert.deepEqual(pool.toLookAt(), [0])
    pool.looked(0, true)
    assert.equal(take()?.id, 'a')
  })

  it('looks at one that was left out before it is tried', () => {
    const { pool, clock, ask } = makePool(['a', 'b', 'dead'], {
      limits: { healthEveryMs: 10_000 },
    })
    ask(15, unless('dead'))
    assert.deepEqual(
      pool.toLookAt().filter((index) => index === 2),
      [],
    )
    clock.advance(30_000)
    assert.equal(counted(ask(20, ok))['dead'], undefined)
    assert.ok(pool.toLookAt().includes(2))
    pool.looked(2, false)
    assert.equal(counted(ask(20, ok))['dead'], undefined)
    clock.advance(10_000)
    assert.ok(pool.toLookAt().includes(2))
    pool.looked(2, true)
    assert.equal(ask(1, ok)[0], 'dead')
  })

  it('asks one that is out where there is no other', () => {
    const { pool, take } = makePool(['a', 'b'], { limits: { healthEveryMs: 10_000 } })
    for (let i = 0; i < 3; i++) for (const at of [0, 1]) pool.looked(at, false)
    assert.ok(pool.seen().every(({ standing }) => standing === 'out'))
    assert.ok(take())
  })

  it('keeps who is left out across a reload, and forgets who is gone', () => {
    const memory = new TargetMemory()
    const target = (id: string): object => ({
      id,
      weight: 1,
      priority: 0,
      maxRequests: 9,
      maxConnections: 9,
      perConnection: 1,
    })
    const make = (...ids: string[]): Pools =>
      new Pools(
        [
          {
            ...{ name: 'p', balance: 'round_robin' as const, limits: LIMITS },
            targets: ids.map((id) => target(id)) as never,
          },
        ],
        () => 1000,
        memory,
      )
    const pool = make('a', 'dead').find('p')
    for (let i = 0; i < 10; i++) {
      const lease = pool?.take({ without: new Set(), key: '', mayTry: true })
      if (lease) unless('dead')(lease)
    }
    const again = make('dead', 'c').find('p')
    assert.deepEqual(
      again?.seen().map(({ id, standing }) => [id, standing]),
      [
        ['dead', 'out'],
        ['c', 'up'],
      ],
    )
    make('c')
    assert.equal(make('dead').find('p')?.seen()[0]?.standing, 'up')
  })

  it('retries what has not been acted on, as often as it may', () => {
    const { pool, take } = makePool(['a', 'b', 'c'])
    const lease = take() as Lease
    const status = (code: number, retryAfterMs?: number): boolean =>
      pool.mayRetry({ kind: 'status', status: code, retryAfterMs }, lease, 0)
    assert.deepEqual(
      [502, 503, 504].map((code) => status(code)),
      [true, true, true],
    )
    for (const code of [200, 400, 401, 500, 501, 529]) assert.equal(status(code), false)
    assert.equal(status(429), false)
    assert.equal(status(429, 10_000), true)
    assert.equal(status(429, 10_001), false)
    assert.equal(pool.mayRetry({ kind: 'unanswered' }, lease, 0), false)
    assert.equal(pool.mayRetry({ kind: 'cut' }, lease, 0), false)
    assert.equal(pool.mayRetry(UNSENT, lease, 1), true)
    assert.equal(pool.mayRetry(UNSENT, lease, 2), false)
  })

  it('has a budget of retries: a fifth of what is under way, and three always', () => {
    const { pool } = makePool(['a'])
    const taken = (active: number): number => {
      let count = 0
      while (pool.budget.take(active)) count++
      for (let i = 0; i < count; i++) pool.budget.give()
      return count
    }
    assert.deepEqual([0, 15, 20, 100].map(taken), [3, 3, 4, 20])
    assert.equal(pool.counts.retriesRefused, 4)
    assert.equal(pool.budget.retrying, 0)
  })
})
