/** Addresses, ports and protocols in a pf text, as pf reads them when it loads one. Pure. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Cursor } from './check-cursor.js'

export type HostKind = 'any' | 'address' | 'dynamic' | 'table' | 'self' | 'special'

export interface Host {
  readonly kind: HostKind
  readonly not: boolean
  /** Known for addresses only. */
  readonly family: 'inet' | 'inet6' | undefined
  readonly text: string
  readonly bits: number | undefined
}

/** `IFNAMSIZ` - 1, `PF_TABLE_NAME_SIZE` - 1. */
const LONGEST_INTERFACE = 15
const LONGEST_TABLE = 31
/** Lists within lists that are read; pf has no such limit. */
const MOST_NESTED = 16

export function interfaceName(cursor: Cursor): string {
  // Newer versions have it as a name of all of them.
  if (cursor.sees('any')) {
    cursor.maybe("'on any'")
    return cursor.next().text
  }
  const name = cursor.string('the name of an interface')
  const shown = JSON.stringify(name.slice(0, 64))
  if (name === '' || name.length > LONGEST_INTERFACE)
    cursor.fault(`${shown} is no interface name`)
  // pf compares it with the names that come; whether one can be so is FreeBSD's.
  if (!/^[\w.:-]+$/.test(name)) cursor.maybe(`an interface named ${shown}`)
  return name
}

export function interfaces(cursor: Cursor): string[] {
  return cursor.list(() => {
    cursor.takes('!')
    return interfaceName(cursor)
  })
}

/** `<name>`, its `<` not yet taken. */
export function tableName(cursor: Cursor): string {
  cursor.needs('<')
  const name = cursor.string('the name of a table')
  if (name.length > LONGEST_TABLE)
    cursor.fault(
      `the table name '${name.slice(0, 64)}' is ${name.length} characters long; pf takes ${LONGEST_TABLE}`,
    )
  if (!cursor.takes('>')) cursor.unexpected(`'>' after the table name '${name}'`)
  return name
}

/** One host, as it may stand in a rule or (`inTable`) in a table. */
export function host(cursor: Cursor, inTable = false): Host {
  const not = cursor.takes('!')
  const plain = { not, family: undefined, bits: undefined }
  if (cursor.sees('<')) {
    if (inTable) cursor.fault('a table cannot hold a table')
    return { ...plain, kind: 'table', text: tableName(cursor) }
  }
  if (cursor.sees('(')) {
    if (inTable) cursor.fault('a table cannot hold the changing address of an interface')
    return { ...plain, kind: 'dynamic', ...dynamic(cursor) }
  }
  if (cursor.sees('any', 'no-route', 'urpf-failed')) {
    const { text } = cursor.next()
    if (inTable) cursor.fault(`a table cannot hold '${text}'`)
    return { ...plain, kind: text === 'any' ? 'any' : 'special', text }
  }
  if (cursor.takes('route')) {
    return { ...plain, kind: 'special', text: cursor.string('a route label') }
  }
  return { not, ...address(cursor, inTable) }
}

/** A list's items may be lists, as those of macros are: pf.conf(5), LISTS AND MACROS. */
export function hosts(cursor: Cursor, inTable = false, depth = 0): Host[] {
  return cursor
    .list(() => {
      if (!cursor.sees('{')) return [host(cursor, inTable)]
      if (depth >= MOST_NESTED) cursor.unread()
      return hosts(cursor, inTable, depth + 1)
    })
    .flat()
}

/** What a table holds from the start; nothing, perhaps. */
export function tableHosts(cursor: Cursor): Host[] {
  return cursor.list(() => hosts(cursor, true), true).flat()
}

/** Those that follow `->`, where a list holds no other. */
export function targetHosts(cursor: Cursor): Host[] {
  return cursor.list(() => host(cursor))
}

