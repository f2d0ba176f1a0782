/**
 * The request as it goes up. It stands between because whoever sends it destroys a body that a
 * provider did not wait for, and that must not take the client's connection along: the rest of
 * the body is then read and dropped while the answer goes out.
 */
import { Readable } from 'node:stream'
import { YoriError } from '../../core/errors.js'
import type { HttpRequest } from '../words/http-words.js'
import type { CallGate, Ready } from './call-gate.js'

export class BodyStream extends Readable {
  readonly #source: HttpRequest
  readonly #saw: (chunk: Buffer) => boolean
  readonly #gate: CallGate | undefined
  #hasEnded = false
  #isWhole = false
  /** What came is being judged. */
  #waits = false
  /** Another has taken its place. */
  #replaced = false

  constructor(
    source: HttpRequest,
    held: Buffer | readonly Buffer[],
    saw: (chunk: Buffer) => boolean,
    gate: CallGate | undefined,
  ) {
    super({ highWaterMark: 64 * 1024 })
    this.#source = source
    this.#saw = saw
    this.#gate = gate
    source.pause()
    for (const chunk of Buffer.isBuffer(held) ? [held] : held) this.push(chunk)
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
    const next = new BodyStream(source, seen, this.#saw, this.#gate)
    if (this.#hasEnded) next.#onEnd()
    return next
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#saw(chunk)) {
      this.#source.pause()
      return
    }
    if (this.destroyed) return
    this.#give(this.#gate?.take(chunk) ?? chunk, () => undefined)
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    if (this.#waits || this.destroyed || !this.#source.complete) return
    this.#give(this.#gate?.end() ?? NOTHING, () => this.#finish())
  }

  #finish(): void {
    if (!this.#isWhole) this.push(null)
    this.#isWhole = true
  }

  /** Undefined: it is over, and whoever decided so ends it. */
  #give(ready: Ready, then: () => void): void {
    if (!(ready instanceof Promise)) {
      if (ready.length > 0 && !this.push(ready)) this.#source.pause()
      then()
      return
    }
    this.#waits = true
    this.#source.pause()
    void ready.then((bytes) => {
      this.#waits = false
      if (bytes === undefined || this.destroyed) return
      const wants = bytes.length === 0 || this.push(bytes)
      then()
      if (this.#hasEnded) this.#onEnd()
      else if (wants) this.#goOn()
    })
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
    if (!this.#replaced && !this.#waits) this.#source.resume()
  }
}

const NOTHING = Buffer.alloc(0)
