/**
 * Secrets by the names that they are given: `DB_PASSWORD=...`, `"apiKey": "..."`,
 * `Authorization: Bearer ...`. A value is one where it is random enough for its name, and is
 * neither a placeholder, nor a name of something else, nor read from somewhere. Pure; looks at
 * 64 characters before a sign and at one value behind it.
 */
import { isAlnumCode, isWordCode } from './characters.js'
import { entropyOf, isPlaceholder, turnsOf } from './entropy.js'
import type { Compiled } from './rule-tables.js'
import type { NamedRule } from './rule.js'

export interface AssignedHit {
  readonly kind: string
  readonly rule: string
  readonly confidence: number
  readonly start: number
  readonly end: number
  readonly name: string
}

const MAX_NAME = 64
const LEAST_VALUE = 6
const MAX_VALUE = 512
/** Characters of values in one run that are looked at, and twice those before them. */
const MAX_LOOKED = 4096

const PASSWORD = /pass(?:wor[dt]|wd|phrase|code)?$|pwd$|passwd|password|passphrase/
const SECRET =
  /secret|token|(?:api|access|auth|private|secret|service|encryption|signing|license|master|account|storage|shared|client|app|deploy|consumer|session)[_.\- ]?key|apikey|credential|auth$|bearer/
const AUTHORIZATION = /authorization$|^(?:x-)?api-?(?:key|token)$|auth-?token$|^apikey$/
const OTHER =
  /(?:id|ids|url|uri|name|type|path|file|size|length|len|count|max|min|limit|version|selector|ref|hash|sum|format|field|label|index|expiry|expires|ttl|at|in|policy|regex|pattern|prefix|source|class|param|enabled|required|usage|tokens|endpoint|host|port|alias|algorithm|issuer|scope|provider|manager|validator|reset|hint|env)$|public|^(?:max|min|num|next|prev|page|continuation|cancellation)|tokeniz|_?tokens_|chksum|checksum|version/
