/** Puts a reply on the wire as the knobs say, with back-pressure, until the client leaves. */
import { once } from 'node:events'
import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import type { Knobs } from './knobs.js'
import type { Reply } from './reply.js'

const PATTERN_CHUNK_BYTES = 64 * 1024

/** Resolves when the response is out, or the client is gone. Never rejects for either. */
export async function send(
  response: ServerResponse,
  reply: Reply,
  knobs: Knobs,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    await pause(knobs.latencyMs, gone.signal)
    for (const status of knobs.interim ?? []) interim(response, status)
    writeHead(response, reply, knobs)
    await writeBody(response, bodyOf(reply, knobs), knobs, gone.signal)
    finish(response, knobs)
  } catch (cause) {
    if (!gone.signal.aborted) throw cause
  }
}

/** The bytes of `bytes(size)`: the same for every size, so that a prefix can be compared. */
export function* pattern(size: number): Generator<Buffer> {
  const whole = Buffer.from(
    Uint8Array.from(
      { length: PATTERN_CHUNK_BYTES },
      (_, i) => (i * 31 + (i >> 8)) & 0xff,
    ),
  )
  for (let left = size; left > 0; left -= whole.length) {
    yield left >= whole.length ? whole : whole.subarray(0, left)
  }
}

function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return ms === undefined ? Promise.resolve() : delay(ms, undefined, { signal })
}

function interim(response: ServerResponse, status: 100 | 102 | 103): void {
  if (status === 100) response.writeContinue()
  else if (status === 102) response.writeProcessing()
  else response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
}

function writeHead(response: ServerResponse, reply: Reply, knobs: Knobs): void {
  if (knobs.noDate === true) response.sendDate = false
  if (knobs.close === true) response.setHeader('connection', 'close')
  const length = knobs.claimedLength ?? knownLength(reply, knobs)
  response.setHeader('content-type', contentType(reply))
  if (length !== undefined) response.setHeader('content-length', length)
  if (knobs.gzip === true) response.setHeader('content-encoding', 'gzip')
  if (knobs.trailers !== undefined) {
    response.setHeader('trailer', Object.keys(knobs.trailers).join(', '))
  }
  const extra = { ...('headers' in reply ? reply.headers : {}), ...knobs.headers }
  for (const [name, value] of Object.entries(extra)) response.setHeader(name, value)
  const status = reply.kind === 'json' ? reply.status : 200
  response.writeHead(status, STATUS_CODES[status])
  response.flushHeaders()
}

function contentType(reply: Reply): string {
  switch (reply.kind) {
    case 'json':
      return 'application/json'
    case 'events':
      return 'text/event-stream; charset=utf-8'
    case 'bytes':
      return 'application/octet-stream'
  }
}

function knownLength(reply: Reply, knobs: Knobs): number | undefined {
  const chunked =
    knobs.chunked === true || knobs.gzip === true || knobs.trailers !== undefined
  if (chunked || reply.kind === 'events') return undefined
  return reply.kind === 'bytes'
    ? reply.size
    : Buffer.byteLength(JSON.stringify(reply.body))
}

function bodyOf(reply: Reply, knobs: Knobs): Iterable<Buffer> | AsyncIterable<Buffer> {
  const plain = plainBody(reply)
  if (knobs.gzip !== true) return plain
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
  return Readable.from(plain, { objectMode: true }).pipe(gzip)
}

function* plainBody(reply: Reply): Generator<Buffer> {
  switch (reply.kind) {
    case 'json':
      yield Buffer.from(JSON.stringify(reply.body))
      return
    case 'events':
      for (const event of reply.events) yield Buffer.from(event)
      return
    case 'bytes':
      yield* pattern(reply.size)
  }
}

async function writeBody(
  response: ServerResponse,
  body: Iterable<Buffer> | AsyncIterable<Buffer>,
  knobs: Knobs,
  signal: AbortSignal,
): Promise<void> {
  let sent = 0
  for await (const chunk of body) {
    signal.throwIfAborted()
    if (sent > 0) await pause(knobs.chunkGapMs, signal)
    const left = (knobs.cutAfterBytes ?? Infinity) - sent
    if (chunk.length >= left) return cut(response, chunk.subarray(0, left))
    sent += chunk.length
    if (!response.write(chunk)) await once(response, 'drain', { signal })
  }
}

/** The last bytes leave first: destroying at once would throw them away. */
function cut(response: ServerResponse, last: Buffer): void {
  response.write(last, () => response.destroy())
}

function finish(response: ServerResponse, knobs: Knobs): void {
  if (knobs.cutAfterBytes !== undefined) return
  if (knobs.trailers !== undefined) response.addTrailers(knobs.trailers)
  const { socket } = response // the response lets go of it once it has finished
  if (knobs.claimedLength === undefined) response.end()
  else response.end(() => socket?.destroySoon())
}
