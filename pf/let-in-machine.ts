/**
 * Asks this machine whether it lets steered connections in, for each steered interface and
 * family, and knows the one line that does. Linux; pf asks the operator's rules of tagged
 * packets by itself.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { letIn, tablesOf } from './let-in.js'
import type { LetIn } from './let-in.js'
import type { Packet } from './let-in-match.js'
import type { Table } from './ruleset.js'
import { STEERED_PORT, TPROXY_MARK, TPROXY_MARK_TEXT } from './rules.js'
import type { Family, Steering, Target } from './rules.js'
import type { LoadedBackend } from './steering-plan.js'

const ASK_TIMEOUT_MS = 10_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

export interface NotLetIn {
  readonly verdict: 'maybe' | 'dropped'
  readonly interfaces: readonly string[]
  readonly family: Family
  /** `inet filter input`. */
  readonly where: string
  readonly hook: Packet['hook']
  /** The line that lets them in, for a shell of root's. */
  readonly line: string
}

/** Nothing where everything is let in, or where nothing can be seen. */
export function readNotLetIn(backend: LoadedBackend, steering: Steering): NotLetIn[] {
  if (backend === 'pf') return []
  const { status, stdout, error } = spawnSync('nft', ['-s', 'list', 'ruleset'], {
    encoding: 'utf8',
    timeout: ASK_TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  })
  const bridged = backend === 'nft-tproxy' ? bridgedAway(steering) : []
  if (error !== undefined || status !== 0) return bridged
  return [
    ...bridged,
    ...notLetIn(tablesOf(stdout), { backend, steering, legacy: legacyDrops() }),
  ]
}

/**
 * Bridges whose packets `br_netfilter` shows to the rules before they have left the bridge: what
 * TPROXY finds there is forgotten again on the way up, and led to nobody. Seen on Linux 6.18;
 * a setting of all bridges, or of one. Docker and Kubernetes load the module, which sets it.
 */
function bridgedAway({ interfaces, targets }: Steering): NotLetIn[] {
  return targets.flatMap(({ family }): NotLetIn[] => {
    const by = family === 'inet' ? 'iptables' : 'ip6tables'
    const all = `/proc/sys/net/bridge/bridge-nf-call-${by}`
    const found = interfaces.flatMap(({ name }) => {
      const bridge = `/sys/class/net/${name}/bridge`
      if (!existsSync(bridge)) return []
      const own = `${bridge}/nf_call_${by}`
      return isSet(all) || isSet(own) ? [{ name, own: isSet(own) ? own : undefined }] : []
    })
    if (found.length === 0) return []
    const zero = found.flatMap(({ own }) => (own === undefined ? [] : [`echo 0 >${own}`]))
    return [
      {
        verdict: 'dropped',
        interfaces: found.map(({ name }) => name),
        family,
        where: 'br_netfilter',
        hook: 'input',
        line: [`sysctl -w net.bridge.bridge-nf-call-${by}=0`, ...zero].join('; '),
      },
    ]
  })
}

function isSet(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() === '1'
  } catch {
    return false
  }
}

interface Facts {
  readonly backend: Exclude<LoadedBackend, 'pf'>
  readonly steering: Steering
  /** Families whose older iptables, which nft does not show, drop what no rule takes. */
  readonly legacy: readonly Family[]
}

export function notLetIn(tables: readonly Table[], facts: Facts): NotLetIn[] {
  const { backend, steering, legacy } = facts
  const found = new Map<string, NotLetIn>()
  for (const target of steering.targets)
    for (const { name } of steering.interfaces)
      for (const packet of packets(backend, target, name)) {
        const answer = letIn(tables, packet)
        const old = legacy.includes(target.family) && packet.hook === 'input'
        const by =
          answer.by ??
          (old
            ? { family: 'iptables', table: 'filter', chain: 'INPUT', hook: 'input' }
            : undefined)
        if (by === undefined) continue
        const verdict = answer.verdict === 'dropped' ? 'dropped' : 'maybe'
        const where = `${by.family} ${by.table} ${by.chain}`
        const key = [verdict, target.family, where].join(' ')
        found.set(key, {
          verdict,
          interfaces: [...(found.get(key)?.interfaces ?? []), name],
          family: target.family,
          where,
          hook: packet.hook,
          line: lineFor(by, { backend, packet }),
        })
      }
  return [...found.values()]
}

/** The first packet of a connection as it comes to the listener, and the answer to it. */
function packets(
  backend: Facts['backend'],
  { family, port }: Target,
  name: string,
): Packet[] {
  const tproxy = backend === 'nft-tproxy'
  const common = {
    family,
    interface: name,
    port: tproxy ? STEERED_PORT : port,
    toLocal: !tproxy,
  }
  return [
    {
      ...common,
      hook: 'input',
      mark: tproxy ? TPROXY_MARK : 0,
      states: ['new'],
      statuses: tproxy ? [] : ['dnat'],
    },
    {
      ...common,
      hook: 'output',
      mark: 0,
      states: ['established'],
      statuses: tproxy ? ['seen-reply'] : ['seen-reply', 'dnat'],
    },
  ]
}

function lineFor(
  { family, table, chain }: NonNullable<LetIn['by']>,
  { backend, packet }: { readonly backend: Facts['backend']; readonly packet: Packet },
): string {
  const tproxy = backend === 'nft-tproxy'
  const legacy = family === 'iptables' ? '-legacy' : ''
  const iptables = `${packet.family === 'inet' ? 'iptables' : 'ip6tables'}${legacy}`
  const isOut = packet.hook === 'output'
  // Tables that iptables keeps have chains by these names, ufw's among them.
  if (/^(INPUT|OUTPUT)$/.test(chain)) {
    const of = isOut
      ? '-m conntrack --ctstate ESTABLISHED'
      : tproxy
        ? `-m mark --mark ${TPROXY_MARK_TEXT}`
        : '-m conntrack --ctstate DNAT'
    return `${iptables} -I ${chain} ${of} -j ACCEPT`
  }
  if (table === 'firewalld' && !isOut)
    return `firewall-cmd --zone="$(firewall-cmd --get-zone-of-interface=${packet.interface})" --add-port=${packet.port}/tcp`
  const of = isOut
    ? 'ct state established'
    : tproxy
      ? `meta mark ${TPROXY_MARK_TEXT}`
      : 'ct status dnat'
  return `nft insert rule ${family} ${table} ${chain} ${of} accept`
}

/** iptables of before nftables: a chain of its own, whose policy alone is looked at. */
function legacyDrops(): Family[] {
  const families = [
    ['inet', '/proc/net/ip_tables_names', 'iptables-legacy-save'],
    ['inet6', '/proc/net/ip6_tables_names', 'ip6tables-legacy-save'],
  ] as const
  return families.flatMap(([family, names, program]) => {
    try {
      if (!readFileSync(names, 'utf8').split('\n').includes('filter')) return []
    } catch {
      return []
    }
    const { stdout, status } = spawnSync(program, ['-t', 'filter'], {
      encoding: 'utf8',
      timeout: ASK_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    if (status !== 0) return [family]
    const drops =
      /^:INPUT DROP/m.test(stdout) || /^-A INPUT -j (DROP|REJECT)/m.test(stdout)
    const known = /-(?:-mark 0x796f\b|-ctstate \S*DNAT).* -j ACCEPT$/m.test(stdout)
    return drops && !known ? [family] : []
  })
}
