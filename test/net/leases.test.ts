import assert from 'node:assert/strict'
import { leaseParser, type Lease, type LeaseFormat } from '../../src/net/leases.js'

function read(format: LeaseFormat, text: string): Lease[] {
  const parser = leaseParser(format)
  for (const line of text.split('\n')) parser.push(line)
  return [...parser.leases.values()]
}

describe('a lease file', () => {
  it('of dnsmasq: both families, no name, never expiring', () => {
    const text = `1795168800 d4:11:22:33:44:55 192.168.1.50 tablet 01:d4:11:22:33:44:55
1795168801 02:11:22:33:44:66 192.168.1.51 * *
0 d4:11:22:33:44:77 192.168.1.52 printer *
duid 00:01:00:01:2c:11:22:33:d4:11:22:33:44:55
1795168802 573785173 2001:db8:1::50 tablet 00:01:00:01:2c:11:22:33:d4:11:22:33:44:55
not a lease
`
    assert.deepEqual(read('dnsmasq', text), [
      {
        address: '192.168.1.50',
        mac: 'd4:11:22:33:44:55',
        hostname: 'tablet',
        expiresAt: Date.UTC(2026, 10, 20, 10),
      },
      {
        address: '192.168.1.51',
        mac: '02:11:22:33:44:66',
        hostname: undefined,
        expiresAt: Date.UTC(2026, 10, 20, 10, 0, 1),
      },
      {
        address: '192.168.1.52',
        mac: 'd4:11:22:33:44:77',
        hostname: 'printer',
        expiresAt: undefined,
      },
      {
        address: '2001:db8:1::50',
        mac: undefined,
        hostname: 'tablet',
        expiresAt: Date.UTC(2026, 10, 20, 10, 0, 2),
      },
    ])
  })

  it('of Kea, IPv4: the last row of an address counts, and only leases in use', () => {
    const text = `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.168.1.50,d4:11:22:33:44:55,01:d4:11:22:33:44:55,4000,1795160000,1,0,0,,0,,0
192.168.1.51,02:11:22:33:44:66,,4000,1795168800,1,0,0,phone,0,,0
192.168.1.52,d4:11:22:33:44:77,,4000,1795168800,1,0,0,gone,2,,0
192.168.1.50,d4:11:22:33:44:55,01:d4:11:22:33:44:55,4000,1795168800,1,1,1,tablet.lan.,0,,0
192.168.1.53,d4:11:22:33:44:88,,4000,1795168800,1,0,0,declined,1,,0
192.168.1.51,02:11:22:33:44:66,,0,1795168800,1,0,0,phone,0,,0
192.168.1.54,d4:11:22:33:44:99,,4294967295,4294967295,1,0,0,server,0,,0
`
    assert.deepEqual(read('kea', text), [
      {
        address: '192.168.1.50',
        mac: 'd4:11:22:33:44:55',
        hostname: 'tablet.lan',
        expiresAt: Date.UTC(2026, 10, 20, 10),
      },
      {
        address: '192.168.1.54',
        mac: 'd4:11:22:33:44:99',
        hostname: 'server',
        expiresAt: undefined,
      },
    ])
  })

  it('of Kea, IPv6: columns by their names, delegated prefixes left out', () => {
    const text = `address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context
2001:db8:1::50,00:01:00:01,4000,1795168800,1,3000,0,7,128,0,0,tablet,d4:11:22:33:44:55,0,
2001:db8:2::,00:01:00:01,4000,1795168800,1,3000,2,7,56,0,0,,,0,
`
    assert.deepEqual(read('kea', text), [
      {
        address: '2001:db8:1::50',
        mac: 'd4:11:22:33:44:55',
        hostname: 'tablet',
        expiresAt: Date.UTC(2026, 10, 20, 10),
      },
    ])
    assert.deepEqual(read('kea', '192.168.1.50,d4:11:22:33:44:55,,4000,1,1,0,0,x,0'), [])
  })

  it('of ISC dhcpd: active blocks, the last one of an address', () => {
    const text = `# The format of this file is documented in dhcpd.leases(5)
authoring-byte-order little-endian;
lease 192.168.1.50 {
  starts 4 2026/11/19 09:00:00;
  ends 4 2026/11/19 10:00:00;
  binding state active;
  hardware ethernet d4:11:22:33:44:55;
  client-hostname "old-name";
}
lease 192.168.1.51 {
  ends never;
  binding state active;
  next binding state free;
  hardware ethernet 02:11:22:33:44:66;
}
lease 192.168.1.52 {
  ends epoch 1795168800; # Fri Nov 20 10:00:00 2026
  binding state active;
  hardware ethernet d4:11:22:33:44:77;
  client-hostname "a\\"b";
}
lease 192.168.1.53 {
  binding state active;
  hardware ethernet d4:11:22:33:44:88;
}
lease 192.168.1.50 {
  ends 5 2026/11/20 10:00:00;
  binding state active;
  hardware ethernet d4:11:22:33:44:55;
  uid "\\001\\324\\021";
  client-hostname "tablet";
}
lease 192.168.1.53 {
  binding state free;
}
`
    const lease = (address: string, mac: string, more: Partial<Lease>): Lease => {
      return { address, mac, hostname: undefined, expiresAt: undefined, ...more }
    }
    const at = Date.UTC(2026, 10, 20, 10)
    assert.deepEqual(read('isc', text), [
      lease('192.168.1.51', '02:11:22:33:44:66', {}),
      lease('192.168.1.52', 'd4:11:22:33:44:77', { expiresAt: at }),
      lease('192.168.1.50', 'd4:11:22:33:44:55', { hostname: 'tablet', expiresAt: at }),
    ])
  })

  it('of any kind reads nonsense as nothing, and never more than its bound', () => {
    for (const format of ['dnsmasq', 'kea', 'isc'] as const) {
      assert.deepEqual(read(format, `\n}\n{\nlease {\n,,,,\naddress\n,\n0\n"`), [])
      assert.deepEqual(read(format, `0 ${'x'.repeat(5_000)}`), [])
    }
    const rows = Array.from(
      { length: 10_000 },
      (_, i) => `0 02:00:00:00:00:01 10.${i >> 16}.${(i >> 8) & 255}.${i & 255} n *`,
    )
    const leases = read('dnsmasq', rows.join('\n'))
    assert.equal(leases.length, 8_192)
    assert.equal(leases.at(-1)?.address, '10.0.39.15')
  })

  it('keeps no host name with control characters or beyond 253 characters', () => {
    for (const name of ['a\u0000b', 'a\u001b[31m', 'a\u0085', 'x'.repeat(254)]) {
      const [lease] = read('dnsmasq', `0 02:00:00:00:00:01 10.0.0.1 ${name} *`)
      assert.equal(lease?.hostname, undefined, JSON.stringify(name))
    }
  })
})
