import assert from 'node:assert/strict'
import {
  canonicalMac,
  isLocallyAdministered,
  parseArpAn,
  parseIpNeigh,
  parseLinuxArp,
  parseNdpAn,
} from '../../src/net/neighbours.js'

const entries = (map: ReadonlyMap<string, string>): unknown => Object.fromEntries(map)

describe('a MAC', () => {
  it('has one spelling, and is a unicast address', () => {
    assert.equal(canonicalMac('AB:BB:CC:DD:EE:FF'), undefined) // group bit
    assert.equal(canonicalMac('A8:BB:CC:DD:EE:FF'), 'a8:bb:cc:dd:ee:ff')
    assert.equal(canonicalMac('0-1b-c-0d-0e-f'), '00:1b:0c:0d:0e:0f')
    for (const text of ['', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '(incomplete)'])
      assert.equal(canonicalMac(text), undefined, text)
    for (const text of ['a8:bb:cc:dd:ee', 'a8:bb:cc:dd:ee:ff:00', 'a8:bb:cc:dd:ee:gg'])
      assert.equal(canonicalMac(text), undefined, text)
  })

  it('is locally administered when the second bit of its first octet is set', () => {
    for (const mac of ['02:00:00:00:00:01', 'd2:11:22:33:44:55', 'fe:00:00:00:00:01'])
      assert.equal(isLocallyAdministered(mac), true, mac)
    for (const mac of ['00:1b:21:00:00:01', 'd4:11:22:33:44:55', 'f8:00:00:00:00:01'])
      assert.equal(isLocallyAdministered(mac), false, mac)
  })
})

describe('the neighbour table', () => {
  it('of Linux, IPv4: complete entries only', () => {
    const text = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.20     0x1         0x2         d4:11:22:33:44:55     *        br-lan
192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        br-lan
192.168.1.22     0x1         0x6         02:11:22:33:44:66     *        br-lan
192.168.1.23     0x1         0x0         d4:11:22:33:44:77     *        br-lan
`
    assert.deepEqual(entries(parseLinuxArp(text)), {
      '192.168.1.20': 'd4:11:22:33:44:55',
      '192.168.1.22': '02:11:22:33:44:66',
    })
  })

  it('of Linux, IPv6: whatever has a link-layer address', () => {
    const text = `fe80::d611:22ff:fe33:4455 dev br-lan lladdr d4:11:22:33:44:55 STALE
fd77::2 dev br-lan lladdr 02:11:22:33:44:66 router REACHABLE
fd77::3 dev br-lan FAILED
fd77::4 dev br-lan  INCOMPLETE
2001:db8:0:0::5 dev br-lan lladdr d4:11:22:33:44:77 PERMANENT
`
    assert.deepEqual(entries(parseIpNeigh(text)), {
      'fe80::d611:22ff:fe33:4455': 'd4:11:22:33:44:55',
      'fd77::2': '02:11:22:33:44:66',
      '2001:db8::5': 'd4:11:22:33:44:77',
    })
  })

  it('of FreeBSD, IPv4', () => {
    const text = `? (192.168.1.1) at 00:0d:b9:11:22:33 on em1 permanent [ethernet]
? (192.168.1.50) at d4:11:22:33:44:55 on em1 expires in 1117 seconds [ethernet]
? (192.168.1.51) at (incomplete) on em1 expired [ethernet]
? (10.20.0.7) at 02:11:22:33:44:66 on vlan20 expires in 3 seconds [vlan]
`
    assert.deepEqual(entries(parseArpAn(text)), {
      '192.168.1.1': '00:0d:b9:11:22:33',
      '192.168.1.50': 'd4:11:22:33:44:55',
      '10.20.0.7': '02:11:22:33:44:66',
    })
  })

  it('of FreeBSD, IPv6', () => {
    const text = `Neighbor                             Linklayer Address  Netif Expire    1s 5s
fd77::1                              00:0d:b9:11:22:33    em1 permanent R
2001:db8:1::50                       d4:11:22:33:44:55    em1 23h59m12s S
fe80::d611:22ff:fe33:4455%em1        d4:11:22:33:44:55    em1 12s       R
2001:db8:1::51                       (incomplete)         em1 expired   I
`
    assert.deepEqual(entries(parseNdpAn(text)), {
      'fd77::1': '00:0d:b9:11:22:33',
      '2001:db8:1::50': 'd4:11:22:33:44:55',
      'fe80::d611:22ff:fe33:4455': 'd4:11:22:33:44:55',
    })
  })

  it('is empty for text that is none, and bounded for text that never ends', () => {
    for (const parse of [parseLinuxArp, parseIpNeigh, parseArpAn, parseNdpAn])
      for (const text of ['', '\n\n', 'usage: arp', 'a b c d e f', 'lladdr', '? () at'])
        assert.equal(parse(text).size, 0, text)
    const rows = Array.from(
      { length: 20_000 },
      (_, i) => `fd77::${i.toString(16)} dev lan lladdr 02:00:00:00:00:01 STALE`,
    )
    assert.equal(parseIpNeigh(rows.join('\n')).size, 4_096)
  })
})
