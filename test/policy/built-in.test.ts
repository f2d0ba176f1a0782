import assert from 'node:assert/strict'
import { BadParams, BUILT_IN, timeRules } from '../../src/policy/built-in.js'
import type { Params } from '../../src/policy/built-in.js'
import { RequestCounters } from '../../src/policy/counters.js'
import { DeviceBook } from '../../src/policy/devices.js'
import { policyInput } from '../../src/policy/input.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import type { Opinion, Policy } from '../../src/policy/policy.js'
import { EMPTY_STATE } from '../../src/policy/state.js'
import type { TimeRule } from '../../src/policy/state.js'
import { MAC, NOON, device, exception, input } from './support.js'

const clock = { times: new LocalTimes(), zone: 'UTC' }

function builtIn(name: string, params: Params): Policy {
  const make = BUILT_IN.get(name)
  assert.ok(make !== undefined)
  return make(params, clock)
}

function saidAt(policy: Policy, at: string, about = input): Opinion['kind'] | undefined {
  const opinion = policy.judge(about, { nowMs: Date.parse(at) })
  assert.ok(!(opinion instanceof Promise))
  return opinion?.kind
}

describe('policy bedtime', () => {
  it('denies from 21:00 to 06:00 unless told otherwise', () => {
    const policy = builtIn('bedtime', {})
    assert.equal(saidAt(policy, '2026-03-04T20:59:59Z'), undefined)
    assert.equal(saidAt(policy, '2026-03-04T21:00:00Z'), 'deny')
    assert.equal(saidAt(policy, '2026-03-05T05:59:59Z'), 'deny')
    assert.equal(saidAt(policy, '2026-03-05T06:00:00Z'), undefined)
  })

  it('leaves exempt groups and devices alone', () => {
    const policy = builtIn('bedtime', { exempt_devices: ['02-00-5E-10-00-01'] })
    const late = '2026-03-04T22:00:00Z'
    const parent = { ...input, device: { ...input.device, groups: ['parents'] } }
    assert.equal(saidAt(policy, late, parent), undefined)
    const tablet = { ...input, device: { ...input.device, mac: MAC } }
    assert.equal(saidAt(policy, late, tablet), undefined)
  })

  it('gives each night to the day on which it began', () => {
    const policy = builtIn('bedtime', { days: ['sun', 'mon', 'tue', 'wed', 'thu'] })
    assert.equal(saidAt(policy, '2026-03-06T01:00:00Z'), 'deny', 'Thursday night')
    assert.equal(saidAt(policy, '2026-03-07T01:00:00Z'), undefined, 'Friday night')
  })

  it('names params that do not fit', () => {
    assert.throws(() => builtIn('bedtime', { start_hour: '21' }), BadParams)
    assert.throws(() => builtIn('bedtime', { days: ['someday'] }), /someday is not a day/)
  })
})

describe('policy model_allowlist', () => {
  const policy = builtIn('model_allowlist', { models: ['gpt-4o-mini', 'claude-*'] })
  const at = '2026-03-04T12:00:00Z'
  const asked = (model: string | null): Opinion['kind'] | undefined =>
    saidAt(policy, at, { ...input, model })

  it('allows those that it names and denies the others', () => {
    assert.equal(asked('gpt-4o-mini'), 'allow')
    assert.equal(asked('Claude-Sonnet-4-5'), 'allow')
    assert.equal(asked('gpt-4o'), 'deny')
    assert.equal(asked('gpt-4o-mini-high'), 'deny')
    assert.equal(asked(null), undefined)
  })

  it('needs its list', () => {
    assert.throws(() => builtIn('model_allowlist', {}), /models is a list/)
  })
})

describe('time rules', () => {
  function saidBy(rules: readonly TimeRule[], at: string): Opinion['kind'] | undefined {
    const state = { ...EMPTY_STATE, rules }
    const book = new DeviceBook(state, new Map())
    return saidAt(
      timeRules(() => ({ state, book }), clock),
      at,
    )
  }
  const night = { start: 22 * 60, end: 6 * 60 }
  const rule = (part: Partial<TimeRule>): TimeRule => ({
    ...exception(night),
    action: 'block',
    priority: 100,
    ...part,
  })

  it('decide by the lowest priority, and the first match is the last word', () => {
    const rules = [
      rule({ name: 'strict', priority: 50 }),
      rule({ name: 'lenient', priority: 10, action: 'log' }),
    ]
    assert.equal(saidBy(rules, '2026-03-04T23:00:00Z'), undefined)
    assert.equal(
      saidBy([rule({}), rule({ priority: 1, action: 'alert' })], '2026-03-04T23:00:00Z'),
      'alert',
    )
  })

  it('hold while it is their time, when they are on and for whom they are', () => {
    assert.equal(saidBy([rule({})], '2026-03-04T21:59:59Z'), undefined)
    assert.equal(saidBy([rule({})], '2026-03-04T22:00:00Z'), 'deny')
    assert.equal(saidBy([rule({ enabled: false })], '2026-03-04T22:00:00Z'), undefined)
    assert.equal(
      saidBy([rule({ ips: ['192.0.2.200'] })], '2026-03-04T22:00:00Z'),
      undefined,
    )
  })
})

describe('the input document', () => {
  it('has what policies read and no credential', () => {
    const times = new LocalTimes()
    const document = policyInput({
      requestId: 'r1',
      nowMs: NOON,
      method: 'POST',
      path: '/v1/messages',
      rawHeaders: [
        ...['Authorization', 'Bearer x', 'X-Api-Key', 'x', 'Cookie', 'x'],
        ...['X-YORI-Override', 'x', 'Accept', 'a', 'accept', 'b', '__proto__', 'p'],
      ],
      body: { model: 'm' },
      bodyState: 'whole',
      device: { ...device('192.0.2.10', MAC), hostname: 'tablet' },
      identity: { name: 'Kim', groups: ['kids'] },
      userAgent: 'x/1',
      endpoint: 'api.anthropic.com',
      provider: 'anthropic',
      time: times.at(NOON, 'UTC'),
      counts: { today: 3, thisHour: 2 },
      model: 'm',
      prompt: 'hi',
    })
    assert.deepEqual(Object.keys(document.request.headers), ['accept', '__proto__'])
    assert.equal(document.request.headers['accept'], 'a, b')
    assert.deepEqual(document.request.body, { model: 'm' })
    assert.deepEqual(document.context, {
      hour: 12,
      minute: 0,
      day_of_week: 'wednesday',
      is_weekend: false,
      request_count_today: 3,
      request_count_this_hour: 2,
    })
    assert.equal(document.device.name, 'Kim')
  })
})

describe('the counts of a device', () => {
  it('begin anew with each hour and each day', () => {
    const counters = new RequestCounters()
    const times = new LocalTimes()
    const count = (at: string): unknown =>
      counters.count('a', times.at(Date.parse(at), 'UTC'))
    assert.deepEqual(count('2026-03-04T10:00:00Z'), { today: 1, thisHour: 1 })
    assert.deepEqual(count('2026-03-04T10:59:00Z'), { today: 2, thisHour: 2 })
    assert.deepEqual(count('2026-03-04T11:00:00Z'), { today: 3, thisHour: 1 })
    assert.deepEqual(count('2026-03-05T11:00:00Z'), { today: 1, thisHour: 1 })
  })
})
