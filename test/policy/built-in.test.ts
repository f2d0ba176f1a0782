import assert from 'node:assert/strict'
import { sessionStop, timeRules } from '../../src/policy/built-in.js'
import { DeviceBook } from '../../src/policy/devices.js'
import { policyInput } from '../../src/policy/input.js'
import type { InputFacts } from '../../src/policy/input.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import type { Opinion, Policy } from '../../src/policy/policy.js'
import { EMPTY_STATE } from '../../src/policy/state.js'
import type { TimeRule } from '../../src/policy/state.js'
import { MAC, NOON, device, exception, input } from './support.js'

const clock = { times: new LocalTimes(), zone: 'UTC' }

function saidAt(policy: Policy, at: string, about = input): Opinion['kind'] | undefined {
  const opinion = policy.judge(about, { nowMs: Date.parse(at) })
  assert.ok(!(opinion instanceof Promise))
  return opinion?.kind
}

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

const FACTS: InputFacts = {
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
  time: clock.times.at(NOON, 'UTC'),
  counters: {
    device: {
      hour: { requests: 2, tokens: 10, microUsd: 500_000, atMostMicroUsd: 0 },
      today: {
        requests: 3,
        tokens: 12,
        microUsd: 1_500_000,
        atMostMicroUsd: 0,
        minutes: 2,
      },
      month: { requests: 4, tokens: 14, microUsd: 2_000_000, atMostMicroUsd: 500_000 },
      days: [
        {
          date: '2026-03-02',
          requests: 1,
          tokens: 2,
          microUsd: 250_000,
          atMostMicroUsd: 0,
          minutes: 1,
        },
      ],
    },
    groups: () => [],
    policies: () => [],
  },
  promptChars: 10,
  toolsOffered: ['shell'],
  findings: [],
  inputPrice: 2.5,
  session: {
    id: 's1',
    key: 'a\ns1',
    startedAt: NOON - 90_000,
    requests: 2,
    toolCalls: 3,
    tokens: 40,
    microUsd: 10_000,
    atMostMicroUsd: 1_000,
  },
  model: 'm',
  prompt: 'hi',
}

describe('the input document', () => {
  it('has what policies read and no credential', () => {
    const document = policyInput(FACTS)
    assert.deepEqual(Object.keys(document.request.headers), ['accept', '__proto__'])
    assert.equal(document.request.headers['accept'], 'a, b')
    assert.deepEqual(document.request.body, { model: 'm' })
    assert.deepEqual(document.context, {
      date: '2026-03-04',
      hour: 12,
      minute: 0,
      minute_of_day: 720,
      day_of_week: 'wednesday',
      day_before: 'tuesday',
      is_weekend: false,
      request_count_today: 3,
      request_count_this_hour: 2,
    })
    assert.equal(document.device.name, 'Kim')
    assert.deepEqual(document.request.tools, ['shell'])
    assert.deepEqual(document.estimate, { input_tokens: 3, cost_usd: 7.5e-6 })
    assert.equal(document.prompt_end, 'hi')
    assert.equal(document.session?.minutes, 1.5)
    assert.equal(document.session.cost_usd, 0.011)
    assert.equal(document.session.estimated_usd, 0.001)
    const { days, month } = document.counters.device
    assert.deepEqual(month, {
      requests: 4,
      tokens: 14,
      cost_usd: 2.5,
      estimated_usd: 0.5,
    })
    const nothing = {
      ...{ requests: 0, tokens: 0, cost_usd: 0, estimated_usd: 0 },
      minutes: 0,
    }
    const before = { ...nothing, requests: 1, tokens: 2, cost_usd: 0.25, minutes: 1 }
    assert.deepEqual(days.slice(0, 3), [nothing, before, nothing])
    assert.equal(days.length, 7)
  })

  it('takes a POST to a path that nobody knows for a call', () => {
    const facts = (method: string, call?: boolean) => ({ ...FACTS, method, call })
    const isCall = (method: string, call?: boolean): boolean =>
      policyInput(facts(method, call)).request.call
    assert.deepEqual(
      [isCall('POST'), isCall('GET'), isCall('POST', false), isCall('GET', true)],
      [true, false, false, true],
    )
  })
})

describe('a stopped conversation', () => {
  const agent = { ids: ['a1'], userAgents: ['p/1'], until: NOON + 1000 }
  const stop = {
    session: 's1',
    device: '192.0.2.10',
    reason: '',
    until: NOON + 5000,
    agent,
  }
  const policy = sessionStop(() => ({ ...EMPTY_STATE, stops: [stop] }))
  const session = {
    ...{ requests: 1, tool_calls: 0, tokens: 0, cost_usd: 0, estimated_usd: 0 },
    minutes: 0,
  }
  const kindAt = (nowMs: number, id: string): string | undefined => {
    const about = { ...input, agent_id: 'a1', session: { id, ...session } }
    const said = policy.judge(about, { nowMs })
    assert.ok(!(said instanceof Promise))
    return said?.kind
  }

  it('is stopped in its own id longer than its agent in others', () => {
    assert.equal(kindAt(NOON + 999, 's2'), 'deny')
    assert.equal(kindAt(NOON + 1000, 's2'), undefined)
    assert.equal(kindAt(NOON + 1000, 's1'), 'deny')
    assert.equal(kindAt(NOON + 5000, 's1'), undefined)
  })
})
