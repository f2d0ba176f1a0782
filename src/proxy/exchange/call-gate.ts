/**
 * Holds what a client says in a call of gRPC until it has been judged: the messages of a call
 * may be many, and both sides may talk in turns, so that nobody can wait for its end. The first
 * message is judged as the request is; each of the others waits here for a decision of its
 * own, and goes on whole and in order. What is in no messages waits for its end.
 */
import { FrameEnds } from '../../http/grpc-frames.js'
import type { Hold } from '../bounds/byte-budget.js'

/** What of a message is there: all, its beginning, or what was left when no more came. */
export type MessageState = 'whole' | 'cut' | 'ended'

/** May it go on? Never rejects. */
export type JudgeMore = (bytes: Buffer, state: MessageState) => Promise<boolean>

export interface CallGateOptions {
  /** Of a message that is longer, so much is looked at. */
  readonly maxHeldBytes: number
  readonly hold: Hold
  readonly judge: JudgeMore
}

/** What may go on; undefined: it is stopped for good. */
export type Ready = Buffer | Promise<Buffer | undefined>

export class CallGate {
  readonly #options: CallGateOptions
  readonly #frames = new FrameEnds()
  /** Where messages end that were not judged. */
  #ends: number[] = []
  /** What was not judged. */
  #held: Buffer[] = []
  #heldBytes = 0
  #taken = 0
  /** Up to here all was judged, or is being judged. */
  #free = 0
  /** Up to its end a message passes: it was judged by its beginning. */
  #isPassing = false
  #isFresh = true

  constructor(options: CallGateOptions) {
    this.#options = options
  }

  /** A first message is there, and can be judged. */
  get hasMessage(): boolean {
    return this.#ends.length > 0 && !this.#frames.isBroken
  }

  /** Nothing but what was judged as the request has been seen. */
  get isFresh(): boolean {
    return this.#isFresh && this.#heldBytes === 0
  }

  /** More of what is judged as the request. */
  saw(chunk: Buffer): void {
    this.#ends.push(...this.#frames.push(chunk))
  }

  /** `seen`: all that `saw` was told of. Gives what of it was judged; a part of a next waits. */
  letGo(seen: readonly Buffer[]): Buffer {
    const all = Buffer.concat(seen)
    this.#isPassing = !this.hasMessage
    this.#free = this.#ends.at(-1) ?? all.length
    if (this.#frames.isBroken) this.#free = all.length
    this.#ends = []
    this.#keep(all.subarray(this.#free))
    return all.subarray(0, this.#free)
  }

  /** More has come, after all before has been settled. */
  take(chunk: Buffer): Ready {
    this.#isFresh = false
    this.#ends.push(...this.#frames.push(chunk))
    this.#keep(chunk)
    const passed = this.#isPassing ? this.#passed() : NOTHING
    const next = this.#next()
    if (!(next instanceof Promise)) return passed
    return next.then((bytes) => bytes && Buffer.concat([passed, bytes]))
  }

  /** No more comes: what is held is no whole message. */
  end(): Ready {
    if (this.#heldBytes === 0) return NOTHING
    return this.#judged(this.#heldBytes, 'ended')
  }

  #next(): Promise<Buffer | undefined> | undefined {
    const end = this.#ends.at(-1)
    if (end !== undefined) {
      this.#ends = []
      return this.#judged(end - this.#free, 'whole')
    }
    const { maxHeldBytes } = this.#options
    const isFull = this.#heldBytes > maxHeldBytes || this.#taken < this.#heldBytes
    return isFull ? this.#judged(this.#heldBytes, 'cut') : undefined
  }

  async #judged(length: number, state: MessageState): Promise<Buffer | undefined> {
    const bytes = this.#given(length)
    if (state === 'cut') this.#isPassing = true
    return (await this.#options.judge(bytes, state)) ? bytes : undefined
  }

  #passed(): Buffer {
    const end = this.#ends.shift()
    if (end === undefined) return this.#given(this.#heldBytes)
    this.#isPassing = false
    return this.#given(end - this.#free)
  }

  #keep(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#options.hold.take(chunk.length)) this.#taken += chunk.length
  }

  #given(length: number): Buffer {
    const all = Buffer.concat(this.#held)
    const rest = all.subarray(length)
    this.#options.hold.give(this.#taken)
    this.#held = []
    this.#heldBytes = 0
    this.#taken = 0
    this.#free += length
    this.#keep(rest)
    return all.subarray(0, length)
  }
}

const NOTHING = Buffer.alloc(0)
