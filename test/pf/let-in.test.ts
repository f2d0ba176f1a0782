/**
 * Which of a router's own rule sets let steered connections in. The rule sets are imitations, in
 * the words in which nft 1.0.6 lists them, of what each program loads.
 */
import assert from 'node:assert/strict'
import { letIn, tablesOf } from '../../pf/let-in.js'
import { notLetIn } from '../../pf/let-in-machine.js'
import type { Packet } from '../../pf/let-in-match.js'
import { named, steering } from './support.js'

const TPROXY: Packet = {
  hook: 'input',
  family: 'inet',
  interface: 'lan0',
  port: 443,
  mark: 0x796f,
  states: ['new'],
  statuses: [],
  toLocal: false,
}
const REDIRECT: Packet = {
  ...TPROXY,
  port: 8443,
  mark: 0,
  statuses: ['dnat'],
  toLocal: true,
}

const input = (...rules: string[]): string =>
  `table inet filter {
	set lans {
		type ifname
		elements = { "lan0",
			     "lan1" }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		${rules.join('\n\t\t')}
	}
	chain lan {
		udp dport 53 accept
	}
	chain guests {
		drop
	}
}
`

const USUAL = 'ct state established,related accept'

/** Rules of an input chain whose policy is drop; what it says of TPROXY's packet. */
const RULES: readonly (readonly [string[], 'accepted' | 'maybe' | 'dropped'])[] = [
  [[USUAL], 'dropped'],
  [[USUAL, 'meta mark 0x0000796f accept'], 'accepted'],
  [[USUAL, 'meta mark & 0x0000ffff == 0x0000796f accept'], 'accepted'],
  [[USUAL, 'meta mark & 0x00ff0000 == 0x00010000 accept'], 'dropped'],
  [[USUAL, 'ct status dnat accept'], 'dropped'],
  [[USUAL, 'iifname "lan0" accept'], 'accepted'],
  [[USUAL, 'iifname "lan*" counter packets 1 bytes 40 accept'], 'accepted'],
  [[USUAL, 'iifname { "lo", "lan0" } accept'], 'accepted'],
  [[USUAL, 'iifname @lans accept'], 'accepted'],
  [[USUAL, 'iifname != "wan0" accept'], 'accepted'],
  [[USUAL, 'iifname "wan0" accept'], 'dropped'],
  [[USUAL, 'iifname "lan0" jump lan'], 'dropped'],
  [[USUAL, 'iifname "lan0" jump guests', 'accept'], 'dropped'],
  [[USUAL, 'iifname "lan1" jump guests', 'accept'], 'accepted'],
  [[USUAL, 'iifname vmap { "lan0" : accept, "wan0" : drop }'], 'accepted'],
  [[USUAL, 'iifname vmap { "lan0" : goto lan }', 'accept'], 'dropped'],
  [
    ['ct state vmap { established : accept, related : accept, invalid : drop }'],
    'dropped',
  ],
  [[USUAL, 'tcp dport { 22, 80-443 } accept'], 'accepted'],
  [[USUAL, 'tcp dport 8443 accept'], 'dropped'],
  [[USUAL, 'iifname "lan0" tcp dport != 22 accept'], 'accepted'],
  [[USUAL, 'iifname "lan0" udp dport 443 accept'], 'dropped'],
  [[USUAL, 'ip saddr 10.77.0.0/24 accept'], 'maybe'],
  [[USUAL, 'ip6 saddr fd77::/64 accept'], 'dropped'],
  [[USUAL, 'iifname "lan0" ip saddr 10.77.0.4 drop', 'iifname "lan0" accept'], 'maybe'],
  [
    ['tcp flags syn / fin,syn,rst,ack limit rate over 25/second drop', 'accept'],
    'accepted',
  ],
  [['tcp flags syn / fin,syn,rst,ack jump guests', 'accept'], 'dropped'],
  [['fib saddr . iif oif missing drop', 'accept'], 'accepted'],
  [['fib daddr type { local, broadcast } accept'], 'dropped'],
  [['fib daddr type != local accept'], 'accepted'],
  [['xt match "owner" accept'], 'maybe'],
  [['log prefix "in: drop " level info', 'accept comment "drop"'], 'accepted'],
  [['meta mark set 0x00000001', 'accept'], 'accepted'],
]

