/**
 * One request on its way up over HTTP/1.1, and who is told of its answer. Writes the head from
 * what was asked and the body as it comes, with back-pressure; the connection that carries it
 * reads the answer (`upstream-h1-connection.ts`).
 */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { YoriError } from '../core/errors.js'
import { chunk, inOnePiece, lastChunk, requestHead } from '../http/h1/write.js'
import type { Written } from '../http/h1/write.js'
import { upstreamFailure } from './tls-failure.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** Of a body that is there, about so much goes into one write with the head. */
const ONE_PIECE_BYTES = 64 * 1024
/** Of a long body, written in one turn of the loop: what is written is encrypted within it. */
const TURN_BYTES = 256 * 1024
/** Methods that say so when they have no body, RFC 9110 §8.6. */
const EXPECTS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** What the exchange asks of the connection that carries it. */
export interface Carrier {
  readonly socket: Socket
  /** Something of the request has gone on. */
  touch(): void
  resume(): void
  /** The exchange is over; nothing of it is wanted any more. */
  drop(exchange: H1Exchange): void
}

/**
 * One request. Its handler is told of one end, and of nothing afterwards. A body over 64
 * KiB (`ONE_PIECE_BYTES`), or one that streams, goes as the socket takes it.
 */
export class H1Exchange implements UpstreamExchange {
  readonly request: UpstreamRequest
  readonly handler: UpstreamHandler
  /** It was answered, failed, or nobody wants it any more. */
  ended = false
  /** Its first bytes have been handed to the socket. */
  begun = false
  /** All of it has been handed to the socket. */
  sent = false
  /** Its connection had carried an answer before. */
  reused = false
  /** The socket takes no more for now: it is the provider that is waited for. */
  #blocked = false
  #head: string
  #carrier: Carrier | undefined
  /** Of a body that is there, what has not been written. */
  #rest: Buffer | undefined
  /** Ends the reading of a body that is a stream. */
  #stop: (() => void) | undefined

