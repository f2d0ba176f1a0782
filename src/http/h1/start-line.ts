/**
 * The first line of a message as its bytes come: method, target and version, or version, status
 * and reason. Strict, in one pass, the same however the bytes are cut. RFC 9112 §3 and §4.
 */
import { AUTHORITY, COLON, CR, isName, LF, SLASH, SP } from './bytes.js'
import { ASTERISK, TARGET, TOKEN, VALUE } from './bytes.js'
import type { Head, Problem } from './head.js'
import { METHODS } from './methods.js'

/** Where the scanner stands: what the next byte belongs to. */
const EMPTY_LINES = 0
const EMPTY_LINE_LF = 1
const METHOD = 2
const TARGET_TEXT = 3
const VERSION = 4
const STATUS = 5
const AFTER_STATUS = 6
const REASON = 7
const LINE_CR = 8
const LINE_LF = 9
const DONE = 10

const VERSION_TEXT = Buffer.from('HTTP/1.')
/** The longest method that is known. */
const MAX_METHOD_BYTES = 20

/**
 * Fills in `head` what the first line says. How long the line may be is the scanner's
 * concern; a method is one of `METHODS`, a target visible ASCII in a form that fits the
 * method, a version HTTP/1.0 or 1.1, a status 100 to 999.
 */
export class StartLine {
  /** Why it is no first line; nothing is read from then on. */
  problem: Problem | undefined
  readonly #head: Head
  readonly #isRequest: boolean
  #state = DONE
  /** Where the part that is read began; places count from the head's first byte. */
  #from = 0

  constructor(head: Head, isRequest: boolean) {
    this.#head = head
    this.#isRequest = isRequest
    this.reset()
  }

  /** For the next line. The head is cleared by its owner. */
  reset(): void {
    this.problem = undefined
    this.#state = this.#isRequest ? EMPTY_LINES : VERSION
    this.#from = 0
  }

  get done(): boolean {
    return this.#state === DONE
  }

  /** More has come than the empty lines that may stand before a request, §2.2. */
  get begun(): boolean {
    return this.#state > EMPTY_LINE_LF
  }

  /**
   * Reads on in `bytes[from..end)`, in which the head begins at `base`; returns where it
   * stopped. With a `problem` that is the byte that makes it one.
   */
  scan(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from
    while (at < end && this.#state !== DONE && this.problem === undefined) {
      switch (this.#state) {
        case EMPTY_LINES:
          at = this.#emptyLines(bytes, base, at)
          break
        case EMPTY_LINE_LF:
          at = this.#exactly(bytes, at, LF, EMPTY_LINES)
          break
        case METHOD:
          at = this.#method(bytes, base, at, end)
          break
        case TARGET_TEXT:
          at = this.#target(bytes, base, at, end)
          break
        case VERSION:
          at = this.#version(bytes, base, at)
          break
        case STATUS:
          at = this.#status(bytes, base, at)
          break
        case AFTER_STATUS:
          at = this.#afterStatus(bytes, base, at)
          break
        case REASON:
          at = this.#reason(bytes, base, at, end)
          break
        case LINE_CR:
          at = this.#exactly(bytes, at, CR, LINE_LF)
          break
        case LINE_LF:
          at = this.#exactly(bytes, at, LF, DONE)
      }
    }
    return at
  }

