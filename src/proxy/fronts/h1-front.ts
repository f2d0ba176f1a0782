/**
 * HTTP/1.1 towards clients: every connection on which requests are asked and answered. Reading
 * one is `h1-client.ts`; a connection that asks to switch protocols, or for a tunnel, goes on
 * with Node's server (`http-front.ts`).
 */
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { ConnectionState } from '../words/connection-state.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import type { PipelineLimits, PipelineTimeouts } from '../words/policy-snapshot.js'
import { H1Client } from './h1-client.js'
import type { H1Host } from './h1-client.js'
import type { HttpFront } from './http-front.js'

export interface H1FrontOptions {
  readonly request: (
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
  ) => void
  /** What came could not be read; the handler answers, and ends the connection. */
  readonly malformed: (code: ErrorCode, socket: Socket, from: HttpClient) => void
  /** Who serves what is no ordinary exchange. */
  readonly others: HttpFront
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  readonly deadlines: Deadlines
}

export class H1Front implements H1Host {
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  retired = false
  stopping = false
  readonly #options: H1FrontOptions
  readonly #clients = new Set<H1Client>()

  constructor(options: H1FrontOptions) {
    this.limits = options.limits
    this.timeouts = options.timeouts
    this.#options = options
  }

  /** Serves HTTP/1.1 on a socket until it closes; resolves then. */
  serve(socket: Socket, state: ConnectionState): Promise<void> {
    if (socket.destroyed) return Promise.resolve()
    const client = new H1Client(state, socket, this)
    this.#clients.add(client)
    this.#options.deadlines.watch(client)
    return new Promise((resolve) => {
      socket.once('close', () => {
        this.#forget(client)
        resolve()
      })
    })
  }

  now(): number {
    return this.#options.deadlines.now()
  }

  request(
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
  ): void {
    this.#options.request(http, from)
  }

  malformed(code: ErrorCode, from: H1Client): void {
    this.#options.malformed(code, from.socket, from)
  }

  handOver(from: H1Client): void {
    this.#forget(from)
    void this.#options.others.serve(from.socket, from.state)
  }

  /**
   * Another takes its place: the next answer on each connection tells the client to close.
   * Until then it stays: to close it untold would lose the request that is on its way.
   */
  retire(): void {
    this.retired = true
    this.#options.others.retire()
  }

  /** The process is about to end. */
  drain(): void {
    this.retire()
    this.stopping = true
    this.#options.others.drain()
    for (const client of this.#clients) client.drain()
  }

  #forget(client: H1Client): void {
    this.#clients.delete(client)
    this.#options.deadlines.unwatch(client)
  }
}
