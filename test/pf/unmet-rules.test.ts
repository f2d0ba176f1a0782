import assert from 'node:assert/strict'
import { ipRuleBypassed, nftBypassed, pfBypassed } from '../../pf/unmet-rules.js'
import { named, steering } from './support.js'

const home = steering({
  interfaces: named('steer.interfaces', 'em1', 'vlan10'),
  exempt: named('steer.exempt', '192.168.1.50', '10.9.0.0/16'),
})

// As nft 1.0.6 lists a ruleset, `nft -s list ruleset`.
const RULESET = `table inet filter {
	set kids {
		type ipv4_addr
		elements = { 192.168.1.60 }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "em1" ip saddr @kids drop
		iifname "wan0" drop
		iifname "vlan10" tcp dport 443 reject with icmp port-unreachable
		iifname { "em1", "vlan10" } oifname "wan0" accept
	}

	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport 22 drop
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "em1" tcp dport 443 dnat to 192.168.1.80:3128
		iifname "wan0" tcp dport 443 dnat to 192.168.1.80
	}
}
table inet yori {
	chain forward {
		type filter hook forward priority filter - 1; policy accept;
		ip daddr @llm4 udp dport 443 drop
	}
}
`

describe("the operator's rules that steering goes around", () => {
  it('are forward drops and redirections of nftables, on steered interfaces', () => {
    const found = nftBypassed(RULESET, home)
    assert.deepEqual(
      found.map(({ kind, where, rule, refuses }) => [kind, where, rule, refuses]),
      [
        ['forward', 'inet filter forward', 'policy drop', false],
        ['forward', 'inet filter forward', 'iifname "em1" ip saddr @kids drop', false],
        [
          'forward',
          'inet filter forward',
          'iifname "vlan10" tcp dport 443 reject with icmp port-unreachable',
          false,
        ],
        [
          'destination',
          'ip nat prerouting',
          'iifname "em1" tcp dport 443 dnat to 192.168.1.80:3128',
          false,
        ],
      ],
    )
  })

  it('are policy routes of Linux; those of steered interfaces and devices refuse', () => {
    // As iproute2 6.1 prints `ip rule list`.
    const rules = `0:	from all lookup local
100:	from all fwmark 0x796f lookup 796
200:	from all iif em1 lookup 100
201:	from all iif wg0 lookup 100
202:	from 192.168.1.50 lookup 100
203:	from 192.168.1.51 lookup vpn
204:	from 10.9.4.0/24 lookup vpn
205:	from 10.0.0.0/8 lookup vpn
206:	from all fwmark 0x1 lookup 200
32766:	from all lookup main
32767:	from all lookup default
`
    assert.deepEqual(
      ipRuleBypassed(rules, home).map(({ of, refuses }) => [of, refuses]),
      [
        ['em1', true],
        ['wg0', false],
        ['192.168.1.50', false],
        ['192.168.1.51', true],
        ['10.9.4.0/24', false],
        ['10.0.0.0/8', true],
        [undefined, false],
      ],
    )
  })

  it('are destination rules, redirections and policy routes of pf', () => {
    // As pfctl prints rules that it has loaded.
    const rules = `rdr on em1 inet proto tcp from any to any port = https -> 192.168.1.80 port 3128
rdr on em0 inet proto tcp from any to any port = https -> 192.168.1.80
rdr on em1 inet proto tcp from any to any port = http -> 192.168.1.80
rdr-anchor "yori" all
block drop in quick on em1 inet from any to 203.0.113.7
block drop in quick on em1 inet from 192.168.1.66 to any
block drop out quick on em1 inet from any to 203.0.113.7
pass in quick on em1 route-to (em2 192.168.50.2) inet from 192.168.1.51 to any flags S/SA keep state
pass in quick on vlan10 route-to (em2 192.168.50.2) inet all flags S/SA keep state
pass in quick on em1 route-to (em2 192.168.50.2) inet proto tcp from (em1:network) to <yori_llm> port = https keep state label "yori-steer"
`
    assert.deepEqual(
      pfBypassed(rules, home).map(({ kind, of, refuses }) => [kind, of, refuses]),
      [
        ['destination', undefined, false],
        ['destination', undefined, false],
        ['policy-route', '192.168.1.51', true],
        ['policy-route', 'vlan10', true],
      ],
    )
  })

  it('are shown as one printable line of bounded length', () => {
    const rule = `iifname "em1" ${'x'.repeat(500)}\u001b[31m drop`
    const chain = 'type filter hook forward priority 0; policy accept;'
    const [found] = nftBypassed(`table ip t {\nchain c {\n${chain}\n${rule}\n}\n}`, home)
    assert.match(found?.rule ?? '', /^[\x20-\x7e]{200}$/)
  })
})
