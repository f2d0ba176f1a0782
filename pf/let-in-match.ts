/**
 * Does a rule of nftables meet a steered packet, and what does it then say? Words as `nft` prints
 * them, nft(8). Whatever is not known here may be so or not; a rate that is allowed is taken not
 * to be exceeded, and a reverse path to be right. Pure.
 */
import { closing, listed } from './ruleset.js'
import type { Family } from './rules.js'

export type Sure = 'yes' | 'no' | 'maybe'

/** What is known of the packet that is asked about. */
export interface Packet {
  readonly hook: 'input' | 'output'
  readonly family: Family
  /** Where it came in, or goes out. */
  readonly interface: string
  /** 443, or the listener's port after REDIRECT. */
  readonly port: number
  readonly mark: number
  readonly states: readonly string[]
  readonly statuses: readonly string[]
  /** REDIRECT made the destination one of this machine's; TPROXY leaves it as it was. */
  readonly toLocal: boolean
}

type Sets = ReadonlyMap<string, readonly string[]>

export interface Meaning {
  readonly sure: Sure
  /** Undefined: the rule only counts or logs. `unknown`: it says something that is not read here. */
  readonly verdict: string | undefined
  readonly target: string | undefined
}

const VERDICTS = new Set(['accept', 'drop', 'reject', 'return', 'jump', 'goto', 'queue'])
/** Statements that neither match nor decide; the next word that is known ends their arguments. */
const STATEMENTS = new Set(['counter', 'log', 'comment', 'notrack', 'flow'])
const MATCHES = new Set(
  (
    'iif iifname oif oifname iifgroup oifgroup meta ct tcp udp th ip ip6 icmp icmpv6 fib ' +
    'ether limit socket xt rt mark skuid skgid dccp sctp esp ah comp arp vlan exthdr osf time'
  ).split(' '),
)

export function matches(rule: readonly string[], packet: Packet, sets: Sets): Meaning {
  let sure: Sure = 'yes'
  let at = 0
  while (at < rule.length) {
    const word = rule[at] as string
    if (VERDICTS.has(word)) {
      const verdict = word === 'reject' ? 'drop' : word === 'queue' ? 'unknown' : word
      return { sure, verdict, target: rule[at + 1] }
    }
    const end = word === 'fib' ? fibEnd(rule, at) : nextStart(rule, at + 1)
    const words = rule.slice(at, end)
    // `meta mark set 0x1`: what comes later may see another mark, and it is not followed.
    if (STATEMENTS.has(word) || words.includes('set')) {
      at = end
      continue
    }
    if (words.includes('vmap')) return byMap(words, { sure, packet, sets })
    sure = both(sure, oneMatch(words, packet, sets))
    if (sure === 'no') return { sure, verdict: undefined, target: undefined }
    at = end
  }
  // Nothing that is known decides: `xt target`, `synproxy`, `tproxy` and the like.
  const decides = rule.some((word) => ['target', 'synproxy', 'tproxy'].includes(word))
  return { sure, verdict: decides ? 'unknown' : undefined, target: undefined }
}

function both(a: Sure, b: Sure): Sure {
  if (a === 'no' || b === 'no') return 'no'
  return a === 'yes' && b === 'yes' ? 'yes' : 'maybe'
}

/** Where the next match, statement or verdict begins. */
function nextStart(rule: readonly string[], from: number): number {
  for (let at = from; at < rule.length; at++) {
    const word = rule[at] as string
    if (word === '{') at = closing(rule, at)
    else if (VERDICTS.has(word) || STATEMENTS.has(word)) return at
    // `meta mark`, `ct mark`, `iifname . tcp dport`: words within a match.
    else if (MATCHES.has(word) && !['meta', 'ct', '.'].includes(rule[at - 1] ?? ''))
      return at
  }
  return rule.length
}

/** `fib saddr . iif oif missing`, `fib daddr type { local, broadcast }`. */
function fibEnd(rule: readonly string[], from: number): number {
  for (let at = from; at < rule.length; at++) {
    if (rule[at] === 'missing' || rule[at] === 'exists') return at + 1
    if (rule[at] === 'type') {
      const value = rule[at + 1] === '!=' ? at + 2 : at + 1
      return rule[value] === '{' ? closing(rule, value) + 1 : value + 1
    }
  }
  return rule.length
}

function oneMatch(words: readonly string[], packet: Packet, sets: Sets): Sure {
  const [first = '', second = ''] = words
  const { family, hook } = packet
  const known = knownValue(words, packet)
  if (known !== undefined) return compared(words.slice(known.words), known.values, sets)
  switch (first) {
    case 'udp':
    case 'icmp':
    case 'icmpv6':
    case 'sctp':
    case 'dccp':
    case 'arp':
    case 'esp':
    case 'ah':
      return 'no'
    case 'ip':
    case 'ip6': {
      if ((first === 'ip') !== (family === 'inet')) return 'no'
      if (second === 'protocol' || second === 'nexthdr')
        return compared(words.slice(2), ['tcp', '6'], sets)
      return 'maybe'
    }
    case 'limit':
      return words.includes('over') ? 'no' : 'yes'
    case 'fib':
      if (words.includes('missing')) return 'no'
      return words.includes('exists') ? 'yes' : 'maybe'
    case 'socket':
      return hook === 'input' && !packet.toLocal && second === 'transparent'
        ? compared(words.slice(2), ['1'], sets)
        : 'maybe'
    case 'tcp':
      return second === 'flags' ? flagsMatch(words.slice(2), packet) : 'maybe'
    default:
      return 'maybe'
  }
}

