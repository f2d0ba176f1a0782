/** Policies that may block, and what is said over a WebSocket. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import { startOrigin } from '../../support/origins.js'
import {
  certificate,
  endedExchanges,
  joined,
  NAME,
  until,
} from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const CARD = 'my card is 4111 1111 1111 1111'

interface Listening extends Proxied {
  readonly heard: string[]
  readonly closes: number[]
}

async function listening(
  config: Record<string, unknown> = ENFORCE,
  perMessageDeflate: boolean | { threshold: number } = false,
): Promise<Listening> {
  const origin = await startOrigin({ certificate })
  const server = new WebSocketServer({
    server: origin.server as Server,
    perMessageDeflate,
  })
  const heard: string[] = []
  const closes: number[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('close', (code) => closes.push(code))
    socket.on('message', (data) => {
      heard.push((data as Buffer).toString())
      socket.send('{"type":"conversation.item.created"}')
    })
  })
  return Object.assign(await joined(origin, config), { heard, closes })
}

async function dial(
  { yori }: Proxied,
  path = '/v1/realtime',
  perMessageDeflate: boolean | { threshold: number } = false,
): Promise<WebSocket> {
  const secure = await yori.tls(NAME)
  const socket = new WebSocket(`wss://${NAME}${path}`, {
    createConnection: () => secure,
    perMessageDeflate,
  })
  await once(socket, 'open')
  return socket
}

function says(text: string): string {
  const content = [{ type: 'input_text', text }]
  return JSON.stringify({
    type: 'conversation.item.create',
    item: { role: 'user', content },
  })
}

describe('a policy that may block', () => {
  for (const deflate of [false, { threshold: 0 }]) {
    it(`lets messages pass and stops the one that it denies (${JSON.stringify(deflate)})`, async () => {
      await using setup = await listening(ENFORCE, deflate)
      const socket = await dial(setup, '/v1/realtime', deflate)
      for (const text of ['hello', 'and more '.repeat(50)]) {
        const answered = once(socket, 'message')
        socket.send(says(text))
        await answered
      }
      const closed = once(socket, 'close')
      socket.send(says(CARD))
      const [code, reason] = (await closed) as [number, Buffer]
      assert.equal(code, 1008)
      assert.match(reason.toString(), /^blocked by YORI: /)
      await until(() => setup.closes.length === 1)
      assert.deepEqual(setup.closes, [1001])
      assert.equal(setup.heard.length, 2)
      assert.ok(!setup.heard.join().includes('4111'))
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'block')
      assert.equal(row['policy_name'], 'privacy')
      assert.equal(row['policy_decision'], 'deny')
      assert.equal(row['close_code'], 1008)
    })
  }

  it('judges a thousand messages at once, one after the other', async () => {
    await using setup = await listening()
    const socket = await dial(setup)
    for (let i = 0; i < 1000; i++) socket.send(says(`number ${i}`))
    await until(() => setup.heard.length === 1000)
    assert.deepEqual(
      setup.heard,
      Array.from({ length: 1000 }, (_, i) => says(`number ${i}`)),
    )
    const closed = once(socket, 'close')
    socket.close(1000)
    await closed
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['client_messages'], 1000)
    assert.equal(row['uninspectable'], null)
  })

  it('stops a message that nobody can read', async () => {
    for (const unreadable of [Buffer.of(1, 2, 3), `{"x":"${'y'.repeat(2_000_000)}`]) {
      await using setup = await listening()
      const socket = await dial(setup)
      const closed = once(socket, 'close')
      socket.send(unreadable)
      const [code] = (await closed) as [number]
      assert.ok(code === 1008 || code === 1006, String(code))
      assert.deepEqual(setup.heard, [])
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'block')
      assert.equal(row['policy_name'], 'uninspectable')
    }
  })

  it('lets the unreadable pass where the operator says so', async () => {
    const config = { ...ENFORCE, inspect: { on_uninspectable: 'allow' } }
    await using setup = await listening(config)
    const socket = await dial(setup)
    for (const data of [Buffer.of(1, 2, 3), Buffer.alloc(3_000_000, 'y')]) {
      const answered = once(socket, 'message')
      socket.send(data)
      await answered
    }
    assert.deepEqual(
      setup.heard.map(({ length }) => length),
      [3, 3_000_000],
    )
    const closed = once(socket, 'close')
    socket.close(1000)
    const [code] = (await closed) as [number]
    assert.equal(code, 1000)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['uninspectable'], 'upgraded')
  })

  it('refuses to open what no reader knows', async () => {
    await using setup = await listening()
    await assert.rejects(dial(setup, '/v1/elsewhere'), /403/)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'block')
    assert.equal(row['policy_name'], 'uninspectable')
  })

  it('only tells of it in advisory', async () => {
    await using setup = await listening({
      mode: 'advisory',
      policies: { files: { privacy: { action: 'block' } } },
    })
    const socket = await dial(setup)
    const answered = once(socket, 'message')
    socket.send(says(CARD))
    await answered
    const closed = once(socket, 'close')
    socket.close(1000)
    await closed
    assert.equal(setup.heard.length, 1)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['policy_decision'], 'alert')
    assert.equal(row['policy_name'], 'privacy')
  })
})
