/** Readers of what other programs print and write: lease files, neighbour tables, pf states. */
import assert from 'node:assert/strict'
import { canonicalAddress } from '../../src/core/address.js'
import { leaseParser } from '../../src/net/leases.js'
import {
  parseArpAn,
  parseIpNeigh,
  parseLinuxArp,
  parseNdpAn,
} from '../../src/net/neighbours.js'
import { findInStates } from '../../src/net/original-destination-states.js'
import type { FuzzTarget } from './target.js'

const SEEDS = [
  '1795168800 d4:11:22:33:44:55 192.168.1.50 tablet *\n0 7 2001:db8::1 t *\n',
  'address,hwaddr,valid_lifetime,expire,hostname,state\n10.0.0.1,d4:11:22:33:44:55,9,1,t,0\n',
  'lease 10.0.0.1 {\n  ends 4 2026/11/20 10:00:00;\n  client-hostname "t";\n}\n',
  '192.168.1.20  0x1  0x2  d4:11:22:33:44:55  *  lan\n',
  'fd77::2 dev lan lladdr 02:11:22:33:44:66 router REACHABLE\n',
  '? (192.168.1.50) at d4:11:22:33:44:55 on em1 expires in 1117 seconds [ethernet]\n',
  'all tcp 127.0.0.1:8443 (203.0.113.7:443) <- 192.168.1.50:51234  A:B\n',
]

const ENDS = {
  client: { address: '192.168.1.50', port: 51_234 },
  local: { address: '127.0.0.1', port: 8443 },
}

export const textTarget: FuzzTarget = {
  name: 'text',
  about: 'lease files, neighbour tables, pf states',
  seeds: () => SEEDS.map((text) => Buffer.from(text)),
  check: (input) => {
    const text = input.toString('latin1')
    for (const format of ['dnsmasq', 'kea', 'isc'] as const) {
      const parser = leaseParser(format)
      for (const line of text.split('\n')) parser.push(line)
      for (const [address, lease] of parser.leases) {
        assert.equal(canonicalAddress(address), address)
        assert.ok((lease.hostname?.length ?? 0) <= 253)
      }
    }
    for (const parse of [parseLinuxArp, parseIpNeigh, parseArpAn, parseNdpAn])
      for (const [address, mac] of parse(text)) {
        assert.equal(canonicalAddress(address), address)
        assert.match(mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
      }
    const found = findInStates(text, ENDS)
    if (found.kind === 'original')
      assert.equal(canonicalAddress(found.address.address), found.address.address)
  },
}
