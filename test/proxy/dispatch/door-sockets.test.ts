/**
 * Conversations over WebSocket through the doors, as OpenAI's Realtime API has them: by each
 * door, with a key of ours in the place of the vendor's, in observe and in enforce.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { connect } from 'node:tls'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { createKey, revokeKey } from '../../../src/household/keys.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { TestCa } from '../../support/test-ca.js'
import { until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const HOST = 'api.openai.com'
const VENDOR = 'the-key-of-the-vendor'
const MODEL = 'gpt-realtime'
const CARD = 'my card is 4111 1111 1111 1111'
const done = {
  type: 'response.done',
  response: {
    id: 'r',
    status: 'completed',
    output: [],
    usage: { input_tokens: 21, output_tokens: 7 },
  },
}

const ca = new TestCa()

for (const mode of ['observe', 'enforce'])
  describe(`a WebSocket at a door, in ${mode}`, () => {
    let there: Origin
    let yori: Yori
    let key: string
    const asked: IncomingMessage[] = []
    const heard: string[] = []
    /** How the provider's side was closed. */
    const closed: number[] = []

    before(async () => {
      there = await startOrigin({ certificate: ca.issue({ names: [HOST] }) })
      const sockets = new WebSocketServer({
        server: there.server as Server,
        handleProtocols: () => 'realtime',
      })
      sockets.on('connection', (socket, request) => {
        asked.push(request)
        socket.on('error', () => undefined)
        socket.on('close', (code) => closed.push(code))
        socket.on('message', (data) => {
          heard.push((data as Buffer).toString())
          socket.send(JSON.stringify(done))
        })
      })
      const enforce = {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { action: 'block' } } },
      }
      yori = await Yori.start({
        origins: { [HOST]: there },
        trust: [ca],
        config: {
          gateway: { providers: { openai: { key: VENDOR } } },
          ...(mode === 'enforce' ? enforce : {}),
        },
      })
      const author = { by: 'test', nowMs: 0 }
      key = await yori.appliance.policyState.change(
        (database) => createKey(database, { name: 'app', models: [MODEL] }, author).key,
      )
    })

    after(async () => {
      await yori[Symbol.asyncDispose]()
      await there[Symbol.asyncDispose]()
    })

    /** Of WebSockets by that key. */
    const endedRows = async (name: string): Promise<Row[]> => {
      let rows: Row[] = []
      await until(async () => {
        rows = (await yori.rows('exchanges')).filter(
          (row) => row['access_key'] === name && row['event_type'] !== 'request',
        )
        return rows.length > 0
      })
      return rows
    }

    const says = (text: string): string =>
      JSON.stringify({
        type: 'conversation.item.create',
        item: { role: 'user', content: [{ type: 'input_text', text }] },
      })

    for (const [what, path, options] of [
      ['/llm/NAME', '/llm/openai/v1/realtime', 'field'],
      ['/NAME', '/openai/v1/realtime', 'field'],
      ['its path', '/v1/realtime', 'field'],
      ['/llm/NAME, the key among its protocols', '/llm/openai/v1/realtime', 'protocol'],
    ] as const)
      it(`converses by ${what}`, async () => {
        const before = asked.length
        const url = `ws://127.0.0.1:${yori.port}${path}?model=${MODEL}`
        const socket =
          options === 'field'
            ? new WebSocket(url, { headers: { authorization: `Bearer ${key}` } })
            : new WebSocket(url, ['realtime', `openai-insecure-api-key.${key}`])
        await once(socket, 'open')
        const answered = once(socket, 'message') as Promise<[Buffer]>
        socket.send(says('hello'))
        const [answer] = await answered
        assert.deepEqual(JSON.parse(answer.toString()), done)
        socket.close()
        await once(socket, 'close')
        const [seen] = asked.slice(before)
        assert.equal(seen?.url, `/v1/realtime?model=${MODEL}`)
        assert.equal(seen.headers.host, HOST)
        assert.equal(seen.headers.authorization, `Bearer ${VENDOR}`)
        assert.ok(!JSON.stringify(seen.rawHeaders).includes('yori-'))
        assert.equal(heard.at(-1), says('hello'))
      })

    it("serves OpenAI's library, which speaks to a name of ours by TLS alone", async () => {
      const secure = connect({
        port: yori.port,
        host: '127.0.0.1',
        servername: 'yori.home.arpa',
        ca: yori.rootPem,
      })
      await once(secure, 'secureConnect')
      const sdk = new OpenAI({
        apiKey: key,
        baseURL: 'https://yori.home.arpa/llm/openai/v1',
      })
      const realtime = new OpenAIRealtimeWS(
        { model: MODEL, options: { createConnection: () => secure } },
        sdk,
      )
      await once(realtime.socket, 'open')
      const usage = new Promise((resolve, reject) => {
        realtime.on('response.done', ({ response }) => resolve(response.usage))
        realtime.on('error', reject)
      })
      realtime.send({ type: 'response.create' })
      assert.deepEqual(await usage, done.response.usage)
      realtime.close()
      await once(realtime.socket, 'close')
    })

    it('turns away who may not', async () => {
      const before = asked.length
      for (const [given, model, status] of [
        ['yori-nobody', MODEL, 401],
        [key, 'gpt-4o-realtime-preview', 403],
        [key, `${MODEL}&model=gpt-4o-realtime-preview`, 403],
        [key, '', 403],
      ] as const) {
        const url = `ws://127.0.0.1:${yori.port}/llm/openai/v1/realtime?model=${model}`
        const socket = new WebSocket(url, {
          headers: { authorization: `Bearer ${given}` },
        })
        const [error] = (await once(socket, 'error')) as [Error]
        assert.match(error.message, new RegExp(`: ${status}$`))
      }
      assert.equal(asked.length, before)
    })

    if (mode === 'enforce')
      it('stops what a policy denies', async () => {
        const url = `ws://127.0.0.1:${yori.port}/llm/openai/v1/realtime?model=${MODEL}`
        const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } })
        await once(socket, 'open')
        const before = heard.length
        const closed = once(socket, 'close')
        socket.send(says(CARD))
        await closed
        assert.equal(heard.length, before)
      })

    for (const [what, reason, end] of [
      [
        'is revoked',
        'its key was revoked',
        () =>
          yori.appliance.policyState.change((database) => revokeKey(database, 'lent')),
      ],
      ['has expired', 'its key has expired', () => undefined],
    ] as const)
      it(`is closed where its key ${what} while it is open`, async () => {
        const expiresAt = Date.now() + (what === 'has expired' ? 2500 : 3_600_000)
        const author = { by: 'test', nowMs: Date.now() }
        const name = what === 'is revoked' ? 'lent' : 'short'
        const { key: own } = await yori.appliance.policyState.change((database) =>
          createKey(database, { name, models: [MODEL], expiresAt }, author),
        )
        const url = `ws://127.0.0.1:${yori.port}/llm/openai/v1/realtime?model=${MODEL}`
        const headers = { authorization: `Bearer ${own}` }
        const socket = new WebSocket(url, { headers })
        await once(socket, 'open')
        const answered = once(socket, 'message')
        socket.send(says('hello'))
        await answered
        const before = closed.length
        const over = once(socket, 'close') as Promise<[number, Buffer]>
        await end()
        const [code, why] = await over
        assert.deepEqual([code, why.toString()], [1008, `ended by YORI: ${reason}`])
        await until(() => closed.length > before)
        // RFC 6455 §7.4.1: it goes away.
        assert.equal(closed.at(-1), 1001)
        const again = new WebSocket(url, { headers })
        const [error] = (await once(again, 'error')) as [Error]
        assert.match(error.message, /: 401$/)
        const rows = await endedRows(name)
        assert.deepEqual(
          [rows[0]?.['code'], rows[0]?.['reason'], rows[0]?.['close_code']],
          ['YORI_KEY_UNKNOWN', reason, 1008],
        )
      })

    it('is recorded, with what was used', async () => {
      const rows = (await yori.rows('exchanges')).filter(
        (row) =>
          row['response_status'] === 101 &&
          row['prompt_tokens'] === 21 &&
          row['access_key'] === 'app',
      )
      assert.equal(rows.length, 5)
      for (const row of rows)
        assert.deepEqual(
          [row['access_key'], row['provider'], row['model'], row['response_tokens']],
          ['app', 'openai', MODEL, 7],
        )
    })
  })
