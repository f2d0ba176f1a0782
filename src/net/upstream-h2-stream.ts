/**
 * One request on an HTTP/2 session and its answer, told in the words of `upstream-words.ts`.
 * Trailers pass both ways; a provider's RST_STREAM is an error that names its code, so that it
 * can go on as it is.
 */
import { STATUS_CODES } from 'node:http'
import { constants } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2'
import { YoriError } from '../core/errors.js'
import { toH2 } from '../http/h2-fields.js'
import { upstreamFailure } from './tls-failure.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants
const { NGHTTP2_FLAG_END_STREAM } = constants

/** Milliseconds, as of `H1ConnectionOptions`; here a timer of the stream keeps them. */
export interface H2StreamOptions {
  readonly responseHeadTimeoutMs: number
  readonly responseSilenceTimeoutMs: number
}

/** The place on a session. */
export interface H2Place {
  /** The session has served before. */
  readonly reused: boolean
  /** Called once; `answered`: a whole response came. */
  readonly release: (answered: boolean) => void
}

/** The provider reset the stream, RFC 9113 §7. */
export class StreamReset extends Error {
  readonly rstCode: number

  constructor(rstCode: number) {
    super(`the provider reset the stream (${rstCode})`)
    this.rstCode = rstCode
  }
}

/** What the provider said by RST_STREAM, when that was the cause. */
export function rstCodeOf(cause: unknown): number | undefined {
  return cause instanceof StreamReset ? cause.rstCode : undefined
}

/**
 * One request. Its handler is told of one end, and of nothing afterwards. A stream whose
 * answer nobody wants any more, or that is late, is reset by CANCEL.
 */
export class H2Stream implements UpstreamExchange {
  readonly #request: UpstreamRequest
  readonly #handler: UpstreamHandler
  readonly #options: H2StreamOptions
  #place: H2Place | undefined
  #stream: ClientHttp2Stream | undefined
  #trailers: readonly string[] = []
  #headSeen = false
  /** END_STREAM came: no reset can cut it any more. */
  #isWhole = false
  #ended = false
  #paused = false
  #lengthLeft: number | undefined
  /** Of the body, what Node told before the head that came with it: a window of it at the most. */
  #early: Buffer[] = []

  constructor(
    request: UpstreamRequest,
    handler: UpstreamHandler,
    options: H2StreamOptions,
  ) {
    this.#request = request
    this.#handler = handler
    this.#options = options
  }

  /** It was answered, failed, or nobody wants it any more. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Sends it; once. `place` is released when it has ended, or at once when it has
   * already.
   */
  open(session: ClientHttp2Session, place: H2Place): void {
    if (this.#ended) {
      place.release(false)
      return
    }
    this.#place = place
    const { body, trailers } = this.#request
    try {
      const stream = session.request(headOf(this.#request), {
        endStream: body.kind === 'none',
        waitForTrailers: body.kind !== 'none' && trailers !== undefined,
      })
      this.#stream = stream
      this.#listen(stream, () => session.destroyed)
    } catch (error) {
      // GOAWAY came between taking the session and using it: nothing has been sent.
      this.fail(error)
    }
  }

  resume(): void {
    this.#paused = false
    this.#stream?.resume()
  }

