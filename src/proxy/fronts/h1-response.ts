/**
 * The answer to one HTTP/1.1 request in the shape of `http-words.ts`, written from what it is
 * given: its framing is always ours, and its head goes in one piece with what there is of its
 * body by the end of the turn. RFC 9112 §4, §6 and §7.
 */
import type { Socket } from 'node:net'
import { inLowerCase } from '../../http/field-names.js'
import {
  fieldLines,
  joined,
  lastChunk,
  openResponseHead,
  responseHead,
} from '../../http/h1/write.js'
import type { HttpResponse } from '../words/http-words.js'

/** Of an answer that waits for its turn; then its provider waits. */
const QUEUED_BYTES = 16 * 1024
/** So much is written at once; less waits for what else comes in this turn of the loop. */
const AT_ONCE_BYTES = 64 * 1024

/** What an answer needs of the connection that it goes out on. */
export interface Outgoing {
  readonly socket: Socket
  /** All answers before it have gone. */
  isNext(response: H1Response): boolean
  /** The connection is to end behind this answer: another front has taken over. */
  isLast(response: H1Response): boolean
  /** Seconds that the client is told it may stay idle. */
  readonly keepAliveSeconds: number
  /** One of its writes has been taken; it is told so by `wrote`. */
  readonly onWritten: () => void
  /** The last byte of it has been taken. */
  answered(response: H1Response): void
  /** Its end must not pass for the real one. */
  breakOff(): void
}

/** Never written to. */
const NOTHING: (string | Buffer)[] = []

type Framing = 'none' | 'length' | 'chunked' | 'until-close'

export class H1Response implements HttpResponse {
  sendDate = true
  headersSent = false
  writableEnded = false
  destroyed = false
  /** The connection may serve another request behind it. */
  keepsAlive: boolean
  readonly #to: Outgoing
  readonly #isHead: boolean
  readonly #minor: number
  #framing: Framing = 'none'
  /** Of a declared length, what has not been given yet. */
  #left = 0
  /** What goes before the head, while it waits for its turn. */
  #before = ''
  /** Until it goes: the head without its last lines. */
  #head: string | undefined
  #saysConnection = false
  #trailers: readonly string[] = []
  #pending: (string | Buffer)[] = NOTHING
  #pendingBytes = 0
  #isDue = false
  /** Writes that the socket has not taken yet. */
  #underway = 0
  #onClose: (() => void)[] | undefined
  #onDrain: (() => void)[] | undefined

  constructor(
    to: Outgoing,
    request: { method: string; minor: number; persists: boolean },
  ) {
    this.#to = to
    this.#isHead = request.method === 'HEAD'
    this.#minor = request.minor
    this.keepsAlive = request.persists
  }

  get chunkedEncoding(): boolean {
    return this.#framing === 'chunked'
  }

  writeContinue(): void {
    this.#inform(100, 'Continue', [])
  }

  writeProcessing(): void {
    this.#inform(102, 'Processing', [])
  }

