/**
 * One HTTP/2 stream as a request and its response in the shape of `http-words.ts`. Node's own
 * compatibility layer is passed by: there an upload that the client broke off ends like a
 * whole one, and repeated response fields are lost.
 */
import { constants } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { fromH2, toH2 } from '../../http/h2-fields.js'
import { owesBody } from '../words/http-words.js'
import type { HttpRequest, HttpResponse } from '../words/http-words.js'

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

export class H2Request implements HttpRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion = '2.0'
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly rawTrailers: string[] = []
  readonly #stream: ServerHttp2Stream
  #complete: boolean

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) {
    const bodyless = stream.endAfterHeaders
    const head = fromH2(rawHeaders, bodyless)
    this.#stream = stream
    this.#complete = bodyless
    this.method = head.method
    this.url = head.path
    this.headers = headers
    this.rawHeaders = head.rawHeaders
    stream.on('trailers', (_fields: unknown, _flags: unknown, raw: unknown) => {
      if (Array.isArray(raw)) this.rawTrailers.push(...(raw as string[]))
    })
    // First of all listeners: the others ask `complete`. A reset ends the stream as well.
    stream.on('end', () => {
      this.#complete = !stream.aborted
    })
    // Nobody reads a body that is not there, and until its end is read a stream stays open.
    if (!owesBody({ complete: bodyless, rawHeaders: head.rawHeaders })) stream.resume()
  }

  get complete(): boolean {
    return this.#complete
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  isPaused(): boolean {
    return this.#stream.isPaused()
  }

  on(
    event: 'data' | 'end' | 'close' | 'error',
    listener: ((chunk: Buffer) => void) | ((error: Error) => void),
  ): void {
    this.#stream.on(event, listener as () => void)
  }

  off(
    event: 'data' | 'end' | 'close' | 'error',
    listener: ((chunk: Buffer) => void) | ((error: Error) => void),
  ): void {
    this.#stream.off(event, listener as () => void)
  }
}

export class H2Response implements HttpResponse {
  sendDate = true
  readonly chunkedEncoding = true
  readonly #stream: ServerHttp2Stream
  readonly #request: H2Request
  #head: { status: number; fields: string[] } | undefined
  #trailers: readonly string[] = []
  #ended = false
  #bytes = 0

  constructor(stream: ServerHttp2Stream, request: H2Request) {
    this.#stream = stream
    this.#request = request
    stream.on('wantTrailers', () => {
      stream.sendTrailers(toH2(undefined, this.#trailers))
      // What the client still sends is not wanted any more. RFC 9113 §8.1.
      // Behind them: a reset takes back what was not written yet.
      if (!request.complete) setImmediate(() => stream.close(NGHTTP2_NO_ERROR))
    })
  }

  get headersSent(): boolean {
    return this.#head !== undefined || this.#stream.headersSent
  }

  get writableEnded(): boolean {
    return this.#ended
  }

  get destroyed(): boolean {
    return this.#stream.destroyed
  }

  writeContinue(): void {
    this.#inform(100, [])
  }

  writeProcessing(): void {
    this.#inform(102, [])
  }

  writeEarlyHints(hints: Record<string, string | string[]>): void {
    const fields = Object.entries(hints).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => [name, value]),
    )
    this.#inform(103, fields)
  }

  /** HTTP/2 has no reason phrase. */
  writeHead(status: number, _message: string, fields: string[]): void {
    this.#head = { status, fields }
  }

  flushHeaders(): void {
    this.#respond(false)
  }

  write(chunk: Buffer | string): boolean {
    this.#respond(false)
    if (this.#isOver() || this.#stream.writableEnded) return true
    this.#bytes += chunk.length
    return this.#stream.write(chunk)
  }

  addTrailers(fields: readonly [string, string][]): void {
    this.#trailers = fields.flat()
  }

  end(chunk?: Buffer | string): void {
    if (this.#ended) return
    this.#ended = true
    // A head alone is the whole answer: gRPC tells "Trailers-Only" by it.
    this.#respond(chunk === undefined && this.#trailers.length === 0)
    if (this.#stream.destroyed) return
    // Of HEAD, 204 and the like the head was the end, and nothing asks for trailers.
    if (this.#stream.writableEnded) {
      if (!this.#request.complete) this.#stream.close(NGHTTP2_NO_ERROR)
      return
    }
    this.#bytes += chunk?.length ?? 0
    if (chunk === undefined) this.#stream.end()
    else this.#stream.end(chunk)
  }

  /** What waits for room in the client's window, and what has gone. */
  progress(): { queued: number; taken: number } {
    const queued = this.#stream.destroyed ? 0 : this.#stream.bufferSize
    return { queued, taken: this.#bytes - queued }
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    this.#stream.once(event, listener)
  }

  /** RST_STREAM: the other streams of the connection go on. */
  reset(code: number = NGHTTP2_INTERNAL_ERROR): void {
    this.#ended = true
    this.#stream.close(code)
  }

  #respond(isWhole: boolean): void {
    const head = this.#head
    if (head === undefined) return
    this.#head = undefined
    if (this.#isOver()) return
    const ending = isWhole ? { endStream: true } : { waitForTrailers: true }
    const options = { ...ending, sendDate: this.sendDate }
    try {
      this.#stream.respond(toH2(head.status, head.fields), options)
    } catch {
      // A head that HTTP/2 cannot carry costs one stream, not the process.
      this.reset()
    }
  }

  #inform(status: number, fields: readonly string[]): void {
    if (this.#isOver() || this.headersSent) return
    try {
      this.#stream.additionalHeaders(toH2(status, fields))
    } catch {
      // What goes before the answer may be left out.
    }
  }

  #isOver(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }
}
