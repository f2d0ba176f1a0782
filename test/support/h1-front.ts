/**
 * The HTTP/1.1 front alone, on a connection whose other end the caller is: bytes are given to
 * it and what it writes is kept. Who serves the requests is a handler in place of the pipeline.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Deadlines } from '../../src/net/deadlines.js'
import { H1Front } from '../../src/proxy/fronts/h1-front.js'
import { HttpFront } from '../../src/proxy/fronts/http-front.js'
import { openConnection } from '../../src/proxy/words/connection-state.js'
import type {
  HttpClient,
  HttpRequest,
  HttpResponse,
} from '../../src/proxy/words/http-words.js'
import type {
  PipelineLimits,
  PipelineTimeouts,
} from '../../src/proxy/words/policy-snapshot.js'
import { ManualClock } from './manual-clock.js'

/** A request as the front told it. */
export interface Asked {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly from: HttpClient
  /** What has come of its body. */
  body: string
  /** Its end was told. */
  whole: boolean
  /** It broke off. */
  broken: boolean
}

export type Serve = (asked: Asked) => void

const SECOND = 1000

const HEADER_BYTES = 4096
/** As configured by default. */
const TIMEOUTS = {
  requestHeadMs: 30 * SECOND,
  keepAliveMs: 120 * SECOND,
  clientReadMs: 60 * SECOND,
} as PipelineTimeouts

/** One end of a connection: `arrive` is what the client sends. */
export class FakeSocket extends Duplex {
  /** Each write, as text. */
  readonly writes: string[] = []
  wasReset = false
  /** Takes nothing more until `goesOn`. */
  stalls = false
  bytesWritten = 0
  #taken: (() => void)[] = []

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 16 * 1024 })
    this.on('error', () => undefined)
  }

  get written(): string {
    return this.writes.join('')
  }

  /** Undefined: FIN. */
  arrive(bytes: Buffer | string | undefined): void {
    if (this.destroyed) return
    if (bytes === undefined) this.push(null)
    else this.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  goesOn(): void {
    this.stalls = false
    for (const taken of this.#taken.splice(0)) taken()
  }

  resetAndDestroy(): void {
    this.wasReset = true
    this.destroy()
  }

  override _read(): void {
    // What comes, comes by `arrive`.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString('latin1'))
    const taken = (): void => {
      this.bytesWritten += chunk.length
      done()
    }
    if (this.stalls) this.#taken.push(taken)
    else taken()
  }
}

/** What has been put off to the end of the turn, and what that put off in turn. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

export class FrontAlone {
  readonly clock = new ManualClock()
  readonly deadlines = new Deadlines(this.clock)
  readonly front: H1Front
  readonly asked: Asked[] = []
  /** Codes with which it refused what is no HTTP. */
  readonly refused: string[] = []
  /** Lines that Node's server was handed, and what stood behind them. */
  readonly handed: string[] = []

  /** `serve`: asked when the head has come; `tell` answers when the body has. */
  constructor(serve: Serve = tell, headerBytes = HEADER_BYTES) {
    const limits = { headerBytes } as PipelineLimits
    const shared = { limits, timeouts: TIMEOUTS, deadlines: this.deadlines }
    const malformed = (code: string, socket: Duplex): void => {
      this.refused.push(code)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    }
    const handed = ({ method, url }: IncomingMessage, head: Buffer): void => {
      const line = `${method ?? ''} ${url ?? ''}`
      this.handed.push(`${line} ${head.toString('latin1')}`)
    }
    this.front = new H1Front({
      ...shared,
      malformed,
      request: (http, from) => serve(this.#ask(http, from)),
      others: new HttpFront({
        ...shared,
        handlers: {
          request: () => undefined,
          connect: (request, _socket, head) => handed(request, head),
          upgrade: (request, _socket, head) => handed(request, head),
          malformed,
        },
      }),
    })
  }

  /** A connection that it serves. */
  open(): FakeSocket {
    const socket = new FakeSocket()
    const client = socket as unknown as Socket
    void this.front.serve(client, openConnection(client, this.clock))
    return socket
  }

  #ask(http: { request: HttpRequest; response: HttpResponse }, from: HttpClient): Asked {
    const asked: Asked = { ...http, from, body: '', whole: false, broken: false }
    this.asked.push(asked)
    from.began()
    http.response.once('close', () => from.ended())
    return asked
  }
}

/** Reads its body, then calls `then`. */
export function reading(asked: Asked, then: () => void): void {
  const { request } = asked
  request.on('data', (chunk) => (asked.body += chunk.toString('latin1')))
  request.on('end', () => {
    asked.whole = true
    then()
  })
  request.on('close', () => (asked.broken = true))
}

/** Answers 200 with the request line, once its body has come. */
export function tell(asked: Asked): void {
  reading(asked, () => {
    const { method = '', url = '' } = asked.request
    answer(asked, 200, `${method} ${url} ${asked.body.length};`)
  })
}

export function answer(
  { request, response }: Asked,
  status: number,
  body: string,
  fields: readonly string[] = ['Content-Length', String(Buffer.byteLength(body))],
): void {
  response.sendDate = false
  response.writeHead(status, 'Told', [...fields])
  response.end(request.method === 'HEAD' ? undefined : body)
}

export const HOST = 'Host: a.test\r\n'

export const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a.test', ...fields, '', ''].join('\r\n')

/** Of an answer behind which the connection goes on. */
export const KEPT = 'Connection: keep-alive\r\nKeep-Alive: timeout=120\r\n'

/** What `tell` says of a request. */
export const told = (text: string, isLast = false): string =>
  `HTTP/1.1 200 Told\r\nContent-Length: ${text.length}\r\n` +
  `${isLast ? 'Connection: close\r\n' : KEPT}\r\n${text}`

/** A connection on which `pieces` have come, one a turn, and been served. */
export async function served(
  front: FrontAlone,
  ...pieces: (Buffer | string)[]
): Promise<FakeSocket> {
  const socket = front.open()
  for (const piece of pieces) {
    socket.arrive(piece)
    await turns(1)
  }
  await turns()
  return socket
}
