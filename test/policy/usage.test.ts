import assert from 'node:assert/strict'
import { LocalTimes } from '../../src/policy/local-time.js'
import { OVERFLOW, UsageCounters } from '../../src/policy/usage.js'
import type { Outcome, Usage, UsageRow } from '../../src/policy/usage.js'

const times = new LocalTimes()
const PASSED: Outcome = {
  tokens: 0,
  microUsd: 0,
  atMostMicroUsd: 0,
  taken: true,
  policy: undefined,
}

class Household {
  readonly counters: UsageCounters
  readonly zone: string

  constructor(zone = 'UTC', maxSubjects?: number) {
    this.counters = new UsageCounters(maxSubjects)
    this.zone = zone
  }

  time(at: string) {
    return times.at(Date.parse(at), this.zone)
  }

  begin(at: string, device = 'a', groups: readonly string[] = []) {
    return this.counters.begin({ device, groups }, this.time(at), Date.parse(at))
  }

  ask(at: string, outcome: Partial<Outcome> = {}, device = 'a', groups: string[] = []) {
    const ticket = this.begin(at, device, groups)
    this.counters.end(ticket, { ...PASSED, ...outcome }, this.time(at))
  }

  of(at: string, name = 'a', scope: 'device' | 'group' | 'policy' = 'device'): Usage {
    return this.counters.read(scope, name, this.time(at))
  }

  requests(at: string, name = 'a'): number[] {
    const { hour, today, month } = this.of(at, name)
    return [hour.requests, today.requests, month.requests]
  }
}

