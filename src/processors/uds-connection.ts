/**
 * One connection to an agent, on which one question is under way at a time: agents answer in
 * order and know no other. A late answer is never taken for another's: whoever loses patience
 * ends the connection. Its end ends what waits, at once.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Patience } from './patience.js'
import { FRAME, frame, FrameReader } from './uds-frames.js'
import { handshakeText, readIntroduction } from './uds-messages.js'
import { failureOf, ProcessorFailure } from './words.js'
import type { Introduction } from './words.js'

/** Frames a second that nobody asked for: health, metrics, pings. */
const MAX_UNASKED = 64
/** Of what it does not read. */
const MAX_UNREAD = 1024 * 1024

const READ_BYTES = 16 * 1024
/** What has been written last has so long to get there. */
const LAST_MS = 1000

export interface Question {
  readonly type: number
  readonly payload: string
  /** The type of the frame that answers it. */
  readonly answer: number
  readonly cancel?: () => string
}

interface Waiting {
  readonly type: number
  readonly resolve: (payload: Buffer) => void
  readonly reject: (failure: ProcessorFailure) => void
}

export interface UdsOptions {
  readonly path: string
  /** Of one frame from it. */
  readonly replyBytes: number
  /** Ours, for the handshake. */
  readonly version: string
}

export class UdsConnection {
  /** Undefined before the handshake. */
  introduction: Introduction | undefined
  /** It asked not to be asked for now. */
  paused = false
  readonly #socket: Socket
  readonly #reader: FrameReader
  #waiting: Waiting | undefined
  #failure: ProcessorFailure | undefined
  #unasked = 0
  #unaskedSince = 0
  readonly #onEnd: (connection: UdsConnection, failure: ProcessorFailure) => void

  private constructor(
    { path, replyBytes }: UdsOptions,
    onEnd: (connection: UdsConnection, failure: ProcessorFailure) => void,
  ) {
    this.#reader = new FrameReader(replyBytes)
    this.#onEnd = onEnd
    // Read into one buffer, past the streams of Node: each question is one small answer.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const callback = (length: number): boolean => {
      this.#read(buffer.subarray(0, length))
      return true
    }
    this.#socket = connect({ path, onread: { buffer, callback } })
    // Whoever waits has its patience to keep the process alive.
    this.#socket.unref()
    this.#socket.on('error', (cause) => {
      this.end(failureOf(cause))
    })
    this.#socket.on('close', () => {
      this.end(new ProcessorFailure('gone'))
    })
  }

  /** Connected, and introduced. @throws ProcessorFailure */
  static async open(
    options: UdsOptions,
    patience: Patience,
    onEnd: (connection: UdsConnection, failure: ProcessorFailure) => void,
  ): Promise<UdsConnection> {
    const connection = new UdsConnection(options, onEnd)
    try {
      const text = handshakeText(options.version)
      const payload = await connection.ask(
        { type: FRAME.handshake, payload: text, answer: FRAME.introduction },
        patience,
      )
      connection.introduction = readIntroduction(payload)
    } catch (cause) {
      connection.end(failureOf(cause))
      throw failureOf(cause)
    }
    return connection
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /**
   * `cancel`: what it is told where nobody waits for its answer any more.
   * @throws and rejects with ProcessorFailure; then the connection has ended
   */
  async ask(
    { type, payload, answer, cancel }: Question,
    patience: Patience,
  ): Promise<Buffer> {
    if (this.#failure !== undefined) throw this.#failure
    let forget: (() => void) | undefined
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#waiting = { type: answer, resolve, reject }
        this.#socket.write(frame(type, payload))
        forget = patience.onEnd((failure) => {
          const last = cancel === undefined ? undefined : frame(FRAME.cancel, cancel())
          this.end(failure, last)
        })
      })
    } finally {
      forget?.()
    }
  }

  /** A word that nobody answers. */
  tell(type: number, payload: string | Buffer): void {
    if (this.#failure === undefined) this.#socket.write(frame(type, payload))
  }

  /** `last`: what is still written to it; then it has a second to take that. */
  end(failure: ProcessorFailure, last?: Buffer): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    if (last === undefined) this.#socket.destroy()
    else {
      this.#socket.end(last)
      setTimeout(() => this.#socket.destroy(), LAST_MS).unref()
    }
    this.#onEnd(this, failure)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(failure)
  }

  #read(chunk: Buffer): void {
    try {
      for (const { type, payload } of this.#reader.push(chunk)) {
        if (this.#failure !== undefined) return
        this.#heard(type, payload)
      }
    } catch (cause) {
      this.end(failureOf(cause))
    }
  }

  #heard(type: number, payload: Buffer): void {
    const waiting = this.#waiting
    if (type === waiting?.type) {
      this.#waiting = undefined
      waiting.resolve(payload)
      return
    }
    this.#countUnasked()
    switch (type) {
      case FRAME.ping:
        if (this.#socket.writableLength > MAX_UNREAD)
          throw new ProcessorFailure('malformed', 'pings, and reads no answers')
        this.tell(FRAME.pong, payload)
        return
      case FRAME.flow:
        this.paused = asksToPause(payload)
        return
      case FRAME.pong:
      case FRAME.health:
      case FRAME.metrics:
      case FRAME.configUpdate:
        return
      default:
        throw new ProcessorFailure('malformed', `a frame of type ${type}`)
    }
  }

  #countUnasked(): void {
    const now = performance.now()
    if (now - this.#unaskedSince > 1000) {
      this.#unaskedSince = now
      this.#unasked = 0
    }
    this.#unasked++
    if (this.#unasked > MAX_UNASKED)
      throw new ProcessorFailure('malformed', 'more than was asked for')
  }
}

/** `{"action": "pause"}`, or as an object of that name. */
function asksToPause(payload: Buffer): boolean {
  return payload.length < 1024 && /"pause"/i.test(payload.toString('latin1'))
}
