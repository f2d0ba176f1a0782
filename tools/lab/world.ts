/**
 * The lab's world, made of network namespaces: a router with a bridge of three ports, a second
 * network, a VLAN, guests, and a provider's line that is narrower than they are; beyond it an
 * internet that drops private sources. IPv4 is masqueraded, IPv6 has ULA and GUA; sources are
 * checked (rp_filter 1). RFC 5737, RFC 3849 and RFC 4193 addresses; needs root.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { Namespaces } from '../../test/support/namespaces.js'
import { TestCa } from '../../test/support/test-ca.js'
import {
  HAIRPIN_PORT,
  LLM,
  LLM_NAME,
  NETS,
  ORIGIN_CA,
  OTHER,
  OTHER_NAME,
  PORT,
  TV_MAC,
  WAN,
  hostIn,
} from './places.js'
import type { Net } from './places.js'

interface Device {
  readonly machine: string
  readonly net: Net
  /** The router's end. */
  readonly port: string
  readonly hosts: readonly number[]
  readonly only6?: true
  readonly vlan?: number
  readonly mac?: string
}

const DEVICES: readonly Device[] = [
  // Itself, one that is exempt, and one that is blocked.
  { machine: 'laptop', net: 'lan', port: 'port1', hosts: [2, 3, 4] },
  { machine: 'tv', net: 'lan', port: 'port2', hosts: [7], mac: TV_MAC },
  { machine: 'six', net: 'lan', port: 'port3', hosts: [6], only6: true },
  { machine: 'tablet', net: 'second', port: 'lan1', hosts: [2] },
  { machine: 'camera', net: 'vlan', port: 'trunk0', hosts: [2], vlan: 20 },
  { machine: 'guest', net: 'guests', port: 'guest0', hosts: [2] },
]

/** One that asks a hundred things at once is told of each that it is refused: RFC 4443 §2.4. */
const UNLIMITED = 'net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0'
const NARROW_LINE = 1492
const NARROWER_LINE = 1400

/** Of the router itself, as on many: masquerading, a port that leads inside, both from inside, too. */
const ROUTER_RULES = `
table ip nat {
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip daddr ${WAN[4]} tcp dport ${HAIRPIN_PORT} dnat to ${hostIn('lan', 7, 4)}
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname "wan0" masquerade
    ip saddr 10.77.0.0/16 ip daddr ${hostIn('lan', 7, 4)} ct status dnat masquerade
  }
}
`

/** What the provider of the line drops: sources that nobody can answer. RFC 2827. */
const ISP_RULES = `
table inet isp {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "home0" ip6 saddr fc00::/7 reject with icmpv6 type admin-prohibited
    iifname "home0" ip saddr 10.0.0.0/8 reject with icmp type admin-prohibited
  }
}
`

/** Everything joined and up; nobody serves yet. */
export function wire(): Namespaces {
  const names = DEVICES.map(({ machine }) => machine)
  const machines = new Namespaces([...names, 'router', 'isp', 'internet'])
  const devices = hasVlans(machines) ? DEVICES : DEVICES.map(withoutVlan)
  for (const device of devices) {
    const { machine, port, mac } = device
    machines.link({
      from: { machine, name: 'eth0', addresses: [] },
      to: { machine: 'router', name: port, addresses: [] },
    })
    if (mac !== undefined) machines.run(machine, `ip link set eth0 address ${mac}`)
  }
  networks(machines, devices)
  for (const device of devices) address(machines, device)
  line(machines)
  machines.run('router', 'nft -f -', ROUTER_RULES)
  machines.run('isp', 'nft -f -', ISP_RULES)
  const forward = 'net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1'
  withoutBridgeFilter(machines)
  const checked = ['all', ...Object.values(NETS).map(({ at }) => at), 'wan0']
  const filters = checked.map((name) => `net/ipv4/conf/${name}/rp_filter=1`)
  machines.run('router', `sysctl -qw ${forward} ${filters.join(' ')} ${UNLIMITED}`)
  machines.run('isp', `sysctl -qw ${forward} ${UNLIMITED}`)
  return machines
}

/** As it is where nobody, such as Docker, has asked for it: TPROXY takes nothing on a bridge then. */
function withoutBridgeFilter(machines: Namespaces): void {
  const settings = ['iptables', 'ip6tables'].map(
    (name) => `net.bridge.bridge-nf-call-${name}`,
  )
  for (const setting of settings) {
    try {
      machines.run('router', `sysctl -qw ${setting}=0`)
    } catch {
      // A kernel without br_netfilter.
    }
  }
}

/** Not every kernel has 802.1Q. */
function hasVlans(machines: Namespaces): boolean {
  try {
    machines.run('isp', 'ip link add link lo name lo.20 type vlan id 20')
    machines.run('isp', 'ip link del lo.20')
    return true
  } catch {
    return false
  }
}

/** The interface by its name alone: what a packet filter sees of it is the same. */
function withoutVlan({ vlan, ...device }: Device): Device {
  return vlan === undefined ? device : { ...device, port: NETS.vlan.at }
}

