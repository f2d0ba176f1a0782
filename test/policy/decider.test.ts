import assert from 'node:assert/strict'
import { InFlight } from '../../src/policy/in-flight.js'
import { Decider } from '../../src/policy/decider.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import type { PolicySetting } from '../../src/policy/policy.js'
import { EMPTY_STATE } from '../../src/policy/state.js'
import type { PolicyState } from '../../src/policy/state.js'
import { UsageCounters } from '../../src/policy/usage.js'
import { ManualClock } from '../support/manual-clock.js'
import { device, exception, listed, NOON, policy } from './support.js'

const HOUR = 60
const phone = device('192.0.2.10')
const settingOf = (action: PolicySetting['action'], enabled = true): PolicySetting => ({
  enabled,
  action,
  failMode: 'open',
  order: 100,
})

/** One policy `p` with this setting, at noon in UTC, where blocking is possible. */
function decider(
  settings: Readonly<Record<string, PolicySetting>>,
  state: Partial<PolicyState> = {},
  mayBlock = true,
): Decider {
  const { emergency, ...file } = state
  return new Decider({
    policies: [policy('p', undefined)],
    settings: new Map(Object.entries(settings)),
    mode: 'enforce',
    mayBlock,
    onUninspectable: undefined,
    file: { ...EMPTY_STATE, ...file },
    // An emergency is declared at the command line, never by the file.
    kept: {
      current: { ...EMPTY_STATE, ...(emergency && { emergency }) },
      markKey: Buffer.alloc(32),
      refresh: () => undefined,
      mint: () => undefined,
      spend: () => undefined,
      usePin: () => false,
      activate: () => assert.fail('nobody declares one'),
    },
    memory: {
      counters: new UsageCounters(),
      inFlight: new InFlight(),
      bindings: new Map(),
      times: new LocalTimes(),
    },
    zone: 'UTC',
    listMode: 'allowlist',
    emergencyAllowed: true,
    inFlightWaitMs: 0,
    onSuspended: () => undefined,
    clock: new ManualClock(NOON),
  })
}

const rule = (action: 'block' | 'alert', start: number, end: number) => ({
  ...exception({ name: 'noon', start: start * HOUR, end: end * HOUR }),
  action,
  priority: 1,
})
const grant = (endpoint: string) => ({
  id: 'g',
  ip: '192.0.2.10',
  policy: 'p',
  endpoint,
  until: NOON + 1,
  once: false,
})

const block = { p: settingOf('block') }
const emergency = { activatedAt: NOON - 1, expiresAt: NOON + 1, by: 'a', reason: 'b' }

const table: readonly (readonly [string, Decider, boolean])[] = [
  ['a policy may block', decider(block), true],
  ['a policy only alerts', decider({ p: settingOf('alert') }), false],
  ['a policy has no setting', decider({}), false],
  ['the policy that may block is off', decider({ p: settingOf('block', false) }), false],
  ['the default policy blocks', decider({ default: settingOf('block') }), true],
  ['blocking is not consented to', decider(block, {}, false), false],
  [
    'the device is on the allowlist',
    decider(block, { devices: [listed({ ip: '192.0.2.10' })] }),
    false,
  ],
  [
    'another device is on the allowlist',
    decider(block, { devices: [listed({ ip: '192.0.2.11' })] }),
    true,
  ],
  [
    'it is the time of an exception',
    decider(block, { exceptions: [exception({})] }),
    false,
  ],
  ['there is a grant for it', decider(block, { grants: [grant('api.test')] }), false],
  ['there is a grant elsewhere', decider(block, { grants: [grant('b.test')] }), true],
  ['there is an emergency', decider(block, { emergency }), false],
  ['a time rule blocks now', decider({}, { rules: [rule('block', 11, 13)] }), true],
  ['a time rule blocks later', decider({}, { rules: [rule('block', 13, 14)] }), false],
  ['a time rule alerts now', decider({}, { rules: [rule('alert', 11, 13)] }), false],
]

describe('whether a device has to be inspected', () => {
  for (const [when, asked, expected] of table) {
    it(`is ${String(expected)} when ${when}`, () => {
      assert.equal(asked.mustInspect(phone, 'api.test'), expected)
      // A time rule decides about what passes unread, too.
      const isTime = when.startsWith('a time rule')
      assert.equal(asked.mustRead(phone, 'api.test'), expected && !isTime)
    })
  }
})
