import assert from 'node:assert/strict'
import { DeviceBook } from '../../src/policy/devices.js'
import type { DeviceGroup, ListedDevice } from '../../src/policy/state.js'
import { MAC, NOON, device, exception, listed } from './support.js'

const OTHER_MAC = '00:11:22:33:44:55'

function book(
  devices: readonly ListedDevice[],
  groups: readonly DeviceGroup[] = [],
): DeviceBook {
  return new DeviceBook({ devices, groups }, new Map())
}

function group(part: Partial<DeviceGroup>): DeviceGroup {
  return { name: 'parents', ips: [], macs: [], enabled: true, ...part }
}

function isListed(entries: DeviceBook, ip: string, mac?: string, now = NOON): boolean {
  return entries.allowance(device(ip, mac), now).kind === 'listed'
}

describe('an allowlist entry', () => {
  const spellings: readonly [entry: string, asked: string][] = [
    ['192.0.2.10', '192.0.2.10'],
    ['192.0.2.10', '::ffff:192.0.2.10'],
    ['192.0.2.10', '::ffff:c000:20a'],
    ['2001:db8::1', '2001:0db8:0000:0000:0000:0000:0000:0001'],
    ['2001:db8::a', '2001:DB8::A'],
  ]
  for (const [entry, asked] of spellings) {
    it(`for ${entry} holds for ${asked}`, () => {
      const { ip } = device(entry)
      assert.equal(isListed(book([listed({ ip })]), asked), true)
    })
  }

  for (const mac of [
    '02:00:5E:10:00:01',
    '02-00-5e-10-00-01',
    '0200.5e10.0001',
    '02.00.5e.10.00.01',
    '02005e100001',
    '2:0:5e:10:0:1',
  ]) {
    it(`for a MAC holds however it is spelt: ${mac}`, () => {
      assert.equal(isListed(book([listed({ mac: MAC })]), '192.0.2.77', mac), true)
    })
  }

  it('is over at its very moment and not before', () => {
    const entries = book([listed({ ip: '192.0.2.10', expiresAt: NOON })])
    assert.equal(isListed(entries, '192.0.2.10', undefined, NOON - 1), true)
    assert.equal(isListed(entries, '192.0.2.10', undefined, NOON), false)
  })

  it('that is permanent outlives being off and expired', () => {
    const part = { ip: '192.0.2.10', enabled: false, expiresAt: NOON - 1 }
    assert.equal(isListed(book([listed(part)]), '192.0.2.10'), false)
    assert.equal(
      isListed(book([listed({ ...part, permanent: true })]), '192.0.2.10'),
      true,
    )
  })

  it('with address and MAC needs both', () => {
    const entries = book([listed({ ip: '192.0.2.10', mac: MAC })])
    assert.equal(isListed(entries, '192.0.2.10', MAC), true)
    assert.equal(isListed(entries, '192.0.2.10', OTHER_MAC), false)
    assert.equal(isListed(entries, '192.0.2.10'), false)
    assert.equal(isListed(entries, '192.0.2.11', MAC), false)
  })

  it('with an address alone does not help whoever takes that address', () => {
    const entries = book([listed({ ip: '192.0.2.10', boundMac: MAC })])
    assert.equal(isListed(entries, '192.0.2.10', MAC), true)
    assert.deepEqual(entries.allowance(device('192.0.2.10', OTHER_MAC), NOON), {
      kind: 'suspended',
      name: 'laptop',
      boundMac: MAC,
    })
    assert.equal(isListed(entries, '192.0.2.10'), false, 'no MAC where there was one')
  })

  it('of the file is bound to the first MAC that is seen', () => {
    const entries = book([listed({ ip: '192.0.2.10' })])
    assert.equal(isListed(entries, '192.0.2.10', MAC), true)
    assert.equal(isListed(entries, '192.0.2.10', OTHER_MAC), false)
    assert.equal(isListed(entries, '192.0.2.10', MAC), true)
  })

  it('holds for devices behind a router, which have no MAC here', () => {
    assert.equal(isListed(book([listed({ ip: '198.51.100.7' })]), '198.51.100.7'), true)
  })
})

describe('TRAP: groups', () => {
  it('are consulted: by address and by MAC', () => {
    const entries = book([], [group({ ips: ['192.0.2.10'], macs: [MAC] })])
    assert.equal(isListed(entries, '192.0.2.10'), true)
    assert.equal(isListed(entries, '192.0.2.99', MAC), true)
    assert.equal(isListed(entries, '192.0.2.99'), false)
  })

  it('that are suspended allow nobody and make nobody a member', () => {
    const entries = book(
      [listed({ ip: '192.0.2.20', group: 'parents', enabled: false })],
      [group({ ips: ['192.0.2.10'], enabled: false })],
    )
    assert.equal(isListed(entries, '192.0.2.10'), false)
    assert.deepEqual(entries.identity(device('192.0.2.10')).groups, ['unknown'])
    assert.deepEqual(entries.identity(device('192.0.2.20')).groups, [])
  })

  it('do not allow a device whose own entry is off', () => {
    const entries = book([listed({ ip: '192.0.2.20', group: 'kids', enabled: false })])
    assert.equal(isListed(entries, '192.0.2.20'), false)
    assert.deepEqual(entries.identity(device('192.0.2.20')), {
      name: 'laptop',
      groups: ['kids'],
    })
  })
})

describe('the group unknown', () => {
  it('holds devices that nobody named, and MACs that software chose', () => {
    const entries = book([], [group({ ips: ['192.0.2.10'] })])
    const groups = (asked: Parameters<DeviceBook['identity']>[0]): readonly string[] =>
      entries.identity(asked).groups
    assert.deepEqual(groups(device('192.0.2.50')), ['unknown'])
    assert.deepEqual(groups(device('192.0.2.10')), ['parents'])
    assert.deepEqual(
      groups({ ...device('192.0.2.10', MAC), locallyAdministered: true }),
      ['parents', 'unknown'],
    )
  })

  it('is allowed when the household lists it', () => {
    assert.equal(isListed(book([], [group({ name: 'unknown' })]), '192.0.2.50'), true)
  })
})

describe('TRAP: whom a time is for', () => {
  const entries = book([listed({ mac: MAC, group: 'kids' })])

  it('is everyone when it names nobody', () => {
    assert.equal(entries.isFor(exception({}), device('192.0.2.1')), true)
  })

  it('is told by canonical address, MAC and group', () => {
    const { ip } = device('2001:db8::5')
    assert.equal(entries.isFor(exception({ ips: [ip] }), device('2001:DB8:0::5')), true)
    assert.equal(entries.isFor(exception({ ips: [ip] }), device('2001:db8::6')), false)
    assert.equal(
      entries.isFor(exception({ macs: [MAC] }), device('192.0.2.1', MAC)),
      true,
    )
    const kids = exception({ groups: ['kids'] })
    assert.equal(entries.isFor(kids, device('192.0.2.1', MAC)), true)
    assert.equal(entries.isFor(kids, device('192.0.2.1')), false)
  })
})
