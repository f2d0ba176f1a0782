/**
 * What pf does with a packet that comes in, by pf.conf(5): translation rules first, of which the
 * first that matches holds; then filter rules, of which the last that matches does, unless one
 * says `quick`; anchors where they stand; a packet that no rule matches passes; what passed has a
 * state, by which its answers pass. Reads texts as they are written for pfctl, the words that
 * YORI's texts and these tests use, and shares no code with them: addresses are compared by
 * Node's BlockList.
 */
import { BlockList, isIPv6 } from 'node:net'

export interface PfInterface {
  /** The machine's own addresses there, and the networks of them. */
  readonly addresses: readonly string[]
  readonly networks: readonly string[]
}

export interface PfPacket {
  readonly on: string
  readonly proto: 'tcp' | 'udp'
  readonly from: string
  readonly to: string
  readonly port: number
}

export interface PfOutcome {
  readonly passes: boolean
  /** Where it goes, after translation. */
  readonly to: string
  readonly port: number
  readonly label: string | undefined
}

type Matcher = (packet: PfPacket, tag: string | undefined) => boolean

type Rule =
  | { readonly kind: 'rdr'; matches: Matcher; to: string; port: number; tag?: string }
  | { readonly kind: 'rdr-anchor' | 'load'; name: string }
  | { readonly kind: 'anchor'; matches: Matcher; rules: Rule[] }
  | {
      readonly kind: 'filter'
      passes: boolean
      quick: boolean
      matches: Matcher
      label: string | undefined
    }

export interface PfMachine {
  readonly interfaces: ReadonlyMap<string, PfInterface>
  /** What was put into tables beside what the text says. */
  readonly tables: ReadonlyMap<string, readonly string[]>
  /** The main file, and the content of anchors by name. */
  readonly main: string
  readonly anchors: ReadonlyMap<string, string>
}

export class PfSimulator {
  readonly #machine: PfMachine
  readonly #tables = new Map<string, BlockList>()
  readonly #main: Rule[]
  readonly #anchors = new Map<string, Rule[]>()
  readonly #states = new Set<string>()

  constructor(machine: PfMachine) {
    this.#machine = machine
    for (const [name, entries] of machine.tables) this.#fill(name, entries)
    this.#main = this.#parse(machine.main)
    for (const [name, text] of machine.anchors) this.#anchors.set(name, this.#parse(text))
  }

