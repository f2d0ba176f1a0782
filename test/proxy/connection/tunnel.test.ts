/** What passes a tunnel and how it ends: bytes, half-closes and resets as they were sent. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Deadlines } from '../../../src/net/deadlines.js'
import { tunnel } from '../../../src/proxy/connection/tunnel.js'
import { connectThroughProxy } from '../../support/clients.js'
import { DnsServer } from '../../support/dns-server.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin, startRawOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { until } from '../../support/proxied.js'
import { readExactly, readUntil } from '../../support/streams.js'
import { TcpServer } from '../../support/tcp.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

/** No endpoint: everything to it is tunnelled. */
const NAME = 'files.test'
const MIB = 1024 * 1024

interface Tunnelled extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  open(): Promise<Socket>
}

async function tunnelTo(
  script: (socket: Socket) => void | Promise<void>,
  config: Record<string, unknown> = {},
): Promise<Tunnelled> {
  const origin = await startRawOrigin(script)
  const yori = await Yori.start({ origins: { [NAME]: origin }, config })
  return {
    yori,
    origin,
    open: async () => quiet(await connectThroughProxy(yori.port, NAME, 443)),
    async [Symbol.asyncDispose]() {
      await origin[Symbol.asyncDispose]()
      await yori[Symbol.asyncDispose]()
    },
  }
}

function quiet(socket: Socket): Socket {
  return socket.on('error', () => undefined)
}

/** Bytes that repeat in no short period: a piece lost, doubled or moved changes the digest. */
function* blocks(total: number): Generator<Buffer> {
  let word = 0x9e3779b9
  for (let sent = 0; sent < total; sent += 64 * 1024) {
    const block = Buffer.allocUnsafe(Math.min(64 * 1024, total - sent))
    for (let i = 0; i + 4 <= block.length; i += 4) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0
      block.writeUInt32LE(word, i)
    }
    yield block
  }
}

async function pour(socket: Socket, total: number): Promise<string> {
  const hash = createHash('sha256')
  for (const block of blocks(total)) {
    hash.update(block)
    if (!socket.write(block)) await once(socket, 'drain')
  }
  socket.end()
  return hash.digest('hex')
}

/** The digest of everything until the end; `between` may hold up the reading. */
async function drink(
  socket: Socket,
  between: (bytes: number) => Promise<void> | undefined = () => undefined,
): Promise<string> {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  // The end of reading must not end what is still being written.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
    await between(bytes)
  }
  return hash.digest('hex')
}

