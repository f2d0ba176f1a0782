/**
 * Translation and filter rules of a pf text: their grammar, in the order of words that pf
 * insists on, and what must agree within one rule. Pure.
 */
import type { Cursor } from './check-cursor.js'
import {
  host,
  hosts,
  interfaces,
  portRange,
  ports,
  protocols,
  targetHosts,
} from './check-hosts.js'
import type { Host, Ports } from './check-hosts.js'
import { filterOptions, shortName } from './check-options.js'

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMP6 = 58
const SCTP = 132

/** One rule, as far as it must agree with itself. */
export interface PfRule {
  readonly action: 'pass' | 'block' | 'nat' | 'rdr' | 'binat' | 'scrub' | 'anchor'
  readonly line: number
  readonly interfaces: readonly string[]
  readonly family: 'inet' | 'inet6' | undefined
  readonly protocols: readonly number[]
  readonly from: readonly Host[]
  readonly to: readonly Host[]
  readonly fromPorts: Ports | undefined
  readonly toPorts: Ports | undefined
  /** `rdr pass`: filter rules are not asked. */
  readonly passes?: boolean
  /** `tagged NAME`. */
  readonly tagged?: string | undefined
  readonly target?: readonly Host[]
}

type Head = Omit<PfRule, 'action' | 'line'>

/** `[on IF] [AF] [proto P]` and `all | from .. to ..`, each part in its place. */
export function ruleHead(cursor: Cursor, route?: () => void): Head {
  const on = cursor.takes('on') ? interfaces(cursor) : []
  route?.()
  const family = familyWord(cursor)
  const protos = cursor.takes('proto') ? protocols(cursor) : []
  return { interfaces: on, family, protocols: protos, ...fromTo(cursor) }
}

function familyWord(cursor: Cursor): 'inet' | 'inet6' | undefined {
  if (cursor.takes('inet')) return 'inet'
  return cursor.takes('inet6') ? 'inet6' : undefined
}

function fromTo(cursor: Cursor): Pick<PfRule, 'from' | 'to' | 'fromPorts' | 'toPorts'> {
  if (cursor.takes('all'))
    return { from: [], to: [], fromPorts: undefined, toPorts: undefined }
  const from = cursor.takes('from') ? side(cursor) : undefined
  if (cursor.takes('os')) cursor.list(() => cursor.string('an operating system'))
  const to = cursor.takes('to') ? side(cursor) : undefined
  return {
    from: from?.hosts ?? [],
    fromPorts: from?.ports,
    to: to?.hosts ?? [],
    toPorts: to?.ports,
  }
}

function side(cursor: Cursor): { hosts: Host[]; ports: Ports | undefined } {
  const list = cursor.sees('port') ? [] : hosts(cursor)
  return { hosts: list, ports: cursor.takes('port') ? ports(cursor) : undefined }
}

/** `pass ..` and `block ..`; the first word is still there. */
export function filterRule(cursor: Cursor): PfRule {
  const { line } = cursor
  const action = cursor.next().text === 'pass' ? 'pass' : 'block'
  const resets = action === 'block' && blockKind(cursor)
  const directed = cursor.takes('in', 'out')
  logQuick(cursor)
  let routes: Host[] | undefined
  const head = ruleHead(cursor, () => (routes = route(cursor)))
  const options = filterOptions(cursor)
  if (!cursor.atEnd()) cursor.unexpected('an option of a rule or the end of the line')
  const rule: PfRule = { action, line, ...head, tagged: options.tagged }
  if (routes !== undefined && !directed)
    cursor.fault('route-to, reply-to and dup-to need in or out')
  if (resets && !head.protocols.every((p) => p === TCP && head.protocols.length > 0))
    cursor.fault('return-rst is for tcp only')
  if (action === 'block' && options.keepsState)
    cursor.fault('keep state makes no sense on a block rule')
  agrees(rule, cursor)
  agrees({ ...rule, from: routes ?? [], to: [] }, cursor)
  if ((head.fromPorts ?? head.toPorts) !== undefined) portsAgree(head, cursor)
  icmpAgrees(rule, options.icmp, cursor)
  return rule
}

/** SCTP has them since FreeBSD 14. */
function portsAgree(
  { protocols: named }: Pick<PfRule, 'protocols'>,
  cursor: Cursor,
): void {
  if (protocolsWithout(named, [TCP, UDP, SCTP]))
    cursor.fault('port is for tcp and udp only: name them with proto')
  if (named.includes(SCTP)) cursor.maybe('a port of sctp')
}

/** Is there a protocol (or none named) beside those? */
function protocolsWithout(named: readonly number[], right: readonly number[]): boolean {
  return named.length === 0 || named.some((protocol) => !right.includes(protocol))
}

function icmpAgrees(
  { family, protocols: protos }: PfRule,
  icmp: 'icmp' | 'icmp6' | undefined,
  cursor: Cursor,
): void {
  if (protos.length === 1 && protos[0] === ICMP && family === 'inet6')
    cursor.fault('proto icmp does not fit inet6')
  if (protos.length === 1 && protos[0] === ICMP6 && family === 'inet')
    cursor.fault('proto icmp6 does not fit inet')
  if (icmp === undefined) return
  if (protocolsWithout(protos, [icmp === 'icmp' ? ICMP : ICMP6]))
    cursor.fault(`${icmp}-type is for proto ${icmp} only`)
  if (family === undefined) cursor.fault(`${icmp}-type needs inet or inet6`)
}

