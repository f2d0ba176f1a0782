/** WebSocket through an intercepted connection (RFC 6455), `ws` at both ends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import type { ClientOptions, ServerOptions } from 'ws'
import { startOrigin, startRawOrigin } from '../../support/origins.js'
import {
  ask,
  behind,
  certificate,
  disposable,
  endedExchanges,
} from '../../support/proxied.js'
import { joined, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { noise } from '../../support/noise.js'

const UPGRADE = [
  `GET /v1/realtime HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade\r\n`,
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
].join('')

async function echoing(options: ServerOptions = {}): Promise<Proxied> {
  const origin = await startOrigin({ certificate })
  const server = new WebSocketServer({ server: origin.server as Server, ...options })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }))
    socket.on('close', (code, reason) => closes.push(`${code} ${reason.toString()}`))
  })
  const closes: string[] = []
  const setup = await joined(origin)
  return Object.assign(setup, { closes })
}

async function dial(setup: Proxied, options: ClientOptions = {}): Promise<WebSocket> {
  const secure = await setup.yori.tls(NAME)
  const socket = new WebSocket(`wss://${NAME}/v1/realtime?model=x`, ['realtime'], {
    createConnection: () => secure,
    ...options,
  })
  await once(socket, 'open')
  return socket
}

async function echo(socket: WebSocket, data: string | Buffer): Promise<unknown> {
  const answered = once(socket, 'message')
  socket.send(data)
  const [bytes, binary] = (await answered) as [Buffer, boolean]
  return binary ? bytes : bytes.toString()
}

async function close(socket: WebSocket, code: number, reason: string): Promise<string> {
  const closed = once(socket, 'close')
  socket.close(code, reason)
  const [got, why] = (await closed) as [number, Buffer]
  return `${got} ${why.toString()}`
}

describe('WebSocket', () => {
  it('passes text, binary and messages of a mebibyte both ways', async () => {
    await using setup = await echoing()
    const socket = await dial(setup)
    assert.equal(await echo(socket, 'grüezi'), 'grüezi')
    const small = Buffer.of(0, 1, 2, 255)
    assert.deepEqual(await echo(socket, small), small)
    const large = noise(1024 * 1024)
    assert.deepEqual(await echo(socket, large), large)
    assert.equal(socket.protocol, 'realtime')
    await close(socket, 1000, '')
  })

  it('passes ping, pong and the codes with which either side closes', async () => {
    await using setup = await echoing()
    const closes = (setup as Proxied & { closes: string[] }).closes
    const socket = await dial(setup)
    const answered = once(socket, 'pong')
    socket.ping('are you there')
    const [payload] = (await answered) as [Buffer]
    assert.equal(payload.toString(), 'are you there')
    assert.equal(await close(socket, 4001, 'enough'), '4001 enough')
    await until(() => closes.length > 0)
    assert.deepEqual(closes, ['4001 enough'])
  })

  it('passes permessage-deflate as the two ends agreed on it', async () => {
    await using setup = await echoing({ perMessageDeflate: { threshold: 0 } })
    const socket = await dial(setup, { perMessageDeflate: { threshold: 0 } })
    assert.match(socket.extensions, /permessage-deflate/)
    const text = 'again and '.repeat(5000)
    assert.equal(await echo(socket, text), text)
    await close(socket, 1000, '')
  })

  it('records the exchange as answered once it has ended', async () => {
    await using setup = await echoing()
    const socket = await dial(setup)
    await echo(socket, 'x')
    await close(socket, 1000, '')
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['response_status'], 101)
    assert.equal(row['code'], null)
    assert.equal(row['http_path'], '/v1/realtime')
    assert.ok(Number(row['response_bytes']) > 0)
    const admission = setup.yori.appliance.current.services.admission
    assert.equal(admission.underWay, 0)
  })

  it('passes what the provider says right after its 101', async () => {
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n')
        socket.write('Connection: Upgrade\r\n\r\n\x81\x02hi', 'latin1')
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = disposable(await setup.yori.tls(NAME))
    const answer = await ask(client.stream, UPGRADE, (soFar) => soFar.endsWith('hi'))
    assert.match(answer, /^HTTP\/1\.1 101 [^]*\r\n\r\n\x81\x02hi$/)
  })

  it('passes what the client says right after its request', async () => {
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n')
        socket.write('Connection: Upgrade\r\n\r\n')
        socket.pipe(socket)
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = disposable(await setup.yori.tls(NAME))
    const early = `${UPGRADE}early`
    const answer = await ask(client.stream, early, (soFar) => soFar.endsWith('early'))
    assert.match(answer, /^HTTP\/1\.1 101 /)
  })

  for (const [status, head] of [
    [403, 'HTTP/1.1 403 Forbidden\r\n'],
    [
      426,
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
    ],
    [200, 'HTTP/1.1 200 OK\r\n'],
  ] as const) {
    it(`gives the client the ${status} of a provider that does not switch`, async () => {
      await using origin = await startRawOrigin(
        async (socket) => {
          await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          socket.write(`${head}Content-Length: 9\r\nX-Why: no\r\n\r\nnot today`)
        },
        { certificate },
      )
      await using setup = await joined(origin)
      using client = disposable(await setup.yori.tls(NAME))
      const answer = await ask(client.stream, UPGRADE, (soFar) => soFar.endsWith('today'))
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [^]*X-Why: no`))
      await once(client.stream.resume(), 'end')
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['response_status'], status)
      assert.equal(row['event_type'], 'response')
    })
  }

  it('outlives a client that resets while the provider thinks about switching', async () => {
    let asked: ((socket: Duplex) => void) | undefined
    const arrived = new Promise<Duplex>((resolve) => (asked = resolve))
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        asked?.(socket)
      },
      { certificate },
    )
    await using setup = await joined(origin)
    const client = await setup.yori.tls(NAME)
    client.on('error', () => undefined)
    client.write(UPGRADE)
    const upstream = await arrived
    const left = once(upstream, 'close')
    const below = client as unknown as { _parent: { resetAndDestroy(): void } }
    below._parent.resetAndDestroy()
    await left
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['code'], 'YORI_CLIENT_GONE')
  })

  it('ends towards the provider when the client leaves', async () => {
    await using setup = await echoing()
    const closes = (setup as Proxied & { closes: string[] }).closes
    const socket = await dial(setup)
    await echo(socket, 'x')
    socket.terminate()
    await until(() => closes.length > 0)
    assert.deepEqual(closes, ['1006 '])
  })

  it('serves a request that offers h2c as the plain request that it also is', async () => {
    let seen: string[] = []
    await using setup = await behind((request, response) => {
      seen = request.rawHeaders
      request.resume().on('end', () => response.end('ok'))
    })
    using client = disposable(await setup.yori.tls(NAME))
    const head = [
      `POST /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade, HTTP2-Settings, X-Mine`,
      'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX-Mine: 1\r\nX-Theirs: 2',
      'Content-Length: 5\r\n\r\nhello',
    ].join('\r\n')
    for (let i = 0; i < 2; i++) {
      const answer = await ask(client.stream, head, (soFar) => soFar.endsWith('ok'))
      assert.match(answer, /^HTTP\/1\.1 200 /)
      const names = seen.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
      assert.ok(names.includes('x-theirs'))
      for (const gone of ['upgrade', 'http2-settings', 'x-mine']) {
        assert.ok(!names.includes(gone), gone)
      }
    }
  })

  it('answers a handshake in another name with 421', async () => {
    await using setup = await behind((_request, response) => response.end())
    using client = disposable(await setup.yori.tls(NAME))
    const upgrade = UPGRADE.replace(NAME, 'localhost')
    const answer = await ask(client.stream, upgrade)
    assert.match(answer, /^HTTP\/1\.1 421 /)
  })
})
