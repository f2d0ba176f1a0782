/**
 * Watches one direction of a WebSocket, RFC 6455 §5: counts its frames and messages, tells how
 * it closed, and hands out whole messages up to a size. It looks at a copy and decides nothing:
 * bytes that are no frames end the watching, never the relay. Pure.
 */
import { maskInPlace, readFrameHead } from './websocket-head.js'
import type { FrameHead } from './websocket-head.js'

/** A data message that came whole, in one frame or several. */
export interface SocketMessage {
  readonly kind: 'text' | 'binary'
  /** permessage-deflate, RFC 7692: to be inflated first. */
  readonly compressed: boolean
  /** Of the payload as it came. */
  readonly bytes: number
  /** Bytes of the stream up to its end. */
  readonly end: number
  /** Unmasked; undefined when it was over the limit or had no room. */
  readonly payload: Buffer | undefined
}

/** Whose frames they are, and what may be kept of them. */
export interface FrameWatchOptions {
  readonly from: 'client' | 'server'
  /** permessage-deflate was agreed upon: messages may be compressed. */
  readonly deflate: boolean
  /** Longer messages, by the bytes of their payload as it came, are counted only. */
  readonly maxMessageBytes: number
  /** Called with each data message when it is complete; without it nothing is kept. */
  readonly onMessage?: (message: SocketMessage) => void
  /** May so many more bytes be kept? */
  readonly room?: (bytes: number) => boolean
  /** Given back for a message that is not handed out; for the others whoever gets it does. */
  readonly unroom?: (bytes: number) => void
}

const CONTINUATION = 0
const TEXT = 1
const CLOSE = 8
/** RFC 6455 §5.5. */
const MAX_CONTROL_BYTES = 125
/** The longest head: two bytes, a length of eight, a mask of four. */
const MAX_HEAD_BYTES = 14
/** No code stood in the Close frame, RFC 6455 §7.1.5. */
const NO_CODE = 1005

interface Message {
  readonly kind: 'text' | 'binary'
  readonly compressed: boolean
  bytes: number
  granted: number
  /** Undefined once it is only counted. */
  pieces: Buffer[] | undefined
}

/**
 * One direction. At most one message is kept, up to `maxMessageBytes` and as far as
 * `room` grants it before its frame's payload comes. Throws nothing: bytes that are no
 * frames are told by `malformed`, and nothing is looked at behind them.
 */
