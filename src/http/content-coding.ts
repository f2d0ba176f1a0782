/**
 * Takes the content coding off a copy of a body (RFC 9110 §8.4: gzip, deflate, br; RFC 8878:
 * zstd) so that a reader can look at it. The bytes on their way to the client are not touched:
 * this is a tap that never slows them and gives up, saying why, where a limit is met. Small
 * bodies are decoded in place at their end, larger ones on the thread pool as they come, where
 * there is room for their windows, and else when there is.
 */
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib'
import type { Transform } from 'node:stream'
import type { BrotliOptions, ZlibOptions } from 'node:zlib'
import { unreachable } from '../core/unreachable.js'
import {
  brotliWindow,
  MAX_WINDOW_BYTES,
  unfolding,
  waitingBytes,
  windows,
  ZSTD_WINDOW_BYTES,
} from './unfolding.js'
import type { Line } from './unfolding.js'
import { createZstdDecoder, NO_ROOM } from './zstd.js'

export type Coding = 'identity' | 'gzip' | 'deflate' | 'br' | 'zstd'

/** Those that can be undone in one go. */
type InPlace = Exclude<Coding, 'identity' | 'zstd'>

/**
 * The one coding of a body by its Content-Encoding; undefined when it cannot be taken off
 * here: an unknown coding, or several, one over the other.
 */
export function contentCoding(header: string | undefined): Coding | undefined {
  if (header === undefined) return 'identity'
  let coding: Coding = 'identity'
  for (const item of header.split(',')) {
    const name = item.trim().toLowerCase()
    if (name === '' || name === 'identity') continue
    if (coding !== 'identity') return undefined
    if (name === 'gzip' || name === 'x-gzip') coding = 'gzip'
    else if (name === 'deflate' || name === 'br' || name === 'zstd') coding = name
    else return undefined
  }
  return coding
}

/** What undoing one body may take. `CODING_LIMITS` are the defaults. */
export interface CodingLimits {
  /** Decoded bytes in all; so many are given out, and no more. */
  readonly maxOutputBytes: number
  /**
   * Decoded bytes for each coded one, looked at above `ratioFromBytes` decoded bytes. What is
   * beyond waits until as many coded bytes have come: how they are cut changes nothing.
   */
  readonly maxRatio: number
  readonly ratioFromBytes: number
  /** Coded bytes that may wait for the thread pool. */
  readonly maxQueuedBytes: number
  /** A coded body up to this size is decoded in place, if its text stays below the next. */
  readonly inPlaceBytes: number
  readonly inPlaceOutputBytes: number
}

export const CODING_LIMITS: CodingLimits = {
  maxOutputBytes: 32 * 1024 * 1024,
  maxRatio: 250,
  ratioFromBytes: 1024 * 1024,
  maxQueuedBytes: 1024 * 1024,
  inPlaceBytes: 16 * 1024,
  inPlaceOutputBytes: 256 * 1024,
}

export type DecodeEnd =
  | 'whole'
  /** The coded body broke off; what could be decoded was given out. */
  | 'truncated'
  /** Not of the announced coding; pieces before the fault may have been given out. */
  | 'corrupt'
  /** Over the size or ratio limit, or that of a brotli window (`MAX_WINDOW_BYTES`). */
  | 'too-large'
  /** More coded bytes came than the thread pool could take, or than may wait for room. */
  | 'overloaded'

/** Of a line, what one body has of it. */
interface Place {
  readonly line: Line
  readonly size: number
}

/**
 * One body. `onData` gets decoded pieces in order, never after `end` has settled. It
 * throws nothing: what is wrong with a body, or over `limits`, is told by its
 * `DecodeEnd`.
 */
export class ContentDecoder {
  readonly #coding: Exclude<Coding, 'identity'>
  readonly #onData: (piece: Buffer) => void
  readonly #limits: CodingLimits
  #held: Buffer[] = []
  #codedBytes = 0
  #decodedBytes = 0
  /** All coded bytes have come. */
  #ended = false
  /** Decoded, and beyond the ratio so far. */
  #waiting: Buffer | undefined
  #stream: Transform | undefined
  #end: DecodeEnd | undefined
  #settle: ((end: DecodeEnd) => void) | undefined
  /** What it has of the room for those that are undone at once. */
  #place: Place | undefined
  /** Takes it out of the line for room, in which it stands as it comes. */
  #giveUp: (() => void) | undefined
  /** Coded bytes that are held meanwhile. */
  #waitingBytes = 0

  constructor(
    coding: Exclude<Coding, 'identity'>,
    onData: (piece: Buffer) => void,
    limits: CodingLimits = CODING_LIMITS,
  ) {
    this.#coding = coding
    this.#onData = onData
    this.#limits = limits
  }

