/**
 * Makes sense of the messages of a WebSocket from copies of its bytes, after they have gone on:
 * counts frames, takes off compression, hands texts of both sides in their order to the
 * provider's reader, and fills the record at the end. What nobody can read is counted.
 */
import { isUtf8 } from 'node:buffer'
import type { ExchangeRecord } from '../../core/record.js'
import { agreedDeflate, MessageInflater } from '../../http/websocket-deflate.js'
import type { Inflated } from '../../http/websocket-deflate.js'
import { FrameWatch } from '../../http/websocket-frames.js'
import type { SocketMessage } from '../../http/websocket-frames.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { recordRequest, recordResponse } from '../../providers/into-record.js'
import type { LiveReader } from '../../providers/live.js'
import { readNamedIds } from '../../providers/named-ids.js'
import type { Hold } from '../bounds/byte-budget.js'
import { unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { Seen } from './websocket-gate.js'

/** Longer messages pass and are counted, but not read. */
const MAX_MESSAGE_BYTES = 1024 * 1024
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
  readonly record: ExchangeRecord
  /** Undefined: nobody knows what is said here. */
  readonly reader: LiveReader | undefined
  /** `Sec-WebSocket-Extensions` of the 101. */
  readonly extensions: string
  readonly hold: Hold
  readonly previewChars: number
  /** `RequestHead.own`. */
  readonly own: ReadonlyMap<string, string> | undefined
  readonly catalogue: Catalogue | undefined
  readonly conversations: Conversations | undefined
  /** Told of each message of the client, read or not, in their order. */
  readonly heard?: (end: number, said: string | undefined) => void
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
  #reader: LiveReader | undefined
  #settle: (() => void) | undefined

  constructor(options: SocketReadingOptions) {
    const deflate = agreedDeflate(options.extensions)
    this.#options = options
    this.#reader = options.reader
    const watch = (from: Side): FrameWatch =>
      new FrameWatch({
        from,
        deflate: deflate !== undefined,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        ...(this.#reader === undefined
          ? {}
          : { onMessage: (message) => this.#came(from, message) }),
        room: (bytes) => options.hold.take(bytes),
        unroom: (bytes) => options.hold.give(bytes),
      })
    this.#watches = { client: watch('client'), server: watch('server') }
    this.#inflaters = {
      client: new MessageInflater(deflate?.clientTakeover === true, MAX_MESSAGE_BYTES),
      server: new MessageInflater(deflate?.serverTakeover === true, MAX_MESSAGE_BYTES),
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

  /** Resolves when all has been read and the record is filled in. Never rejects. */
  async end(): Promise<Content> {
    if (this.#isBusy()) await new Promise<void>((resolve) => (this.#settle = resolve))
    try {
      return this.#fill()
    } catch {
      this.#options.record.uninspectable = 'failed'
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
    let said: string | undefined
    try {
      const text = bytes.toString()
      if (side === 'client') said = this.#reader?.fromClient(text)
      else this.#reader?.fromServer(text)
    } catch {
      this.#reader = undefined
      this.#options.record.uninspectable = 'failed'
    }
    if (side === 'client') this.#options.heard?.(message.end, said)
  }

  #unknown(side: Side, message: SocketMessage): void {
    this.#unread += 1
    if (side === 'client') this.#options.heard?.(message.end, undefined)
  }

  #give(message: SocketMessage): void {
    if (message.payload !== undefined) this.#options.hold.give(message.payload.length)
  }

  #fill(): Content {
    const { client, server } = this.#watches
    const { record, catalogue, conversations, own, previewChars } = this.#options
    record.clientFrames = client.frames
    record.serverFrames = server.frames
    record.clientMessages = client.messages
    record.serverMessages = server.messages
    const closeCode = client.closeCode ?? server.closeCode
    record.closeCode = closeCode ?? ABNORMAL
    const malformed = client.malformed ?? server.malformed
    if (malformed !== undefined) record.reason ??= `not WebSocket: ${malformed}`
    const reader = this.#reader
    if (reader === undefined) {
      record.uninspectable ??= 'upgraded'
      return unreadable('absent', 'the messages of its WebSocket are not read')
    }
    const isWhole = closeCode !== undefined && client.atBoundary && server.atBoundary
    const { request, response } = reader.end(isWhole)
    const unread = this.#unread + response.unread
    if (unread > 0 || malformed !== undefined) {
      record.uninspectable ??= 'upgraded'
      record.unreadMessages = unread
    }
    recordRequest(record, request, previewChars)
    recordResponse(record, response, catalogue)
    conversations?.asked(record, request, readNamedIds(own))
    const why =
      record.uninspectable === undefined
        ? undefined
        : 'not all messages of its WebSocket could be read'
    return {
      body: undefined,
      state: 'absent',
      uninspectable: why,
      model: request.model,
      prompt: request.promptText,
      promptChars: request.promptChars,
    }
  }
}

/** Its place in the order stays, for what comes after may refer to it. */
function without(message: SocketMessage): SocketMessage {
  return { ...message, payload: undefined }
}
