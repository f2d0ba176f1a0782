/**
 * Holds what a client says over a WebSocket until it has been judged: where a policy may block,
 * a message goes on to the provider when it was allowed, whole frames and in order. A message
 * that cannot be read, or is too long to be held, is judged as such; if it may pass, it passes
 * as it comes. What the provider says is not held.
 */
import { setImmediate } from 'node:timers/promises'
import type { Decision } from '../../policy/engine.js'
import type { Heard } from './websocket-speech.js'
import type { Judgement } from '../words/exchange-about.js'

/** Heads of frames, and what has come of the next message. */
const BESIDE_MESSAGE_BYTES = 64 * 1024

/** Decisions in one turn of the loop, and how many may wait before the client does. */
const PER_TURN = 16
const MAX_WAITING = 64

export interface GateOptions {
  /** Undefined: nobody can tell what the message says. */
  readonly judge: (heard: Heard) => Judgement
  /** A message that is longer is judged before it is whole. */
  readonly maxMessageBytes: number
  /** Of the client's direction, as far as it was looked at. */
  readonly seen: () => Seen
}

export interface Seen {
  /** Whole messages. */
  readonly messages: number
  /** Bytes that were looked at. */
  readonly consumed: number
  /** No frame nor message is under way. */
  readonly atBoundary: boolean
  readonly malformed: string | undefined
}

/** The relay on which the gate stands. */
export interface GatePort {
  send(bytes: Buffer): void
  pause(): void
  resume(): void
  /** All has gone on that may, and no more comes. */
  finish(): void
  block(decision: Decision, heard: Heard): void
}

export class MessageGate {
  readonly #options: GateOptions
  /** Bytes that wait here. */
  readonly #maxHeldBytes: number
  #port: GatePort | undefined
  #held: Buffer[] = []
  #heldBytes = 0
  #sent = 0
  #received = 0
  /** Up to here bytes may go on. */
  #free = 0
  #judged = 0
  /** The message under way was judged before it was whole. */
  #passing = false
  /** After what is no WebSocket everything passes, if anything does. */
  #open = false
  #underWay: Promise<void> = Promise.resolve()
  #waiting = 0
  #asked = 0
  #blocked = false
  #ended = false

  constructor(options: GateOptions) {
    this.#options = options
    this.#maxHeldBytes = options.maxMessageBytes + BESIDE_MESSAGE_BYTES
  }

  attach(port: GatePort): void {
    this.#port = port
  }

  /** Keeps bytes back; `look` hands them to whoever finds the messages in them. */
  push(chunk: Buffer, look: (chunk: Buffer) => void): void {
    if (this.#blocked) return
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    this.#received += chunk.length
    look(chunk)
    this.#settle()
  }

  end(): void {
    this.#ended = true
    this.#settle()
  }

  /** A message that ends at this byte of the stream; once for each, in their order. */
  message(end: number, heard: Heard): void {
    const allow = (): void => {
      this.#judged += 1
      this.#free = Math.max(this.#free, end)
    }
    if (this.#passing) {
      this.#passing = false
      allow()
    } else if (heard === '' && this.#waiting === 0) {
      // Nothing to judge: the usual case of sound.
      allow()
    } else this.#ask(heard, allow)
    this.#settle()
  }

  #ask(heard: Heard, allow: () => void): void {
    this.#waiting += 1
    const judge = async (): Promise<Decision | undefined> => {
      if (heard === '' || this.#blocked) return undefined
      this.#asked += 1
      if (this.#asked % PER_TURN === 0) await setImmediate()
      return this.#options.judge(heard)
    }
    this.#underWay = this.#underWay
      .then(judge)
      // A fault of ours must not cost the connection.
      .catch(() => undefined)
      .then((decision) => {
        this.#waiting -= 1
        if (this.#blocked) return
        if (decision?.enforce === true) this.#block(decision, heard)
        else allow()
        this.#settle()
      })
  }

  #block(decision: Decision, heard: Heard): void {
    this.#blocked = true
    this.#held = []
    this.#port?.block(decision, heard)
  }

  #settle(): void {
    if (this.#blocked) return
    const { messages, consumed, atBoundary, malformed } = this.#options.seen()
    const isJudged = this.#waiting === 0 && messages === this.#judged
    if (isJudged && this.#open) this.#free = this.#received
    else if (isJudged && (this.#passing || atBoundary))
      this.#free = Math.max(this.#free, consumed)
    else if (isJudged && malformed !== undefined)
      this.#ask(undefined, () => (this.#open = true))
    else if (isJudged && this.#heldBytes > this.#maxHeldBytes)
      this.#ask(undefined, () => (this.#passing = true))
    this.#flush()
    if (this.#ended && isJudged && this.#waiting === 0) this.#port?.finish()
    else if (this.#heldBytes > this.#maxHeldBytes || this.#waiting > MAX_WAITING)
      this.#port?.pause()
    else this.#port?.resume()
  }

  #flush(): void {
    while (this.#sent < this.#free) {
      const chunk = this.#held[0]
      if (chunk === undefined) return
      const room = this.#free - this.#sent
      if (chunk.length <= room) this.#held.shift()
      else this.#held[0] = chunk.subarray(room)
      const bytes = chunk.length <= room ? chunk : chunk.subarray(0, room)
      this.#sent += bytes.length
      this.#heldBytes -= bytes.length
      this.#port?.send(bytes)
    }
  }
}
