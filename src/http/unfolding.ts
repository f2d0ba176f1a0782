/**
 * What decoders that unfold much take for their windows, of all bodies together: small bodies
 * that unfold to far more stand in line, longer ones share a number of bytes of windows, and wide
 * windows of brotli are not undone. Of gzip and deflate a window is 32 KiB (RFC 1951 §2), which
 * counts for nothing.
 */

/** Small bodies that unfold to much are undone so many at once. */
export const MAX_UNFOLDING = 2
/**
 * A brotli window above this is not undone, as of zstd (RFC 9659 §3): a decoder fills all of it
 * before it gives out a byte, and encoders of servers have 4 MiB at the most.
 */
export const MAX_WINDOW_BYTES = 8 * 1024 * 1024

/**
 * Of bodies that are undone as they come, all windows together. Who finds no room is undone later:
 * when others have ended, or at its own end, as a small one.
 */
export const MAX_WINDOWS_BYTES = 32 * 1024 * 1024
/** Coded bytes of all that wait for such room; more are not undone at all. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** Of zstd until a frame says more: what encoders take at their defaults. */
export const ZSTD_WINDOW_BYTES = 2 * 1024 * 1024

/**
 * The window of a brotli stream in bytes, 1 KiB to 16 MiB, by its first byte (RFC 7932 §9.1).
 * One that is larger than the RFC knows, which no decoder here takes, counts as the smallest.
 */
export function brotliWindow(first: number): number {
  if ((first & 1) === 0) return 2 ** 16
  const high = (first >> 1) & 7
  if (high > 0) return 2 ** (17 + high)
  const low = (first >> 4) & 7
  return low === 0 ? 2 ** 17 : 2 ** (8 + Math.max(low, 2))
}

/** Whoever waits for so much of it is served in turn. */
export class Line {
  readonly #waiting: { readonly size: number; readonly go: () => void }[] = []
  readonly #size: number
  #free: number
  #waits = 0

  constructor(size: number) {
    this.#size = size
    this.#free = size
  }

  /** How much is taken. */
  get taken(): number {
    return this.#size - this.#free
  }

  /** How often somebody had to wait. */
  get waits(): number {
    return this.#waits
  }

  /** Calls `go` when so much is free, at once if it is; gives what takes it out of the line. */
  enter(size: number, go: () => void): () => void {
    const place = { size, go }
    this.#waiting.push(place)
    this.#serve()
    if (this.#waiting.includes(place)) this.#waits++
    return () => {
      const at = this.#waiting.indexOf(place)
      if (at < 0) return
      this.#waiting.splice(at, 1)
      this.#serve()
    }
  }

  /** So much more for one that has its place, if it is free. */
  more(size: number): boolean {
    if (size > this.#free) return false
    this.#free -= size
    return true
  }

  leave(size: number): void {
    this.#free += size
    this.#serve()
  }

  #serve(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || next.size > this.#free) return
      this.#waiting.shift()
      this.#free -= next.size
      next.go()
    }
  }
}

/** Of small bodies, each one place. */
export const unfolding = new Line(MAX_UNFOLDING)
/** Of those that are undone as they come, bytes of their windows. */
export const windows = new Line(MAX_WINDOWS_BYTES)
/** Coded bytes of those that wait for that; nobody waits for these. */
export const waitingBytes = new Line(MAX_WAITING_BYTES)
