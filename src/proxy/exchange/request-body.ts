/**
 * The body of one request on its way up. A small one of known length is read whole first: that
 * costs no time, since it comes with the head, and it can be sent a second time. Any other
 * streams, with back-pressure, while a bounded copy of it is kept for reading; where a decision
 * comes first it is held until then: to its end if there is room for it.
 */
import { YoriError } from '../../core/errors.js'
import type { UpstreamBody } from '../../net/upstream-words.js'
import { carriesBody } from '../../http/head.js'
import type { RequestHead } from '../../http/head.js'
import { BodyCopy } from '../bounds/body-copy.js'
import type { KeptBody } from '../bounds/body-copy.js'
import type { Hold } from '../bounds/byte-budget.js'
import { HeldBytes } from '../bounds/held-bytes.js'
import type { HttpRequest } from '../words/http-words.js'
import { BodyStream } from './body-stream.js'
import type { CallGate } from './call-gate.js'
import type { BodyBound } from './request-limits.js'

/** Bodies up to this length are read whole before they are sent on, unless others say. */
const WHOLE_BYTES = 64 * 1024
/** Of one that is held, what is taken in one turn of the loop: others have theirs between. */
const TURN_BYTES = 256 * 1024

const NOTHING = Buffer.alloc(0)

const TOO_LARGE: BodyBound = { maxBytes: 0, code: 'YORI_REQUEST_BODY_TOO_LARGE' }

export interface BodyLimits {
  /** Over this the request is refused; undefined: no limit. */
  readonly bound: BodyBound | undefined
  /** How much is kept for reading. */
  readonly previewBytes: number
  /** Hold so much of it back before it is given on; 0 streams. */
  readonly holdBytes: number
  /** What is kept counts there. */
  readonly hold: Hold
  /** How long what is held may wait for room there. */
  readonly waitMs: number
  /** Bodies up to this length are read whole before they are sent on; 64 KiB unless said. */
  readonly wholeBytes?: number | undefined
  /** Of a call of gRPC that is held: it waits for a message, not for the body's end. */
  readonly gate?: CallGate | undefined
  /** Monotonic milliseconds, of the clock by which deadlines are kept. */
  readonly now: () => number
}

/** What is there to be read of a body. */
export interface BodyPreview extends KeptBody {
  /** `bytes` are all of it. */
  readonly whole: boolean
  /** The bound that left something out, by its name in the configuration. */
  readonly cutBy: string | undefined
}

export class RequestBody {
  bytes = 0
  /** Monotonic time of the last byte, for the stall deadline. */
  lastByteAt: number
  /** Told of each piece as it comes, as the client sends it. */
  onBytes: ((chunk: Buffer) => void) | undefined
  readonly #request: HttpRequest
  readonly #head: RequestHead
  readonly #limits: BodyLimits
  #copy: BodyCopy
  /** All that has come, while it is held back. */
  #held: HeldBytes | undefined
  /** Taken of the budget for what has not come yet. */
  #reserved = 0
  /** Taken for what has come. */
  #taken = 0
  /** The budget had no room for more of it. */
  #noRoom = false
  /** Its last byte has been seen here: what is parsed already may still wait to be read. */
  #ended: boolean
  #stream: BodyStream | undefined

  constructor(request: HttpRequest, head: RequestHead, limits: BodyLimits) {
    this.#request = request
    this.#head = head
    this.#limits = limits
    this.#copy = new BodyCopy(limits.previewBytes)
    this.lastByteAt = limits.now()
    this.#ended = !carriesBody(head)
  }

  /** Still waiting for bytes that the client owes, and not holding it back ourselves. */
  get waiting(): boolean {
    return !this.#ended && !this.#request.complete && !this.#request.isPaused()
  }

  /** More of it may come. */
  get isOpen(): boolean {
    return !this.#ended && !this.#request.complete
  }

  /** What has come of it: all, or its first part and its newest. */
  preview(): BodyPreview {
    const whole = this.#ended && !this.#copy.hasGap && this.#copy.size === this.bytes
    const cutBy = this.#noRoom ? 'limits.held_body_bytes' : 'inspect.max_body_bytes'
    const hasGap = this.#copy.hasGap
    const { bytes, newest } = this.#copy.kept()
    return { bytes, newest, whole, cutBy: hasGap ? cutBy : undefined }
  }