  writeEarlyHints(hints: Record<string, string | string[]>): void {
    const fields = Object.entries(hints).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => [name, value]),
    )
    this.#inform(103, 'Early Hints', fields)
  }

  /** Once. A head that cannot be written breaks the answer off. */
  writeHead(status: number, message: string, fields: readonly string[]): void {
    if (this.headersSent) return
    const isBodyless = this.#isHead || status === 204 || status === 304
    let length: number | undefined
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = fields[i] as string
      if (name.length === 14 && inLowerCase(name) === 'content-length')
        length = lengthIn(fields[i + 1] as string)
      else if (name.length === 10 && inLowerCase(name) === 'connection')
        this.#connection(fields[i + 1] as string)
    }
    this.#framing = this.#framingOf(isBodyless, length)
    this.#left = length ?? 0
    // Of a 204 there is no length to say, RFC 9110 §8.6, and a bad one was none.
    const isPlain = status !== 204 && length !== undefined
    const lines = isPlain ? fields : withoutLength(fields)
    const framing = this.#framing === 'chunked' ? 'chunked' : 'none'
    this.headersSent = true
    try {
      this.#head = openResponseHead(status, message, lines, { kind: framing })
    } catch {
      this.#to.breakOff()
    }
  }

  /** At the end of the turn of the loop: what comes of the body until then goes with it. */
  flushHeaders(): void {
    if (this.#head !== undefined) this.#flushSoon()
  }

  write(data: Buffer | string): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const { socket } = this.#to
    if (this.#isOver || this.writableEnded) return true
    this.#push(bytes)
    if (!this.#to.isNext(this)) return this.#pendingBytes < QUEUED_BYTES
    if (this.#pendingBytes >= AT_ONCE_BYTES) this.flush()
    else this.#flushSoon()
    return !socket.writableNeedDrain
  }

  addTrailers(fields: readonly [string, string][]): void {
    this.#trailers = fields.flat()
  }

  end(data?: Buffer | string): void {
    if (this.writableEnded) return
    if (data !== undefined && !this.#isOver)
      this.#push(typeof data === 'string' ? Buffer.from(data) : data)
    this.writableEnded = true
    if (this.#isOver) return
    if (this.#framing === 'length' && this.#left > 0) {
      this.#to.breakOff()
      return
    }
    if (this.#framing === 'chunked') this.#waits(this.#lastChunk())
    if (this.#to.isNext(this)) this.#finish()
  }

  /** All answers before it have gone: what there is of it follows. */
  turn(): void {
    if (this.writableEnded) this.#finish()
    else {
      this.flush()
      if (!this.#to.socket.writableNeedDrain) this.drained()
    }
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    if (event === 'close') {
      if (this.#onClose === undefined) this.#onClose = [listener]
      else this.#onClose.push(listener)
    } else if (this.#onDrain === undefined) this.#onDrain = [listener]
    else this.#onDrain.push(listener)
  }

  /** The socket takes more again. */
  drained(): void {
    const listeners = this.#onDrain
    if (listeners === undefined) return
    this.#onDrain = undefined
    for (const listener of listeners) listener()
  }

  /** Its connection has let go of it: all of it has gone, or none will. */
  close(): void {
    this.destroyed = true
    this.#pending = NOTHING
    const listeners = this.#onClose
    if (listeners === undefined) return
    this.#onClose = undefined
    for (const listener of listeners) listener()
  }

  get #isOver(): boolean {
    return this.destroyed || this.#to.socket.destroyed
  }

  #finish(): void {
    this.flush()
    // Whatever follows runs before anybody hears that it is over.
    if (this.#underway === 0) process.nextTick(taken, this)
  }

  #connection(value: string): void {
    this.#saysConnection = true
    if (/(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value)) this.keepsAlive = false
  }

  #framingOf(isBodyless: boolean, length: number | undefined): Framing {
    if (isBodyless) return 'none'
    if (length !== undefined) return 'length'
    if (this.#minor === 1) return 'chunked'
    this.keepsAlive = false
    return 'until-close'
  }

  #push(bytes: Buffer): void {
    if (bytes.length === 0 || this.#framing === 'none') return
    if (this.#framing === 'length') {
      this.#left -= bytes.length
      // The client would take the rest for another answer.
      if (this.#left < 0) {
        this.#to.breakOff()
        return
      }
    }
    this.#pendingBytes += bytes.length
    if (this.#framing !== 'chunked') this.#waits(bytes)
    else {
      this.#waits(`${bytes.length.toString(16)}\r\n`)
      this.#waits(bytes)
      this.#waits('\r\n')
    }
  }

  #lastChunk(): string {
    try {
      return lastChunk(this.#trailers)
    } catch {
      // What stands behind the body may be left out.
      return lastChunk()
    }
  }

  #inform(status: number, reason: string, fields: readonly string[]): void {
    const { socket } = this.#to
    if (this.headersSent || this.#minor === 0 || this.#isOver) return
    const text = responseHead(status, reason, fields, { kind: 'none' })
    if (!this.#to.isNext(this)) this.#before += text
    else if (socket.writable) socket.write(text, 'latin1')
  }

  /** What is still to be said in the head: its last lines. */
  #headEnd(): string {
    const date = this.sendDate ? fieldLines(['Date', new Date().toUTCString()]) : ''
    if (this.#saysConnection) return `${date}\r\n`
    if (this.#to.isLast(this)) this.keepsAlive = false
    if (!this.keepsAlive) return `${date}Connection: close\r\n\r\n`
    return `${date}${keepAliveLines(this.#to.keepAliveSeconds)}`
  }

  /** A list that is begun with what is in it takes a fifth of the room. */
  #waits(piece: string | Buffer): void {
    if (this.#pending === NOTHING) this.#pending = [piece]
    else this.#pending.push(piece)
  }

  #flushSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    if (due.push(this) === 1) setImmediate(flushDue)
  }

  /** What waits is written now. */
  flush(): void {
    this.#isDue = false
    if (!this.#to.isNext(this)) return
    let pieces = this.#pending
    if (this.#head !== undefined) {
      pieces = [this.#before, this.#head, this.#headEnd(), ...pieces]
      this.#head = undefined
    } else if (this.#before !== '') pieces = [this.#before, ...pieces]
    this.#before = ''
    if (pieces.length === 0) return
    this.#pending = NOTHING
    this.#pendingBytes = 0
    const { socket } = this.#to
    if (this.#isOver || !socket.writable) return
    this.#underway += 1
    socket.write(joined(pieces), this.#to.onWritten)
  }

  /** One of its writes has been taken. */
  wrote(): void {
    this.#underway -= 1
    if (this.writableEnded && this.#underway === 0) this.taken()
  }

  /** It has ended, and nothing of it waits. */
  taken(): void {
    if (!this.destroyed && !this.#to.socket.destroyed) this.#to.answered(this)
  }
}

/** Which are written at the end of this turn of the loop. */
let due: H1Response[] = []

function flushDue(): void {
  const now = due
  due = []
  let at = 0
  try {
    while (at < now.length) now[at++]?.flush()
  } finally {
    // A fault of one is none of the others'.
    for (const response of now.slice(at)) setImmediate(flush, response)
  }
}

function flush(response: H1Response): void {
  response.flush()
}

let secondsOfLines = Number.NaN
let linesOfSeconds = ''

function keepAliveLines(seconds: number): string {
  if (seconds !== secondsOfLines) {
    secondsOfLines = seconds
    linesOfSeconds = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`
  }
  return linesOfSeconds
}

function taken(response: H1Response): void {
  response.taken()
}

/** Undefined: it is none. */
function lengthIn(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
}

function withoutLength(fields: readonly string[]): string[] {
  return fields.filter((_, i) => {
    const name = fields[i - (i % 2)] as string
    return name.length !== 14 || name.toLowerCase() !== 'content-length'
  })
}