  abort(): void {
    if (this.#ended) return
    this.#end(false)
    this.#stream?.close(NGHTTP2_CANCEL)
  }

  /**
   * Tells the handler, once. It is stale when the provider has not acted on it, as far as
   * can be told.
   */
  fail(error: unknown): void {
    if (this.#ended) return
    this.#end(false)
    const failure = upstreamFailure(error, this.#request.target.host)
    const isClosed = failure.code === 'YORI_UPSTREAM_CLOSED'
    const isReset = error instanceof StreamReset
    // So Node tells of streams above the last one that a GOAWAY names, too (RFC 9113 §8.7).
    const isRefused = isReset && error.rstCode === NGHTTP2_REFUSED_STREAM
    const isUnsent = this.#stream === undefined || isRefused
    const mayBeIdle = !isReset && this.#place?.reused === true
    const isStale = isClosed && !this.#headSeen && (isUnsent || mayBeIdle)
    this.#handler.onError(failure, isStale, isUnsent && !this.#headSeen)
  }

  #end(answered: boolean): void {
    this.#ended = true
    this.#place?.release(answered)
  }

  #listen(stream: ClientHttp2Stream, isDead: () => boolean): void {
    const { responseHeadTimeoutMs: headMs, responseSilenceTimeoutMs } = this.#options
    stream.setTimeout(this.#request.headTimeoutMs ?? headMs)
    stream.on('timeout', () => this.#timedOut(stream))
    stream.on('headers', (headers: IncomingHttpHeaders, _flags: number, raw: unknown) => {
      const status = Number((headers as { ':status'?: number })[':status'])
      if (!this.#ended) this.#handler.onInformation(status, fieldsOf(raw))
    })
    stream.on('response', (headers, flags, ...rest: unknown[]) => {
      if (this.#ended) return
      stream.setTimeout(responseSilenceTimeoutMs)
      this.#headSeen = true
      this.#answered(Number(headers[':status']), rest[0], headers['content-length'])
      for (const chunk of this.#early.splice(0)) this.#took(stream, chunk)
      if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) this.#complete(stream)
    })
    stream.on('trailers', (_fields: unknown, flags: number, raw: unknown) => {
      this.#trailers = fieldsOf(raw)
      this.#isWhole ||= (flags & NGHTTP2_FLAG_END_STREAM) !== 0
    })
    this.#heedEnd(stream)
    stream.on('data', (chunk: Buffer) => {
      // A head is told a tick later than it comes, and what follows it in the same piece is not.
      if (this.#headSeen) this.#took(stream, chunk)
      else this.#early.push(chunk)
    })
    stream.on('end', () => {
      // A stream that was reset ends too; 'close' tells of it.
      if (this.#isWhole && this.#headSeen) this.#complete(stream)
    })
    // Of a session that broke off Node cancels the streams itself: that was not the provider.
    const broken = (error?: Error): void => {
      const { rstCode } = stream
      const isReset = rstCode !== NGHTTP2_NO_ERROR && !isDead()
      if (isReset || rstCode === NGHTTP2_REFUSED_STREAM)
        this.fail(new StreamReset(rstCode))
      else this.fail(error ?? new Error('the connection ended before the answer'))
    }
    stream.on('error', broken)
    stream.on('close', () => broken())
    this.#sendBody(stream)
  }

  /**
   * Node ends the readable side alike for END_STREAM and for a reset by NO_ERROR, such as a server
   * sends that lets go of a session; but the second only once it takes the stream for closed. A
   * body that such a reset cuts is not whole (RFC 9113 §8.1).
   */
  #heedEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true
      return push(chunk, encoding)
    }
  }

  #took(stream: ClientHttp2Stream, chunk: Buffer): void {
    if (this.#ended) return
    if (this.#lengthLeft !== undefined) this.#lengthLeft -= chunk.length
    this.#paused = !this.#handler.onData(chunk)
    if (this.#paused) stream.pause()
  }

  #answered(status: number, raw: unknown, length: string | undefined): void {
    const hasBody = this.#request.method !== 'HEAD' && status !== 204 && status !== 304
    this.#lengthLeft = length === undefined || !hasBody ? undefined : Number(length)
    this.#handler.onHead(status, STATUS_CODES[status] ?? '', fieldsOf(raw))
  }

  #complete(stream: ClientHttp2Stream): void {
    if (this.#ended) return
    if (this.#lengthLeft !== undefined && this.#lengthLeft !== 0) {
      this.fail(new Error('the body is not as long as was said'))
      return
    }
    this.#end(true)
    this.#handler.onEnd(this.#trailers)
    // An answer before the request was whole: the rest is not wanted. RFC 9113 §8.1.
    if (!stream.writableEnded) stream.close(NGHTTP2_NO_ERROR)
  }

  /** Silence counts only while somebody would hear a word. */
  #timedOut(stream: ClientHttp2Stream): void {
    if (this.#paused) {
      stream.setTimeout(this.#options.responseSilenceTimeoutMs)
      return
    }
    this.fail(new YoriError('YORI_UPSTREAM_TIMEOUT'))
    stream.close(NGHTTP2_CANCEL)
  }

  #sendBody(stream: ClientHttp2Stream): void {
    const { body, trailers } = this.#request
    stream.on('wantTrailers', () => {
      stream.sendTrailers(toH2(undefined, trailers?.() ?? []))
    })
    switch (body.kind) {
      case 'none':
        return
      case 'whole':
        sendWhole(stream, body.bytes)
        return
      case 'stream':
        body.stream.on('error', (error) => {
          this.fail(error)
          stream.close(NGHTTP2_CANCEL)
        })
        // Nobody reads it any more: it lets go of the client.
        stream.once('close', () => body.stream.destroy())
        body.stream.pipe(stream)
    }
  }
}

/** A long one a piece a turn of the loop: what is written is encrypted within it. */
function sendWhole(stream: ClientHttp2Stream, bytes: Buffer): void {
  if (stream.closed || stream.destroyed) return
  if (bytes.length <= TURN_BYTES) {
    stream.end(bytes)
    return
  }
  stream.write(bytes.subarray(0, TURN_BYTES), (error) => {
    if (error) return
    setImmediate(() => sendWhole(stream, bytes.subarray(TURN_BYTES)))
  })
}

const TURN_BYTES = 256 * 1024

function headOf(request: UpstreamRequest): OutgoingHttpHeaders {
  const { method, path, host, fields, body, wantsTrailers } = request
  const length =
    body.kind === 'whole'
      ? body.bytes.length
      : body.kind === 'stream'
        ? body.length
        : undefined
  return {
    ':method': method,
    ':path': path,
    ':scheme': 'https',
    ':authority': host,
    ...toH2(undefined, fields),
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...(wantsTrailers === true ? { te: 'trailers' } : {}),
  }
}

/** Node's flat list without the pseudo-fields. */
function fieldsOf(raw: unknown): string[] {
  const fields: string[] = []
  if (!Array.isArray(raw)) return fields
  const list = raw as string[]
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string
    if (name.startsWith(':')) continue
    fields.push(name, list[i + 1] as string)
  }
  return fields
}