  arrives(packet: PfPacket): PfOutcome {
    const rdr = this.#translation(this.#main, packet)
    const { tag } = rdr ?? {}
    const now =
      rdr === undefined
        ? packet
        : { ...packet, to: this.#target(rdr.to, packet), port: rdr.port }
    const last: { rule?: Extract<Rule, { kind: 'filter' }> } = {}
    this.#filter(this.#main, { packet: now, tag }, last)
    const passes = last.rule?.passes !== false
    if (passes) this.#states.add(keyOf(packet))
    return { passes, to: now.to, port: now.port, label: last.rule?.label }
  }

  /** Does the answer to that packet pass, whatever the rules say of what goes out? */
  answerPasses(packet: PfPacket): boolean {
    return this.#states.has(keyOf(packet))
  }

  #translation(
    rules: readonly Rule[],
    packet: PfPacket,
  ): Extract<Rule, { kind: 'rdr' }> | undefined {
    for (const rule of rules) {
      if (rule.kind === 'rdr' && rule.matches(packet, undefined)) return rule
      if (rule.kind !== 'rdr-anchor') continue
      const found = this.#translation(this.#anchors.get(rule.name) ?? [], packet)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Did a rule with `quick` end it? */
  #filter(
    rules: readonly Rule[],
    by: { packet: PfPacket; tag: string | undefined },
    last: { rule?: Extract<Rule, { kind: 'filter' }> },
  ): boolean {
    for (const rule of rules) {
      if (rule.kind === 'load') {
        if (this.#filter(this.#anchors.get(rule.name) ?? [], by, last)) return true
      } else if (rule.kind === 'anchor') {
        if (rule.matches(by.packet, by.tag) && this.#filter(rule.rules, by, last))
          return true
      } else if (rule.kind === 'filter' && rule.matches(by.packet, by.tag)) {
        last.rule = rule
        if (rule.quick) return true
      }
    }
    return false
  }

  #fill(name: string, entries: readonly string[]): void {
    const list = this.#tables.get(name) ?? new BlockList()
    for (const entry of entries) add(list, entry)
    this.#tables.set(name, list)
  }

  #parse(text: string): Rule[] {
    const macros = new Map<string, string>()
    const stack: Rule[][] = [[]]
    for (const raw of text.split('\n')) {
      const line = raw.trim().replace(/\$(\w+)/g, (_, name: string) => {
        return macros.get(name) ?? ''
      })
      if (line === '' || line.startsWith('#')) continue
      const macro = /^(\w+) = "(.*)"$/.exec(line)
      if (macro !== null) macros.set(macro[1] ?? '', macro[2] ?? '')
      else if (line === '}') stack.pop()
      else {
        const rules = this.#line(new Words(line))
        stack.at(-1)?.push(...rules)
        const [only] = rules
        if (line.endsWith('{') && only?.kind === 'anchor') stack.push(only.rules)
      }
    }
    return stack[0] ?? []
  }

  /** One line may stand for several rules: each pair of a list's items is one. */
  #line(words: Words): Rule[] {
    const first = words.next()
    switch (first) {
      case 'table': {
        const name = words.next().slice(1, -1)
        words.takes('persist')
        this.#fill(name, words.more() ? words.list() : [])
        return []
      }
      case 'rdr-anchor':
        return [{ kind: 'rdr-anchor', name: words.next().replaceAll('"', '') }]
      case 'anchor': {
        if (words.peek().startsWith('"'))
          return [{ kind: 'load', name: words.next().replaceAll('"', '') }]
        const [matches] = this.#conditions(words)
        words.needs('{')
        return [{ kind: 'anchor', matches: matches as Matcher, rules: [] }]
      }
      case 'rdr': {
        const all = this.#conditions(words)
        const tag = words.takes('tag') ? { tag: words.next() } : {}
        words.needs('->')
        const to = words.next()
        words.needs('port')
        const port = Number(words.next())
        words.end()
        return all.map((matches) => ({ kind: 'rdr', matches, to, port, ...tag }))
      }
      case 'pass':
      case 'block': {
        words.takes('return', 'drop')
        const quickAt = { quick: false }
        const all = this.#conditions(words, quickAt)
        let label: string | undefined
        let tagged: { name: string; not: boolean } | undefined
        while (words.more()) {
          const not = words.takes('!')
          if (words.takes('tagged')) tagged = { name: words.next(), not }
          else if (words.takes('keep')) words.needs('state')
          else if (words.takes('label')) label = words.next().replaceAll('"', '')
          else throw new Error(`the simulator does not know '${words.peek()}'`)
        }
        return all.map((matches) => ({
          kind: 'filter',
          passes: first === 'pass',
          quick: quickAt.quick,
          label,
          matches: (packet, tag) =>
            matches(packet, tag) &&
            (tagged === undefined || (tag === tagged.name) !== tagged.not),
        }))
      }
      default:
        throw new Error(`the simulator does not know '${first}'`)
    }
  }