const SCHEME = /(?:bearer|token|basic|apikey|key)[ ]{1,4}/iy
const REFERENCE =
  /^(?:[$%<{[(*#&]|process\.|os\.|env[.[(]|system\.|config[.[(]|secrets?[.[(]|vault[.:]|!|null$|none$|true$|false$|undefined$|nil$|function|string$|str$|new |await |this\.|self\.|data\.|var\.|local\.|get)/i
const WORDY =
  /^(?:(?:my|the|your|some|a|test|user|user_?name|admin|root|demo|new|old|default|secret|super|pass(?:word|wd|phrase)?|pwd|token|key|api|apikey|value|string|here|name|foo|bar|baz|abc|123|1234|12345|123456|xxx+|\*+|-|_|\.)+)$/i

/** What may be behind names that are alike: asked once for each that comes again. */
export interface Named {
  readonly isHeader: boolean
  readonly isPassword: boolean
  readonly isSecret: boolean
  readonly services: readonly Compiled<NamedRule>[]
}

/** Names that are remembered, of all texts. */
const MAX_NAMES = 1024

export interface NamedRules {
  readonly rules: readonly Compiled<NamedRule>[]
  readonly known: Map<string, Named>
}

export class AssignedScan {
  readonly #text: string
  readonly #named: readonly Compiled<NamedRule>[]
  readonly #known: Map<string, Named>
  /** A run of what values are made of, as far as it was looked at. */
  #runStart = 0
  #runEnd = 0
  /** Characters of values that were looked at in it. */
  #looked = 0
  readonly #isFull: (kind: string) => boolean

  /** `isFull`: no more of that kind is wanted. */
  constructor(
    text: string,
    { rules, known }: NamedRules,
    isFull: (kind: string) => boolean,
  ) {
    this.#text = text
    this.#isFull = isFull
    this.#named = rules
    this.#known = known
  }

  /** At a `=` or `:`; undefined when none is given there. */
  at(sign: number): AssignedHit | undefined {
    const text = this.#text
    const start = valueStart(text, sign)
    if (!isLongEnough(text, start)) return undefined
    const name = nameBefore(text, sign)
    if (!HAS_LETTERS.test(name)) return undefined
    const named = this.#namedAs(name)
    if (named === undefined) return undefined
    if (!this.#isWanted(named)) return undefined
    const from = named.isHeader ? behindScheme(text, start) : start
    const end = this.#valueEnd(from)
    if (end - from < LEAST_VALUE || !this.#mayLook(from, end)) return undefined
    const value = text.slice(from, end)
    const base = { start: from, end, name }
    const own = this.#ofService(from, end, named.services)
    if (own !== undefined) {
      const { kind, id, confidence } = own.rule
      return { ...base, kind, rule: id, confidence }
    }
    const isFull = this.#isFull
    if (
      named.isHeader &&
      !isFull('AUTHORIZATION') &&
      isToken(value, 10, 2.7) &&
      isBasic(text, start, value)
    )
      return { ...base, kind: 'AUTHORIZATION', rule: 'authorization', confidence: 0.8 }
    if (
      named.isPassword &&
      !isFull('PASSWORD') &&
      isPassword(value, text.charAt(from - 1))
    )
      return { ...base, kind: 'PASSWORD', rule: 'password', confidence: 0.75 }
    if (named.isSecret && !isFull('SECRET') && isToken(value, 16, 3.2))
      return { ...base, kind: 'SECRET', rule: 'assigned', confidence: 0.7 }
    return undefined
  }

  #isWanted({ isHeader, isPassword, isSecret, services }: Named): boolean {
    if (isHeader && !this.#isFull('AUTHORIZATION')) return true
    if (isPassword && !this.#isFull('PASSWORD')) return true
    if (isSecret && !this.#isFull('SECRET')) return true
    return services.some(({ rule }) => !this.#isFull(rule.kind))
  }

  /** Within one run, `a:b:c:...`, each value holds those behind it. */
  #mayLook(from: number, end: number): boolean {
    if (this.#looked > MAX_LOOKED + 2 * (from - this.#runStart)) return false
    this.#looked += end - from
    return true
  }

  #namedAs(name: string): Named | undefined {
    const known = this.#known.get(name)
    if (known !== undefined) return known === NOTHING ? undefined : known
    const lower = name.toLowerCase()
    const isOther = OTHER.test(lower)
    const named: Named = {
      isHeader: AUTHORIZATION.test(lower),
      isPassword: !isOther && PASSWORD.test(lower),
      isSecret: !isOther && SECRET.test(lower),
      services: this.#named.filter(({ rule }) =>
        rule.names.some((word) => lower.includes(word)),
      ),
    }
    const { isHeader, isPassword, isSecret, services } = named
    const isAny = isHeader || isPassword || isSecret || services.length > 0
    if (this.#known.size >= MAX_NAMES) this.#known.clear()
    this.#known.set(name, isAny ? named : NOTHING)
    return isAny ? named : undefined
  }

  #ofService(
    from: number,
    end: number,
    services: readonly Compiled<NamedRule>[],
  ): Compiled<NamedRule> | undefined {
    const text = this.#text
    for (const each of services) {
      if (end - from < each.least || this.#isFull(each.rule.kind)) continue
      each.body.lastIndex = from
      if (!each.body.test(text) || each.body.lastIndex !== end) continue
      const value = text.slice(from, end)
      if (entropyOf(value) >= (each.rule.entropy ?? 3) && !isPlaceholder(value))
        return each
    }
    return undefined
  }

  #valueEnd(start: number): number {
    const text = this.#text
    if (start < this.#runStart || start >= this.#runEnd) {
      let end = start
      while (end < text.length && isOfValue(text.charCodeAt(end))) end++
      this.#looked = 0
      this.#runStart = start
      this.#runEnd = end
    }
    let end = Math.min(this.#runEnd, start + MAX_VALUE)
    const next = text.slice(start, end).indexOf('&')
    if (next > 0) end = start + next
    while (end > start && '.,!?:'.includes(text[end - 1] as string)) end--
    return end
  }
}

const NOTHING: Named = {
  isHeader: false,
  isPassword: false,
  isSecret: false,
  services: [],
}
const HAS_LETTERS = /[A-Za-z]{2}/

/** RFC 7617: a name, a colon and a password. */
function isBasic(text: string, start: number, value: string): boolean {
  if (!/^basic/i.test(text.slice(start, start + 5))) return true
  return Buffer.from(value, 'base64').toString('latin1').includes(':')
}

/** Letters and digits in turns, as nobody writes words. */
function isToken(value: string, least: number, entropy: number): boolean {
  if (value.length < least) return false
  const kinds = kindsOf(value)
  if ((kinds & DIGITS) === 0 || (kinds & (LARGE | SMALL)) === 0) return false
  if (REFERENCE.test(value) || isPlaceholder(value)) return false
  if (!/^[\w+/=.~:@!#$%^&*-]+$/.test(value) || /^https?:/i.test(value)) return false
  if (
    /^[\w-]{1,40}(?:\.[A-Za-z][\w-]{0,40})+(?::\d+)?$/.test(value) &&
    turnsOf(value) < 8
  )
    return false
  return entropyOf(value) >= entropy && turnsOf(value) >= 3
}

function isPassword(value: string, before: string): boolean {
  if (value.length < 6 || value.length > 128) return false
  const kinds = kindsOf(value)
  const count = kinds & ~STRANGE
  const isMixed = (count & (count - 1)) !== 0 && (kinds & (DIGITS | STRANGE)) !== 0
  if (!isMixed || entropyOf(value) < 2.3) return false
  if (REFERENCE.test(value) && !isQuote(before)) return false
  if (/^[$<{%[*]/.test(value) || /[{}<>()]|\$\{/.test(value) || WORDY.test(value))
    return false
  if (isPlaceholder(value) || /^[a-z_]+(?:\.[a-z_]+)+$/i.test(value)) return false
  return true
}

const SMALL = 1
const LARGE = 2
const DIGITS = 4
/** Neither letter nor digit; `STRANGE`: nor what names have between their words. */
const SIGNS = 8
const STRANGE = 16

/** Of which kinds its characters are. */
function kindsOf(value: string): number {
  let kinds = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code >= 0x61 && code <= 0x7a) kinds |= SMALL
    else if (code >= 0x41 && code <= 0x5a) kinds |= LARGE
    else if (code >= 0x30 && code <= 0x39) kinds |= DIGITS
    else if (code === 0x5f || code === 0x2e || code === 0x2d) kinds |= SIGNS
    else kinds |= SIGNS | STRANGE
  }
  return kinds
}

function isQuote(char: string): boolean {
  return char === '"' || char === "'" || char === '`'
}

const BLANK_OR_QUOTE = new Uint8Array(128)
for (const char of ' \t"\'`\\>=(') BLANK_OR_QUOTE[char.charCodeAt(0)] = 1
const BEFORE_SIGN = new Uint8Array(128)
for (const char of ' \t\r\n\v\f"\'`]:\\') BEFORE_SIGN[char.charCodeAt(0)] = 1

function isOne(of: Uint8Array, code: number): boolean {
  return code < 128 && of[code] === 1
}

/** Behind `=`, `:=`, `=>`, `": "`, and a quote. */
function valueStart(text: string, sign: number): number {
  let at = sign + 1
  while (at < sign + 8 && isOne(BLANK_OR_QUOTE, text.charCodeAt(at))) at++
  return at
}

const ENDS = new Uint8Array(128)
for (const char of '"\'`,;<>()[]{}|\\') ENDS[char.charCodeAt(0)] = 1

function isOfValue(code: number): boolean {
  return code > 0x20 && code <= 0x7e && ENDS[code] !== 1
}

/** With what names its scheme before it, a value is longer. */
function isLongEnough(text: string, start: number): boolean {
  for (let at = start; at < start + LEAST_SCHEME; at++)
    if (!isOfValue(text.charCodeAt(at))) return false
  return true
}

/** `key`, `basic`. */
const LEAST_SCHEME = 3

function isScheme(text: string, start: number): boolean {
  SCHEME.lastIndex = start
  return SCHEME.test(text)
}

function behindScheme(text: string, start: number): number {
  return isScheme(text, start) ? SCHEME.lastIndex : start
}

/** The name before a sign, through quotes and brackets: `config["api-key"] = `. */
function nameBefore(text: string, sign: number): string {
  let end = sign
  const least = Math.max(0, sign - 6)
  while (end > least && isOne(BEFORE_SIGN, text.charCodeAt(end - 1))) end--
  let start = end
  while (start > end - MAX_NAME && isOfName(text.charCodeAt(start - 1))) start--
  return text.slice(start, end)
}

function isOfName(code: number): boolean {
  return isWordCode(code) || code === 0x2d || code === 0x2e || isAlnumCode(code)
}
