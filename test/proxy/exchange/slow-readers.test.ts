/**
 * A provider that offers a gigabyte and clients that take a kilobyte a second of it, or nothing:
 * what YORI holds meanwhile, and when it has had enough.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { RequestListener } from 'node:http'
import { systemClock } from '../../../src/core/clock.js'
import { ChildYori } from '../../support/child-yori.js'
import { tlsThroughProxy } from '../../support/clients.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import {
  certificate,
  endedExchanges,
  get,
  NAME,
  originCa,
} from '../../support/proxied.js'
import { until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import { needs } from '../../support/needs.js'

const MIB = 1024 * 1024
const OFFERED_BYTES = 1024 * MIB
const TINY = '/tiny'
const SMALL = '/small'
/** Enough for V8 to have optimised what carries bytes, which costs tens of megabytes once. */
const SMALL_BYTES = 16 * MIB
const PIECE = Buffer.alloc(64 * 1024, 'x')
/** What YORI may grow by. */
const GROWTH_BYTES = 32 * MIB
/** A kilobyte a second, in steps. */
const STEP_MS = 250
const STEP_BYTES = 256
/** Buffers are full long before. */
const STEPS = 8

/** Writes as long as there is room, up to a gigabyte; tells how much has been taken of it. */
function flood(taken: (bytes: number) => void): RequestListener {
  return (request, response) => {
    if (request.url === TINY) {
      response.end('ok')
      return
    }
    if (request.url === SMALL) {
      response.end(Buffer.alloc(SMALL_BYTES, 'x'))
      return
    }
    response.writeHead(200, { 'content-length': OFFERED_BYTES })
    let bytes = 0
    const more = (): void => {
      while (bytes < OFFERED_BYTES) {
        bytes += PIECE.length
        taken(PIECE.length)
        if (!response.write(PIECE)) return
      }
      response.end()
    }
    response.on('drain', more)
    response.on('error', () => undefined)
    more()
  }
}

interface Slow extends Disposable {
  readonly stream: Readable
}

type Ask = (yori: ChildYori, path: string) => Promise<Slow>

const asks: Readonly<Record<string, Ask>> = {
  'intercepted HTTP/1.1': async (yori, path) => {
    const socket = await yori.tls(NAME)
    socket.on('error', () => undefined)
    socket.write(get(path))
    return { stream: socket, [Symbol.dispose]: () => socket.destroy() }
  },
  'intercepted HTTP/2': async (yori, path) => {
    const { session, stream } = await h2Get(yori, path)
    return { stream, [Symbol.dispose]: () => session.destroy() }
  },
  'a tunnel': async (yori, path) => {
    const host = 'elsewhere.test'
    const ca = originCa.certificatePem
    const socket = await tlsThroughProxy(yori.port, host, { ca })
    socket.on('error', () => undefined)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    return { stream: socket, [Symbol.dispose]: () => socket.destroy() }
  },
}

async function h2Get(
  { port, rootPem: ca }: { readonly port: number; readonly rootPem: string },
  path: string,
): Promise<{ session: ClientHttp2Session; stream: ClientHttp2Stream }> {
  const ALPNProtocols = ['h2', 'http/1.1']
  const socket = await tlsThroughProxy(port, NAME, { ca, ALPNProtocols })
  const session = connectH2(`https://${NAME}`, { createConnection: () => socket })
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  const stream = session.request({ ':path': path })
  stream.on('error', () => undefined)
  return { session, stream }
}

/** Reads so many bytes, as fast as they come. */
async function discard(stream: Readable, bytes: number): Promise<void> {
  let left = bytes
  while (left > 0) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) await once(stream, 'readable')
    else left -= chunk.length
  }
}

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

describe('a client that reads a kilobyte a second', () => {
  before(function () {
    needs(this, 'Linux') // reads memory in /proc
  })

  for (const [way, ask] of Object.entries(asks)) {
    it(`of a gigabyte costs no more than 32 MiB: ${way}`, async () => {
      let offered = 0
      await using origin = await startOrigin({
        certificate: originCa.issue({ names: [NAME, 'elsewhere.test'] }),
        handler: flood((bytes) => (offered += bytes)),
      })
      const origins = { [NAME]: origin, 'elsewhere.test': origin }
      await using yori = await ChildYori.start({ origins, trust: [originCa] })
      {
        // What serving as such costs is paid then.
        using client = await ask(yori, SMALL)
        await discard(client.stream, SMALL_BYTES)
      }
      const before = yori.rss()
      using client = await ask(yori, '/big')
      await once(client.stream, 'readable')
      let most = 0
      let read = 0
      for (let step = 0; step < STEPS; step++) {
        read += (client.stream.read(STEP_BYTES) as Buffer | null)?.length ?? 0
        most = Math.max(most, yori.rss() - before)
        await wait(STEP_MS)
      }
      assert.ok(read >= STEP_BYTES)
      assert.ok(most <= GROWTH_BYTES, `grew by ${Math.round(most / MIB)} MiB`)
      // The rest is held back where it comes from: buffers of the system take some of it.
      assert.ok(offered < OFFERED_BYTES / 10, `${Math.round(offered / MIB)} MiB went out`)
    })
  }
})

describe('a client that reads nothing', () => {
  it('is cut off after timeouts.client_read, and recorded', async () => {
    const clock = new ManualClock(systemClock.now())
    await using origin = await startOrigin({ certificate, handler: flood(() => 0) })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      clock,
    })
    const socket = await yori.tls(NAME)
    socket.on('error', () => undefined)
    socket.write(get('/v1/models'))
    await once(socket, 'readable')
    const closed = once(socket, 'close')
    // It reads no more; the sooner buffers are full the sooner its time begins.
    await until(async () => {
      clock.advance(100_000)
      yori.appliance.tick()
      await wait(5)
      return (await yori.rows('connections')).length === 1
    })
    const [row] = await yori.rows('connections')
    assert.equal(row?.['code'], 'YORI_CLIENT_STALLED')
    const [exchange] = await endedExchanges(yori, 1)
    assert.equal(exchange?.['code'], 'YORI_CLIENT_STALLED')
    assert.equal(exchange['truncated'], 1)
    socket.destroy()
    await closed
  })

  it('on one HTTP/2 stream loses that stream; the others go on', async () => {
    const clock = new ManualClock(systemClock.now())
    await using origin = await startOrigin({ certificate, handler: flood(() => 0) })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      clock,
    })
    const { session, stream } = await h2Get(yori, '/v1/models')
    await once(stream, 'response')
    let code: number | undefined
    stream.on('close', () => (code = stream.rstCode))
    await until(async () => {
      clock.advance(100_000)
      yori.appliance.tick()
      const small = session.request({ ':path': TINY })
      await discard(small, 2)
      const ended = (await yori.rows('exchanges')).filter((row) => row['code'] !== null)
      return ended.length > 0
    })
    const rows = await yori.rows('exchanges')
    const stalled = rows.filter((row) => row['code'] !== null)
    assert.deepEqual(
      stalled.map((row) => row['code']),
      ['YORI_CLIENT_STALLED'],
    )
    stream.resume()
    await until(() => code !== undefined)
    session.destroy()
  })
})