  /** `[in] [quick] [on IF] [AF] [proto P] [all | from A to A [port N]]`. */
  #conditions(words: Words, quick?: { quick: boolean }): Matcher[] {
    words.takes('in')
    if (words.takes('quick') && quick !== undefined) quick.quick = true
    const not = words.takes('on') && words.takes('!')
    const on = words.before === 'on' || not ? words.list() : [undefined]
    const af = words.takes('inet') ? 4 : words.takes('inet6') ? 6 : undefined
    const protos = words.takes('proto') ? words.list() : [undefined]
    let from: Matcher | undefined
    let to: Matcher | undefined
    let ports: number[] | undefined
    if (!words.takes('all')) {
      if (words.takes('from')) from = this.#side(words, 'from')
      if (words.takes('to')) to = this.#side(words, 'to')
      if (words.takes('port')) ports = words.list().map(Number)
    }
    return on.flatMap((name) =>
      protos.map(
        (proto): Matcher =>
          (packet, tag) =>
            (name === undefined || (packet.on === name) !== not) &&
            (af === undefined || (isIPv6(packet.to) ? 6 : 4) === af) &&
            (proto === undefined || packet.proto === proto) &&
            (from?.(packet, tag) ?? true) &&
            (to?.(packet, tag) ?? true) &&
            (ports?.includes(packet.port) ?? true),
      ),
    )
  }

  #side(words: Words, which: 'from' | 'to'): Matcher {
    const not = words.takes('!')
    const text = words.next()
    if (text === 'any') return () => true
    const list = this.#addresses(text)
    return (packet) => holds(list, packet[which]) !== not
  }

  #addresses(text: string): BlockList {
    const table = /^<(\w+)>$/.exec(text)?.[1]
    if (table !== undefined) {
      const found = this.#tables.get(table)
      // pf makes one that holds nothing and matches nothing.
      return found ?? new BlockList()
    }
    const list = new BlockList()
    const network = /^\(([\w.]+):network\)$/.exec(text)?.[1]
    const of = /^\(([\w.]+)(?::0)?\)$/.exec(text)?.[1]
    const all = [...this.#machine.interfaces.values()]
    const named = (name: string): PfInterface => {
      const found = this.#machine.interfaces.get(name)
      if (found === undefined) throw new Error(`no interface ${name}`)
      return found
    }
    const entries =
      network !== undefined
        ? named(network).networks
        : of === 'self'
          ? all.flatMap(({ addresses }) => addresses)
          : of !== undefined
            ? named(of).addresses
            : [text]
    for (const entry of entries) add(list, entry)
    return list
  }

  #target(text: string, { to }: PfPacket): string {
    const of = /^\(([\w.]+):0\)$/.exec(text)?.[1]
    if (of === undefined) return text
    const { addresses = [] } = this.#machine.interfaces.get(of) ?? {}
    const same = addresses.find((address) => isIPv6(address) === isIPv6(to))
    if (same === undefined) throw new Error(`no address of ${of}`)
    return same
  }
}

/** The words of a line; `{ a b }` is a list. */
class Words {
  readonly #words: string[]
  #at = 0

  constructor(line: string) {
    this.#words = line
      .replace(/!(?=\S)/g, '! ')
      .split(/\s+/)
      .filter(Boolean)
  }

  get before(): string | undefined {
    return this.#words[this.#at - 1]
  }

  more(): boolean {
    return this.#at < this.#words.length
  }

  peek(): string {
    return this.#words[this.#at] ?? ''
  }

  next(): string {
    if (!this.more()) throw new Error('the line ends too early')
    return this.#words[this.#at++] as string
  }

  takes(...wanted: readonly string[]): boolean {
    if (!wanted.includes(this.peek())) return false
    this.#at++
    return true
  }

  needs(wanted: string): void {
    if (!this.takes(wanted)) throw new Error(`'${this.peek()}' in place of '${wanted}'`)
  }

  list(): string[] {
    if (!this.takes('{')) return [this.next()]
    const items: string[] = []
    while (!this.takes('}')) items.push(this.next())
    return items
  }

  end(): void {
    if (this.more()) throw new Error(`'${this.peek()}' at the end of a line`)
  }
}

function add(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/')
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(bits), family)
}

function holds(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function keyOf({ on, proto, from, to, port }: PfPacket): string {
  return [on, proto, from, to, port].join(' ')
}