describe("a router's input rules, asked about a steered connection", () => {
  for (const [rules, verdict] of RULES)
    it(`${verdict}: ${rules.filter((rule) => rule !== USUAL).join('; ') || 'nothing more'}`, () => {
      assert.equal(letIn(tablesOf(input(...rules)), TPROXY).verdict, verdict)
    })

  it('are asked in every table, and one that drops is enough', () => {
    const other = `table ip mine {
	chain in {
		type filter hook input priority filter - 10; policy accept;
		iifname "lan0" reject with icmp host-prohibited
	}
}
`
    const both = tablesOf(input('accept') + other)
    assert.deepEqual(letIn(both, TPROXY), {
      verdict: 'dropped',
      by: { family: 'ip', table: 'mine', chain: 'in', hook: 'input' },
    })
    assert.equal(letIn(both, { ...TPROXY, family: 'inet6' }).verdict, 'accepted')
    assert.equal(letIn(tablesOf('not a ruleset {'), TPROXY).verdict, 'accepted')
  })

  it('are left after a bounded time, whatever they jump to', () => {
    const chains = Array.from(
      { length: 30 },
      (_, n) =>
        `chain c${n} {\nmeta cpu 1 jump c${n + 1}\nmeta cpu 2 jump c${n + 1}\nmeta cpu 3 jump c${n + 1}\n}`,
    )
    const text = `table inet t {
chain in {
type filter hook input priority 0; policy drop;
jump c0
}
${chains.join('\n')}
}
`
    assert.notEqual(letIn(tablesOf(text), TPROXY).verdict, 'accepted')
  })
})

