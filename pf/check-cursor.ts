/** Goes through the words of one statement of a pf text. Pure. */
import { isReservedWord } from './rules-names.js'
import type { Token } from './check-lexer.js'

/** What is wrong with a statement, or not known of it, and where. */
export class PfFault extends Error {
  readonly kind: 'error' | 'unknown'
  readonly line: number

  constructor(line: number, wrong: string, kind: PfFault['kind'] = 'error') {
    super(wrong)
    this.line = line
    this.kind = kind
  }
}

/**
 * Words of pf's language (FreeBSD's, up to 15) that begin something this check does not read:
 * queueing, layer 2, match rules, and options of newer versions.
 */
const UNREAD: ReadonlySet<string> = new Set(
  (
    'af-to allow-related altq bandwidth binat-to bridge-to buckets cbq codelq divert-reply ' +
    'divert-to dnpipe dnqueue endpoint-independent ether fairq hfsc hogs l3 limiter linkshare ' +
    'map-e-portset match max-pkt-rate max-pkt-size nat-to once prefer-ipv6-nexthop priority ' +
    'priq qlimit queue rdr-to realtime received-on ridentifier scrub source state tbrsize ' +
    'upperlimit'
  ).split(' '),
)

export class Cursor {
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0
  /** What only the machine that loads the text can tell, and pf asks it. */
  readonly notKnown: PfFault[] = []

  /** `tokens` end with a newline. */
  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens
    this.#end = { kind: 'newline', text: 'the end of the line', line }
  }

  get line(): number {
    return this.peek().line
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#end
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  atEnd(): boolean {
    return this.peek().kind === 'newline'
  }

  /** Is the next one this keyword or sign? A quoted text is neither. */
  sees(...texts: readonly string[]): boolean {
    const { kind, text } = this.peek()
    return kind !== 'quoted' && kind !== 'newline' && texts.includes(text)
  }

  /** Takes it when it is next. */
  takes(...texts: readonly string[]): boolean {
    if (!this.sees(...texts)) return false
    this.#at++
    return true
  }

  needs(text: string): void {
    if (!this.takes(text)) this.unexpected(`'${text}'`)
  }

  /** A string: quoted, or a word that is no keyword. */
  string(what: string): string {
    const { kind, text } = this.peek()
    const plain = kind === 'word' && (text === 'self' || !isReservedWord(text))
    if (kind !== 'quoted' && !plain) this.unexpected(what)
    this.#at++
    return text
  }

  number(what: string, most: number): number {
    const { kind, text } = this.peek()
    if (kind !== 'number') this.unexpected(what)
    const value = Number(text)
    if (!(value >= 0 && value <= most))
      throw new PfFault(
        this.line,
        `${what} ${text.slice(0, 32)} is not within 0 to ${most}`,
      )
    this.#at++
    return value
  }

  /** One item, or several in braces with or without commas between them. */
  list<T>(item: () => T, mayBeEmpty = false): T[] {
    if (!this.takes('{')) return [item()]
    if (mayBeEmpty && this.takes('}')) return []
    const items: T[] = []
    do {
      items.push(item())
      // A comma asks for one more.
    } while (this.takes(',') || !this.takes('}'))
    return items
  }

  unexpected(wanted: string): never {
    const { kind, text, line } = this.peek()
    if (kind === 'word' && UNREAD.has(text)) this.unread()
    const found = kind === 'newline' ? 'the end of the line' : `'${text.slice(0, 64)}'`
    throw new PfFault(line, `syntax error: ${found} where ${wanted} must stand`)
  }

  fault(wrong: string): never {
    throw new PfFault(this.line, wrong)
  }

  /** The next word begins something that pf may take: the rest of the statement is not read. */
  unread(): never {
    const { text, line } = this.peek()
    throw new PfFault(
      line,
      `'${text.slice(0, 64)}' is not known to this check`,
      'unknown',
    )
  }

  /** pf may take what stands here, or not; reading goes on. */
  maybe(what: string): void {
    const wrong = `${what} is not known to this check`
    this.notKnown.push(new PfFault(this.line, wrong, 'unknown'))
  }
}