  /** Returns at once; copies `chunk`. Bytes after the end of the decoding are let go. */
  push(chunk: Uint8Array): void {
    if (this.#end !== undefined || chunk.length === 0) return
    this.#codedBytes += chunk.length
    const copy = Buffer.from(chunk)
    if (this.#stream === undefined) {
      this.#held.push(copy)
      const most = Math.max(this.#limits.inPlaceBytes, HEADER_BYTES - 1)
      if (this.#giveUp !== undefined) this.#waitWith(copy.length)
      else if (this.#codedBytes > most) this.#begin()
      return
    }
    this.#goOn()
    this.#write(copy)
  }

  /** No more bytes come. Settles when the last piece has been given out; never rejects. */
  end(): Promise<DecodeEnd> {
    this.#ended = true
    this.#goOn()
    if (this.#end === undefined && this.#stream === undefined)
      if (this.#giveUp === undefined) this.#decodeInPlace()
      else this.#standInLine()
    if (this.#end !== undefined) return Promise.resolve(this.#end)
    return new Promise((resolve) => {
      this.#settle = resolve
      this.#stream?.end()
    })
  }

  /** Nobody waits for the rest: frees what is held. */
  abort(): void {
    this.#finish('truncated')
  }

  #decodeInPlace(): void {
    const coded = Buffer.concat(this.#held)
    if (coded.length === 0) {
      this.#finish('whole')
      return
    }
    const coding = this.#coding
    if (coding === 'zstd') {
      this.#standInLine()
      return
    }
    const outcome = decodeSync(coding, coded, this.#limits.inPlaceOutputBytes)
    if (outcome.kind === 'too-large') this.#standInLine()
    else {
      if ('bytes' in outcome) this.#give(outcome.bytes)
      this.#finish(outcome.kind)
    }
  }

  /**
   * All of it is there, and it unfolds to far more: few such are undone at once, since each
   * takes room for its window, of some megabytes.
   */
  #standInLine(): void {
    if (this.#windowBytes > MAX_WINDOW_BYTES) {
      this.#finish('too-large')
      return
    }
    this.#stopWaiting()
    unfolding.enter(1, () => {
      this.#place = { line: unfolding, size: 1 }
      if (this.#end !== undefined) this.#leave()
      else {
        this.#startStream()
        this.#stream?.end()
      }
    })
  }

  /**
   * It is undone as it comes, where there is room for its window. Streams of others, which may
   * last for hours, are waited for no longer than to its own end.
   */
  #begin(): void {
    const size = this.#windowBytes
    if (size > MAX_WINDOW_BYTES) this.#finish('too-large')
    else if (size === 0) this.#startStream()
    else {
      let isNow = true
      const giveUp = windows.enter(size, () => {
        this.#place = { line: windows, size }
        this.#stopWaiting()
        this.#startStream()
        isNow = false
      })
      if (!isNow) return
      this.#giveUp = giveUp
      this.#waitWith(this.#codedBytes)
    }
  }

  /** Others have waited with as much as may wait: it is not undone. */
  #waitWith(bytes: number): void {
    const own = this.#waitingBytes + bytes
    const isOver = own > this.#limits.maxQueuedBytes || !waitingBytes.more(bytes)
    if (isOver) this.#finish('overloaded')
    else this.#waitingBytes = own
  }

  #stopWaiting(): void {
    this.#giveUp?.()
    this.#giveUp = undefined
    waitingBytes.leave(this.#waitingBytes)
    this.#waitingBytes = 0
  }

  /** Zero of the codings whose windows are small. */
  get #windowBytes(): number {
    if (this.#coding === 'zstd') return ZSTD_WINDOW_BYTES
    return this.#coding === 'br' ? brotliWindow(this.#held[0]?.[0] ?? 0) : 0
  }

  /** Of a frame of zstd: a place among the small ones has room for any. */
  #mayTake(windowBytes: number): boolean {
    const place = this.#place
    if (place?.line !== windows) return true
    const more = windowBytes - place.size
    if (more <= 0) return true
    if (!windows.more(more)) return false
    this.#place = { line: windows, size: windowBytes }
    return true
  }

  #leave(): void {
    const place = this.#place
    this.#place = undefined
    place?.line.leave(place.size)
  }

  #startStream(): void {
    const start = Buffer.concat(this.#held)
    const stream = createDecoder(this.#coding, start, (size) => this.#mayTake(size))
    this.#stream = stream
    stream.on('data', (piece: Buffer) => this.#give(piece))
    stream.on('end', () => this.#finish('whole'))
    stream.on('error', (error) => this.#finish(endOf(error)))
    const held = this.#held
    this.#held = []
    for (const piece of held) this.#write(piece)
  }

  #write(piece: Buffer): void {
    const stream = this.#stream
    if (stream === undefined || this.#end !== undefined) return
    if (stream.writableLength + piece.length > this.#limits.maxQueuedBytes)
      this.#finish('overloaded')
    else stream.write(piece)
  }

  #give(piece: Buffer): void {
    if (this.#end !== undefined) return
    const { maxOutputBytes, maxRatio, ratioFromBytes } = this.#limits
    const allowed = Math.max(ratioFromBytes, this.#codedBytes * maxRatio)
    const room = Math.min(allowed, maxOutputBytes) - this.#decodedBytes
    const part = piece.length <= room ? piece : piece.subarray(0, room)
    this.#decodedBytes += part.length
    if (part.length > 0) this.#onData(part)
    if (part.length === piece.length || this.#end !== undefined) return
    if (this.#ended || this.#decodedBytes === maxOutputBytes) this.#finish('too-large')
    else {
      this.#waiting = piece.subarray(part.length)
      this.#stream?.pause()
    }
  }

  /** More coded bytes have come, or will not. */
  #goOn(): void {
    const piece = this.#waiting
    if (piece === undefined) return
    this.#waiting = undefined
    this.#give(piece)
    if (this.#waiting === undefined) this.#stream?.resume()
  }

  #finish(end: DecodeEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#stopWaiting()
    this.#held = []
    this.#waiting = undefined
    const stream = this.#stream
    if (stream === undefined || stream.closed) this.#leave()
    // What it took is free only then.
    else stream.once('close', () => this.#leave())
    stream?.destroy()
    this.#settle?.(end)
  }
}

/**
 * One small piece that stands for itself, such as a message of gRPC, undone in place.
 * Undefined: it cannot be, is broken, in zstd, coded over `inPlaceBytes` or decoded over
 * `inPlaceOutputBytes`.
 */
export function unpackedAtOnce(
  coded: Buffer,
  encoding: string | undefined,
  { inPlaceBytes, inPlaceOutputBytes }: CodingLimits = CODING_LIMITS,
): Buffer | undefined {
  const coding = contentCoding(encoding)
  if (coding === 'identity') return coded
  if (coding === undefined || coding === 'zstd' || coded.length > inPlaceBytes)
    return undefined
  const outcome = decodeSync(coding, coded, inPlaceOutputBytes)
  return outcome.kind === 'whole' ? outcome.bytes : undefined
}

type SyncOutcome =
  | { readonly kind: 'whole' | 'truncated'; readonly bytes: Buffer }
  | { readonly kind: 'corrupt' | 'too-large' }

function decodeSync(
  coding: InPlace,
  coded: Buffer,
  maxOutputLength: number,
): SyncOutcome {
  try {
    return { kind: 'whole', bytes: inPlace(coding, coded, { maxOutputLength }) }
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return { kind: 'too-large' }
    if (!isEarlyEnd(error)) return { kind: 'corrupt' }
  }
  try {
    // Flushing in place of finishing gives what a body that broke off still holds.
    const finishFlush =
      coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH
    const bytes = inPlace(coding, coded, { maxOutputLength, finishFlush })
    return { kind: 'truncated', bytes }
  } catch (error) {
    const large = codeOf(error) === 'ERR_BUFFER_TOO_LARGE'
    return { kind: large ? 'too-large' : 'corrupt' }
  }
}

function inPlace(
  coding: InPlace,
  coded: Buffer,
  options: ZlibOptions & BrotliOptions,
): Buffer {
  switch (coding) {
    case 'gzip':
      return gunzipSync(coded, options)
    case 'deflate':
      return hasZlibHeader(coded)
        ? inflateSync(coded, options)
        : inflateRawSync(coded, options)
    case 'br':
      return brotliDecompressSync(coded, options)
    default:
      return unreachable(coding)
  }
}

/** `mayTake`: as of `createZstdDecoder`. */
function createDecoder(
  coding: Exclude<Coding, 'identity'>,
  start: Buffer,
  mayTake: (windowBytes: number) => boolean,
): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip()
    case 'deflate':
      return hasZlibHeader(start) ? createInflate() : createInflateRaw()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecoder(mayTake)
    default:
      return unreachable(coding)
  }
}

/** So many tell the zlib format. */
const HEADER_BYTES = 2

/** `deflate` should be the zlib format (RFC 1950 §2.2), and is raw from some servers. */
function hasZlibHeader(start: Buffer): boolean {
  const first = start[0] ?? 0
  const second = start[1] ?? 0
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0
}

function endOf(error: unknown): DecodeEnd {
  if (codeOf(error) === NO_ROOM) return 'too-large'
  return isEarlyEnd(error) ? 'truncated' : 'corrupt'
}

function isEarlyEnd(error: unknown): boolean {
  return codeOf(error) === 'Z_BUF_ERROR'
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
