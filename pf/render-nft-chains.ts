/**
 * The chains of the nftables table: who is refused, who is left alone, what is led to a
 * listener, and what is refused on its way out. Pure.
 *
 * Packets for LLM addresses leave the base chains by `goto`: the two sets of addresses, ours
 * and the resolver's, meet the same rules. `alive` is a set that forgets: without the supervisor
 * nothing new is led here any more.
 */
import { comment } from './render-words.js'
import { STEERED_PORT, TPROXY_MARK, steeringRules } from './rules.js'
import type { Family, SteerRule, Steering, Target } from './rules.js'

export type NftMode = 'tproxy' | 'redirect'

export const FAMILIES = {
  inet: { ip: 'ip', nfproto: 'ipv4', sets: ['llm4', 'names4'], blocked: 'yori_blocked' },
  inet6: {
    ip: 'ip6',
    nfproto: 'ipv6',
    sets: ['llm6', 'names6'],
    blocked: 'yori_blocked6',
  },
} as const satisfies Record<Family, unknown>

/** RFC 9293 §3.5: the first packet of a connection. */
const NEW = 'tcp flags & (syn | ack) == syn'

/** `asked4.lan0`, `answered4.lan0`: connections led here, and those that had an answer. */
export function counterName(
  what: 'asked' | 'answered',
  family: Family,
  interfaceName: string,
): string {
  return `${what}${family === 'inet' ? 4 : 6}.${interfaceName}`
}

export function chains(steering: Steering, mode: NftMode): string[] {
  return [
    ...counters(steering),
    ...(mode === 'tproxy' ? tproxyChains(steering) : redirectChains(steering)),
    'chain leave_alone {',
    ...(steering.probe === undefined
      ? []
      : [`  iifname "${steering.probe.interface}" return`]),
    '  ip saddr @exempt4 accept',
    '  ip6 saddr @exempt6 accept',
    '  ether saddr @exempt_mac accept',
    '}',
    'chain refuse {',
    '  meta l4proto tcp reject with tcp reset',
    '  reject with icmpx type port-unreachable',
    '}',
    ...forwardChains(steering),
    ...pageChain(steering),
    ...inputChain(steering),
    ...answerChain(steering, mode),
  ]
}

function counters({ targets, interfaces }: Steering): string[] {
  return targets.flatMap(({ family }) =>
    (['asked', 'answered'] as const).flatMap((what) =>
      interfaces.map(({ name }) => `counter ${counterName(what, family, name)} { }`),
    ),
  )
}

function count(
  what: 'asked' | 'answered',
  family: Family,
  { interfaces }: Steering,
): string {
  const key = what === 'asked' ? 'iifname' : 'oifname'
  const pairs = interfaces.map(
    ({ name }) => `"${name}" : "${counterName(what, family, name)}"`,
  )
  return `counter name ${key} map { ${pairs.join(', ')} }`
}

/**
 * SYN-ACKs that leave, after every other table's output chains: whoever is led here and has no
 * such answer is in a hole.
 */
function answerChain(steering: Steering, mode: NftMode): string[] {
  const { targets } = steering
  if (targets.length === 0) return []
  const ours =
    mode === 'tproxy'
      ? `tcp sport ${STEERED_PORT} fib saddr type != local`
      : // The page's own port is translated, too, and nobody's LLM traffic.
        `ct status dnat${steering.page === undefined ? '' : ` meta l4proto tcp ct original proto-dst ${STEERED_PORT}`}`
  return [
    'chain answering {',
    '  type filter hook output priority 1000; policy accept;',
    '  oifname != @lan_if accept',
    '  tcp flags & (syn | ack) != (syn | ack) accept',
    ...targets.map(
      ({ family }) =>
        `  meta nfproto ${FAMILIES[family].nfproto} ${ours} ${count('answered', family, steering)}`,
    ),
    '}',
  ]
}

/** Blocked first, then what is ours already, then who is left alone, then new connections. */
function tproxyChains(steering: Steering): string[] {
  // On another port this would find our own listener.
  const ours = `tcp dport ${STEERED_PORT} socket transparent 1 meta mark set ${markText()} accept`
  return [
    'chain prerouting {',
    '  type filter hook prerouting priority -150; policy accept;',
    ...arriving(steering, 'llm'),
    '  # connections that are ours already, at addresses that no set holds any more',
    `  ${ours}`,
    '}',
    'chain llm {',
    ...refusals(steering),
    '  # connections that are ours already',
    `  ${ours}`,
    ...led(steering, tproxyTo),
    '}',
  ]
}

function redirectChains(steering: Steering): string[] {
  return [
    'chain prerouting {',
    '  type filter hook prerouting priority -150; policy accept;',
    ...arriving(steering, 'blocked'),
    '}',
    'chain blocked {',
    ...refusals(steering),
    '}',
    'chain prerouting_nat {',
    '  type nat hook prerouting priority -100; policy accept;',
    ...arriving(steering, 'llm'),
    '}',
    'chain llm {',
    ...led(steering, redirectTo),
    '}',
  ]
}

/** Who goes on to a chain for LLM traffic. */
function arriving(steering: Steering, chain: string): string[] {
  return [...steered(), '  fib daddr type local accept', ...goto(steering, chain)]
}

function steered(): string[] {
  return [
    '  iifname != @lan_if accept',
    '  meta l4proto != { tcp, udp } accept',
    `  th dport != ${STEERED_PORT} accept`,
  ]
}