/** `(em1)`, `(em1:network)`, `(em1:0)/24`. */
function dynamic(cursor: Cursor): { text: string; bits: number | undefined } {
  cursor.needs('(')
  const [name = '', ...modifiers] = cursor.string('the name of an interface').split(':')
  for (const modifier of modifiers)
    if (!['network', 'broadcast', 'peer', '0'].includes(modifier))
      cursor.fault(`an interface has no ':${modifier.slice(0, 32)}'`)
  if (name === '' || name.length > LONGEST_INTERFACE)
    cursor.fault(`'${name.slice(0, 64)}' is no interface name`)
  cursor.needs(')')
  const bits = cursor.takes('/')
    ? cursor.number('the length of a prefix', 128)
    : undefined
  return { text: `(${[name, ...modifiers].join(':')})`, bits }
}

/** `em1`, `vlan0.3`, `em1:network`: pf puts in what addresses it has when the text is loaded. */
const INTERFACE =
  /^[a-zA-Z]{1,12}\d{1,7}(?:\.\d{1,5})?(?::(?:network|broadcast|peer|0)){0,2}$/

/** pf asks the resolver for it when the text is loaded; RFC 1123 §2.1, its last label no number. */
const HOSTNAME = /^(?:[a-z\d][a-z\d-]*\.)*(?=[\d-]*[a-z])[a-z\d][a-z\d-]*$/i

function address(cursor: Cursor, inTable: boolean): Omit<Host, 'not'> {
  const { kind, text } = cursor.peek()
  if (kind === 'number') cursor.next()
  else cursor.string('an address')
  if (/^self(?::(?:network|broadcast|peer|0))?$/.test(text))
    return { kind: 'self', family: undefined, text, bits: undefined }
  const family = familyOf(text)
  if (family === undefined && INTERFACE.test(text)) {
    cursor.maybe(`whether ${text.slice(0, 64)} has addresses there`)
    const bits = cursor.takes('/')
      ? cursor.number('the length of a prefix', 128)
      : undefined
    return { kind: 'dynamic', family, text, bits }
  }
  // A table of names would hold what they were once: for steering, no table at all.
  if (family === undefined && !inTable && HOSTNAME.test(text)) {
    cursor.maybe(`whether ${text.slice(0, 64)} has addresses, by the resolver there,`)
    const bits = cursor.takes('/')
      ? cursor.number('the length of a prefix', 128)
      : undefined
    return { kind: 'address', family, text, bits }
  }
  if (family === undefined)
    cursor.fault(
      `${JSON.stringify(text.slice(0, 64))} is no address: host names are not looked up, interfaces stand in parentheses, ports after the word port`,
    )
  const most = family === 'inet' ? 32 : 128
  const bits = cursor.takes('/')
    ? cursor.number('the length of a prefix', most)
    : undefined
  if (bits === undefined && cursor.takes('-')) {
    const last = cursor.string('an address')
    if (familyOf(last) !== family) cursor.fault(`${last.slice(0, 64)} ends no such range`)
  }
  return { kind: 'address', family, text, bits }
}

/** IPv4 may be short (`10`, `192.168`), as in `inet_net_pton`. */
function familyOf(text: string): 'inet' | 'inet6' | undefined {
  if (isIPv6(text)) return 'inet6'
  if (isIPv4(text)) return 'inet'
  const parts = text.split('.')
  const short =
    parts.length < 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
  return short ? 'inet' : undefined
}

/** Services that every `/etc/services` has. */
const SERVICES: ReadonlySet<string> = new Set(
  (
    'ftp ftp-data ssh telnet smtp time domain bootps bootpc tftp http kerberos pop3 sunrpc ' +
    'auth ident ntp imap snmp snmptrap bgp ldap https microsoft-ds submission syslog ldaps ' +
    'imaps pop3s ipp isakmp openvpn mdns'
  ).split(' '),
)

export interface Ports {
  /** Something else than one port or a range `a:b`. */
  readonly compares: boolean
}

/** What follows the word `port`: one or several, ranges and comparisons. */
export function ports(cursor: Cursor): Ports {
  const found = cursor.list(() => portItem(cursor))
  return { compares: found.some((compares) => compares) }
}

