/**
 * Steering as an nftables table of its own. TPROXY is the usual form: with no listener the
 * kernel sends clients straight on. REDIRECT is for kernels without it. The text loads as one
 * transaction and may be loaded again; removing is one, too. The sets of LLM addresses empty
 * themselves when nobody renews them. Pure.
 *
 * TPROXY takes connections at their first packet only (RFC 9293 §3.5: SYN without ACK), so
 * that those open at the time of loading go on; later packets find their socket.
 */
import { setLines } from './render-nft-sets.js'
import type { LlmElements } from './render-nft-sets.js'
import { comment, page } from './render-words.js'
import type { Rendered } from './render-words.js'
import {
  STEERED_PORT,
  TPROXY_MARK,
  TPROXY_MARK_TEXT,
  TPROXY_ROUTES,
  interfaceProblems,
  steeringRules,
} from './rules.js'
import type {
  Device,
  Family,
  SteerProblem,
  SteerRule,
  Sourced,
  Steering,
  Target,
} from './rules.js'

export type NftMode = 'tproxy' | 'redirect'

const TABLE = 'inet yori'
const NO_ELEMENTS: LlmElements = { inet: [], inet6: [] }

/** For `nft -f FILE`; TPROXY needs the routes of its comments besides. */
export function renderNft(
  steering: Steering,
  mode: NftMode,
  elements: LlmElements = NO_ELEMENTS,
): Rendered {
  const problems = nftProblems(steering, mode)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const chains = mode === 'tproxy' ? tproxyChain(steering) : redirectChains(steering)
  return {
    kind: 'ok',
    text: page([
      comment(`one step on: nft -f FILE; one step off: nft delete table ${TABLE}`),
      ...(mode === 'tproxy' ? routingNotes(steering) : []),
      `table ${TABLE}`,
      `delete table ${TABLE}`,
      `table ${TABLE} {`,
      ...indented([
        ...setLines(steering, elements),
        ...chains,
        ...sharedChains(steering),
      ]),
      '}',
    ]),
  }
}

/** Takes the table away, there or not. */
export function renderNftOff(): string {
  return page([`table ${TABLE}`, `delete table ${TABLE}`])
}

/** Argument lists for `ip`: first what may fail (nothing to delete), then what must not. */
export function tproxyRouting({ families }: Pick<Steering, 'families'>): {
  readonly off: readonly (readonly string[])[]
  readonly on: readonly (readonly string[])[]
} {
  const table = String(TPROXY_ROUTES)
  const flags = families.map((family) => (family === 'inet' ? '-4' : '-6'))
  return {
    off: flags.flatMap((flag) => [
      [flag, 'rule', 'del', 'fwmark', TPROXY_MARK_TEXT, 'lookup', table],
      [flag, 'route', 'flush', 'table', table],
    ]),
    on: flags.flatMap((flag) => [
      [flag, 'rule', 'add', 'fwmark', TPROXY_MARK_TEXT, 'lookup', table],
      [flag, 'route', 'replace', 'local', 'default', 'dev', 'lo', 'table', table],
    ]),
  }
}

function routingNotes(steering: Steering): string[] {
  const { on } = tproxyRouting(steering)
  return on.map((words) => comment(`once a start: ip ${words.join(' ')}`))
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}

/** Blocked first, then what is ours already, then who is left alone, then new connections. */
function tproxyChain(steering: Steering): string[] {
  const rules = steeringRules(steering)
  return [
    'chain prerouting {',
    '  type filter hook prerouting priority -150; policy accept;',
    ...prologue(steering),
    '  # connections that are ours already; on another port this would find our listener',
    `  tcp dport ${STEERED_PORT} socket transparent 1 meta mark set ${markText()} accept`,
    '  jump leave_alone',
    ...rules.flatMap((rule) =>
      rule.kind === 'redirect' ? ruleText(rule, tproxyTo(rule.target)) : [],
    ),
    '}',
  ]
}

function redirectChains(steering: Steering): string[] {
  const rules = steeringRules(steering)
  return [
    'chain prerouting {',
    '  type filter hook prerouting priority -150; policy accept;',
    ...prologue(steering),
    '}',
    'chain prerouting_nat {',
    '  type nat hook prerouting priority -100; policy accept;',
    '  iifname != @lan_if accept',
    '  fib daddr type local accept',
    '  jump leave_alone',
    ...rules.flatMap((rule) =>
      rule.kind === 'redirect' ? ruleText(rule, redirectTo(rule.target)) : [],
    ),
    '}',
  ]
}

function prologue({ targets }: Steering): string[] {
  const lines = ['  iifname != @lan_if accept']
  for (const { family } of targets) {
    const { ip, llm, blocked } = FAMILIES[family]
    const to = `${ip} daddr @${llm} meta l4proto { tcp, udp } th dport ${STEERED_PORT} jump refuse`
    lines.push(`  ${ip} saddr @${blocked} ${to}`, `  ether saddr @yori_blocked_mac ${to}`)
  }
  lines.push('  fib daddr type local accept')
  return lines
}

