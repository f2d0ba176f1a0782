/**
 * Undoes Zstandard (RFC 8878) as a stream: by the runtime where it can (Node from 22.15 on), on
 * the thread pool; else by `fzstd`, a block at a time, with a turn of the loop for others in
 * between. Frames are looked at before, so that a body makes no more room than its window.
 */
import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { MAX_WINDOW_BYTES, ZstdFrames } from './zstd-frames.js'
import type { ZstdBlock } from './zstd-frames.js'

/** Blocks for so long, milliseconds; one takes some two. */
const SLICE_MS = 2
/** `fzstd` moves its window with every block, however small that is: in all, bytes. */
const MAX_MOVED_BYTES = 8 * 1024 * 1024 * 1024

type Native = (options: { params: Record<number, number> }) => Transform

/** Since Node 22.15. */
const native = (zlib as unknown as { createZstdDecompress?: Native }).createZstdDecompress
const WINDOW_LOG_MAX = (zlib.constants as Readonly<Record<string, number>>)[
  'ZSTD_d_windowLogMax'
]

/**
 * Coded bytes in, decoded ones out, of one body; how much comes out is for the caller to
 * bound. What is no Zstandard, needs a window over `MAX_WINDOW_BYTES` (8 MiB) or has too
 * many blocks (`MAX_MOVED_BYTES`) destroys it with an error. Of a body that broke off the
 * error says `Z_BUF_ERROR`, as those of zlib do. `mayTake` is asked for the window of each
 * frame, in bytes; where it says no, the error's code is `NO_ROOM`.
 */
export function createZstdDecoder(
  mayTake: (windowBytes: number) => boolean = () => true,
): Transform {
  return new ZstdDecoder(mayTake)
}

/** The `code` of the error of one that may not take the room for a window. */
export const NO_ROOM = 'NO_ROOM'

class ZstdDecoder extends Transform {
  readonly #frames = new ZstdFrames()
  readonly #native: Transform | undefined
  #decompress: Decompress | undefined
  #moved = 0
  /** More is not wanted yet. */
  #onWanted: (() => void) | undefined

  readonly #mayTake: (windowBytes: number) => boolean

  constructor(mayTake: (windowBytes: number) => boolean) {
    super()
    this.#mayTake = mayTake
    if (native === undefined || WINDOW_LOG_MAX === undefined) return
    const params = { [WINDOW_LOG_MAX]: Math.log2(MAX_WINDOW_BYTES) }
    this.#native = native({ params })
    this.#native.on('data', (piece: Buffer) => {
      if (!this.push(piece)) this.#native?.pause()
    })
    this.#native.on('error', (error) => this.destroy(error))
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#frames.push(chunk)
    void this.#goOn().then(
      () => done(),
      (error: unknown) => done(error as Error),
    )
  }

  override _flush(done: TransformCallback): void {
    if (!this.#frames.isWhole) return done(endedEarly())
    if (this.#native === undefined) return done()
    this.#native.once('end', () => done())
    this.#native.end()
  }

  override _read(size: number): void {
    if (this.#native === undefined) this.#onWanted?.()
    else this.#native.resume()
    super._read(size)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#native?.destroy()
    this.#onWanted?.()
    done(error)
  }

  async #goOn(): Promise<void> {
    let since = performance.now()
    for (;;) {
      const block = this.#frames.next()
      if (this.#frames.isCorrupt) throw new Error('it is no Zstandard that is read here')
      if (block === undefined || this.destroyed) return
      if (block.isFirst && !this.#mayTake(block.windowBytes))
        throw Object.assign(new Error('no room for its window'), { code: NO_ROOM })
      if (!(this.#native === undefined ? this.#undo(block) : this.#give(block))) {
        await new Promise<void>((resolve) => (this.#onWanted = resolve))
        this.#onWanted = undefined
        since = performance.now()
      } else if (performance.now() - since >= SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
    }
  }

  /** False: no more is wanted for now. */
  #undo({ bytes, isFirst, isLast, windowBytes }: ZstdBlock): boolean {
    this.#moved += windowBytes
    if (this.#moved > MAX_MOVED_BYTES) throw new Error('it has too many blocks')
    let isWanted = true
    if (isFirst || this.#decompress === undefined) this.#decompress = new Decompress()
    this.#decompress.ondata = (piece) => {
      // It goes on to write where this stands.
      if (piece.length > 0) isWanted = this.push(Buffer.from(piece))
    }
    this.#decompress.push(bytes, isLast)
    if (isLast) this.#decompress = undefined
    return isWanted
  }

  #give({ bytes }: ZstdBlock): boolean {
    const stream = this.#native as Transform
    if (stream.write(bytes)) return true
    stream.once('drain', () => this.#onWanted?.())
    return false
  }
}

function endedEarly(): Error {
  return Object.assign(new Error('unexpected end of file'), { code: 'Z_BUF_ERROR' })
}