function portItem(cursor: Cursor): boolean {
  if (cursor.takes('=')) {
    if (portRange(cursor)) cursor.fault('a comparison takes one port, not a range')
    return false
  }
  if (cursor.takes('!=', '<', '>', '<=', '>=')) {
    if (portRange(cursor)) cursor.fault('a comparison takes one port, not a range')
    return true
  }
  const range = portRange(cursor)
  if (!cursor.takes('<>', '><')) return false
  if (portRange(cursor) || range) cursor.fault('a comparison takes ports, not ranges')
  return true
}

/** Was it a range? `star`: `1024:*` counts, as it may where packets are sent to. */
export function portRange(cursor: Cursor, star = false): boolean {
  if (cursor.peek().kind === 'number') {
    cursor.number('the port', 65_535)
    return false
  }
  const word = cursor.string('a port')
  const [first = '', last, more] = word.split(':')
  if (more !== undefined) cursor.fault(`'${word.slice(0, 64)}' is no range of ports`)
  onePort(cursor, first)
  if (last !== undefined && !(star && last === '*')) onePort(cursor, last)
  return last !== undefined
}

/** A name has a letter, RFC 6335 §5.1. */
const SERVICE = /^(?=[\d-]*[a-z])[a-z\d][a-z\d-]*$/i

function onePort(cursor: Cursor, text: string): void {
  if (/^\d+$/.test(text)) {
    if (Number(text) > 65_535)
      cursor.fault(`the port ${text.slice(0, 32)} is above 65535`)
  } else if (!SERVICE.test(text)) cursor.fault(`unknown port '${text.slice(0, 64)}'`)
  else if (!SERVICES.has(text))
    cursor.maybe(`whether '${text.slice(0, 64)}' names a port there`)
}

/** As FreeBSD's `/etc/protocols` has them; IANA's registry of protocol numbers. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ ip: 0, hopopt: 0, icmp: 1, igmp: 2, ggp: 3, ipencap: 4, st2: 5, tcp: 6, cbt: 7 },
    ...{
      egp: 8,
      igp: 9,
      nvp: 11,
      pup: 12,
      argus: 13,
      chaos: 16,
      udp: 17,
      mux: 18,
      hmp: 20,
    },
    ...{
      rdp: 27,
      dccp: 33,
      idpr: 35,
      xtp: 36,
      ddp: 37,
      il: 40,
      ipv6: 41,
      sdrp: 42,
      idrp: 45,
    },
    ...{ rsvp: 46, gre: 47, dsr: 48, esp: 50, ah: 51, swipe: 53, narp: 54, mobile: 55 },
    ...{
      tlsp: 56,
      icmp6: 58,
      cftp: 62,
      visa: 70,
      vmtp: 81,
      vines: 83,
      eigrp: 88,
      ospf: 89,
    },
    ...{
      larp: 91,
      mtp: 92,
      ipip: 94,
      micp: 95,
      etherip: 97,
      encap: 98,
      pim: 103,
      aris: 104,
    },
    ...{ ipcomp: 108, carp: 112, vrrp: 112, pgm: 113, l2tp: 115, iatp: 117, stp: 118 },
    ...{ isis: 124, fire: 125, sctp: 132, fc: 133, udplite: 136, manet: 138, shim6: 139 },
    ...{ 'ipv6-route': 43, 'ipv6-frag': 44, 'ipv6-icmp': 58, 'ipv6-nonxt': 59 },
    ...{ 'ipv6-opts': 60, 'mpls-in-ip': 137, wesp: 140, rohc: 141, pfsync: 240 },
  }),
)

/** What follows the word `proto`, as numbers. */
export function protocols(cursor: Cursor): number[] {
  return cursor.list(() => {
    if (cursor.peek().kind === 'number') return cursor.number('the protocol', 255)
    const name = cursor.string('a protocol')
    // Their aliases are the same in capitals: protocols(5).
    const known = PROTOCOLS.get(/^[A-Z\d-]+$/.test(name) ? name.toLowerCase() : name)
    return known ?? cursor.fault(`unknown protocol '${name.slice(0, 64)}'`)
  })
}