/** Was it return-rst? */
function blockKind(cursor: Cursor): boolean {
  if (cursor.takes('return-rst')) {
    if (cursor.takes('(')) {
      cursor.needs('ttl')
      cursor.number('the ttl', 255)
      cursor.needs(')')
    }
    return true
  }
  if (cursor.takes('return-icmp', 'return-icmp6')) {
    if (cursor.takes('(')) {
      do cursor.next()
      while (!cursor.atEnd() && !cursor.sees(')'))
      cursor.needs(')')
    }
    return false
  }
  cursor.takes('drop', 'return')
  return false
}

export function logQuick(cursor: Cursor): void {
  const quick = cursor.takes('quick')
  log(cursor)
  if (!quick) cursor.takes('quick')
}

function log(cursor: Cursor): void {
  if (!cursor.takes('log') || !cursor.takes('(')) return
  do {
    if (cursor.takes('to')) cursor.string('an interface')
    else if (!cursor.takes('all', 'user', 'matches')) cursor.unexpected('all, user or to')
  } while (cursor.takes(','))
  cursor.needs(')')
}

/** `route-to (em2 192.168.50.2)` and its like: the addresses; undefined when there is none. */
function route(cursor: Cursor): Host[] | undefined {
  if (cursor.takes('fastroute')) return []
  if (!cursor.takes('route-to', 'reply-to', 'dup-to')) return undefined
  const found: Host[] = []
  cursor.list(() => {
    if (!cursor.takes('('))
      return void cursor.string('an interface, or (interface address)')
    cursor.string('the name of an interface')
    found.push(host(cursor))
    cursor.needs(')')
  })
  poolOptions(cursor)
  return found
}

/** Was `static-port` one of them? */
function poolOptions(cursor: Cursor): boolean {
  let isStatic = false
  for (;;) {
    if (cursor.takes('static-port')) {
      isStatic = true
      continue
    }
    if (cursor.takes('bitmask', 'random', 'round-robin', 'sticky-address')) continue
    if (!cursor.takes('source-hash')) return isStatic
    if (cursor.peek().kind === 'quoted' || /^0x/.test(cursor.peek().text)) cursor.next()
  }
}

/** `[no] nat|rdr|binat ..`; the first word is still there. */
export function natRule(cursor: Cursor): PfRule {
  const { line } = cursor
  const no = cursor.takes('no')
  const action = cursor.next().text as 'nat' | 'rdr' | 'binat'
  const passes = cursor.takes('pass')
  log(cursor)
  const head = ruleHead(cursor)
  if (cursor.takes('tag')) shortName(cursor, 'tag')
  if (cursor.sees('!', 'tagged')) {
    cursor.takes('!')
    cursor.needs('tagged')
    shortName(cursor, 'tag')
  }
  if (cursor.takes('rtable')) cursor.number('the routing table', 65_535)
  if (cursor.sees('->') && no) cursor.fault(`'no ${action}' leads nowhere: no '->'`)
  const target = cursor.takes('->') ? targets(cursor, action) : undefined
  if (!cursor.atEnd())
    cursor.unexpected(target === undefined && !no ? "'->'" : 'the end of the line')
  if (target === undefined && !no) cursor.fault(`${action} needs '-> address'`)
  if (no && passes) cursor.fault(`'no ${action}' cannot pass`)
  const rule: PfRule = { action, line, ...head, passes, target: target?.hosts ?? [] }
  agrees(rule, cursor)
  targetAgrees(rule, cursor)
  if (action === 'rdr') rdrAgrees(rule, target?.port === true, cursor)
  return rule
}

function targets(
  cursor: Cursor,
  action: 'nat' | 'rdr' | 'binat',
): { hosts: Host[]; port: boolean } {
  const list = targetHosts(cursor)
  const port = cursor.takes('port')
  if (port) portRange(cursor, true)
  const isStatic = poolOptions(cursor)
  if (isStatic && action !== 'nat') cursor.fault('static-port is for nat only')
  if (list.some(({ kind }) => kind === 'any' || kind === 'special'))
    cursor.fault("what follows '->' must be an address")
  if (list.some(({ not }) => not)) cursor.fault("'!' cannot follow '->'")
  return { hosts: list, port }
}

function rdrAgrees(rule: PfRule, toPort: boolean, cursor: Cursor): void {
  const { protocols: protos, fromPorts, toPorts } = rule
  const ported = toPort || fromPorts !== undefined || toPorts !== undefined
  if (ported) portsAgree({ protocols: protos }, cursor)
  if (toPorts?.compares === true)
    cursor.fault('rdr takes a port or a range of ports, not a comparison')
}

/** Does any address fit the family of the rule and of its other side? */
function agrees({ family, from, to }: PfRule, cursor: Cursor): void {
  const fits = (list: readonly Host[], wanted: 'inet' | 'inet6'): boolean =>
    list.length === 0 ||
    list.some((one) => one.family === undefined || one.family === wanted)
  const families = family === undefined ? (['inet', 'inet6'] as const) : [family]
  if (families.some((one) => fits(from, one) && fits(to, one))) return
  cursor.fault(
    family === undefined
      ? 'source and destination are of different address families'
      : `no address of it is ${family}: the rule would stand for nothing`,
  )
}

function targetAgrees(rule: PfRule, cursor: Cursor): void {
  const { target = [], family, from, to } = rule
  if (target.length === 0) return
  const wanted = family ?? target[0]?.family
  const known = target.filter((one) => one.family !== undefined)
  if (family === undefined && new Set(known.map((one) => one.family)).size > 1)
    cursor.fault("addresses of both families follow '->': say inet or inet6")
  if (known.length === target.length && !known.some((one) => one.family === wanted))
    cursor.fault(`no address after '->' is ${wanted}`)
  if (wanted !== undefined) agrees({ ...rule, family: wanted, from, to }, cursor)
}
