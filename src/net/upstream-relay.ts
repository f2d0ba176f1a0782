/**
 * One dispatch of the HTTP library: its callbacks turned into ours, and the connection given
 * back exactly once.
 *
 * The library's older callbacks are used on purpose. They give the fields as the bytes that
 * came, in their order; the newer ones first build an object of them that nobody here reads.
 */
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { YoriError } from '../core/errors.js'
import { errorCodeOf, upstreamFailure } from './tls-failure.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** The library's word for any end of the socket; an alert before it says more. */
const OTHER_SIDE = 'UND_ERR_SOCKET'

export interface RelayOptions {
  readonly host: string
  readonly handler: UpstreamHandler
  /** The connection has carried an exchange before. */
  readonly reused: boolean
  /** The first error of the connection's socket. */
  readonly broke: () => Error | undefined
  readonly release: (reusable: boolean) => void
}

export class Relay implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly #options: RelayOptions
  #abort: ((error?: Error) => void) | undefined
  #resume: (() => void) | undefined
  #headSeen = false
  #ended = false
  #aborted = false

  constructor(options: RelayOptions) {
    this.#options = options
  }

  resume(): void {
    this.#resume?.()
  }

  abort(): void {
    if (this.#ended || this.#aborted) return
    this.#aborted = true
    this.#abort?.(new YoriError('YORI_CLIENT_GONE'))
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
    if (this.#aborted) abort(new YoriError('YORI_CLIENT_GONE'))
  }

  onHeaders(
    status: number,
    headers: Buffer[],
    resume: () => void,
    message: string,
  ): boolean {
    if (status < 200) {
      this.#options.handler.onInformation(status, headers)
      return true
    }
    this.#headSeen = true
    this.#resume = resume
    this.#options.handler.onHead(status, message, headers)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.#options.handler.onData(chunk)
  }

  onUpgrade(_status: number, headers: Buffer[] | string[] | null, socket: Duplex): void {
    this.#ended = true
    this.#options.release(false)
    this.#options.handler.onUpgrade((headers ?? []) as Buffer[], socket)
  }

  onComplete(trailers: readonly unknown[] | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.release(true)
    this.#options.handler.onEnd((trailers ?? []) as Buffer[])
  }

  onError(error: Error): void {
    if (this.#ended) return
    this.#ended = true
    const { host, handler, reused, broke, release } = this.#options
    release(false)
    const failure = this.#aborted
      ? new YoriError('YORI_CLIENT_GONE')
      : upstreamFailure(
          errorCodeOf(error) === OTHER_SIDE ? (broke() ?? error) : error,
          host,
        )
    const stale = reused && !this.#headSeen && failure.code === 'YORI_UPSTREAM_CLOSED'
    handler.onError(failure, stale)
  }
}

export function dispatchOptions(request: UpstreamRequest): Dispatcher.DispatchOptions {
  const { body } = request
  const headers = ['host', request.host, ...request.fields]
  const options = {
    path: request.path,
    method: request.method,
    headers,
    ...(request.upgrade === undefined ? {} : { upgrade: request.upgrade }),
  }
  switch (body.kind) {
    case 'none':
      return options
    case 'whole':
      return { ...options, body: body.bytes }
    case 'stream':
      if (body.length !== undefined) headers.push('content-length', String(body.length))
      return { ...options, body: body.stream }
  }
}
