/**
 * Rules of the operator's own that steered packets do not meet. TPROXY leads packets to this
 * machine's input, so forward rules never see them; a redirect of pf changes the destination
 * before filter rules are asked; and YORI's own connections follow the machine's default route,
 * not a client's policy route. Pure: reads what `nft`, `ip` and `pfctl` print.
 */
import { parsePrefix, Prefixes } from '../src/core/address.js'
import { addressesOf, TPROXY_MARK_TEXT } from './rules.js'
import type { Steering } from './rules.js'

export interface Bypassed {
  readonly kind: 'forward' | 'destination' | 'policy-route'
  /** The rule as its program shows it, shortened. */
  readonly rule: string
  /** Where it stands, such as `inet filter forward`. */
  readonly where: string
  /** A policy route's interface or device; undefined where neither is named. */
  readonly of?: string
  /** The policy route leads a steered interface or device another way, and none exempts it. */
  readonly refuses: boolean
}

const LONGEST_RULE = 200
const MAX_RULES = 200

/** `nft list ruleset`, the text. */
export function nftBypassed(ruleset: string, steering: Steering): Bypassed[] {
  const found: Bypassed[] = []
  let table = ''
  let chain = ''
  let hook = ''
  for (const raw of ruleset.split('\n')) {
    const line = raw.trim()
    const opened = /^(table|chain) (.+) \{$/.exec(line)
    if (opened?.[1] === 'table') table = opened[2] ?? ''
    else if (opened?.[1] === 'chain') {
      chain = opened[2] ?? ''
      hook = ''
    }
    const base = /^type (\w+) hook (\w+) /.exec(line)
    if (base !== null) {
      hook = `${base[1]} ${base[2]}`
      const drops = /policy drop;/.test(line) && hook === 'filter forward'
      if (drops) found.push(bypassed('forward', 'policy drop', `${table} ${chain}`))
      continue
    }
    if (table === 'inet yori' || opened !== null || line === '}' || line === '') continue
    if (!meetsInterfaces(line, steering)) continue
    const where = `${table} ${chain}`
    if (hook === 'filter forward' && /\b(drop|reject|queue)\b/.test(line))
      found.push(bypassed('forward', line, where))
    if (hook === 'nat prerouting' && /\b(dnat|redirect)\b/.test(line))
      found.push(bypassed('destination', line, where))
  }
  return found.slice(0, MAX_RULES)
}

/** `ip rule list` of one family. */
export function ipRuleBypassed(rules: string, steering: Steering): Bypassed[] {
  const found: Bypassed[] = []
  for (const raw of rules.split('\n')) {
    const line = raw.trim()
    const table = /lookup (\S+)/.exec(line)?.[1]
    if (table === undefined || table === 'local' || table === 'default') continue
    const from = /from (\S+)/.exec(line)?.[1] ?? 'all'
    const iif = /iif (\S+)/.exec(line)?.[1]
    if (table === 'main' && from === 'all' && iif === undefined) continue
    if (line.includes(`fwmark ${TPROXY_MARK_TEXT}`)) continue
    const named = iif ?? (from === 'all' ? undefined : from)
    found.push({
      ...bypassed('policy-route', line, 'ip rule'),
      ...(named === undefined ? {} : { of: named }),
      refuses: isSteered(named, steering),
    })
  }
  return found.slice(0, MAX_RULES)
}

/** `pfctl -s rules` and `pfctl -s nat`, one after the other. */
export function pfBypassed(rules: string, steering: Steering): Bypassed[] {
  const found: Bypassed[] = []
  for (const raw of rules.split('\n')) {
    const line = raw.trim()
    const on = /\bon (\S+)/.exec(line)?.[1]
    if (on !== undefined && !steering.interfaces.some(({ name }) => name === on)) continue
    if (/tagged YORI|label "yori-/.test(line)) continue
    if (/^rdr (?!-)/.test(line) && /port = (https|443)\b|^(?!.*port)/.test(line))
      found.push(bypassed('destination', line, 'pf'))
    else if (/^block\b.*\bto (?!any)/.test(line) && !/^block\b.* out /.test(line))
      found.push(bypassed('destination', line, 'pf'))
    else if (/^pass\b.*\broute-to\b/.test(line)) {
      const from = /\bfrom (\S+)/.exec(line)?.[1] ?? 'any'
      const named = from === 'any' || from.includes(':network') ? on : from
      found.push({
        ...bypassed('policy-route', line, 'pf'),
        ...(named === undefined ? {} : { of: named }),
        refuses: isSteered(named, steering),
      })
    }
  }
  return found.slice(0, MAX_RULES)
}

function bypassed(kind: Bypassed['kind'], rule: string, where: string): Bypassed {
  const printable = rule.replace(/[^\x20-\x7e]/g, '?')
  return { kind, rule: printable.slice(0, LONGEST_RULE), where, refuses: false }
}

/** A rule that names an interface is of no concern unless it is one of ours. */
function meetsInterfaces(line: string, { interfaces }: Steering): boolean {
  const named = /\biif(?:name)? "?([^"\s]+)"?/.exec(line)?.[1]
  if (named === undefined || named.startsWith('@') || named.startsWith('{')) return true
  return named === '!=' || interfaces.some(({ name }) => name === named)
}

/** Is it one of the interfaces, or a device that is not exempt? */
function isSteered(named: string | undefined, steering: Steering): boolean {
  if (named === undefined) return false
  const prefix = parsePrefix(named)
  if (prefix === undefined) return steering.interfaces.some(({ name }) => name === named)
  const family = prefix.bytes.length === 4 ? 'inet' : 'inet6'
  const address = named.split('/')[0] as string
  const covering = addressesOf(steering.exempt, family).filter((text) => {
    const outer = parsePrefix(text)
    return outer !== undefined && outer.bits <= prefix.bits
  })
  return !new Prefixes(covering).has(address)
}