/** What the packet has for a selector of one or more words; undefined when that is unknown. */
function knownValue(
  words: readonly string[],
  packet: Packet,
): { words: number; values: readonly string[] } | undefined {
  const [first = '', second = ''] = words
  const name = `"${packet.interface}"`
  const [arrives, leaves] =
    packet.hook === 'input' ? ['iif', 'oif'] : (['oif', 'iif'] as const)
  if (first === arrives || first === `${arrives}name`) return { words: 1, values: [name] }
  if (first === leaves || first === `${leaves}name`) return { words: 1, values: [] }
  const port = packet.hook === 'input' ? 'dport' : 'sport'
  if ((first === 'tcp' || first === 'th') && second === port)
    return { words: 2, values: [String(packet.port)] }
  if (first === 'ct' && second === 'state') return { words: 2, values: packet.states }
  if (first === 'ct' && second === 'status') return { words: 2, values: packet.statuses }
  if (first === 'fib' && second === 'daddr' && packet.hook === 'input') {
    const at = words.indexOf('type')
    if (at > 0) return { words: at + 1, values: [packet.toLocal ? 'local' : 'unicast'] }
  }
  if (first === 'meta') {
    const mask = words[2] === '&' ? Number(words[3]) : undefined
    switch (second) {
      case 'mark':
        return mask === undefined
          ? { words: 2, values: [String(packet.mark)] }
          : { words: 4, values: [String((packet.mark & mask) >>> 0)] }
      case 'l4proto':
        return { words: 2, values: ['tcp', '6'] }
      case 'nfproto':
        return { words: 2, values: [packet.family === 'inet' ? 'ipv4' : 'ipv6'] }
      case 'protocol':
        return { words: 2, values: [packet.family === 'inet' ? 'ip' : 'ip6'] }
      case 'pkttype':
        return { words: 2, values: ['host', 'unicast'] }
    }
  }
  return undefined
}

/** `!= 22`, `{ 22, 80-90 }`, `@lan`, `established,related`, `"eth*"`. */
function compared(words: readonly string[], values: readonly string[], sets: Sets): Sure {
  const not = words[0] === '!='
  const rest = not || words[0] === '==' ? words.slice(1) : words
  const [first = ''] = rest
  let wanted: readonly string[]
  if (first === '{') wanted = listed(rest.slice(1, closing(rest, 0)))
  else if (first.startsWith('@')) {
    const set = sets.get(first.slice(1))
    if (set === undefined) return 'maybe'
    wanted = set
  } else wanted = first.split(',')
  // Of several words of one, such as `a & b == c`, nothing is known.
  if (first !== '{' && rest.length > 1) return 'maybe'
  const met = wanted.some((want) => values.some((value) => isMet(want, value)))
  return met !== not ? 'yes' : 'no'
}

function isMet(want: string, value: string): boolean {
  const [wanted = ''] = want.split(' ')
  if (wanted === value) return true
  if (wanted.endsWith('*"')) return value.startsWith(wanted.slice(0, -2))
  const range = /^(\d+)-(\d+)$/.exec(wanted)
  if (range !== null)
    return Number(range[1]) <= Number(value) && Number(value) <= Number(range[2])
  return /^(0x)?[\da-f]+$/i.test(wanted) && Number(wanted) === Number(value)
}

/** `syn / fin,syn,rst,ack`, `& (fin | syn | rst | ack) == syn`, `syn`. */
function flagsMatch(words: readonly string[], { hook }: Packet): Sure {
  const text = words.join(' ')
  const set = hook === 'input' ? ['syn'] : ['syn', 'ack']
  const slash = /^([a-z,| ]+) \/ ([a-z,]+)$/.exec(text)
  const equal = /^& \(?([a-z| ]+)\)? == \(?([a-z| ]+|0x0)\)?$/.exec(text)
  const wanted = flags(slash?.[1] ?? equal?.[2] ?? '')
  const mask = flags(slash?.[2] ?? equal?.[1] ?? '')
  if (slash === null && equal === null) return 'maybe'
  const masked = set.filter((flag) => mask.includes(flag))
  const same = masked.length === wanted.length && masked.every((f) => wanted.includes(f))
  return same ? 'yes' : 'no'
}

function flags(text: string): string[] {
  return text.split(/[,| ]+/).filter((word) => word !== '' && word !== '0x0')
}

/** `ct state vmap { established : accept, ... }`: the verdict that the packet's own value has. */
function byMap(
  words: readonly string[],
  { sure, packet, sets }: { sure: Sure; packet: Packet; sets: Sets },
): Meaning {
  const at = words.indexOf('vmap')
  const unknown = { sure, verdict: 'unknown', target: undefined }
  const known = knownValue(words.slice(0, at), packet)
  if (known?.words !== at) return unknown
  const given = words[at + 1] ?? ''
  const pairs =
    given === '{'
      ? listed(words.slice(at + 2, closing(words, at + 1)))
      : sets.get(given.slice(1))
  if (pairs === undefined) return unknown
  for (const pair of pairs) {
    const [want = '', said = ''] = pair.split(' : ')
    if (!known.values.some((value) => isMet(want, value))) continue
    const [verdict = '', target] = said.split(' ')
    return { sure, verdict: verdict === 'reject' ? 'drop' : verdict, target }
  }
  return { sure: 'no', verdict: undefined, target: undefined }
}