export class FrameWatch {
  /** Data and control frames that came whole. */
  frames = 0
  /** Data messages that came whole. */
  messages = 0
  pings = 0
  pongs = 0
  /** Of the Close frame; 1005 when it named none; undefined without one. */
  closeCode: number | undefined
  /** Bytes that were looked at. */
  consumed = 0
  /** Why nothing is watched any more. */
  malformed: string | undefined
  readonly #options: FrameWatchOptions
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES)
  #headBytes = 0
  #frame: FrameHead | undefined
  /** Payload bytes of the frame at hand that have come. */
  #seen = 0
  #message: Message | undefined
  #control = Buffer.alloc(0)

  constructor(options: FrameWatchOptions) {
    this.#options = options
  }

  /** Between two frames: another may be put in here. */
  get betweenFrames(): boolean {
    return this.#frame === undefined && this.#headBytes === 0
  }

  /** Between two messages: an end here cuts nothing. */
  get atBoundary(): boolean {
    return this.betweenFrames && this.#message === undefined
  }

  /** Bytes in any pieces; never throws, changes nothing in them. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.malformed === undefined) {
      at = this.#frame === undefined ? this.#readHead(chunk, at) : this.#read(chunk, at)
    }
  }

  #readHead(chunk: Buffer, from: number): number {
    let at = from
    for (;;) {
      const head = readFrameHead(this.#head.subarray(0, this.#headBytes))
      if (typeof head !== 'number') {
        this.#headBytes = 0
        this.#begin(head)
        return at
      }
      if (at === chunk.length) return at
      const end = Math.min(chunk.length, at + head - this.#headBytes)
      chunk.copy(this.#head, this.#headBytes, at, end)
      this.#headBytes += end - at
      this.consumed += end - at
      at = end
    }
  }

  #begin(frame: FrameHead): void {
    this.malformed = this.#problem(frame)
    if (this.malformed !== undefined) {
      if (this.#message !== undefined) this.#drop(this.#message)
      this.#message = undefined
      return
    }
    this.#frame = frame
    this.#seen = 0
    if (frame.opcode >= CLOSE) this.#control = Buffer.alloc(frame.length)
    else {
      this.#message ??= {
        kind: frame.opcode === TEXT ? 'text' : 'binary',
        compressed: frame.rsv === 4,
        bytes: 0,
        granted: 0,
        pieces: this.#options.onMessage === undefined ? undefined : [],
      }
      this.#grow(this.#message, frame.length)
    }
    if (frame.length === 0) this.#ended(frame)
  }

  /** RFC 6455 §5.1, §5.2, §5.4, §5.5; RFC 7692 §6. */
  #problem(frame: FrameHead): string | undefined {
    const { from, deflate } = this.#options
    const { opcode, rsv, fin, length, mask } = frame
    if (this.closeCode !== undefined) return 'a frame after Close'
    if ((mask !== undefined) !== (from === 'client'))
      return from === 'client' ? 'a frame without a mask' : 'a masked frame'
    if (!Number.isSafeInteger(length)) return 'a length beyond all bounds'
    if (opcode >= CLOSE) {
      if (opcode > 10) return 'an unknown opcode'
      if (!fin) return 'a control frame in fragments'
      if (length > MAX_CONTROL_BYTES) return 'a control frame over 125 bytes'
      if (opcode === CLOSE && length === 1) return 'half a close code'
      return rsv === 0 ? undefined : 'a reserved bit'
    }
    if (opcode > 2) return 'an unknown opcode'
    const isContinuation = opcode === CONTINUATION
    if (isContinuation !== (this.#message !== undefined))
      return isContinuation ? 'a fragment of nothing' : 'a message inside a message'
    const allowed = deflate && !isContinuation ? 4 : 0
    return (rsv & ~allowed) === 0 ? undefined : 'a reserved bit'
  }

  #grow(message: Message, length: number): void {
    message.bytes += length
    if (message.pieces === undefined) return
    const { maxMessageBytes, room } = this.#options
    if (message.bytes > maxMessageBytes || room?.(length) === false) this.#drop(message)
    else message.granted += length
  }

  #drop(message: Message): void {
    message.pieces = undefined
    this.#options.unroom?.(message.granted)
    message.granted = 0
  }

  #read(chunk: Buffer, from: number): number {
    const frame = this.#frame as FrameHead
    const end = Math.min(chunk.length, from + frame.length - this.#seen)
    const pieces = this.#message?.pieces
    if (frame.opcode >= CLOSE) {
      chunk.copy(this.#control, this.#seen, from, end)
    } else if (pieces !== undefined) {
      const piece = Buffer.from(chunk.subarray(from, end))
      if (frame.mask !== undefined) maskInPlace(piece, frame.mask, this.#seen)
      pieces.push(piece)
    }
    this.#seen += end - from
    this.consumed += end - from
    if (this.#seen === frame.length) this.#ended(frame)
    return end
  }

  #ended(frame: FrameHead): void {
    this.#frame = undefined
    this.frames += 1
    if (frame.opcode >= CLOSE) {
      this.#controlEnded(frame)
      return
    }
    const message = this.#message
    if (!frame.fin || message === undefined) return
    this.#message = undefined
    this.messages += 1
    const { kind, compressed, bytes, pieces } = message
    const payload = pieces?.length === 1 ? pieces[0] : pieces && Buffer.concat(pieces)
    const end = this.consumed
    this.#options.onMessage?.({ kind, compressed, bytes, end, payload })
  }

  #controlEnded(frame: FrameHead): void {
    if (frame.opcode === 9) this.pings += 1
    else if (frame.opcode === 10) this.pongs += 1
    else {
      const payload = this.#control
      if (frame.mask !== undefined) maskInPlace(payload, frame.mask, 0)
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : NO_CODE
    }
  }
}