describe('a tunnel', () => {
  it('passes 64 MiB each way at once, byte for byte', async () => {
    let up: Promise<[string, string]> | undefined
    await using setup = await tunnelTo((socket) => {
      up = Promise.all([drink(socket), pour(socket, 64 * MIB)])
    })
    const client = await setup.open()
    const [received, sent] = await Promise.all([drink(client), pour(client, 64 * MIB)])
    assert.ok(up !== undefined)
    const [originReceived, originSent] = await up
    assert.equal(originReceived, sent)
    assert.equal(received, originSent)
  })

  it('passes everything to a reader that stops and starts', async () => {
    let sent: Promise<string> | undefined
    await using setup = await tunnelTo((socket) => {
      sent = pour(socket, 48 * MIB)
    })
    const client = await setup.open()
    let next = MIB
    const received = await drink(client, (bytes) => {
      if (bytes < next) return undefined
      next = bytes + 3 * MIB
      // Long enough for every buffer on the way to fill.
      return new Promise((resolve) => setTimeout(resolve, 30))
    })
    assert.equal(received, await sent)
  })

  it('takes from the origin no more than buffers hold while the client does not read', async () => {
    let written = 0
    await using setup = await tunnelTo((socket) => {
      const block = Buffer.alloc(64 * 1024)
      const pourOn = (): void => {
        while (written < 256 * MIB && socket.write(block)) written += block.length
        if (written < 256 * MIB) socket.once('drain', pourOn)
      }
      pourOn()
    })
    const client = await setup.open()
    await once(client, 'readable')
    await until(async () => {
      const before = written
      await new Promise((resolve) => setTimeout(resolve, 100))
      return written === before
    })
    assert.ok(written < 32 * MIB, `${written} bytes were taken`)
    client.destroy()
  })

  it('takes from the client no more than buffers hold while the origin does not read', async () => {
    await using setup = await tunnelTo((socket) => void socket.pause())
    const client = await setup.open()
    const block = Buffer.alloc(64 * 1024)
    let written = 0
    const pourOn = (): void => {
      while (written < 256 * MIB && client.write(block)) written += block.length
      if (written < 256 * MIB) client.once('drain', pourOn)
    }
    pourOn()
    await until(async () => {
      const before = written
      await new Promise((resolve) => setTimeout(resolve, 100))
      return written === before
    })
    assert.ok(written < 32 * MIB, `${written} bytes were taken`)
    client.destroy()
  })

  it('carries the half-close of the client: the origin answers after it', async () => {
    await using setup = await tunnelTo(async (socket) => {
      const question = await everything(socket)
      socket.end(`heard ${question.length}`)
    })
    const client = await setup.open()
    client.end('x'.repeat(1000))
    assert.equal((await everything(client)).toString(), 'heard 1000')
  })

  it('carries the half-close of the origin: the client goes on sending', async () => {
    let heard: Promise<Buffer> | undefined
    await using setup = await tunnelTo((socket) => {
      socket.end('220 first')
      heard = everything(socket)
    })
    const client = await setup.open()
    assert.equal((await everything(client)).toString(), '220 first')
    client.write('still ')
    client.end('here')
    assert.equal((await heard)?.toString(), 'still here')
    const [row] = await recorded(setup.yori)
    assert.equal(row?.['coverage'], 'tunnel-not-tls')
    assert.equal(row['code'], null)
  })

  it('carries a reset of the client', async () => {
    let met: Promise<string> | undefined
    await using setup = await tunnelTo((socket) => {
      met = closed(socket)
      socket.write('hello')
      socket.resume()
    })
    const client = await setup.open()
    await readExactly(client, 5)
    client.resetAndDestroy()
    assert.equal(await met, 'ECONNRESET')
    const [row] = await recorded(setup.yori)
    assert.equal(row?.['code'], 'YORI_CLIENT_RESET')
  })

  it('carries a reset of the origin', async () => {
    await using setup = await tunnelTo(async (socket) => {
      await readExactly(socket, 2)
      socket.resetAndDestroy()
    })
    const client = await setup.open()
    client.write('go')
    client.resume()
    assert.equal(await closed(client), 'ECONNRESET')
  })

  it('ends towards the origin when the client leaves', async () => {
    let ended: Promise<string> | undefined
    await using setup = await tunnelTo((socket) => {
      socket.on('end', () => socket.end())
      socket.resume()
      ended = closed(socket)
      socket.write('x')
    })
    const client = await setup.open()
    await readExactly(client, 1)
    client.destroy()
    await ended
  })

  it('passes protocols in which the server speaks first', async () => {
    await using setup = await tunnelTo(async (socket) => {
      socket.write('220 mail.test ESMTP\r\n')
      await readUntil(socket, (soFar) => soFar.includes('\r\n'))
      socket.end('250 hello\r\n')
    })
    const client = await setup.open()
    await readUntil(client, (soFar) => soFar.includes('ESMTP\r\n'))
    client.write('EHLO x\r\n')
    assert.equal((await everything(client)).toString(), '250 hello\r\n')
    client.end()
    const [row] = await recorded(setup.yori)
    assert.equal(row?.['coverage'], 'tunnel-not-tls')
    assert.equal(row['way'], 'explicit')
  })

  for (const [title, first] of [
    ['text', 'SSH-2.0-test\r\n'],
    ['plain HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['a broken ClientHello', '\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00'],
  ] as const) {
    it(`passes ${title} as it is`, async () => {
      await using setup = await tunnelTo((socket) => void socket.pipe(socket))
      const client = await setup.open()
      client.end(Buffer.from(first, 'latin1'))
      assert.equal((await everything(client)).toString('latin1'), first)
    })
  }

  it('shows the certificate of the origin, and TLS is verified end to end', async () => {
    const ca = new TestCa('The real root')
    await using origin = await startOrigin({ certificate: ca.issue({ names: [NAME] }) })
    await using yori = await Yori.start({ origins: { [NAME]: origin } })
    const socket = await yori.tls(NAME, { ca: ca.certificatePem })
    assert.equal(socket.getPeerCertificate().issuer.CN, 'The real root')
    socket.write(`GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`)
    assert.match((await everything(socket)).toString(), /ok$/)
    socket.destroy()
    const [row] = await recorded(yori)
    assert.equal(row?.['coverage'], 'tunnel-not-endpoint')
    assert.equal(row['exchanges'], 0)
  })

  it('asks the resolver once, before it answers 200', async () => {
    await using dns = await DnsServer.start()
    const clock = new ManualClock()
    await using origin = await startRawOrigin((socket) => void socket.pipe(socket))
    await using yori = await Yori.start({
      clock,
      config: {
        upstream: { dns: [dns.address] },
        access: { ports: [origin.port], allow_destinations: ['127.0.0.1'] },
      },
    })
    dns.answer = (_name, family) => ({
      kind: 'addresses',
      addresses: family === 4 ? ['127.0.0.1'] : [],
      ttl: 1,
    })
    const client = quiet(
      await connectThroughProxy(yori.port, 'rebound.test', origin.port),
    )
    // The answer has long expired, and another would come now.
    clock.advance(3_600_000)
    dns.answer = () => ({ kind: 'addresses', addresses: ['127.0.0.9'], ttl: 1 })
    client.end('same address')
    assert.equal((await everything(client)).toString(), 'same address')
    assert.deepEqual(dns.questions.sort(), ['rebound.test A', 'rebound.test AAAA'])
  })
})

describe('a tunnel without a configuration', () => {
  it('ends when nothing passes for its idle limit, and not while something does', async () => {
    await using server = await TcpServer.start()
    const [left, right] = [await server.pair(), await server.pair()]
    const clock = new ManualClock()
    const deadlines = new Deadlines(clock)
    const ended = tunnel(left.socket, async () => right.client, {
      deadlines,
      idleMs: 60_000,
      isStopping: () => false,
    })
    await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 5; i++) {
      clock.advance(50_000)
      left.client.write('x')
      await readExactly(right.socket, 1)
      deadlines.tick()
      assert.equal(left.socket.destroyed, false)
    }
    clock.advance(60_001)
    deadlines.tick()
    assert.equal(await ended, 'idle')
    assert.ok(left.socket.destroyed && right.client.destroyed)
  })

  it('that is quiet is not waited for when YORI stops', async () => {
    await using server = await TcpServer.start()
    const [left, right] = [await server.pair(), await server.pair()]
    const clock = new ManualClock()
    const deadlines = new Deadlines(clock)
    let stopping = false
    const ended = tunnel(left.socket, async () => right.client, {
      deadlines,
      idleMs: 7_200_000,
      isStopping: () => stopping,
    })
    await new Promise((resolve) => setImmediate(resolve))
    deadlines.tick()
    clock.advance(60_000)
    deadlines.tick()
    assert.equal(left.socket.destroyed, false)
    stopping = true
    deadlines.tick()
    assert.equal(await ended, 'idle')
  })

  it('ends when the client left while the origin was dialled', async () => {
    await using server = await TcpServer.start()
    const [left, right] = [await server.pair(), await server.pair()]
    left.socket.on('error', () => undefined)
    let dialled: ((socket: Socket) => void) | undefined
    const ended = tunnel(
      left.socket,
      () => new Promise((resolve) => (dialled = resolve)),
      {
        deadlines: new Deadlines(new ManualClock()),
        idleMs: 60_000,
        isStopping: () => false,
      },
    )
    left.socket.resume()
    left.client.resetAndDestroy()
    await closed(left.socket)
    const gone = closed(right.client)
    dialled?.(right.client)
    await gone
    await ended
  })
})

/** The code of the error with which a socket closed; `` for an ordinary end. */
function closed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let code = ''
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? '?'))
    socket.once('close', () => resolve(code))
  })
}

/** All bytes until the end; the writing side stays open. */
async function everything(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** The connections once all clients' ends have been met. */
async function recorded(yori: Yori): ReturnType<Yori['rows']> {
  let rows = await yori.rows('connections')
  await until(async () => {
    rows = await yori.rows('connections')
    return rows.length > 0
  })
  return rows
}