  /** It has been looked at, and will not be sent again: its room is another's. */
  forget(): void {
    this.#copy = new BodyCopy(0)
    this.#limits.hold.give(this.#taken + this.#reserved)
    this.#taken = 0
    this.#reserved = 0
  }

  /**
   * Gives the body to `use` once it is known in which form it goes on; `fail` gets what ends
   * it early: the code of the bound, YORI_CLIENT_GONE.
   */
  read(use: (body: UpstreamBody) => void, fail: (error: YoriError) => void): void {
    const { contentLength, chunked } = this.#head
    if (this.#ended) {
      use({ kind: 'none' })
      return
    }
    if (contentLength !== undefined && this.#isOver(contentLength)) {
      fail(this.#tooLarge())
      return
    }
    const { wholeBytes = WHOLE_BYTES } = this.#limits
    const small = !chunked && contentLength !== undefined && contentLength <= wholeBytes
    if (small && this.#limits.hold.take(contentLength)) {
      this.#taken = contentLength
      this.#readWhole(use, fail)
      return
    }
    if (this.#limits.holdBytes > 0) this.#waitForRoom(use, fail)
    else this.#streams(use, fail)
  }

  /** `held` has been seen already and goes first. */
  #streams(
    use: (body: UpstreamBody) => void,
    fail: (error: YoriError) => void,
    held: readonly Buffer[] = [],
  ): void {
    const saw = (chunk: Buffer): boolean => {
      this.#saw(chunk)
      if (!this.#isOver(this.bytes)) return true
      fail(this.#tooLarge())
      return false
    }
    const { gate } = this.#limits
    const stream = new BodyStream(this.#request, gate?.letGo(held) ?? held, saw, gate)
    this.#request.on('end', () => (this.#ended = this.#request.complete))
    use(this.#streamed(stream))
  }

  /**
   * Once more from its beginning, what has come first and the rest as it comes: for a provider
   * that has heard nothing of it. Undefined: that is not to be had any more, since it is longer
   * than what is kept for reading.
   */
  again(): UpstreamBody | undefined {
    const { bytes } = this
    const copy = this.#copy
    if (this.#stream === undefined || copy.hasGap || copy.size !== bytes) return undefined
    if (this.#limits.gate?.isFresh === false) return undefined
    return this.#streamed(this.#stream.again(copy.pieces))
  }

  #streamed(stream: BodyStream): UpstreamBody {
    const { chunked, contentLength } = this.#head
    this.#stream = stream
    return { kind: 'stream', stream, length: chunked ? undefined : contentLength }
  }

  /**
   * All that may be held of it is taken before anything is read: two that have half of theirs
   * each would wait for ever. Where there is no room in time, it is read without, and what is
   * not kept is not seen.
   */
  #waitForRoom(
    use: (body: UpstreamBody) => void,
    fail: (error: YoriError) => void,
  ): void {
    const { hold, previewBytes, waitMs } = this.#limits
    const request = this.#request
    const { contentLength = previewBytes } = this.#head
    const wanted = Math.min(contentLength, this.#holdMost, hold.most)
    const line: { isOver: boolean; timer?: NodeJS.Timeout; leave?: () => void } = {
      isOver: false,
    }
    const leave = (): boolean => {
      if (line.isOver) return false
      line.isOver = true
      clearTimeout(line.timer)
      line.leave?.()
      request.off('close', onClose)
      return true
    }
    const go = (reserved: number): void => {
      if (!leave()) return
      this.#reserved = reserved
      this.#readHeld(use, fail)
      if (line.timer !== undefined) request.resume()
    }
    const onClose = (): void => {
      if (leave()) fail(new YoriError('YORI_CLIENT_GONE'))
    }
    request.on('close', onClose)
    const cancel = hold.wait(wanted, () => go(wanted))
    if (cancel === undefined) go(0)
    // There mostly is room within the call.
    if (line.isOver || cancel === undefined) return
    line.leave = cancel
    request.on('error', () => undefined)
    request.pause()
    line.timer = setTimeout(() => go(0), waitMs).unref()
  }

  /** Of one that is longer than can be held, what is looked at. */
  get #holdMost(): number {
    const { previewBytes, holdBytes } = this.#limits
    return (this.#head.contentLength ?? 0) > holdBytes
      ? Math.min(previewBytes, holdBytes)
      : holdBytes
  }

  /** Waits for the whole body, for the limit, or for the budget's end, whichever is first. */
  #readHeld(use: (body: UpstreamBody) => void, fail: (error: YoriError) => void): void {
    const request = this.#request
    const most = this.#holdMost
    const held = new HeldBytes(this.#head.contentLength, most)
    this.#held = held
    const stop = (): void => {
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
      this.#held = undefined
      this.#keepOnly(held.pieces)
    }
    let inTurn = 0
    const nextTurn = (): void => {
      inTurn = 0
      if (this.#held === held) request.resume()
    }
    const { gate } = this.#limits
    const onData = (chunk: Buffer): void => {
      this.#saw(chunk)
      gate?.saw(chunk)
      if (inTurn < TURN_BYTES && inTurn + chunk.length >= TURN_BYTES) {
        request.pause()
        setImmediate(nextTurn)
      }
      inTurn += chunk.length
      if (this.#isOver(this.bytes)) {
        stop()
        request.pause()
        fail(this.#tooLarge())
      } else if (this.bytes > most || this.#noRoom || gate?.hasMessage === true) {
        stop()
        request.pause()
        if (gate?.hasMessage === true) this.#giveReserved()
        this.#streams(use, fail, held.pieces)
      }
    }
    const onEnd = (): void => {
      // HTTP/2: a body that the client broke off ends too; 'close' then says so.
      if (!request.complete) return
      this.#ended = true
      stop()
      this.#giveReserved()
      use({ kind: 'whole', bytes: held.whole })
    }
    const onClose = (): void => {
      stop()
      if (!request.complete) fail(new YoriError('YORI_CLIENT_GONE'))
    }
    request.on('error', () => undefined)
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
  }

  #giveReserved(): void {
    this.#limits.hold.give(this.#reserved)
    this.#reserved = 0
  }

  #readWhole(use: (body: UpstreamBody) => void, fail: (error: YoriError) => void): void {
    const request = this.#request
    /** It mostly comes at once. */
    let bytes: Buffer | undefined
    let rest: Buffer[] | undefined
    request.on('data', (chunk: Buffer) => {
      this.#count(chunk)
      if (bytes === undefined) bytes = chunk
      else (rest ??= [bytes]).push(chunk)
    })
    request.on('end', () => {
      // HTTP/2: a stream that was reset ends too.
      if (!request.complete) return
      this.#ended = true
      bytes = rest === undefined ? (bytes ?? NOTHING) : Buffer.concat(rest)
      this.#keepWhole(bytes)
      use({ kind: 'whole', bytes })
    })
    request.on('error', () => undefined)
    request.on('close', () => {
      if (!request.complete) fail(new YoriError('YORI_CLIENT_GONE'))
    })
  }

  #count(chunk: Buffer): void {
    this.bytes += chunk.length
    this.lastByteAt = this.#limits.now()
    this.onBytes?.(chunk)
  }

  #saw(chunk: Buffer): void {
    this.#count(chunk)
    const held = this.#held
    // What the gate has judged is not looked at again.
    if (held === undefined && this.#limits.gate !== undefined) return
    const grows = held === undefined ? this.#copy.growth(chunk.length) : chunk.length
    const reserved = Math.min(grows, this.#reserved)
    this.#reserved -= reserved
    this.#taken += reserved
    const more = grows - reserved
    if (more > 0 && !this.#noRoom) {
      if (this.#limits.hold.take(more)) this.#taken += more
      else {
        this.#noRoom = true
        this.#copy.seal()
      }
    }
    if (held === undefined) this.#copy.push(chunk)
    else held.push(chunk)
  }

  /** All of it; nothing was kept before. */
  #keepWhole(bytes: Buffer): void {
    if (this.#noRoom) this.#keepOnly([bytes])
    else this.#copy.push(bytes)
  }

  /** No copy of them: they are held already. */
  #keepOnly(pieces: readonly Buffer[]): void {
    const { previewBytes } = this.#limits
    const most = this.#noRoom ? Math.min(previewBytes, this.#taken) : previewBytes
    this.#copy = new BodyCopy(most)
    for (const piece of pieces) this.#copy.push(piece)
  }

  #isOver(bytes: number): boolean {
    const { bound } = this.#limits
    return bound !== undefined && bytes > bound.maxBytes
  }

  #tooLarge(): YoriError {
    const { code, maxBytes } = this.#limits.bound ?? TOO_LARGE
    return new YoriError(code, `the request body is over ${maxBytes} bytes`)
  }
}
