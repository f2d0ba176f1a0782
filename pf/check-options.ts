/** What may follow the addresses of a filter rule of pf, in any order. Pure. */
import type { Cursor } from './check-cursor.js'
import { tableName } from './check-hosts.js'

export interface FilterOptions {
  readonly keepsState: boolean
  readonly icmp: 'icmp' | 'icmp6' | undefined
  /** Of packets that carry it. */
  readonly tagged: string | undefined
}

/** `PF_RULE_MAX_LABEL_COUNT`, since FreeBSD 14. */
const MOST_LABELS = 5
/** `PF_TAG_NAME_SIZE` - 1 and `PF_RULE_LABEL_SIZE` - 1. */
const LONGEST_NAME = 63

export function filterOptions(cursor: Cursor): FilterOptions {
  let keepsState = false
  let icmp: FilterOptions['icmp']
  let tagged: string | undefined
  let not = false
  let labels = 0
  const once = new Set<string>()
  const only = (what: string): void => {
    if (once.has(what)) cursor.fault(`${what} stands twice`)
    once.add(what)
  }
  for (;;) {
    if (cursor.takes('keep', 'modulate', 'synproxy')) {
      only('state')
      keepsState = true
      cursor.needs('state')
      stateOptions(cursor)
    } else if (cursor.takes('no')) {
      only('state')
      cursor.needs('state')
    } else if (cursor.takes('label')) {
      if (++labels > MOST_LABELS) cursor.fault(`more than ${MOST_LABELS} labels`)
      shortName(cursor, 'label')
    } else if (cursor.takes('tag')) {
      only('tag')
      shortName(cursor, 'tag')
    } else if (cursor.sees('!') && cursor.peek(1).text === 'tagged') {
      cursor.next()
      not = true
    } else if (cursor.takes('tagged')) {
      only('tagged')
      const name = shortName(cursor, 'tag')
      if (!not) tagged = name
    } else if (cursor.takes('flags')) tcpFlags(cursor)
    else if (cursor.takes('icmp-type')) {
      icmp = 'icmp'
      icmpTypes(cursor)
    } else if (cursor.takes('icmp6-type')) {
      icmp = 'icmp6'
      icmpTypes(cursor)
    } else if (cursor.takes('user')) owners(cursor, USERS, 'user')
    else if (cursor.takes('group')) owners(cursor, GROUPS, 'group')
    else if (cursor.takes('tos')) cursor.next()
    else if (cursor.takes('prio')) cursor.number('the priority', MOST_PRIO)
    else if (cursor.takes('set')) setFields(cursor)
    else if (cursor.takes('rtable')) cursor.number('the routing table', 65_535)
    else if (cursor.takes('probability')) probability(cursor)
    else if (cursor.takes('queue')) queue(cursor)
    else if (!cursor.takes('fragment', 'allow-opts')) return { keepsState, icmp, tagged }
  }
}

export function shortName(cursor: Cursor, what: 'label' | 'tag'): string {
  const text = cursor.string(`a ${what}`)
  if (text.length > LONGEST_NAME)
    cursor.fault(
      `the ${what} is ${text.length} characters long; pf takes ${LONGEST_NAME}`,
    )
  return text
}

/** `PF_PRIO_MAX`. */
const MOST_PRIO = 7

/** `set prio 5`, `set (prio (5, 6), tos lowdelay)`. */
function setFields(cursor: Cursor): void {
  const field = (): void => {
    if (cursor.takes('tos')) {
      cursor.next()
      return
    }
    cursor.needs('prio')
    const both = cursor.takes('(')
    cursor.number('the priority', MOST_PRIO)
    if (!both) return
    cursor.takes(',')
    cursor.number('the priority', MOST_PRIO)
    cursor.needs(')')
  }
  if (!cursor.takes('(')) return field()
  do field()
  while (cursor.takes(',') || !cursor.takes(')'))
}

/** `S/SA`, `/SFRA`, `any`. */
function tcpFlags(cursor: Cursor): void {
  if (cursor.takes('any')) return
  const flags = (): void => {
    const text = cursor.string('flags such as S/SA')
    if (!/^[FSRPAUEW]+$/.test(text)) cursor.fault(`unknown flags '${text.slice(0, 32)}'`)
  }
  if (!cursor.sees('/')) flags()
  cursor.needs('/')
  flags()
}

