/**
 * The dialect `ext_proc`: Envoy's external processing over gRPC, one stream a request. A stream
 * that ends in order without a word has nothing against it; any other end is a failure.
 */
import { connect, constants } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
} from 'node:http2'
import { frameOf } from '../http/grpc-frames.js'
import type { Dialect } from './dialect.js'
import {
  readReply,
  requestBodyMessage,
  requestHeadersMessage,
  toldMessage,
} from './ext-proc-messages.js'
import type { ProcReply } from './ext-proc-messages.js'
import { ObservedStream } from './ext-proc-observed.js'
import type { Patience } from './patience.js'
import type { Told } from './told.js'
import { FrameReader, GRPC } from './uds-frames.js'
import { fieldChanges } from './verdict.js'
import type { Asked, Introduction, Verdict } from './words.js'
import { failureOf, NO_OBJECTION, ProcessorFailure } from './words.js'

const PATH = '/envoy.service.ext_proc.v3.ExternalProcessor/Process'
/** Messages that say nothing of what was asked. */
const MAX_OTHERS = 16

export interface ExtProcOptions {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly token: string | undefined
  /** Of one message. */
  readonly replyBytes: number
  readonly concurrency: number
}

export class ExtProcDialect implements Dialect {
  losses = 0
  readonly #options: ExtProcOptions
  #session: ClientHttp2Session | undefined
  /** Answers that are being told, by their requests. */
  readonly #observed = new Map<string, ObservedStream>()
  #isClosed = false

  constructor(options: ExtProcOptions) {
    this.#options = options
  }

  get atOnce(): number {
    return this.#options.concurrency
  }

  async ask(asked: Asked, patience: Patience): Promise<Verdict> {
    const call = this.#call(patience)
    try {
      // The head always goes first: a processor of Envoy knows a body by it.
      const first = await call.say(requestHeadersMessage(asked))
      if (first === undefined || first.kind === 'other') return NO_OBJECTION
      if (first.kind === 'immediate' || asked.body === undefined) return first.verdict
      const second = await call.say(requestBodyMessage(asked.body))
      if (second === undefined || second.kind === 'other') return first.verdict
      return both(first.verdict, second.verdict)
    } finally {
      call.end()
    }
  }

  /** Of the answer, by a stream of its own that nobody waits for. */
  async tell(requestId: string, told: Told, patience: Patience): Promise<void> {
    if (told.kind === 'complete') return
    let stream = this.#observed.get(requestId)
    if (stream === undefined) {
      const { replyBytes, concurrency } = this.#options
      if (this.#observed.size >= concurrency) throw new ProcessorFailure('busy')
      stream = new ObservedStream(this.#request(), replyBytes, () =>
        this.#observed.delete(requestId),
      )
      this.#observed.set(requestId, stream)
    }
    await stream.send(toldMessage(requestId, told), told.isLast, patience)
  }

  forget(requestId: string): void {
    this.#observed.get(requestId)?.close()
  }

  /** It has no handshake: that its server speaks HTTP/2 is what can be seen. */
  async introduce(patience: Patience): Promise<Introduction> {
    const session = this.#open()
    await patience.within(
      new Promise<void>((resolve, reject) => {
        session.ping((cause) => {
          if (cause === null) resolve()
          else reject(failureOf(cause))
        })
        session.once('close', () => reject(new ProcessorFailure('unreachable')))
      }),
    )
    const { host, port } = this.#options
    const name = `${host}:${port}`
    return { name, version: '', events: undefined, maxBodyBytes: undefined }
  }

  close(): void {
    this.#isClosed = true
    this.#session?.destroy()
  }

  #call(patience: Patience): Call {
    return new Call(this.#request(), this.#options.replyBytes, patience)
  }

  #request(): ClientHttp2Stream {
    if (this.#isClosed) throw new ProcessorFailure('given-up')
    const { token, host, port } = this.#options
    return this.#open().request({
      ':method': 'POST',
      ':path': PATH,
      ':authority': `${host}:${port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    })
  }

  #open(): ClientHttp2Session {
    const known = this.#session
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const { host, port, tls } = this.#options
    const authority = host.includes(':') ? `[${host}]` : host
    const session = connect(`${tls ? 'https' : 'http'}://${authority}:${port}`)
    this.#session = session
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined
    }
    session.on('error', forget)
    session.on('close', () => {
      if (!this.#isClosed) this.losses++
      forget()
    })
    session.on('goaway', forget)
    session.unref()
    return session
  }
}

function both(head: Verdict, body: Verdict): Verdict {
  return {
    ...body,
    requestFields: fieldChanges([...head.requestFields, ...body.requestFields]),
  }
}

/** One stream: a message goes, an answer comes. */
class Call {
  readonly #stream: ClientHttp2Stream
  readonly #reader: FrameReader
  readonly #forget: () => void
  #others = 0
  #waiting:
    | {
        readonly resolve: (reply: ProcReply | undefined) => void
        readonly reject: (failure: ProcessorFailure) => void
      }
    | undefined
  #failure: ProcessorFailure | undefined
  #hasEnded = false
  #hasAnswered = false

  constructor(stream: ClientHttp2Stream, replyBytes: number, patience: Patience) {
    this.#stream = stream
    this.#reader = new FrameReader(replyBytes, GRPC)
    this.#forget = patience.onEnd((failure) => {
      this.#fail(failure)
    })
    stream.on('response', (headers) => {
      this.#hasAnswered = true
      const { ':status': status } = headers
      if (status !== 200) this.#fail(new ProcessorFailure('refused', `status ${status}`))
      else this.#heardStatus(headers['grpc-status'])
    })
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      this.#heardStatus(trailers['grpc-status'])
    })
    stream.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      const isAbsence = !this.#hasAnswered && cause.code?.startsWith('ERR_') !== true
      this.#fail(isAbsence ? failureOf(cause) : new ProcessorFailure('gone'))
    })
    stream.on('close', () => {
      if (!this.#hasEnded) this.#fail(new ProcessorFailure('gone'))
    })
  }

  /** Undefined: it has closed the stream, and wants to hear no more of it. */
  say(message: Buffer): Promise<ProcReply | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#hasEnded) return Promise.resolve(undefined)
    this.#stream.write(frameOf(message))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  end(): void {
    this.#forget()
    this.#failure ??= new ProcessorFailure('given-up')
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  #heardStatus(status: string | string[] | undefined): void {
    if (status === undefined) return
    if (status !== '0') {
      this.#fail(new ProcessorFailure('refused', `grpc-status ${String(status)}`))
      return
    }
    this.#hasEnded = true
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
  }

  #read(chunk: Buffer): void {
    if (this.#failure !== undefined) return
    try {
      for (const { type, payload } of this.#reader.push(chunk)) {
        if (type !== 0) throw new ProcessorFailure('malformed', 'it is compressed')
        this.#heard(readReply(payload))
      }
    } catch (cause) {
      this.#fail(failureOf(cause))
    }
  }

  #heard(reply: ProcReply): void {
    if (reply.kind === 'other' && ++this.#others <= MAX_OTHERS) return
    const waiting = this.#waiting
    if (waiting === undefined || reply.kind === 'other')
      throw new ProcessorFailure('malformed', 'more than was asked for')
    this.#waiting = undefined
    waiting.resolve(reply)
  }

  #fail(failure: ProcessorFailure): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#forget()
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL)
    this.#waiting?.reject(failure)
    this.#waiting = undefined
  }
}
