/**
 * What the pipeline needs of a request, its response and the connection below, whichever
 * version of HTTP carried them. Node's own HTTP/1.1 objects fit as they are; HTTP/2 streams are
 * made to fit in `h2-messages.ts`.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { framesBody } from '../../http/head.js'
import type { ConnectionState } from './connection-state.js'

export interface HttpRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly headers: IncomingHttpHeaders
  /** Flat, as received. HTTP/2: with `host` for `:authority`, and framed as HTTP/1.1 would. */
  readonly rawHeaders: string[]
  readonly rawTrailers: string[]
  /** The whole message has come; false for ever when the client broke it off. */
  readonly complete: boolean
  pause(): unknown
  resume(): unknown
  isPaused(): boolean
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'data', listener: (chunk: Buffer) => void): unknown
  off(event: 'end' | 'close', listener: () => void): unknown
}

/**
 * Is there more of its body to come? The head says whether there is a body at all (RFC 9112
 * §6.3); `complete` of a request without one is only set after its head was handed on.
 */
export function owesBody({
  complete,
  rawHeaders,
}: Pick<HttpRequest, 'complete' | 'rawHeaders'>): boolean {
  return !complete && framesBody(rawHeaders)
}

export interface HttpResponse {
  sendDate: boolean
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly destroyed: boolean
  /** Trailers can be sent. */
  readonly chunkedEncoding: boolean
  writeContinue(): void
  writeProcessing(): void
  writeEarlyHints(hints: Record<string, string | string[]>): void
  /** `fields` is flat. */
  writeHead(status: number, message: string, fields: string[]): unknown
  flushHeaders(): void
  /** False: wait for 'drain'. */
  write(chunk: Buffer | string): boolean
  addTrailers(fields: readonly [string, string][]): void
  end(chunk?: Buffer | string): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
}

/** An exchange that is under way. */
export interface Underway {
  /** The bytes after its head are no HTTP: it answers that, if it still reads. False: it has all. */
  malformed(): boolean
}

/** The client as one exchange sees it. */
export interface HttpClient {
  readonly state: ConnectionState
  /** What speaks HTTP: the TLS socket, or the TCP socket in the clear. */
  readonly socket: Socket
  /** Nobody is there any more to be answered. */
  readonly gone: boolean
  /** It was cut off because it took nothing of its answer. */
  readonly stalled: boolean
  began(exchange?: Underway): void
  ended(exchange?: Underway): void
  /** HTTP/2: no more streams on this connection (GOAWAY). HTTP/1.1 says so in its answer. */
  goAway(): void
  /**
   * Ends an answer that has begun so that its end cannot be taken for the real one; `rstCode`
   * is what the provider said by RST_STREAM.
   */
  breakOff(rstCode?: number): void
}
