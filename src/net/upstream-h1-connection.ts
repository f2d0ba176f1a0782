/**
 * One HTTP/1.1 connection to a provider, which carries one exchange at a time: feeds its answer
 * from a buffer that is read into again, stops reading while it is not wanted, keeps the
 * deadlines, and hands the socket over when protocols are switched. Bytes that nobody asked for
 * end it. What is in the bytes is `upstream-h1-answer.ts`'s, which exchange comes next
 * `upstream-h1.ts`'s. RFC 9112 §9.
 */
import type { Socket } from 'node:net'
import { YoriError } from '../core/errors.js'
import type { Watch, Watched } from '../core/watched.js'
import type { OnRead } from './dial.js'
import { upstreamFailure } from './tls-failure.js'
import { H1Answer } from './upstream-h1-answer.js'
import type { AnswerProgress } from './upstream-h1-answer.js'
import type { Carrier, H1Exchange } from './upstream-h1-exchange.js'

/** A provider closes at its own limit: so much earlier it is not asked any more. */
const KEEP_ALIVE_MARGIN_MS = 1_000

/** One for all connections: what is read is used up within the read. */
export class ReadBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(64 * 1024)
  /** How often it has been read into. */
  reads = 0
}

/** Of one connection. Times are looked at about once a second. */
export interface H1ConnectionOptions {
  /** Of a response's head, and of its trailers. */
  readonly maxHeadBytes: number
  /**
   * From the last that went of the request, or the last informational head, to the
   * response's; not while the client owes the rest of its body.
   */
  readonly responseHeadTimeoutMs: number
  /** Between two pieces of a response's body, while somebody wants them. */
  readonly responseSilenceTimeoutMs: number
  /** Without an exchange; less where the provider says so (`Keep-Alive`). */
  readonly idleTimeoutMs: number
  readonly deadlines: Watch
  readonly buffer: ReadBuffer
  /** It has been answered whole, and may carry another. */
  readonly onFree: () => void
  /** It carries nothing and never will. */
  readonly onGone: () => void
}

/**
 * `opened` with its socket, then `carry` one exchange after the other, each when
 * `usable`. An answer that is malformed, late, or followed by bytes that nobody asked for
 * ends it.
 */
export class H1Connection implements Watched, Carrier {
  watchedAt = -1
  /** Answers that it has carried. */
  #served = 0
  readonly #options: H1ConnectionOptions
  readonly #answer: H1Answer
  #socket: Socket | undefined
  #localAddress = ''
  #exchange: H1Exchange | undefined
  #paused = false
  /** What came after reading was to stop: the TLS layer had it already. */
  readonly #held: Buffer[] = []
  /** The provider has ended its side. */
  #finished = false
  #switched = false
  #gone = false
  /** The last that went on, either way; by the clock of deadlines. */
  #lastAt = 0
  #idleUntil = 0
  /** What its socket failed of. */
  #broke: Error | undefined

  constructor(options: H1ConnectionOptions) {
    this.#options = options
    this.#answer = new H1Answer(options.maxHeadBytes, options.buffer)
  }