function icmpTypes(cursor: Cursor): void {
  cursor.list(() => {
    icmpWord(cursor)
    if (cursor.takes('code')) icmpWord(cursor)
  })
}

function icmpWord(cursor: Cursor): void {
  if (cursor.peek().kind === 'number') cursor.number('the type', 255)
  else if (!/^[a-z]+(?:-[a-z]+)*$/.test(cursor.string('an ICMP type')))
    cursor.fault('unknown ICMP type')
}

/** Accounts of FreeBSD's base system; others need not be there when the rules load. */
const USERS: ReadonlySet<string> = new Set(
  (
    'root toor daemon operator bin tty kmem games news man sshd smmsp mailnull bind unbound ' +
    'proxy _pflogd _dhcp uucp pop auditdistd www ntpd _ypldap hast tests nobody unknown'
  ).split(' '),
)
const GROUPS: ReadonlySet<string> = new Set(
  (
    'wheel daemon kmem sys tty operator mail bin news man games ftp staff sshd smmsp mailnull ' +
    'guest video realtime idletime bind unbound proxy authpf _pflogd _dhcp uucp dialer ' +
    'network audit www ntpd _ypldap hast tests nogroup nobody unknown'
  ).split(' '),
)

function owners(cursor: Cursor, known: ReadonlySet<string>, what: string): void {
  cursor.list(() => {
    cursor.takes('=', '!=', '<', '>', '<=', '>=')
    if (cursor.peek().kind === 'number') {
      cursor.number(`the ${what}`, 4_294_967_295)
    } else {
      const name = cursor.string(`a ${what}`)
      if (!known.has(name))
        cursor.fault(`unknown ${what} '${name.slice(0, 64)}': give its number`)
    }
    if (cursor.takes('<>', '><')) cursor.number(`the ${what}`, 4_294_967_295)
  })
}

/** `50%`, `0.5`. */
function probability(cursor: Cursor): void {
  const { text } = cursor.next()
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (!(value >= 0 && value <= 1)) cursor.fault(`no probability: '${text.slice(0, 32)}'`)
}

function queue(cursor: Cursor): void {
  if (!cursor.takes('(')) {
    cursor.string('a queue')
    return
  }
  cursor.string('a queue')
  if (cursor.takes(',')) cursor.string('a queue')
  cursor.needs(')')
}

const NUMBERED = ['max', 'max-src-nodes', 'max-src-states', 'max-src-conn']
const BARE = ['no-sync', 'if-bound', 'floating', 'sloppy', 'pflow']

/** `(max 100, source-track rule, overload <t> flush global, tcp.established 60)`. */
function stateOptions(cursor: Cursor): void {
  if (!cursor.takes('(')) return
  stateOptionList(cursor)
  cursor.needs(')')
}

/** Without the parentheses: up to `)` or the end of the line. */
export function stateOptionList(cursor: Cursor): void {
  do {
    if (cursor.takes(...BARE)) continue
    if (cursor.takes(...NUMBERED)) cursor.number('the limit', 4_294_967_295)
    else if (cursor.takes('max-src-conn-rate')) {
      cursor.number('the count', 4_294_967_295)
      cursor.needs('/')
      cursor.number('the seconds', 4_294_967_295)
    } else if (cursor.takes('source-track')) cursor.takes('global', 'rule')
    else if (cursor.takes('overload')) {
      tableName(cursor)
      if (cursor.takes('flush')) cursor.takes('global')
    } else {
      const name = cursor.string('an option of state')
      if (name === 'allow-related') continue
      if (!isTimeout(name, cursor))
        cursor.fault(`unknown option of state '${name.slice(0, 64)}'`)
      cursor.number('the seconds', 4_294_967_295)
    }
  } while (cursor.takes(',') || !(cursor.sees(')') || cursor.atEnd()))
}

const TIMEOUTS: ReadonlySet<string> = new Set(
  (
    'tcp.first tcp.opening tcp.established tcp.closing tcp.finwait tcp.closed tcp.tsdiff ' +
    'udp.first udp.single udp.multiple icmp.first icmp.error other.first other.single ' +
    'other.multiple frag interval adaptive.start adaptive.end src.track'
  ).split(' '),
)

/** One that newer versions alone know is said to be not known. */
export function isTimeout(name: string, cursor: Cursor): boolean {
  if (!/^sctp\.(?:first|opening|established|closing|closed)$/.test(name))
    return TIMEOUTS.has(name)
  cursor.maybe(`the timeout ${name}`)
  return true
}