/** The same in both modes: who is left alone, QUIC, and direct calls to the listener. */
function sharedChains(steering: Steering): string[] {
  const rules = steeringRules(steering)
  return [
    'chain leave_alone {',
    '  ip saddr @exempt4 accept',
    '  ip6 saddr @exempt6 accept',
    '  ether saddr @exempt_mac accept',
    '}',
    'chain refuse {',
    '  meta l4proto tcp reject with tcp reset',
    '  reject with icmpx type port-unreachable',
    '}',
    'chain forward {',
    '  type filter hook forward priority -1; policy accept;',
    '  iifname != @lan_if accept',
    '  jump leave_alone',
    ...rules.flatMap((rule) => (rule.kind === 'refuse-quic' ? refusalText(rule) : [])),
    ...rules.flatMap((rule) => (rule.kind === 'refuse-llm' ? refusalText(rule) : [])),
    '}',
    'chain input {',
    '  type filter hook input priority -1; policy accept;',
    '  iifname != @lan_if accept',
    '  ct status dnat accept',
    '  ip saddr @direct4 accept',
    '  ip6 saddr @direct6 accept',
    '  iifname @direct_if accept',
    ...rules.flatMap((rule) => (rule.kind === 'guard' ? guardText(rule) : [])),
    '}',
  ]
}

const FAMILIES = {
  inet: { ip: 'ip', llm: 'llm4', blocked: 'yori_blocked' },
  inet6: { ip: 'ip6', llm: 'llm6', blocked: 'yori_blocked6' },
} as const satisfies Record<Family, unknown>

function ruleText(rule: Extract<SteerRule, { kind: 'redirect' }>, to: string): string[] {
  const { ip, llm } = FAMILIES[rule.target.family]
  return [
    `  ${comment(rule.from)}`,
    `  ${ip} daddr @${llm} tcp dport ${STEERED_PORT} tcp flags & (syn | ack) == syn ${to}`,
  ]
}

type Refusal = Extract<SteerRule, { kind: 'refuse-quic' | 'refuse-llm' }>

function refusalText({ kind, family, from }: Refusal): string[] {
  const families: readonly Family[] = family === 'both' ? ['inet', 'inet6'] : [family]
  return [
    `  ${comment(from)}`,
    ...families.flatMap((each) => {
      const { ip, llm } = FAMILIES[each]
      const udp = `  ${ip} daddr @${llm} udp dport ${STEERED_PORT} jump refuse`
      if (kind === 'refuse-quic') return [udp]
      // Those that are open went direct before, and go on.
      const tcp = `  ${ip} daddr @${llm} tcp dport ${STEERED_PORT} tcp flags & (syn | ack) == syn jump refuse`
      return [tcp, udp]
    }),
  ]
}

/** A packet that TPROXY took still carries the port that its client had dialled. */
function guardText({ target, from }: Extract<SteerRule, { kind: 'guard' }>): string[] {
  const { ip } = FAMILIES[target.family]
  const to = target.address === undefined ? '' : `${ip} daddr ${target.address} `
  const nfproto = target.family === 'inet' ? 'ipv4' : 'ipv6'
  return [
    `  ${comment(from)}`,
    `  meta nfproto ${nfproto} ${to}tcp dport ${target.port} fib daddr type local jump refuse`,
  ]
}

function tproxyTo({ family, address, port }: Target): string {
  const to =
    family === 'inet' ? `ip to ${address ?? '127.0.0.1'}` : `ip6 to [${address ?? '::1'}]`
  return `tproxy ${to}:${port} meta mark set ${markText()} accept`
}

function markText(): string {
  return `0x${TPROXY_MARK.toString(16).padStart(8, '0')}`
}

function redirectTo({ family, address, port }: Target): string {
  if (address === undefined) return `redirect to :${port}`
  return family === 'inet'
    ? `dnat ip to ${address}:${port}`
    : `dnat ip6 to [${address}]:${port}`
}

function nftProblems(steering: Steering, mode: NftMode): SteerProblem[] {
  const problems = interfaceProblems(steering)
  const aliases = [...steering.exempt, ...steering.blocked].filter(isAlias)
  for (const { text, from } of aliases)
    problems.push({
      key: from,
      wrong: `${text} is an alias, and nftables has none`,
      right: 'give addresses, prefixes or MAC addresses',
    })
  for (const { address, from } of steering.targets) {
    const loopback = address === '::1' || address?.startsWith('127.') === true
    if (mode === 'redirect' && loopback)
      problems.push({
        key: from,
        wrong: `REDIRECT does not reach a listener on ${address}`,
        right: 'listen on 0.0.0.0 and [::], or use nft-tproxy',
      })
  }
  for (const { port, from } of mode === 'tproxy' ? steering.listeners : [])
    if (port === STEERED_PORT)
      problems.push({
        key: from,
        wrong: `TPROXY cannot tell a listener on port ${STEERED_PORT} from connections that it took`,
        right: 'listen on another port such as 8443, or use nft-redirect',
      })
  return problems
}

function isAlias(device: Sourced<Device>): boolean {
  return device.kind === 'alias'
}

/** Puts these in the place of what the set holds, in one transaction. Empty text: nothing. */
export function elementsText(
  family: Family,
  addresses: readonly string[],
  seconds: number,
): string {
  if (addresses.length === 0) return ''
  const { llm } = FAMILIES[family]
  const timed = addresses.map((address) => `${address} timeout ${seconds}s`).join(', ')
  return page([`flush set ${TABLE} ${llm}`, `add element ${TABLE} ${llm} { ${timed} }`])
}
