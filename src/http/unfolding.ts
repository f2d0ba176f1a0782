/**
 * What decoders that unfold much take for their windows, of all bodies together: small bodies
 * that unfold to far more stand in line, and wide windows of brotli are not undone. Of the
 * other codings a window is 32 KiB (RFC 1951 §2), or bounded by itself (zstd).
 */

/** Small bodies that unfold to much are undone so many at once. */
export const MAX_UNFOLDING = 2
/**
 * A brotli window above this is not undone, as of zstd (RFC 9659 §3): a decoder fills all of it
 * before it gives out a byte, and encoders of servers have 4 MiB at the most.
 */
export const MAX_WINDOW_BYTES = 8 * 1024 * 1024

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
class Line {
  readonly #waiting: { readonly size: number; readonly go: () => void }[] = []
  #free: number

  constructor(size: number) {
    this.#free = size
  }

  /** Calls `go` when so much is free, at once if it is. */
  enter(size: number, go: () => void): void {
    this.#waiting.push({ size, go })
    this.#serve()
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
