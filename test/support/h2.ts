/** HTTP/2 clients: Node's own over a CONNECT through YORI, and one that writes raw frames. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  SessionOptions,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Yori } from './yori.js'

/** What browsers and libraries offer. */
const ALPN = ['h2', 'http/1.1']

export interface H2Client extends Disposable {
  readonly session: ClientHttp2Session
  readonly socket: TLSSocket
}

export async function h2Client(
  yori: Yori,
  host: string,
  options: SessionOptions = {},
): Promise<H2Client> {
  const socket = await yori.tls(host, { ALPNProtocols: ALPN })
  const session = connect(`https://${host}`, {
    ...options,
    createConnection: () => socket,
  })
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  return { session, socket, [Symbol.dispose]: () => session.destroy() }
}

export interface H2Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number }
  readonly body: string
  readonly trailers: IncomingHttpHeaders | undefined
}

/** Sends a whole request and gives the whole answer. */
export async function h2Ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<H2Answer> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return h2Answer(stream)
}

export async function h2Answer(stream: ClientHttp2Stream): Promise<H2Answer> {
  let trailers: IncomingHttpHeaders | undefined
  stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields))
  const chunks: Buffer[] = []
  const ended = once(stream, 'end')
  const [headers] = (await once(stream, 'response')) as [H2Answer['headers']]
  // By events: an iterator takes a reset after the whole answer for a failure.
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await ended
  return { headers, body: Buffer.concat(chunks).toString(), trailers }
}

/** RFC 9113 §6. */
export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const FLAG = { endStream: 1, endHeaders: 4 } as const

export interface Frame {
  readonly type: number
  readonly flags?: number
  readonly stream?: number
  readonly payload?: Buffer
}

export function frame({ type, flags = 0, stream = 0, payload }: Frame): Buffer {
  const bytes = payload ?? Buffer.alloc(0)
  const head = Buffer.alloc(9)
  head.writeUIntBE(bytes.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, bytes])
}

/** Literal fields without indexing, names and values up to 126 bytes. RFC 7541 §6.2.2. */
export function literals(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]),
  )
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** After the preface of RFC 9113 §3.4 and an empty SETTINGS. */
export async function rawH2Client(yori: Yori, host: string): Promise<TLSSocket> {
  const socket = await yori.tls(host, { ALPNProtocols: ALPN })
  socket.on('error', () => undefined)
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame({ type: FRAME.settings }))
  return socket
}

/** The frames in a whole number of bytes; a rest that is no whole frame is left out. */
export function framesOf(bytes: Buffer): Required<Frame>[] {
  const frames: Required<Frame>[] = []
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3)
    if (at + 9 + length > bytes.length) break
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + 9, at + 9 + length),
    })
    at += 9 + length
  }
  return frames
}