  /** @throws YORI_INTERNAL when the head cannot be written */
  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request
    this.handler = handler
    this.#head = headOf(request)
  }

  /** The client owes the rest of its body: the provider can say nothing yet. */
  get waitsForClient(): boolean {
    return !this.sent && !this.#blocked
  }

  resume(): void {
    this.#carrier?.resume()
  }

  abort(): void {
    if (this.ended) return
    this.end()?.drop(this)
  }

  /** Tells the handler, once; `stale`: see `UpstreamHandler`. */
  fail(error: unknown, stale = false): void {
    if (this.ended) return
    this.end()?.drop(this)
    const failure = upstreamFailure(error, this.request.target.host)
    this.handler.onError(failure, stale, !this.begun)
  }

  /** Nobody is told anything from now on. Gives what carried it. */
  end(): Carrier | undefined {
    const carrier = this.#carrier
    this.ended = true
    this.#carrier = undefined
    this.#rest = undefined
    this.#stop?.()
    this.#stop = undefined
    return carrier
  }

  /** Sends it, on a connection that is its own until it has `ended`. */
  begin(carrier: Carrier, reused: boolean): void {
    this.#carrier = carrier
    this.reused = reused
    const { socket } = carrier
    const { body } = this.request
    const head = this.#head
    this.#head = ''
    switch (body.kind) {
      case 'none':
        this.begun = true
        this.sent = true
        socket.write(head, 'latin1')
        return
      case 'whole': {
        this.begun = true
        if (body.bytes.length <= ONE_PIECE_BYTES) {
          this.sent = true
          socket.write(inOnePiece(head, body.bytes))
          return
        }
        const first = body.bytes.subarray(0, ONE_PIECE_BYTES)
        socket.write(inOnePiece(head, first))
        this.#rest = body.bytes.subarray(first.length)
        this.#sendRest()
        return
      }
      case 'stream':
        this.#pump(carrier, body, head)
    }
  }

  /** The socket takes more again. */
  drained(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#carrier?.touch()
    if (this.#rest !== undefined) setImmediate(this.#sendRest)
    const { body } = this.request
    if (body.kind === 'stream' && !this.sent) body.stream.resume()
  }

  readonly #sendRest = (): void => {
    const rest = this.#rest
    const socket = this.#carrier?.socket
    if (rest === undefined || socket === undefined) return
    const isLast = rest.length <= TURN_BYTES
    this.#rest = isLast ? undefined : rest.subarray(TURN_BYTES)
    this.sent = isLast
    const goesOn = rest.length === 0 || socket.write(rest.subarray(0, TURN_BYTES))
    if (isLast) return
    if (goesOn) setImmediate(this.#sendRest)
    else this.#blocked = true
  }

  #pump(
    carrier: Carrier,
    body: Extract<UpstreamBody, { readonly kind: 'stream' }>,
    head: string,
  ): void {
    const { stream, length } = body
    const { socket } = carrier
    if (stream.destroyed) {
      const why = stream.errored ?? new YoriError('YORI_CLIENT_GONE')
      process.nextTick(() => this.fail(why))
      return
    }
    // The head goes with what comes of the body at once, in one write, and not before: what
    // came with it and is no HTTP is known by then, and a body of nothing costs no provider.
    let first: Buffer[] | undefined = [Buffer.from(head, 'latin1')]
    let firstBytes = 0
    let isDue = false
    let left = length ?? Infinity
    const send = (bytes: Buffer): void => {
      carrier.touch()
      this.begun = true
      this.#blocked = !socket.write(bytes)
      if (this.#blocked) stream.pause()
    }
    const sendFirst = (): void => {
      isDue = true
      if (this.ended || first === undefined || firstBytes === 0) return
      const together = Buffer.concat(first)
      first = undefined
      send(together)
      if (!this.#blocked && stream.isPaused()) stream.resume()
    }
    const write = (bytes: Buffer): void => {
      if (first === undefined) {
        send(bytes)
        return
      }
      first.push(bytes)
      firstBytes += bytes.length
      if (isDue) sendFirst()
      else if (firstBytes >= ONE_PIECE_BYTES) stream.pause()
    }
    setImmediate(sendFirst)
    const onData = (data: Buffer): void => {
      if (data.length === 0) return
      left -= data.length
      if (left < 0) this.fail(otherLength())
      else write(length === undefined ? chunk(data) : data)
    }
    const onEnd = (): void => {
      if (length !== undefined && left > 0) {
        this.fail(otherLength())
        return
      }
      if (length === undefined) write(Buffer.from(lastChunk()))
      this.sent = true
    }
    const onClose = (): void => {
      if (!this.sent) this.fail(stream.errored ?? new YoriError('YORI_CLIENT_GONE'))
    }
    this.#stop = () => {
      stream.off('data', onData).off('end', onEnd).off('close', onClose)
      discard(stream)
    }
    stream.on('error', () => undefined)
    stream.on('data', onData).on('end', onEnd).on('close', onClose)
  }
}

/** Whatever would follow, the provider would read it as something else. */
function otherLength(): YoriError {
  return new YoriError('YORI_INTERNAL', 'the request body is not as long as was said')
}

/** Nobody reads it any more: it lets go of the client. */
function discard(stream: Readable): void {
  if (!stream.readableEnded && !stream.destroyed) stream.destroy()
}

function headOf({ method, path, host, fields, body, upgrade }: UpstreamRequest): string {
  const line = { method, target: path, host }
  const framing = framingOf(body, method)
  if (upgrade === undefined) return requestHead(line, fields, framing)
  const own = ['Connection', 'upgrade', 'Upgrade', upgrade]
  return requestHead(line, [...fields, ...own], framing)
}

function framingOf(body: UpstreamBody, method: string): Written {
  switch (body.kind) {
    case 'none':
      return EXPECTS_BODY.has(method) ? { kind: 'length', bytes: 0 } : { kind: 'none' }
    case 'whole':
      return { kind: 'length', bytes: body.bytes.length }
    case 'stream':
      return body.length === undefined
        ? { kind: 'chunked' }
        : { kind: 'length', bytes: body.length }
  }
}