  /** For the socket that is to be this connection's. */
  get onread(): { buffer: Uint8Array; callback: OnRead } {
    const { buffer } = this.#options
    return { buffer: buffer.bytes, callback: (bytes) => this.#onRead(bytes) }
  }

  /** @throws Error before `opened` */
  get socket(): Socket {
    if (this.#socket === undefined) throw new Error('not open yet')
    return this.#socket
  }

  /** This end's; empty before `opened`. */
  get localAddress(): string {
    return this.#localAddress
  }

  /** May it carry one more exchange now? */
  get usable(): boolean {
    const socket = this.#socket
    if (socket === undefined || this.#exchange !== undefined) return false
    if (this.#gone || this.#finished || !socket.writable) return false
    return this.#options.deadlines.now() < this.#idleUntil
  }

  /** Once, with a connected socket that was made with `onread`. */
  opened(socket: Socket): void {
    this.#socket = socket
    this.#localAddress = socket.localAddress ?? ''
    socket.on('error', this.#onError)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
    this.#idleUntil = this.#options.deadlines.now() + this.#options.idleTimeoutMs
    this.#options.deadlines.watch(this)
  }

  /** Sends its request and feeds it its answer; only while `usable`. */
  carry(exchange: H1Exchange): void {
    this.#exchange = exchange
    this.#answer.reset()
    this.touch()
    exchange.begin(this, this.#served > 0)
  }

  touch(): void {
    this.#lastAt = this.#options.deadlines.now()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.touch()
    for (;;) {
      const bytes = this.#held.shift()
      if (bytes === undefined) break
      if (!this.#feed(bytes, bytes.length)) return
    }
    if (this.#finished) this.#ended()
    else this.#socket?.resume()
  }

  drop(exchange: H1Exchange): void {
    if (this.#exchange === exchange) this.destroy()
  }

  /** Ends it now; an exchange under way is broken off. */
  destroy(): void {
    if (this.#gone) return
    const exchange = this.#exchange
    this.#leave()
    this.#held.length = 0
    this.#socket?.destroy()
    exchange?.fail(new Error('the connection was ended here'))
  }

  tick(now: number): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      if (now >= this.#idleUntil) this.destroy()
      return
    }
    const { inBody } = this.#answer
    // While nobody would hear a word, silence is none of the provider's.
    if (this.#paused || (!inBody && exchange.waitsForClient)) return
    const { responseHeadTimeoutMs, responseSilenceTimeoutMs } = this.#options
    const headMs = exchange.request.headTimeoutMs ?? responseHeadTimeoutMs
    const limitMs = inBody ? responseSilenceTimeoutMs : headMs
    if (now - this.#lastAt <= limitMs) return
    const what = inBody ? 'the response fell silent' : 'no response head in time'
    const { host } = exchange.request.target
    this.#fail(new YoriError('YORI_UPSTREAM_TIMEOUT', `${host}: ${what}`))
  }

  #onRead(size: number): boolean {
    const { buffer } = this.#options
    buffer.reads += 1
    if (this.#switched)
      return this.socket.push(Buffer.from(buffer.bytes.subarray(0, size)))
    if (this.#paused) {
      this.#held.push(Buffer.from(buffer.bytes.subarray(0, size)))
      return false
    }
    return this.#feed(buffer.bytes, size)
  }

  /** False: no more for now, or never. */
  #feed(bytes: Buffer, size: number): boolean {
    const exchange = this.#exchange
    if (exchange === undefined) {
      // Unasked: whatever it is, it must not be taken for the next answer.
      this.destroy()
      return false
    }
    if (!exchange.begun) {
      // Mostly a 408 to nobody: what was not asked yet has not been answered.
      const early = 'bytes came before the request was sent'
      this.#fail(exchange.reused ? new Error(early) : malformed(exchange, early))
      return false
    }
    const answer = this.#answer
    const { informational } = answer
    const progress = this.#read(bytes, size, exchange)
    // Of a head that comes byte by byte each byte is no news.
    if (answer.inBody || answer.informational > informational) this.touch()
    switch (progress) {
      case 'more':
        return true
      case 'paused':
        this.#paused = true
        return false
      case 'whole':
        this.#complete(exchange, this.#answer.at < size)
        return !this.#gone
      case 'switched':
        return this.#handOver(exchange, bytes.subarray(this.#answer.at, size))
      case 'over':
        return !this.#gone
      case 'failed':
        return false
      case 'malformed':
        this.#fail(malformed(exchange, this.#answer.problem))
        return false
      case 'overwritten':
        this.#fail(new YoriError('YORI_INTERNAL', 'a read began within a read'))
        return false
    }
  }

  /** A fault of whoever is told costs one exchange, and not the process. */
  #read(bytes: Buffer, size: number, exchange: H1Exchange): AnswerProgress | 'failed' {
    try {
      return this.#answer.read(bytes, size, exchange)
    } catch (cause) {
      const text = 'the answer could not be given on'
      this.#fail(new YoriError('YORI_INTERNAL', text, { cause }))
      return 'failed'
    }
  }

  #complete(exchange: H1Exchange, isMore: boolean): void {
    const { trailers } = this.#answer
    const isAlone = !isMore && this.#held.length === 0 && !this.#finished
    const keepMs = this.#keepMs()
    this.#exchange = undefined
    this.#served += 1
    const wasSent = exchange.sent
    exchange.end()
    if (isAlone && wasSent && this.#answer.persists && keepMs > 0) {
      this.#idleUntil = this.#options.deadlines.now() + keepMs
      // Not at once: bytes that came with the answer would pass for the next one's.
      setImmediate(this.#free)
    } else this.destroy()
    exchange.handler.onEnd(trailers)
  }

  /** For how long it may be idle. */
  #keepMs(): number {
    const { idleTimeoutMs } = this.#options
    const { keepAliveSeconds } = this.#answer
    if (keepAliveSeconds < 0) return idleTimeoutMs
    return Math.min(idleTimeoutMs, keepAliveSeconds * 1000 - KEEP_ALIVE_MARGIN_MS)
  }

  readonly #free = (): void => {
    if (!this.#gone) this.#options.onFree()
  }

  /** What came along belongs to the new protocol, and so does what comes. */
  #handOver(exchange: H1Exchange, rest: Buffer): boolean {
    const { socket } = this
    const fields = this.#answer.fields()
    this.#switched = true
    this.#leave()
    socket.off('error', this.#onError)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    exchange.end()
    socket.pause()
    if (rest.length > 0) socket.push(Buffer.from(rest))
    exchange.handler.onUpgrade(fields, socket)
    // Who wants to read has said so by now: a no here would take that back.
    return !socket.isPaused()
  }

  #leave(): void {
    this.#gone = true
    this.#exchange = undefined
    this.#options.deadlines.unwatch(this)
    this.#options.onGone()
  }

  #fail(error: Error): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.destroy()
    if (exchange === undefined) return
    const { code } = upstreamFailure(error, exchange.request.target.host)
    const isClosed = code === 'YORI_UPSTREAM_CLOSED'
    exchange.fail(error, isClosed && exchange.reused && !this.#answer.begun)
  }

  readonly #onError = (error: Error): void => {
    this.#broke ??= error
  }

  readonly #onEnd = (): void => {
    // A reset that comes together with bytes is told as an end (libuv); but who was reset has
    // no peer any more.
    if (this.#socket?.remoteAddress === undefined) this.#broke ??= new Error('reset')
    this.#finished = true
    if (!this.#paused) this.#ended()
  }

  /** The provider says no more. */
  #ended(): void {
    const exchange = this.#exchange
    const isWhole = this.#answer.isOpen && this.#broke === undefined
    if (exchange !== undefined && isWhole) this.#complete(exchange, false)
    else this.#fail(this.#broke ?? new Error('the other side closed'))
  }

  readonly #onClose = (): void => {
    if (!this.#gone) this.#fail(this.#broke ?? new Error('the other side closed'))
  }

  readonly #onDrain = (): void => this.#exchange?.drained()
}

function malformed({ request }: H1Exchange, why: string): YoriError {
  const text = `${request.target.host}: no HTTP/1.1 that can be understood (${why})`
  return new YoriError('YORI_UPSTREAM_MALFORMED', text)
}
