/** What is said over a WebSocket comes into the record, and never into its way. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import type { ClientOptions, ServerOptions, WebSocket as Socket } from 'ws'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin, startRawOrigin } from '../../support/origins.js'
import { ask, certificate, disposable, endedExchanges } from '../../support/proxied.js'
import { joined, NAME, originCa, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'
import { noise } from '../../support/noise.js'
import { recordedCases } from '../../support/needs.js'

interface Said {
  readonly dir: 'sent' | 'received'
  readonly data: unknown
}

const GEMINI = 'generativelanguage.googleapis.com'
const geminiCertificate = originCa.issue({ names: [GEMINI] })
const BIDI =
  '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'
const REALTIME = '/v1/realtime?model=gpt-realtime'

/** One turn, in the words of OpenAI's reference. */
const TURN: readonly Said[] = [
  {
    dir: 'received',
    data: { type: 'session.created', session: { model: 'gpt-realtime' } },
  },
  {
    dir: 'sent',
    data: { type: 'session.update', session: { instructions: 'Be brief.' } },
  },
  {
    dir: 'sent',
    data: {
      type: 'conversation.item.create',
      item: { role: 'user', content: [{ type: 'input_text', text: 'Weather in Bern?' }] },
    },
  },
  { dir: 'sent', data: { type: 'response.create' } },
  {
    dir: 'received',
    data: {
      type: 'response.done',
      response: {
        id: 'resp_1',
        status: 'completed',
        output: [
          {
            type: 'function_call',
            name: 'weather',
            call_id: 'c1',
            arguments: '{"at":"Bern"}',
          },
        ],
        usage: {
          input_tokens: 21,
          output_tokens: 7,
          input_token_details: { cached_tokens: 4 },
        },
      },
    },
  },
]

function textOf(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data)
}

interface Played {
  readonly row: Row
  /** What each side got, in order. */
  readonly atOrigin: string[]
  readonly atClient: string[]
}

interface PlayOptions {
  readonly gemini?: boolean
  readonly path?: string
  readonly deflate?: boolean
  readonly binary?: boolean
}

/** Plays a conversation through YORI: each side speaks when it has heard all before. */
async function play(said: readonly Said[], options: PlayOptions = {}): Promise<Played> {
  const { gemini = false, deflate = false, binary = false } = options
  const path = options.path ?? (gemini ? BIDI : REALTIME)
  const host = gemini ? GEMINI : NAME
  const perMessageDeflate = deflate ? { threshold: 0 } : false
  const heard = { sent: [] as string[], received: [] as string[] }
  await using origin = await startOrigin({
    certificate: gemini ? geminiCertificate : certificate,
  })
  const server = new WebSocketServer({
    server: origin.server as Server,
    perMessageDeflate,
  })
  const opened = once(server, 'connection') as Promise<[Socket]>
  await using yori = await Yori.start({ origins: { [host]: origin }, trust: [originCa] })
  const client = await dial(yori, `wss://${host}${path}`, { perMessageDeflate })
  client.on('message', (data) => heard.received.push((data as Buffer).toString()))
  const [provider] = await opened
  provider.on('message', (data) => heard.sent.push((data as Buffer).toString()))
  const count = { sent: 0, received: 0 }
  for (const { dir, data } of said) {
    const [from, to] = dir === 'sent' ? [client, provider] : [provider, client]
    const arrived = once(to, 'message')
    from.send(binary ? Buffer.from(textOf(data)) : textOf(data))
    count[dir] += 1
    await arrived
  }
  const closed = once(client, 'close')
  client.close(1000)
  await closed
  const [row] = await endedExchanges(yori, 1)
  return { row: row as Row, atOrigin: heard.sent, atClient: heard.received }
}

async function dial(
  yori: Yori,
  url: string,
  options: ClientOptions = {},
): Promise<WebSocket> {
  const secure = await yori.tls(new URL(url).hostname)
  const socket = new WebSocket(url, { createConnection: () => secure, ...options })
  await once(socket, 'open')
  return socket
}

async function echoing(options: ServerOptions = {}): Promise<Proxied> {
  const origin = await startOrigin({ certificate })
  const server = new WebSocketServer({ server: origin.server as Server, ...options })
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }))
  })
  return joined(origin)
}

function texts(said: readonly Said[], dir: Said['dir']): string[] {
  return said.filter((message) => message.dir === dir).map(({ data }) => textOf(data))
}