function goto({ families, probe }: Steering, chain: string): string[] {
  return families.flatMap((family) => {
    const { ip, sets } = FAMILIES[family]
    const probed =
      probe === undefined
        ? []
        : [
            `  iifname "${probe.interface}" ${ip} daddr ${probe.dialled[family]} goto ${chain}`,
          ]
    return [...sets.map((set) => `  ${ip} daddr @${set} goto ${chain}`), ...probed]
  })
}

/** Those that the operator blocked, and no others: so that they stay so while YORI is silent. */
function refusals({ families }: Steering): string[] {
  return [
    ...families.map((family) => {
      const { ip, blocked } = FAMILIES[family]
      return `  ${ip} saddr @${blocked} jump refuse`
    }),
    '  ether saddr @yori_blocked_mac jump refuse',
  ]
}

type Led = (target: Target, count: string) => string

function led(steering: Steering, to: Led): string[] {
  const rules = steeringRules(steering).filter(({ kind }) => kind === 'redirect')
  if (rules.length === 0) return []
  return [
    '  jump leave_alone',
    ...whileAlive(steering),
    ...rules.flatMap((rule) => {
      if (rule.kind !== 'redirect') return []
      const { target, from } = rule
      const { nfproto } = FAMILIES[target.family]
      const leads = to(target, count('asked', target.family, steering))
      return [`  ${comment(from)}`, `  meta nfproto ${nfproto} ${NEW} ${leads}`]
    }),
  ]
}

/** What is to stay closed must not open by itself. */
function whileAlive({ onFailure }: Steering): string[] {
  return onFailure.value === 'closed_llm' ? [] : ['  meta l4proto != @alive accept']
}

/** What was not led here: QUIC, and everything else where that is to be closed. */
function forwardChains(steering: Steering): string[] {
  const rules = steeringRules(steering).flatMap((rule) => {
    if (rule.kind !== 'refuse-quic' && rule.kind !== 'refuse-llm') return []
    const { kind, family, from } = rule
    const of = family === 'both' ? '' : `meta nfproto ${FAMILIES[family].nfproto} `
    const udp = `  ${of}meta l4proto udp jump refuse`
    // Connections that are open went direct before, and go on.
    const tcp = `  ${of}${NEW} jump refuse`
    return [`  ${comment(from)}`, ...(kind === 'refuse-quic' ? [udp] : [tcp, udp])]
  })
  return [
    'chain forward {',
    '  type filter hook forward priority -1; policy accept;',
    ...steered(),
    ...goto(steering, 'passing'),
    '}',
    'chain passing {',
    '  jump leave_alone',
    ...whileAlive(steering),
    ...rules,
    '}',
  ]
}

/**
 * The listener, and the pages behind it, are for the steered networks and for whoever
 * `access.clients` names; YORI itself says who of them may have what. Guests and the outer side
 * are refused: it may listen on every address of a router that refuses nothing.
 */
function inputChain(steering: Steering): string[] {
  const rules = steeringRules(steering)
  return [
    'chain input {',
    '  type filter hook input priority -1; policy accept;',
    '  iifname @lan_if accept',
    '  iifname "lo" accept',
    "  # by a rule of the operator's own",
    '  ct status dnat accept',
    '  ip saddr @direct4 accept',
    '  ip6 saddr @direct6 accept',
    '  iifname @direct_if accept',
    ...rules.flatMap((rule) => (rule.kind === 'guard' ? guardText(rule) : [])),
    '}',
  ]
}

/** Before other programs' translations: a port of this machine, asked for by a steered network. */
function pageChain(steering: Steering): string[] {
  const rules = steeringRules(steering).filter(({ kind }) => kind === 'page')
  if (rules.length === 0) return []
  return [
    'chain page {',
    '  type nat hook prerouting priority -101; policy accept;',
    '  iifname != @lan_if accept',
    '  fib daddr type != local accept',
    ...rules.flatMap((rule) => {
      if (rule.kind !== 'page') return []
      const { nfproto } = FAMILIES[rule.target.family]
      const leads = redirectTo(rule.target)
      return [
        `  ${comment(rule.from)}`,
        `  meta nfproto ${nfproto} tcp dport ${rule.port} ${leads}`,
      ]
    }),
    '}',
  ]
}

function guardText({ target, from }: Extract<SteerRule, { kind: 'guard' }>): string[] {
  const { ip, nfproto } = FAMILIES[target.family]
  const to = target.address === undefined ? '' : `${ip} daddr ${target.address} `
  return [
    `  ${comment(from)}`,
    `  meta nfproto ${nfproto} ${to}tcp dport ${target.port} fib daddr type local jump refuse`,
  ]
}

/** Counted only where a listener took it: without one, the packet goes on. */
function tproxyTo({ family, address, port }: Target, counted: string): string {
  const to =
    family === 'inet' ? `ip to ${address ?? '127.0.0.1'}` : `ip6 to [${address ?? '::1'}]`
  return `tproxy ${to}:${port} meta mark set ${markText()} ${counted} accept`
}

function redirectTo({ family, address, port }: Target, counted?: string): string {
  const first = counted === undefined ? '' : `${counted} `
  if (address === undefined) return `${first}redirect to :${port}`
  return family === 'inet'
    ? `${first}dnat ip to ${address}:${port}`
    : `${first}dnat ip6 to [${address}]:${port}`
}

function markText(): string {
  return `0x${TPROXY_MARK.toString(16).padStart(8, '0')}`
}
