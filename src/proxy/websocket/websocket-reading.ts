/**
 * Makes sense of the messages of a WebSocket from copies of its bytes, after they have gone on:
 * counts frames, takes off compression, and hands texts of both sides in their order to whoever
 * knows them (`websocket-live.ts`, `websocket-turns.ts`). What nobody can read is counted.
 */
import { isUtf8 } from 'node:buffer'
import { agreedDeflate, MessageInflater } from '../../http/websocket-deflate.js'
import type { Inflated } from '../../http/websocket-deflate.js'
import { FrameWatch } from '../../http/websocket-frames.js'
import type { SocketMessage } from '../../http/websocket-frames.js'
import type { Hold } from '../bounds/byte-budget.js'
import { unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { Seen } from './websocket-gate.js'
import type { Heard, SocketReader } from './websocket-speech.js'

/** Messages that wait for their turn; more are counted as unread. */
const MAX_WAITING = 1024
const MAX_WAITING_BYTES = 2 * 1024 * 1024
/** What is read in one turn of the loop; then others have theirs. */
const COST_PER_TURN = 64
const COST_PLAIN = 1
const COST_COMPRESSED = 4
/** There was no Close frame, RFC 6455 §7.1.5. */
const ABNORMAL = 1006

type Side = 'client' | 'server'

export interface SocketReadingOptions {
  readonly log: ExchangeLog
  /** Undefined: nobody knows what is said here. */
  readonly reader: SocketReader | undefined
  /** `Sec-WebSocket-Extensions` of the 101. */
  readonly extensions: string
  readonly hold: Hold
  /** Longer messages pass and are counted, but not read. */
  readonly maxMessageBytes: number
  /** Told of each message of the client, read or not, in their order. */
  readonly heard?: (end: number, heard: Heard) => void
}

interface Waiting {
  readonly side: Side
  readonly message: SocketMessage
}

export class SocketReading {
  readonly #options: SocketReadingOptions
  readonly #watches: Record<Side, FrameWatch>
  readonly #inflaters: Record<Side, MessageInflater>
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #inflating = false
  #resting = false
  #cost = 0
  #unread = 0
  #failed = false
  readonly #reader: SocketReader | undefined
  #settle: (() => void) | undefined

  constructor(options: SocketReadingOptions) {
    const deflate = agreedDeflate(options.extensions)
    const { maxMessageBytes } = options
    this.#options = options
    this.#reader = options.reader
    const watch = (from: Side): FrameWatch =>
      new FrameWatch({
        from,
        deflate: deflate !== undefined,
        maxMessageBytes,
        ...(this.#reader === undefined
          ? {}
          : { onMessage: (message) => this.#came(from, message) }),
        room: (bytes) => options.hold.take(bytes),
        unroom: (bytes) => options.hold.give(bytes),
      })
    this.#watches = { client: watch('client'), server: watch('server') }
    this.#inflaters = {
      client: new MessageInflater(deflate?.clientTakeover === true, maxMessageBytes),
      server: new MessageInflater(deflate?.serverTakeover === true, maxMessageBytes),
    }
  }

  fromClient(chunk: Buffer): void {
    this.#watches.client.push(chunk)
  }

  fromServer(chunk: Buffer): void {
    this.#watches.server.push(chunk)
  }

  /** What the client's direction looks like now. */
  get seen(): Seen {
    const { messages, consumed, atBoundary, malformed } = this.#watches.client
    const isBetween = atBoundary && malformed === undefined
    return { messages, consumed, atBoundary: isBetween, malformed }
  }

  /** A frame of ours may be put in between those of the provider. */
  get serverBetweenFrames(): boolean {
    const { betweenFrames, malformed, closeCode } = this.#watches.server
    return betweenFrames && malformed === undefined && closeCode === undefined
  }

  /** Resolves when all has been read and the row is filled in. Never rejects. */
  async end(): Promise<Content> {
    if (this.#isBusy()) await new Promise<void>((resolve) => (this.#settle = resolve))
    try {
      return await this.#fill()
    } catch {
      this.#options.log.readingFailed()
      return unreadable('invalid', 'reading its messages failed')
    } finally {
      this.#options.hold.release()
    }
  }

  #came(side: Side, message: SocketMessage): void {
    if (!this.#isBusy()) {
      this.#next({ side, message })
      return
    }
    this.#waitingBytes += message.payload?.length ?? 0
    const isFull =
      this.#waiting.length >= MAX_WAITING || this.#waitingBytes > MAX_WAITING_BYTES
    this.#waiting.push({ side, message: isFull ? without(message) : message })
    if (!isFull) return
    this.#give(message)
    this.#waitingBytes -= message.payload?.length ?? 0
  }

  #isBusy(): boolean {
    return this.#inflating || this.#resting || this.#waiting.length > 0
  }

  #next({ side, message }: Waiting): void {
    const { payload, compressed } = message
    this.#rest(compressed ? COST_COMPRESSED : COST_PLAIN)
    const inflater = this.#inflaters[side]
    if (payload === undefined) {
      if (compressed) inflater.skip()
      this.#unknown(side, message)
      return
    }
    const text = compressed ? inflater.inflate(payload) : payload
    if (!(text instanceof Promise)) {
      this.#read(side, message, text)
      return
    }
    this.#inflating = true
    void text.then((inflated) => {
      this.#inflating = false
      this.#read(side, message, inflated)
      this.#goOn()
    })
  }

  #rest(cost: number): void {
    this.#cost += cost
    if (this.#cost < COST_PER_TURN || this.#resting) return
    this.#resting = true
    setImmediate(() => {
      this.#resting = false
      this.#cost = 0
      this.#goOn()
    })
  }

  #goOn(): void {
    while (!this.#inflating && !this.#resting) {
      const next = this.#waiting.shift()
      if (next === undefined) {
        this.#settle?.()
        return
      }
      this.#waitingBytes -= next.message.payload?.length ?? 0
      this.#next(next)
    }
  }

  /** Binary messages are read when they are JSON all the same: Gemini sends its texts so. */
  #read(side: Side, message: SocketMessage, bytes: Inflated): void {
    this.#give(message)
    const isText = bytes !== undefined && isUtf8(bytes)
    if (!isText || (message.kind === 'binary' && bytes[0] !== 0x7b)) {
      this.#unknown(side, message)
      return
    }
    let heard: Heard
    try {
      const text = bytes.toString()
      if (this.#failed) heard = undefined
      else if (side === 'client') heard = this.#reader?.fromClient(text)
      else this.#reader?.fromServer(text)
    } catch {
      this.#failed = true
      this.#options.log.readingFailed()
    }
    if (side === 'client') this.#options.heard?.(message.end, heard)
  }

  #unknown(side: Side, message: SocketMessage): void {
    this.#unread += 1
    if (side === 'client') this.#options.heard?.(message.end, undefined)
  }

  #give(message: SocketMessage): void {
    if (message.payload !== undefined) this.#options.hold.give(message.payload.length)
  }

  async #fill(): Promise<Content> {
    const { client, server } = this.#watches
    const { log } = this.#options
    const closeCode = client.closeCode ?? server.closeCode
    log.spoken({
      clientFrames: client.frames,
      serverFrames: server.frames,
      clientMessages: client.messages,
      serverMessages: server.messages,
      closeCode: closeCode ?? ABNORMAL,
    })
    const malformed = client.malformed ?? server.malformed
    if (malformed !== undefined) log.failedThere(`not WebSocket: ${malformed}`)
    // Before the reader tells of the answer: the first reason counts.
    if (this.#unread > 0 || malformed !== undefined) log.unseen('upgraded')
    const isWhole = closeCode !== undefined && client.atBoundary && server.atBoundary
    const said = await this.#reader?.end(isWhole && !this.#failed)
    if (said === undefined || this.#failed) {
      log.unseen('upgraded')
      return unreadable('absent', 'the messages of its WebSocket are not read')
    }
    const unread = this.#unread + said.unread
    if (unread > 0 || malformed !== undefined) {
      log.unseen('upgraded')
      log.unreadMessages(unread)
    }
    const why =
      log.record.uninspectable === undefined
        ? undefined
        : 'not all messages of its WebSocket could be read'
    return { body: undefined, state: 'absent', uninspectable: why, ...said.content }
  }
}

/** Its place in the order stays, for what comes after may refer to it. */
function without(message: SocketMessage): SocketMessage {
  return { ...message, payload: undefined }
}