describe('counters', () => {
  it('begin anew with each hour, day and month of the clock on the wall', () => {
    const home = new Household()
    home.ask('2026-03-30T10:00:00Z')
    assert.deepEqual(home.requests('2026-03-30T10:59:59Z'), [1, 1, 1])
    home.ask('2026-03-30T11:00:00Z')
    assert.deepEqual(home.requests('2026-03-30T11:00:00Z'), [1, 2, 2])
    home.ask('2026-03-31T11:00:00Z')
    assert.deepEqual(home.requests('2026-03-31T11:00:00Z'), [1, 1, 3])
    home.ask('2026-04-01T00:00:00Z')
    assert.deepEqual(home.requests('2026-04-01T00:00:00Z'), [1, 1, 1])
  })

  it('follow the zone of the household', () => {
    const home = new Household('Asia/Tokyo')
    home.ask('2026-03-31T14:59:59Z')
    home.ask('2026-03-31T15:00:00Z')
    assert.deepEqual(home.requests('2026-03-31T15:00:00Z'), [1, 1, 1], 'April in Tokyo')
  })

  it('count a request from its beginning, tokens and money at its end', () => {
    const home = new Household()
    const at = '2026-03-04T12:00:00Z'
    const ticket = home.begin(at, 'a', ['children'])
    assert.equal(home.of(at).today.requests, 1)
    assert.equal(home.of(at).today.tokens, 0)
    const outcome = {
      tokens: 30,
      microUsd: 7,
      atMostMicroUsd: 2,
      taken: true,
      policy: 'privacy',
    }
    home.counters.end(ticket, outcome, home.time(at))
    const spent = { requests: 1, tokens: 30, microUsd: 7, atMostMicroUsd: 2 }
    for (const usage of [home.of(at), home.of(at, 'children', 'group')]) {
      assert.deepEqual(usage.hour, spent)
      assert.deepEqual(usage.today, { ...spent, minutes: 1 })
      assert.deepEqual(usage.month, spent)
    }
    assert.deepEqual(home.of(at, 'privacy', 'policy').month, spent)
    assert.equal(home.of(at, 'other').today.requests, 0)
  })

  it('count what was blocked for the policy alone', () => {
    const home = new Household()
    const at = '2026-03-04T12:00:00Z'
    home.ask(at, { taken: false, policy: 'bedtime' }, 'a', ['children'])
    assert.deepEqual(home.requests(at), [0, 0, 0])
    assert.equal(home.of(at).today.minutes, 0)
    assert.equal(home.of(at, 'children', 'group').today.requests, 0)
    assert.equal(home.of(at, 'bedtime', 'policy').today.requests, 1)
  })

  it('take nothing back from an hour that has passed meanwhile', () => {
    const home = new Household()
    const ticket = home.begin('2026-03-04T12:59:59Z')
    home.ask('2026-03-04T13:00:00Z')
    const blocked = { ...PASSED, taken: false }
    home.counters.end(ticket, blocked, home.time('2026-03-04T13:00:00Z'))
    assert.deepEqual(home.requests('2026-03-04T13:00:00Z'), [1, 1, 1])
  })

  it('count minutes in which there was a request', () => {
    const home = new Household()
    for (const second of ['00', '20', '59']) home.ask(`2026-03-04T12:00:${second}Z`)
    assert.equal(home.of('2026-03-04T12:00:59Z').today.minutes, 1)
    home.ask('2026-03-04T12:01:00Z')
    assert.equal(home.of('2026-03-04T12:01:00Z').today.minutes, 2)
  })

  it('remember seven days', () => {
    const home = new Household()
    for (let day = 1; day <= 9; day++) home.ask(`2026-03-0${day}T12:00:00Z`)
    const dates = home.of('2026-03-09T12:00:00Z').days.map(({ date }) => date)
    assert.equal(dates[0], '2026-03-08')
    assert.equal(dates.length, 7)
    assert.deepEqual(home.of('2026-03-20T12:00:00Z').days, [])
  })

  it('come back from what was taken, whole and once', () => {
    const home = new Household()
    const kept = new Map<string, UsageRow>()
    const keep = (): void => {
      for (const row of home.counters.take()) {
        kept.set(`${row.scope} ${row.name} ${row.period}`, row)
      }
    }
    for (const day of ['02', '03', '04']) {
      home.ask(`2026-03-${day}T09:00:00Z`, { tokens: 5, microUsd: 3 }, 'a', ['g'])
      if (day === '03') keep()
      home.ask(`2026-03-${day}T12:00:00Z`, { tokens: 1, policy: 'p' }, 'a', ['g'])
    }
    keep()
    const next = new Household()
    const now = '2026-03-04T12:30:00Z'
    next.counters.restore(kept.values(), next.time(now))
    for (const [name, scope] of [
      ['a', 'device'],
      ['g', 'group'],
      ['p', 'policy'],
    ] as const) {
      assert.deepEqual(next.of(now, name, scope), home.of(now, name, scope), name)
    }
    assert.equal(next.of(now).month.tokens, 18)
    assert.deepEqual(
      next.of(now).days.map(({ date, tokens }) => [date, tokens]),
      [
        ['2026-03-03', 6],
        ['2026-03-02', 6],
      ],
    )
    next.ask('2026-03-04T12:31:00Z')
    assert.deepEqual(next.requests('2026-03-04T12:31:00Z'), [2, 3, 7])
  })

  it('give again what did not arrive', () => {
    const home = new Household()
    home.ask('2026-03-04T12:00:00Z')
    const taken = home.counters.take()
    assert.equal(taken.length, 3)
    assert.deepEqual(home.counters.take(), [])
    home.counters.lost(taken)
    assert.deepEqual(home.counters.take(), taken)
  })

  it('stay within their bound, and count the rest as one', () => {
    const home = new Household('UTC', 3)
    const at = '2026-03-04T12:00:00Z'
    for (const name of ['a', 'b', 'c', 'd', 'e']) home.ask(at, {}, name)
    assert.deepEqual([...home.counters.names('device')].sort(), ['a', 'b', 'c', OVERFLOW])
    assert.equal(home.of(at, OVERFLOW).today.requests, 2)
  })

  it('give the place of a device that was not seen this month to another', () => {
    const home = new Household('UTC', 2)
    home.ask('2026-03-04T12:00:00Z', {}, 'a')
    home.ask('2026-03-04T12:00:00Z', {}, 'b')
    home.counters.take()
    home.ask('2026-04-04T12:00:00Z', {}, 'c')
    assert.equal(home.of('2026-04-04T12:00:00Z', 'c').month.requests, 1)
    assert.equal([...home.counters.names('device')].length, 2)
  })
})