  #bad(problem: Problem, at: number): number {
    this.problem = problem
    return at
  }

  #goOn(at: number, base: number, state: number): number {
    this.#from = at - base
    this.#state = state
    return at
  }

  #exactly(bytes: Uint8Array, at: number, byte: number, then: number): number {
    if (bytes[at] !== byte) return this.#bad('line-end', at)
    this.#state = then
    return at + 1
  }

  #emptyLines(bytes: Uint8Array, base: number, at: number): number {
    if (bytes[at] !== CR) return this.#goOn(at, base, METHOD)
    this.#state = EMPTY_LINE_LF
    return at + 1
  }

  #method(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from
    while (at < end && TOKEN[bytes[at] as number] === 1) at++
    if (at - base - this.#from > MAX_METHOD_BYTES) return this.#bad('method', at)
    if (at === end) return at
    const head = this.#head
    head.firstFrom = this.#from
    head.firstTo = at - base
    if (bytes[at] !== SP || !isMethod(bytes, base + this.#from, at))
      return this.#bad('method', at)
    head.isConnect = isConnect(bytes, base + this.#from, at)
    return this.#goOn(at + 1, base, TARGET_TEXT)
  }

  #target(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from
    while (at < end && TARGET[bytes[at] as number] === 1) at++
    if (at === end) return at
    const head = this.#head
    head.secondFrom = this.#from
    head.secondTo = at - base
    if (bytes[at] !== SP || !isTarget(bytes, base + this.#from, at, head.isConnect))
      return this.#bad('target', at)
    return this.#goOn(at + 1, base, VERSION)
  }

  #version(bytes: Uint8Array, base: number, at: number): number {
    const index = at - base - this.#from
    const byte = bytes[at] as number
    if (index < VERSION_TEXT.length)
      return byte === VERSION_TEXT[index] ? at + 1 : this.#bad('version', at)
    if (byte !== 0x30 && byte !== 0x31) return this.#bad('version', at)
    this.#head.minor = byte - 0x30
    return this.#goOn(at + 1, base, this.#isRequest ? LINE_CR : STATUS)
  }

  /** The blank before it, then three digits. */
  #status(bytes: Uint8Array, base: number, at: number): number {
    const index = at - base - this.#from
    const byte = bytes[at] as number
    if (index === 0) return byte === SP ? at + 1 : this.#bad('version', at)
    const least = index === 1 ? 0x31 : 0x30
    if (byte < least || byte > 0x39) return this.#bad('status', at)
    this.#head.status = this.#head.status * 10 + byte - 0x30
    if (index === 3) this.#state = AFTER_STATUS
    return at + 1
  }

  /** Many servers leave the blank out when no reason follows: no other reading fits. */
  #afterStatus(bytes: Uint8Array, base: number, at: number): number {
    const byte = bytes[at] as number
    if (byte === CR) return this.#goOn(at, base, REASON)
    return byte === SP ? this.#goOn(at + 1, base, REASON) : this.#bad('status', at)
  }

  #reason(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from
    while (at < end && VALUE[bytes[at] as number] === 1) at++
    if (at === end) return at
    if (bytes[at] !== CR) return this.#bad('reason-phrase', at)
    this.#head.secondFrom = this.#from
    this.#head.secondTo = at - base
    this.#state = LINE_CR
    return at
  }
}

/** The usual ones without making a text. */
function isMethod(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from
  const first = bytes[from]
  if (length === 4 && first === 0x50 && bytes[from + 1] === 0x4f)
    return bytes[from + 2] === 0x53 && bytes[from + 3] === 0x54
  if (length === 3 && first === 0x47)
    return bytes[from + 1] === 0x45 && bytes[from + 2] === 0x54
  let text = ''
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number)
  return METHODS.has(text)
}

function isConnect(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === 7 && isName(bytes, from, to, 'connect')
}

/** Origin, absolute, authority or asterisk form, RFC 9112 §3.2. */
function isTarget(
  bytes: Uint8Array,
  from: number,
  to: number,
  connects: boolean,
): boolean {
  if (to === from) return false
  if (connects) return isAuthority(bytes, from, to)
  if (bytes[from] === SLASH) return true
  if (bytes[from] === ASTERISK) return to - from === 1
  return isAbsolute(bytes, from, to)
}

/** `http://a.test/x`: a scheme of letters, an authority, a path or nothing. */
function isAbsolute(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from
  while (at < to && isLetter(bytes[at] as number)) at++
  if (at === from || bytes[at] !== COLON) return false
  if (bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return false
  const start = at + 3
  at = start
  while (at < to && AUTHORITY[bytes[at] as number] === 1) at++
  return at > start && at <= to && (at === to || isPathStart(bytes[at] as number))
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
}

function isPathStart(byte: number): boolean {
  return byte === SLASH || byte === 0x3f
}

function isAuthority(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (AUTHORITY[bytes[at] as number] !== 1) return false
  }
  return true
}
