/**
 * The body of one request on its way up. A small one of known length is read whole first: that
 * costs no time, since it comes with the head, and it can be sent a second time. Any other
 * streams, with back-pressure, while a bounded copy of its beginning is kept for reading; where
 * a decision comes first, that beginning is held until then.
 */
import { Readable } from 'node:stream'
import { YoriError } from '../../core/errors.js'
import type { UpstreamBody } from '../../net/upstream-words.js'
import { carriesBody } from '../../http/head.js'
import type { RequestHead } from '../../http/head.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { HttpRequest } from '../words/http-words.js'

/** Bodies up to this length are read whole before they are sent on. */
const WHOLE_BYTES = 64 * 1024

export interface BodyLimits {
  /** Over this the request is answered 413; undefined: no limit. */
  readonly maxBytes: number | undefined
  /** How much of the beginning is kept for reading. */
  readonly previewBytes: number
  /** Hold so much of it back before it is given on; 0 streams. */
  readonly holdBytes: number
  /** What is kept counts there. */
  readonly hold: Hold
  /** How long what is held may wait for room there. */
  readonly waitMs: number
  /** Monotonic milliseconds, of the clock by which deadlines are kept. */
  readonly now: () => number
}

export class RequestBody {
  bytes = 0
  /** Monotonic time of the last byte, for the stall deadline. */
  lastByteAt: number
  readonly #request: HttpRequest
  readonly #head: RequestHead
  readonly #limits: BodyLimits
  #preview: Buffer[] = []
  #previewBytes = 0
  /** Taken of the budget for what has not come yet. */
  #reserved = 0
  /** The budget had no room for more of it. */
  #previewEnded = false
  /** Its last byte has been seen here: what is parsed already may still wait to be read. */
  #ended: boolean
  #stream: BodyStream | undefined

  constructor(request: HttpRequest, head: RequestHead, limits: BodyLimits) {
    this.#request = request
    this.#head = head
    this.#limits = limits
    this.lastByteAt = limits.now()
    this.#ended = !carriesBody(head)
  }

  /** Still waiting for bytes that the client owes, and not holding it back ourselves. */
  get waiting(): boolean {
    return !this.#ended && !this.#request.complete && !this.#request.isPaused()
  }

  /** The beginning of the body, up to the preview limit. */
  preview(): { bytes: Buffer; whole: boolean } {
    const whole = this.#ended && this.#previewBytes === this.bytes
    const [only] = this.#preview
    const bytes =
      this.#preview.length === 1 && only !== undefined
        ? only
        : Buffer.concat(this.#preview)
    return { bytes, whole }
  }

  /**
   * Gives the body to `use` once it is known in which form it goes on; `fail` gets what ends
   * it early: YORI_REQUEST_BODY_TOO_LARGE, YORI_CLIENT_GONE.
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
    const small = !chunked && contentLength !== undefined && contentLength <= WHOLE_BYTES
    if (small && this.#limits.hold.take(contentLength)) {
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
    const stream = new BodyStream(this.#request, held, saw)
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
    if (this.#stream === undefined || this.#previewBytes !== bytes) return undefined
    return this.#streamed(this.#stream.again(this.#preview))
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
    const wanted = Math.min(this.#head.contentLength ?? previewBytes, previewBytes)
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

  /** Waits for the whole body, for the limit, or for the budget's end, whichever is first. */
  #readHeld(use: (body: UpstreamBody) => void, fail: (error: YoriError) => void): void {
    const request = this.#request
    const held: Buffer[] = []
    const stop = (): void => {
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
    }
    const onData = (chunk: Buffer): void => {
      this.#saw(chunk)
      held.push(chunk)
      if (this.#isOver(this.bytes)) {
        stop()
        request.pause()
        fail(this.#tooLarge())
      } else if (this.bytes > this.#limits.holdBytes || this.#previewEnded) {
        stop()
        request.pause()
        this.#streams(use, fail, held)
      }
    }
    const onEnd = (): void => {
      // HTTP/2: a body that the client broke off ends too; 'close' then says so.
      if (!request.complete) return
      this.#ended = true
      stop()
      this.#limits.hold.give(this.#reserved)
      this.#reserved = 0
      use({
        kind: 'whole',
        bytes: held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held),
      })
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

  #readWhole(use: (body: UpstreamBody) => void, fail: (error: YoriError) => void): void {
    const request = this.#request
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => {
      this.#count(chunk)
      chunks.push(chunk)
    })
    request.on('end', () => {
      // HTTP/2: a stream that was reset ends too.
      if (!request.complete) return
      this.#ended = true
      const [only] = chunks
      const bytes =
        chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
      // No copy, and its bytes are held already.
      this.#preview = [bytes.subarray(0, this.#limits.previewBytes)]
      this.#previewBytes = Math.min(bytes.length, this.#limits.previewBytes)
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
  }

  #saw(chunk: Buffer): void {
    this.#count(chunk)
    const room = this.#limits.previewBytes - this.#previewBytes
    if (room <= 0 || this.#previewEnded) return
    const kept = Math.min(room, chunk.length)
    const reserved = Math.min(kept, this.#reserved)
    this.#reserved -= reserved
    if (kept > reserved && !this.#limits.hold.take(kept - reserved)) {
      this.#previewEnded = true
      return
    }
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room)
    this.#preview.push(part)
    this.#previewBytes += part.length
  }

  #isOver(bytes: number): boolean {
    return this.#limits.maxBytes !== undefined && bytes > this.#limits.maxBytes
  }

  #tooLarge(): YoriError {
    return new YoriError(
      'YORI_REQUEST_BODY_TOO_LARGE',
      `the request body is over ${this.#limits.maxBytes ?? 0} bytes`,
    )
  }
}

/**
 * The request as it goes up. It stands between because whoever sends it destroys a body that a
 * provider did not wait for, and that must not take the client's connection along: the rest of
 * the body is then read and dropped while the answer goes out.
 */
class BodyStream extends Readable {
  readonly #source: HttpRequest
  readonly #saw: (chunk: Buffer) => boolean
  #hasEnded = false
  /** Another has taken its place. */
  #replaced = false

  constructor(
    source: HttpRequest,
    held: readonly Buffer[],
    saw: (chunk: Buffer) => boolean,
  ) {
    super({ highWaterMark: 64 * 1024 })
    this.#source = source
    this.#saw = saw
    source.pause()
    for (const chunk of held) this.push(chunk)
    source.on('data', this.#onData)
    source.on('end', this.#onEnd)
    source.on('error', () => undefined)
    source.on('close', this.#onClose)
    // Errors reach the exchange through the library; without a listener they would be thrown.
    this.on('error', () => undefined)
  }

  /** Another in its place, which gives `seen` again before it goes on. */
  again(seen: readonly Buffer[]): BodyStream {
    const source = this.#source
    this.#replaced = true
    source.off('data', this.#onData)
    source.off('end', this.#onEnd)
    source.off('close', this.#onClose)
    const next = new BodyStream(source, seen, this.#saw)
    if (this.#hasEnded) next.#onEnd()
    return next
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#saw(chunk)) {
      this.#source.pause()
      return
    }
    if (!this.destroyed && !this.push(chunk)) this.#source.pause()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    if (!this.destroyed && this.#source.complete) this.push(null)
  }

  readonly #onClose = (): void => {
    if (!this.#source.complete) this.destroy(new YoriError('YORI_CLIENT_GONE'))
  }

  override _read(): void {
    this.#goOn()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#goOn()
    done(error)
  }

  #goOn(): void {
    if (!this.#replaced) this.#source.resume()
  }
}
