/** How the wire behaves, apart from what is said on it. Everything unset is ordinary. */
export interface Knobs {
  /** Before the response head. */
  readonly latencyMs?: number
  /** Between two chunks or events of a body. */
  readonly chunkGapMs?: number
  /** The connection is destroyed after this many bytes of the body. */
  readonly cutAfterBytes?: number
  /** Answer at once, while the request body is still on its way; it is drained after. */
  readonly replyBeforeBody?: boolean
  readonly noDate?: boolean
  /** Fields after a chunked body. RFC 9112 §7.1.2. */
  readonly trailers?: Readonly<Record<string, string>>
  /** Interim responses before the final one. RFC 9110 §15.2. */
  readonly interim?: readonly (100 | 102 | 103)[]
  /** A Content-Length that need not be true. */
  readonly claimedLength?: number
  /** Chunked even where the length is known. */
  readonly chunked?: boolean
  readonly gzip?: boolean
  /** `Connection: close` after this response. */
  readonly close?: boolean
  /** A failure of the provider's front, in plain text, instead of the answer. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}
