import assert from 'node:assert/strict'
import { DeviceIdentity } from '../../src/net/device-identity.js'
import type { Lease } from '../../src/net/leases.js'
import { ManualClock } from '../support/manual-clock.js'

const TABLET = 'd4:11:22:33:44:55'
const PHONE = '02:11:22:33:44:66'

class Network {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 20))
  readonly table = new Map<string, string>()
  named: Lease[] = []
  readings = 0
  /** Awaited by each reading. */
  gate: Promise<void> = Promise.resolve()

  identity(): DeviceIdentity {
    return new DeviceIdentity({
      clock: this.clock,
      minIntervalMs: 0,
      neighbours: async () => {
        this.readings++
        const snapshot = new Map(this.table)
        await this.gate
        return snapshot
      },
      leases: () => Promise.resolve(this.named),
    })
  }
}

const lease = (address: string, mac: string | undefined, hostname: string): Lease => ({
  address,
  mac,
  hostname,
  expiresAt: undefined,
})

describe('the identity of a device', () => {
  it('is its MAC and name; a private MAC is flagged', async () => {
    const network = new Network()
    network.table.set('192.168.1.50', TABLET).set('192.168.1.51', PHONE)
    network.named = [lease('192.168.1.50', TABLET, 'tablet')]
    const identity = network.identity()
    assert.deepEqual(await identity.resolve('::ffff:192.168.1.50'), {
      ip: '192.168.1.50',
      mac: TABLET,
      locallyAdministered: false,
      hostname: 'tablet',
    })
    assert.deepEqual(identity.of('192.168.1.51'), {
      ip: '192.168.1.51',
      mac: PHONE,
      locallyAdministered: true,
    })
    assert.equal(network.readings, 1)
  })

  it('over IPv6 has the name that its IPv4 lease gave', async () => {
    const network = new Network()
    network.table.set('2001:db8:1::50', TABLET)
    network.named = [lease('192.168.1.50', TABLET, 'tablet')]
    assert.equal((await network.identity().resolve('2001:DB8:1::50')).hostname, 'tablet')
  })

  it('is only the address behind another router, asked about again after 10 seconds', async () => {
    const network = new Network()
    const identity = network.identity()
    assert.deepEqual(await identity.resolve('10.9.9.9'), { ip: '10.9.9.9' })
    network.clock.advance(9_999)
    await identity.resolve('10.9.9.9')
    assert.equal(network.readings, 1)
    network.clock.advance(1)
    await identity.resolve('10.9.9.9')
    assert.equal(network.readings, 2)
  })

  it('of the loopback needs no reading', async () => {
    const network = new Network()
    assert.deepEqual(await network.identity().resolve('::1'), { ip: '::1' })
    assert.deepEqual(network.identity().of('127.0.0.1'), { ip: '127.0.0.1' })
    assert.equal(network.readings, 0)
  })

  it('is read again after 60 seconds, when an address may have changed hands', async () => {
    const network = new Network()
    network.table.set('192.168.1.50', TABLET)
    const identity = network.identity()
    await identity.resolve('192.168.1.50')
    network.table.set('192.168.1.50', PHONE)
    network.clock.advance(59_999)
    assert.equal((await identity.resolve('192.168.1.50')).mac, TABLET)
    network.clock.advance(1)
    assert.equal((await identity.resolve('192.168.1.50')).mac, PHONE)
    assert.equal(network.readings, 2)
  })

  it('is renewed in the background before it is due', async () => {
    const network = new Network()
    network.table.set('192.168.1.50', TABLET)
    const identity = network.identity()
    await identity.resolve('192.168.1.50')
    network.clock.advance(44_999)
    await identity.resolve('192.168.1.50')
    assert.equal(network.readings, 1)
    network.clock.advance(1)
    await identity.resolve('192.168.1.50')
    assert.equal(network.readings, 2)
    await new Promise(setImmediate)
    network.clock.advance(30_000)
    await identity.resolve('192.168.1.50')
    assert.equal(network.readings, 2)
  })

  it('stops counting when it could not be read again for two minutes', async () => {
    const network = new Network()
    network.table.set('192.168.1.50', TABLET)
    const identity = network.identity()
    await identity.resolve('192.168.1.50')
    network.gate = new Promise(() => undefined)
    network.clock.advance(119_999)
    assert.equal(identity.of('192.168.1.50').mac, TABLET)
    network.clock.advance(1)
    assert.deepEqual(identity.of('192.168.1.50'), { ip: '192.168.1.50' })
  })

  it('is read once however many connect, and again for who came after it began', async () => {
    const network = new Network()
    const identity = network.identity()
    let open: () => void = () => undefined
    network.gate = new Promise((resolve) => (open = resolve))
    const first = Array.from({ length: 20 }, () => identity.resolve('192.168.1.50'))
    await new Promise(setImmediate)
    network.clock.advance(1)
    network.table.set('192.168.1.51', PHONE)
    const late = identity.resolve('192.168.1.51')
    open()
    for (const device of await Promise.all(first)) assert.equal(device.mac, undefined)
    assert.equal((await late).mac, PHONE)
    assert.equal(network.readings, 2)
  })

  it('does not take the name of a lease that has run out or went to another', async () => {
    const network = new Network()
    network.table.set('192.168.1.50', PHONE)
    network.named = [
      lease('192.168.1.50', TABLET, 'tablet'),
      { ...lease('192.168.1.60', undefined, 'old'), expiresAt: network.clock.now() },
    ]
    const identity = network.identity()
    assert.equal((await identity.resolve('192.168.1.50')).hostname, undefined)
    assert.equal((await identity.resolve('192.168.1.60')).hostname, undefined)
  })

  it('waits no longer than its limit, and a failing source is an empty one', async () => {
    const clock = new ManualClock()
    const never = new DeviceIdentity({
      clock,
      waitMs: 5,
      neighbours: () => new Promise(() => undefined),
      leases: () => Promise.resolve([]),
    })
    assert.deepEqual(await never.resolve('192.168.1.50'), { ip: '192.168.1.50' })
    const failing = new DeviceIdentity({
      clock,
      neighbours: () => Promise.reject(new Error('no ip')),
      leases: () => Promise.reject(new Error('no file')),
    })
    assert.deepEqual(await failing.resolve('192.168.1.50'), { ip: '192.168.1.50' })
  })
})
