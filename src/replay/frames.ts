/**
 * How the running YORI tells of whole exchanges, as they pass: a line of JSON for each moment,
 * and behind that of a piece its bytes as they are. `n` counts the exchanges of one telling. Pure.
 */

export type Side = 'request' | 'response'

/** Times are milliseconds since the exchange began. */
export type Frame =
  | { readonly kind: 'begun'; readonly recording: string }
  | RequestFrame
  | {
      readonly kind: 'bytes'
      readonly n: number
      readonly of: Side
      readonly at: number
      readonly length: number
    }
  | {
      readonly kind: 'head'
      readonly n: number
      readonly at: number
      readonly status: number
      readonly fields: readonly string[]
    }
  | {
      readonly kind: 'end'
      readonly n: number
      readonly at: number
      readonly trailers: readonly string[]
    }
  | EndedFrame
  /** Nothing more is told of it, and what was told is to be forgotten. */
  | { readonly kind: 'left-out'; readonly n: number; readonly why: LeftOut }
  /** The last one; so many had not ended. */
  | { readonly kind: 'stopped'; readonly open: number }

export interface RequestFrame {
  readonly kind: 'request'
  readonly n: number
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly method: string
  readonly host: string
  readonly port: number
  readonly plain: boolean
  readonly path: string
  readonly version: string
  /** Those that hold credentials have their values in `secrets` alone. */
  readonly fields: readonly string[]
  /** What must not be found anywhere in what is kept. */
  readonly secrets: readonly string[]
}

export interface EndedFrame {
  readonly kind: 'ended'
  readonly n: number
  readonly outcome: string
  readonly code?: string | undefined
  readonly latencyMs: number
  /** The client sent all of it. */
  readonly isWhole: boolean
  /** Bytes in all; more than were told: the rest was over the limit. */
  readonly requestBytes: number
  readonly responseBytes: number
  readonly about: AboutExchange
}

/** What the row says of it, for who reads or chooses recordings. */
export interface AboutExchange {
  readonly provider?: string | undefined
  readonly api?: string | undefined
  readonly model?: string | undefined
  readonly session?: string | undefined
  readonly device?: string | undefined
  readonly program?: string | undefined
  /** What the policies of then said: `deny`, `alert`, and which of them. */
  readonly decision?: string | undefined
  readonly policy?: string | undefined
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
}

/** `slow`: whoever listens did not keep up. */
export type LeftOut = 'websocket' | 'slow' | 'filter' | 'too-many'

const NEWLINE = 0x0a

export function frameLine(frame: Frame): Buffer {
  return Buffer.from(`${JSON.stringify(frame)}\n`)
}

/** A longer line is none of ours. */
const MAX_LINE_BYTES = 8 * 1024 * 1024

/** Takes the frames apart again, however their bytes are cut. */
export class FrameReader {
  readonly #told: (frame: Frame, bytes: Buffer) => void
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** Bytes that have to be there before anything can go on; 0: a line's end is waited for. */
  #wanted = 0
  #frame: Frame | undefined

  /** `told`: `bytes` are those of a piece, else none. */
  constructor(told: (frame: Frame, bytes: Buffer) => void) {
    this.#told = told
  }

  /** @throws Error for what are no frames */
  push(chunk: Buffer): void {
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#wanted > 0 && this.#pendingBytes < this.#wanted) return
    if (this.#wanted === 0 && !chunk.includes(NEWLINE)) {
      if (this.#pendingBytes > MAX_LINE_BYTES) throw new Error('a frame is too long')
      return
    }
    this.#take(Buffer.concat(this.#pending))
  }

  #take(all: Buffer): void {
    let at = 0
    for (;;) {
      if (this.#frame !== undefined) {
        if (all.length - at < this.#wanted) break
        const bytes = all.subarray(at, at + this.#wanted)
        at += this.#wanted
        const frame = this.#frame
        this.#frame = undefined
        this.#wanted = 0
        this.#told(frame, bytes)
        continue
      }
      const end = all.indexOf(NEWLINE, at)
      if (end < 0) break
      const frame = JSON.parse(all.toString('utf8', at, end)) as Frame
      at = end + 1
      if (frame.kind !== 'bytes') this.#told(frame, NOTHING)
      else {
        this.#frame = frame
        this.#wanted = frame.length
      }
    }
    const rest = all.subarray(at)
    this.#pending = rest.length === 0 ? [] : [rest]
    this.#pendingBytes = rest.length
  }
}

const NOTHING = Buffer.alloc(0)
