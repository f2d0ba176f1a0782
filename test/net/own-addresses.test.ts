import assert from 'node:assert/strict'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { localIpv4, localIpv6 } from '../../src/net/own-addresses-linux.js'
import { OwnAddresses } from '../../src/net/own-addresses.js'
import { ManualClock } from '../support/manual-clock.js'

function v4(address: string, bits: number): NetworkInterfaceInfo {
  const cidr = `${address}/${bits}`
  return { address, cidr, netmask: '', mac: '', internal: false, family: 'IPv4' }
}

function v6(address: string, bits: number): NetworkInterfaceInfo {
  const cidr = `${address}/${bits}`
  const rest = { netmask: '', mac: '', internal: false, scopeid: 0 }
  return { address, cidr, ...rest, family: 'IPv6' }
}

describe('our own addresses', () => {
  const clock = new ManualClock()
  const lan = [v4('192.168.7.1', 24), v6('fd00:7::1', 64), v6('fe80::1', 64)]
  const own = new OwnAddresses({
    clock,
    read: () => ({ lan, wan: [v4('203.0.113.9', 30)] }),
  })

  it('are those of every interface, in any spelling, and the whole loopback', () => {
    for (const address of [
      '192.168.7.1',
      '::ffff:192.168.7.1',
      '203.0.113.9',
      'FD00:7:0::1',
    ])
      assert.equal(own.has(address), true, address)
    for (const address of [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '::ffff:127.0.0.1',
      'fe80::1%lan',
    ])
      assert.equal(own.has(address), true, address)
    for (const address of [
      '192.168.7.2',
      '203.0.113.10',
      'fd00:7::2',
      '128.0.0.1',
      'lan',
    ])
      assert.equal(own.has(address), false, address)
  })

  it('count a tenth of a second after an interface got them, where that matters', () => {
    const clock = new ManualClock()
    let wan = [v4('203.0.113.9', 30)]
    let reads = 0
    const own = new OwnAddresses({
      clock,
      read: () => (reads++, { wan }),
      readMore: () => ['10.9.9.9'],
    })
    for (const address of ['203.0.113.9', '10.9.9.9', '::1', '::ffff:203.0.113.9'])
      assert.equal(own.hasByNow(address), true, address)
    assert.equal(own.hasByNow('203.0.113.10'), false)
    wan = [v4('203.0.113.10', 30), v6('2001:DB8::a', 64)]
    clock.advance(100)
    const before = reads
    for (const address of ['203.0.113.10', '2001:db8::a', '2001:db8:0::000a'])
      assert.equal(own.hasByNow(address), true, address)
    for (let n = 0; n < 100; n++) own.hasByNow('198.51.100.1')
    assert.equal(reads - before, 1, 'however often it is asked')
    assert.equal(own.has('203.0.113.10'), false, 'others wait for the next reading')
    assert.equal(own.hasByNow('nonsense'), false)
  })

  it('are held no longer than a second after they were taken away', () => {
    const clock = new ManualClock()
    let wan = [v4('203.0.113.9', 30)]
    let kernel = ['10.9.9.9']
    let reads = 0
    const own = new OwnAddresses({
      clock,
      read: () => (reads++, { wan }),
      readMore: () => kernel,
    })
    for (const address of ['203.0.113.9', '10.9.9.9', '127.0.0.1'])
      assert.equal(own.holds(address), true, address)
    assert.equal(reads, 2, 'once for each list')
    wan = []
    kernel = []
    clock.advance(999)
    assert.equal(own.holds('203.0.113.9'), true)
    assert.equal(reads, 2)
    clock.advance(1)
    for (const address of ['203.0.113.9', '10.9.9.9'])
      assert.equal(own.holds(address), false, address)
    wan = [v4('203.0.113.10', 30)]
    clock.advance(1_000)
    assert.equal(own.holds('203.0.113.10'), true)
    const before = reads
    for (let n = 0; n < 100; n++) own.holds('203.0.113.10')
    for (let n = 0; n < 100; n++) own.holds('203.0.113.9')
    assert.ok(reads - before <= 1, 'however often it is asked')
  })

  it('tell which networks lie on an interface', () => {
    const networks = own.onInterface('lan')
    assert.ok(networks)
    for (const address of [
      '192.168.7.77',
      '::ffff:192.168.7.254',
      'fd00:7::abcd',
      'fe80::9',
    ])
      assert.equal(networks.has(address), true, address)
    for (const address of ['192.168.8.1', 'fd00:8::1', '203.0.113.10'])
      assert.equal(networks.has(address), false, address)
    assert.equal(own.onInterface('vpn'), undefined)
  })

  it('are read again after five seconds, not before', () => {
    let reads = 0
    let address = '192.0.2.1'
    const time = new ManualClock()
    const moving = new OwnAddresses({
      clock: time,
      read: () => {
        reads++
        return { wan: [v4(address, 24)] }
      },
      readMore: () => [],
    })
    assert.equal(moving.has('192.0.2.1'), true)
    address = '192.0.2.2'
    time.advance(4_999)
    assert.equal(moving.has('192.0.2.1'), true)
    assert.equal(reads, 1)
    time.advance(1)
    assert.equal(moving.has('192.0.2.1'), false)
    assert.equal(moving.has('192.0.2.2'), true)
    assert.equal(reads, 2)
  })

  it('of this machine are found', () => {
    const here = new OwnAddresses({ clock: new ManualClock() })
    for (const info of Object.values(networkInterfaces()).flat())
      if (info !== undefined) assert.equal(here.has(info.address), true, info.address)
  })
})

describe('the addresses that Linux takes for local', () => {
  it('are the host routes of the tables Main and Local', () => {
    const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
           |-- 192.0.2.2
              /32 host LOCAL
Id 100:
  |-- 0.0.0.0
     /0 host LOCAL
  |-- 203.0.113.7
     /32 host LOCAL
`
    assert.deepEqual(localIpv4(trie), ['127.0.0.1', '192.0.2.2'])
    assert.deepEqual(localIpv4(''), [])
  })

  it('are the rows of if_inet6', () => {
    const table = `00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
garbage
`
    assert.deepEqual(localIpv6(table), [
      '0000:0000:0000:0000:0000:0000:0000:0001',
      'fe80:0000:0000:0000:00fc:00ff:fe00:0001',
    ])
  })
})