describe('the record of a WebSocket', () => {
  for (const options of [{}, { deflate: true }, { binary: true }] as const) {
    it(`names model, tokens and tools (${JSON.stringify(options)})`, async () => {
      const { row, atOrigin, atClient } = await play(TURN, options)
      assert.deepEqual(atOrigin, texts(TURN, 'sent'))
      assert.deepEqual(atClient, texts(TURN, 'received'))
      assert.equal(row['event_type'], 'response')
      assert.equal(row['response_status'], 101)
      assert.equal(row['model'], 'gpt-realtime')
      assert.equal(row['prompt_tokens'], 21)
      assert.equal(row['response_tokens'], 7)
      assert.equal(row['cached_tokens'], 4)
      assert.equal(row['tool_calls'], '["weather"]')
      assert.equal(row['response_id'], 'resp_1')
      assert.equal(row['prompt_preview'], 'Weather in Bern?')
      assert.equal(row['uninspectable'], null)
      assert.equal(row['truncated'], null)
      assert.equal(row['client_messages'], 3)
      assert.equal(row['server_messages'], 2)
      assert.equal(row['client_frames'], 4)
      assert.equal(row['server_frames'], 3)
      assert.equal(row['close_code'], 1000)
    })
  }

  it('counts a message in fragments once, and each of its frames', async () => {
    await using setup = await echoing()
    const socket = await dial(setup.yori, `wss://${NAME}${REALTIME}`)
    const answered = once(socket, 'message')
    socket.send('{"type":', { fin: false })
    socket.ping()
    socket.send('"response', { fin: false })
    socket.send('.create"}', { fin: true })
    const [whole] = (await answered) as [Buffer]
    assert.equal(whole.toString(), '{"type":"response.create"}')
    const closed = once(socket, 'close')
    socket.close(3000)
    await closed
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['client_messages'], 1)
    assert.equal(row['client_frames'], 5)
    assert.equal(row['uninspectable'], null)
    assert.equal(row['close_code'], 3000)
  })

  it('counts what no reader knows', async () => {
    await using setup = await echoing({ maxPayload: 4 * 1024 * 1024 })
    const socket = await dial(setup.yori, `wss://${NAME}${REALTIME}`)
    for (const data of [Buffer.of(1, 2, 3), 'no JSON', '{"type":"response.create"}']) {
      const answered = once(socket, 'message')
      socket.send(data)
      await answered
    }
    const large = JSON.stringify({ type: 'x', data: 'y'.repeat(1024 * 1024) })
    const answered = once(socket, 'message')
    socket.send(large)
    await answered
    const closed = once(socket, 'close')
    socket.close(4000)
    await closed
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['uninspectable'], 'upgraded')
    assert.equal(row['client_messages'], 4)
    assert.equal(row['server_messages'], 4)
    assert.equal(row['unread_messages'], 6)
    assert.equal(row['close_code'], 4000)
  })

  it('adds up when thousands of small messages come at once', async () => {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      await using setup = await echoing({ perMessageDeflate })
      const url = `wss://${NAME}${REALTIME}`
      const socket = await dial(setup.yori, url, { perMessageDeflate })
      let heard = 0
      socket.on('message', () => heard++)
      for (let i = 0; i < 3000; i++) socket.send('{"type":"response.create"}')
      await until(() => heard === 3000)
      const closed = once(socket, 'close')
      socket.close(1000)
      await closed
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['client_messages'], 3000)
      assert.equal(row['server_messages'], 3000)
      const unread = Number(row['unread_messages'] ?? 0)
      assert.equal(row['uninspectable'], unread > 0 ? 'upgraded' : null)
      assert.equal(setup.yori.appliance.current.services.held.held, 0)
    }
  })

  it('says that nobody reads what is spoken on another path', async () => {
    const { row } = await play(TURN, { path: '/v1/elsewhere' })
    assert.equal(row['uninspectable'], 'upgraded')
    assert.equal(row['client_messages'], 3)
    assert.equal(row['model'], null)
  })

  it('tells of an end without Close', async () => {
    await using setup = await echoing()
    const socket = await dial(setup.yori, `wss://${NAME}${REALTIME}`)
    const answered = once(socket, 'message')
    socket.send('{}')
    await answered
    socket.terminate()
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['close_code'], 1006)
    assert.equal(row['truncated'], 1)
  })
})

