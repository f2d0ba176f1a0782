import assert from 'node:assert/strict'
import { bypassOf } from '../../src/policy/bypass.js'
import type { BypassRules } from '../../src/policy/bypass.js'
import { DeviceBook } from '../../src/policy/devices.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import { EMPTY_STATE, united } from '../../src/policy/state.js'
import type { Grant, PolicyState } from '../../src/policy/state.js'
import { MAC, NOON, device, exception, listed } from './support.js'

const IP = '192.0.2.10'
const blocked = { device: device(IP), policy: 'bedtime', endpoint: 'api.openai.com' }

const emergency = {
  activatedAt: NOON - 1,
  expiresAt: NOON + 60_000,
  by: 'anna',
  reason: 'doctor',
}
const grant: Grant = {
  id: 'g1',
  ip: IP,
  policy: 'bedtime',
  until: NOON + 1000,
  once: false,
}
const everything: PolicyState = {
  ...EMPTY_STATE,
  devices: [listed({ ip: IP })],
  exceptions: [exception({})],
  grants: [grant],
  emergency,
}

function rules(
  state: Partial<PolicyState>,
  rest: Partial<BypassRules> = {},
): BypassRules {
  const whole = { ...EMPTY_STATE, ...state }
  return {
    state: whole,
    book: new DeviceBook(whole, new Map()),
    times: new LocalTimes(),
    zone: 'UTC',
    listMode: 'allowlist',
    emergencyAllowed: true,
    ...rest,
  }
}

function typeOf(
  state: Partial<PolicyState>,
  about = blocked,
  now = NOON,
): string | undefined {
  return bypassOf(rules(state), about, now)?.type
}

describe('what lets a device past', () => {
  it('is asked in the order emergency, allowlist, time exception, grant', () => {
    const { devices, exceptions, grants } = everything
    assert.equal(typeOf(everything), 'emergency_override')
    assert.equal(typeOf({ devices, exceptions, grants }), 'allowlist')
    assert.equal(typeOf({ exceptions, grants }), 'time_exception')
    assert.equal(typeOf({ grants }), 'grant')
    assert.equal(typeOf({}), undefined)
  })

  it('ends with the emergency, and needs its switch', () => {
    assert.equal(typeOf({ emergency }, blocked, emergency.expiresAt), undefined)
    assert.equal(
      typeOf({ emergency }, blocked, emergency.expiresAt - 1),
      'emergency_override',
    )
    const off = rules({ emergency }, { emergencyAllowed: false })
    assert.equal(bypassOf(off, blocked, NOON), undefined)
  })

  it('is a time exception only while it is on and for whom it is', () => {
    assert.equal(typeOf({ exceptions: [exception({ enabled: false })] }), undefined)
    assert.equal(typeOf({ exceptions: [exception({ ips: ['192.0.2.11'] })] }), undefined)
    const evening = exception({ start: 18 * 60, end: 19 * 60 })
    assert.equal(typeOf({ exceptions: [evening] }), undefined)
    const berlin = exception({ start: 13 * 60, end: 14 * 60, zone: 'Europe/Berlin' })
    assert.equal(typeOf({ exceptions: [berlin] }), 'time_exception')
  })

  it('TRAP: is a grant for this device, policy and endpoint, until its moment', () => {
    assert.equal(typeOf({ grants: [{ ...grant, policy: 'privacy' }] }), undefined)
    assert.equal(typeOf({ grants: [{ ...grant, ip: '192.0.2.11' }] }), undefined)
    assert.equal(typeOf({ grants: [{ ...grant, endpoint: 'api.x.ai' }] }), undefined)
    assert.equal(typeOf({ grants: [grant] }, blocked, grant.until), undefined)
    const byMac = [{ ...grant, mac: MAC }]
    assert.equal(typeOf({ grants: byMac }), undefined)
    assert.equal(
      typeOf({ grants: byMac }, { ...blocked, device: device('192.0.2.9', MAC) }),
      'grant',
    )
  })

  it('names the grant that is used up', () => {
    const once = rules({ grants: [{ ...grant, once: true }] })
    assert.equal(bypassOf(once, blocked, NOON)?.spent, 'g1')
  })

  it('in blocklist mode is not being listed', () => {
    const listMode = 'blocklist' as const
    const listedHere = rules({ devices: [listed({ ip: IP })] }, { listMode })
    assert.equal(bypassOf(listedHere, blocked, NOON), undefined)
    const elsewhere = rules({ devices: [listed({ ip: '192.0.2.11' })] }, { listMode })
    assert.equal(bypassOf(elsewhere, blocked, NOON)?.type, 'allowlist')
    // Whoever takes the address of a listed device is not freed by its suspended entry.
    const stolen = rules({ devices: [listed({ ip: IP, boundMac: MAC })] }, { listMode })
    assert.equal(bypassOf(stolen, blocked, NOON), undefined)
  })

  it('comes from the file and from the database alike', () => {
    const file = { ...EMPTY_STATE, devices: [listed({ ip: '192.0.2.11' })] }
    const kept = { ...EMPTY_STATE, devices: [listed({ ip: IP })], emergency }
    const both = united(file, kept)
    assert.equal(both.devices.length, 2)
    assert.equal(both.emergency, emergency)
  })
})