/** The router's bridge, VLAN and own addresses. */
function networks(machines: Namespaces, devices: readonly Device[]): void {
  machines.run('router', 'ip link add br0 type bridge')
  machines.run('router', 'ip link set br0 up')
  for (const { net, port, vlan } of devices) {
    if (net === 'lan') machines.run('router', `ip link set ${port} master br0`)
    if (vlan === undefined) continue
    const name = NETS[net].at
    machines.run('router', `ip link add link ${port} name ${name} type vlan id ${vlan}`)
    machines.run('router', `ip link set ${name} up`)
  }
  for (const { at, net4, nets6 } of Object.values(NETS)) {
    machines.run('router', `ip address add ${net4}.1/24 dev ${at}`)
    for (const net6 of nets6)
      machines.run('router', `ip address add ${net6}::1/64 dev ${at} nodad`)
  }
}

function address(
  machines: Namespaces,
  { machine, net, hosts, only6, vlan }: Device,
): void {
  const { net4, nets6 } = NETS[net]
  const name = vlan === undefined ? 'eth0' : `eth0.${vlan}`
  if (vlan !== undefined) {
    machines.run(machine, `ip link add link eth0 name ${name} type vlan id ${vlan}`)
    machines.run(machine, `ip link set ${name} up`)
  }
  for (const host of hosts) {
    if (only6 === undefined)
      machines.run(machine, `ip address add ${net4}.${host}/24 dev ${name}`)
    for (const net6 of nets6)
      machines.run(machine, `ip address add ${net6}::${host}/64 dev ${name} nodad`)
  }
  if (only6 === undefined) machines.run(machine, `ip route add default via ${net4}.1`)
  const own = `${nets6[1]}::${hosts[0]}`
  machines.run(machine, `ip -6 route add default via ${nets6[1]}::1 src ${own}`)
}

/** Router, provider of the line, internet: each link narrower than the one before. */
function line(machines: Namespaces): void {
  machines.link({
    from: {
      machine: 'router',
      name: 'wan0',
      addresses: [`${WAN[4]}/24`, `${WAN[6]}/64`],
    },
    to: {
      machine: 'isp',
      name: 'home0',
      addresses: ['198.51.100.254/24', '2001:db8:78::fe/64'],
    },
  })
  machines.link({
    from: {
      machine: 'isp',
      name: 'net0',
      addresses: ['192.0.2.1/24', '2001:db8:1::1/64'],
    },
    to: {
      machine: 'internet',
      name: 'eth0',
      addresses: [
        '192.0.2.2/24',
        '2001:db8:1::2/64',
        ...[LLM[4], OTHER[4]].map((one) => `${one}/32`),
        ...[LLM[6], OTHER[6]].map((one) => `${one}/128`),
      ],
    },
  })
  for (const [machine, name, mtu] of [
    ['router', 'wan0', NARROW_LINE],
    ['isp', 'home0', NARROW_LINE],
    ['isp', 'net0', NARROWER_LINE],
    ['internet', 'eth0', NARROWER_LINE],
  ] as const)
    machines.run(machine, `ip link set ${name} mtu ${mtu}`)
  machines.run('router', 'ip route add default via 198.51.100.254')
  machines.run('router', 'ip -6 route add default via 2001:db8:78::fe')
  machines.run('isp', 'ip route add 203.0.113.0/24 via 192.0.2.2')
  machines.run('isp', 'ip -6 route add 2001:db8:9::/48 via 2001:db8:1::2')
  // The second that says so when it drops their packets.
  for (const net of ['2001:db8:77::/48', 'fd77::/48'])
    machines.run('isp', `ip -6 route add ${net} via 2001:db8:78::1`)
  machines.run('internet', 'ip route add default via 192.0.2.1')
  machines.run('internet', 'ip -6 route add default via 2001:db8:1::1')
}

/** Who answers: the provider and another site, a device at home, and the router's own ssh. */
export async function serve(
  machines: Namespaces,
  file: (name: string) => string,
): Promise<void> {
  const ca = new TestCa(ORIGIN_CA)
  const pairs = [LLM_NAME, OTHER_NAME].map((name) => {
    const { keyPem, certificatePem } = ca.issue({ names: [name] })
    return { name, key: keyPem, cert: certificatePem }
  })
  writeFileSync(file('pairs.json'), JSON.stringify(pairs))
  writeFileSync(file('origin.pem'), ca.certificatePem)
  const addresses = [LLM, OTHER].flatMap((one) => [one[4], one[6]])
  const all = { tls: [443], tcp: [80, PORT], udp: addresses.map((one) => [443, one]) }
  const started: readonly (readonly [string, object])[] = [
    ['internet', { ...all, pairs: file('pairs.json') }],
    ['tv', { tcp: [443, PORT, HAIRPIN_PORT] }],
    ['router', { tcp: [22] }],
  ]
  for (const [machine, what] of started) {
    const words = [packageFile('dist', 'tools', 'lab', 'serve.js'), JSON.stringify(what)]
    const server = machines.spawn(machine, process.execPath, words)
    assert.equal(await server.line(), 'listening')
  }
}
