/** What is asked of a provider and what comes back: the pipeline's side of the upstream edge. */
import type { Duplex, Readable } from 'node:stream'
import type { SocketAddress } from '../core/address.js'
import type { YoriError } from '../core/errors.js'
import type { Target } from './dial.js'

/**
 * A request on its way up. A body that streams is touched from when the request goes, and not
 * before; what is left of it when the exchange ends is then destroyed.
 */
export interface UpstreamRequest {
  readonly target: Target
  /** Where the client had dialled, if a firewall redirected it. */
  readonly known?: SocketAddress | undefined
  readonly method: string
  /** Origin-form request target, as received. */
  readonly path: string
  /** The authority to name in `Host`. */
  readonly host: string
  /** End-to-end fields, flat; no framing fields. */
  readonly fields: readonly string[]
  readonly body: UpstreamBody
  /** The longest wait for the answer's head, in milliseconds; that of all requests unless said. */
  readonly headTimeoutMs?: number | undefined
  /** Never take a connection that has served before. */
  readonly fresh?: boolean
  /** Ask to switch protocols; the value of `Upgrade`. */
  readonly upgrade?: string | undefined
  /** How many connections there may be to its target, and for how long one is waited for. */
  readonly limits?: ConnectionLimits | undefined
  /** HTTP/1.1 unless said: HTTP/2 and nothing else, or HTTP/1.1 where that is not spoken. */
  readonly version?: 'h2' | 'h2-if-spoken' | undefined
  /** HTTP/2: say `te: trailers`, which gRPC asks for. */
  readonly wantsTrailers?: boolean | undefined
  /** HTTP/2: the end-to-end fields after the body, flat; asked for once it has gone. */
  readonly trailers?: (() => readonly string[]) | undefined
}

/** How many connections to one target there may be at once, and how long a request waits for one. */
export interface ConnectionLimits {
  /** 1 or more. */
  readonly connections: number
  readonly waitMs: number
}

/** One pool a scheme, name, port and certificate of ours. */
export function poolKey(target: Target): string {
  const { plain, isWritten, host, port, identity } = target
  // Whoever else names such an address must not find a connection to it, nor one that was opened
  // by a certificate that is not for this request.
  const as = identity === undefined ? '' : `as ${identity} `
  return `${as}${isWritten === true ? 'written ' : ''}${plain === true ? 'plain ' : ''}${host}:${port}`
}

/**
 * A `stream` of unknown length goes in chunks over HTTP/1.1, where one that is not as
 * long as was said fails the exchange.
 */
export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | {
      readonly kind: 'stream'
      readonly stream: Readable
      readonly length: number | undefined
    }

/**
 * Called in this order; after `onEnd`, `onUpgrade` or `onError` never again. Fields are
 * flat, as they came, each byte a character.
 */
export interface UpstreamHandler {
  /** A head of 1xx before the response's; HTTP/1.1 tells none of 100 and 101. */
  onInformation(status: number, rawHeaders: readonly string[]): void
  onHead(status: number, message: string, rawHeaders: readonly string[]): void
  /** False pauses the response until `resume()`. */
  onData(chunk: Buffer): boolean
  onEnd(rawTrailers: readonly string[]): void
  /** Instead of `onHead`: the provider switched protocols and the socket is the caller's. */
  onUpgrade(rawHeaders: readonly string[], socket: Duplex): void
  /**
   * Also in the midst of a body. `stale`: nothing came back of a connection that had served
   * before, or it was refused, or never went: the provider has mostly not acted on it, and it may
   * be sent once more, `fresh`, where that does no harm. `unsent`: it has not for sure; nothing of
   * it has gone, or the provider says so (HTTP/2: REFUSED_STREAM, GOAWAY).
   */
  onError(error: YoriError, stale: boolean, unsent?: boolean): void
}

/** What is left to say of a request that was sent; after its end both do nothing. */
export interface UpstreamExchange {
  resume(): void
  /** Nobody wants the answer any more: the handler is not called again. */
  abort(): void
}