describe('a WebSocket through YORI', () => {
  it('carries messages of sixteen mebibytes both ways', async () => {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      await using setup = await echoing({ perMessageDeflate })
      const socket = await dial(setup.yori, `wss://${NAME}${REALTIME}`, {
        perMessageDeflate,
      })
      const large = noise(16 * 1024 * 1024)
      const answered = once(socket, 'message')
      socket.send(large)
      const [bytes] = (await answered) as [Buffer]
      assert.ok(large.equals(bytes))
      const closed = once(socket, 'close')
      socket.close(1000)
      await closed
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['client_messages'], 1)
      assert.equal(row['server_messages'], 1)
      assert.ok(Number(row['request_bytes']) > large.length)
      assert.equal(setup.yori.appliance.current.services.held.held, 0)
    }
  })

  it('passes bytes that are no frames, and says so', async () => {
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
    const head = [
      `GET ${REALTIME} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade`,
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ].join('\r\n')
    const noise = '\x81\x05hello no frames at all'
    await ask(client.stream, `${head}${noise}`, (soFar) => soFar.endsWith(noise))
    client.stream.write('and more')
    await readUntil(client.stream, (soFar) => soFar.includes('and more'))
    client.stream.end()
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['uninspectable'], 'upgraded')
    assert.equal(row['reason'], 'not WebSocket: a frame without a mask')
  })

  it('is closed when nothing has moved for its time, not before', async () => {
    const clock = new ManualClock(Date.now())
    await using origin = await startOrigin({ certificate })
    new WebSocketServer({ server: origin.server as Server })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      clock,
      config: { timeouts: { websocket_idle: 100 } },
    })
    const socket = await dial(yori, `wss://${NAME}${REALTIME}`)
    const { deadlines } = yori.appliance.current.services
    const pass = async (seconds: number): Promise<void> => {
      clock.advance(seconds * 1000)
      deadlines.tick()
    }
    deadlines.tick()
    await pass(90)
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
    deadlines.tick()
    await pass(90)
    assert.equal(socket.readyState, WebSocket.OPEN)
    const closed = once(socket, 'close')
    await pass(20)
    const [code] = (await closed) as [number]
    assert.equal(code, 1006)
    const [row] = await endedExchanges(yori, 1)
    assert.equal(row?.['code'], 'YORI_WEBSOCKET_IDLE')
  })

  it('gives a slow client all that came before the end', async () => {
    const head = Buffer.of(0x82, 127, 0, 0, 0, 0, 0x01, 0x80, 0, 0)
    const bytes = Buffer.concat([head, Buffer.alloc(24 * 1024 * 1024)])
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n')
        socket.write('Connection: Upgrade\r\n\r\n')
        socket.end(bytes)
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = disposable(await setup.yori.tls(NAME))
    const request = [
      `GET ${REALTIME} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: Upgrade`,
      'Upgrade: websocket\r\n\r\n',
    ].join('\r\n')
    client.stream.write(request)
    const answer = await readUntil(client.stream, (soFar) => soFar.includes('\r\n\r\n'))
    let got = answer.length - answer.indexOf('\r\n\r\n') - 4
    // Slower than all others: what lies between stays full to the end.
    const turns = async (): Promise<void> => {
      client.stream.pause()
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
      client.stream.resume()
    }
    client.stream.on('data', (chunk: Buffer) => {
      got += chunk.length
      void turns()
    })
    client.stream.resume()
    await new Promise((resolve) =>
      client.stream.once('end', resolve).once('close', resolve),
    )
    assert.equal(got, bytes.length)
  })
})

describe('recorded conversations over WebSocket', () => {
  it('pass and are read', async function () {
    const file = recordedCases(this, 'llm', 'websocket-sessions.jsonl')
    let played = 0
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const session = JSON.parse(line) as { id: string; messages: Said[] }
      const gemini = line.includes('setupComplete')
      for (const deflate of [false, true]) {
        const { row, atOrigin, atClient } = await play(session.messages, {
          gemini,
          deflate,
        })
        assert.deepEqual(atOrigin, texts(session.messages, 'sent'))
        assert.deepEqual(atClient, texts(session.messages, 'received'))
        assert.equal(row['client_messages'], atOrigin.length, session.id)
        assert.equal(row['server_messages'], atClient.length, session.id)
        assert.equal(row['uninspectable'], null, session.id)
        assert.match(String(row['model']), /realtime|native-audio/)
        assert.ok(Number(row['response_tokens']) > 0, session.id)
      }
      played++
    }
    assert.equal(played, 4)
  })
})