/** What each program loads, as far as input and output go. */
const FIREWALLD = `table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state established,related accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx type admin-prohibited
	}
	chain filter_INPUT_ZONES {
		iifname "lan0" goto filter_IN_internal
		goto filter_IN_public
	}
	chain filter_IN_internal {
		jump filter_IN_internal_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain filter_IN_internal_allow {
		tcp dport 22 ct state new,untracked accept
	}
	chain filter_IN_public {
		tcp dport 22 ct state new,untracked accept
	}
	chain filter_OUTPUT {
		type filter hook output priority filter + 10; policy accept;
		ct state established,related accept
		oifname "lo" accept
	}
}
`
const UFW = `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		counter packets 3 bytes 180 jump ufw-before-logging-input
		counter packets 3 bytes 180 jump ufw-before-input
		counter packets 1 bytes 60 jump ufw-after-input
	}
	chain ufw-before-logging-input {
	}
	chain ufw-before-input {
		iifname "lo" counter packets 0 bytes 0 accept
		ct state related,established counter packets 2 bytes 120 accept
		ct state invalid counter packets 0 bytes 0 drop
		meta l4proto udp udp sport 67 udp dport 68 counter packets 0 bytes 0 accept
		counter packets 1 bytes 60 jump ufw-not-local
		counter packets 1 bytes 60 jump ufw-user-input
	}
	chain ufw-not-local {
		fib daddr type local counter packets 1 bytes 60 return
		fib daddr type multicast counter packets 0 bytes 0 return
		fib daddr type broadcast counter packets 0 bytes 0 return
		limit rate 3/minute burst 10 packets counter packets 0 bytes 0 jump ufw-logging-deny
		counter packets 0 bytes 0 drop
	}
	chain ufw-logging-deny {
	}
	chain ufw-user-input {
		meta l4proto tcp tcp dport 22 counter packets 0 bytes 0 accept
	}
	chain ufw-after-input {
	}
}
`
const FW4 = `table inet fw4 {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept comment "!fw4: Accept traffic from loopback"
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle inbound flows"
		tcp flags syn / fin,syn,rst,ack jump syn_flood comment "!fw4: Rate limit TCP syn packets"
		iifname "lan0" jump input_lan comment "!fw4: Handle lan IPv4/IPv6 input traffic"
		iifname "lan1" jump input_guest comment "!fw4: Handle guest IPv4/IPv6 input traffic"
		jump handle_reject
	}
	chain syn_flood {
		limit rate 25/second burst 50 packets return comment "!fw4: Accept SYN packets below rate-limit"
		drop comment "!fw4: Drop excess packets"
	}
	chain handle_reject {
		meta l4proto tcp reject with tcp reset comment "!fw4: Reject TCP traffic"
		reject comment "!fw4: Reject any other traffic"
	}
	chain input_lan {
		jump accept_from_lan
	}
	chain input_guest {
		udp dport 53 counter packets 0 bytes 0 accept comment "!fw4: guest dns"
		jump reject_from_guest
	}
	chain accept_from_lan {
		iifname "lan0" counter packets 0 bytes 0 accept comment "!fw4: accept lan IPv4/IPv6 traffic"
	}
	chain reject_from_guest {
		iifname "lan1" counter packets 0 bytes 0 jump handle_reject comment "!fw4: reject guest IPv4/IPv6 traffic"
	}
}
`
const DOCKER = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter packets 0 bytes 0 jump DOCKER-USER
	}
	chain DOCKER-USER {
		counter packets 0 bytes 0 return
	}
}
`
const LIBVIRT = `table ip filter {
	chain LIBVIRT_INP {
		iifname "virbr0" meta l4proto udp udp dport 53 counter packets 0 bytes 0 accept
	}
	chain INPUT {
		type filter hook input priority filter; policy accept;
		counter packets 0 bytes 0 jump LIBVIRT_INP
	}
	chain LIBVIRT_OUT {
		oifname "virbr0" meta l4proto udp udp dport 68 counter packets 0 bytes 0 accept
	}
	chain OUTPUT {
		type filter hook output priority filter; policy accept;
		counter packets 0 bytes 0 jump LIBVIRT_OUT
	}
}
`

describe('what other programs load, asked about steered connections', () => {
  const asked = (text: string, packet: Packet): string =>
    letIn(tablesOf(text), packet).verdict
  for (const [name, text, tproxy, redirect] of [
    ['firewalld', FIREWALLD, 'dropped', 'accepted'],
    ['ufw', UFW, 'dropped', 'dropped'],
    ["OpenWrt's fw4, of the LAN", FW4, 'accepted', 'accepted'],
    ['Docker', DOCKER, 'accepted', 'accepted'],
    ['libvirt', LIBVIRT, 'accepted', 'accepted'],
  ] as const)
    it(`${name}: TPROXY ${tproxy}, REDIRECT ${redirect}`, () => {
      assert.equal(asked(text, TPROXY), tproxy)
      assert.equal(asked(text, REDIRECT), redirect)
    })

  it('names interface, family and the line that mends it', () => {
    const home = steering({ interfaces: named('steer.interfaces', 'lan0', 'lan1') })
    const lines = (text: string, backend: 'nft-tproxy' | 'nft-redirect') =>
      notLetIn(tablesOf(text), { backend, steering: home, legacy: [] }).map(
        ({ verdict, interfaces, family, line }) => [verdict, ...interfaces, family, line],
      )
    assert.deepEqual(lines(FW4, 'nft-tproxy'), [
      [
        'dropped',
        'lan1',
        'inet',
        'nft insert rule inet fw4 input meta mark 0x796f accept',
      ],
      [
        'dropped',
        'lan1',
        'inet6',
        'nft insert rule inet fw4 input meta mark 0x796f accept',
      ],
    ])
    assert.deepEqual(lines(UFW, 'nft-tproxy'), [
      [
        'dropped',
        'lan0',
        'lan1',
        'inet',
        'iptables -I INPUT -m mark --mark 0x796f -j ACCEPT',
      ],
    ])
    assert.deepEqual(lines(UFW, 'nft-redirect'), [
      [
        'dropped',
        ...['lan0', 'lan1', 'inet'],
        'iptables -I INPUT -m conntrack --ctstate DNAT -j ACCEPT',
      ],
    ])
    assert.deepEqual(
      lines(input(USUAL), 'nft-redirect')[0]?.at(-1),
      'nft insert rule inet filter input ct status dnat accept',
    )
    const out = `table inet o {
	chain out {
		type filter hook output priority filter; policy drop;
		oifname "wan0" accept
	}
}
`
    assert.deepEqual(
      lines(out, 'nft-tproxy')[0]?.at(-1),
      'nft insert rule inet o out ct state established accept',
    )
    const old = notLetIn([], { backend: 'nft-tproxy', steering: home, legacy: ['inet'] })
    assert.deepEqual(
      old.map(({ verdict, line }) => [verdict, line]),
      [['maybe', 'iptables-legacy -I INPUT -m mark --mark 0x796f -j ACCEPT']],
    )
  })
})
