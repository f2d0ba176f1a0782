/**
 * Gemini's Live through a door by a key of ours that is for some models: the model stands in
 * the first message, and is judged there; so is one that a later message names, as in OpenAI's
 * Realtime. In observe and in enforce, with Google's own library and with plain WebSockets.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { GoogleGenAI } from '@google/genai'
import type { LiveServerMessage } from '@google/genai'
import { WebSocket, WebSocketServer } from 'ws'
import { createKey } from '../../../src/household/keys.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { TestCa } from '../../support/test-ca.js'
import { until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const GEMINI = 'generativelanguage.googleapis.com'
const OPENAI = 'api.openai.com'
const VENDOR = 'the-key-of-the-vendor'
const MODEL = 'gemini-live-2.5-flash'
const OTHER = 'gemini-3-pro-live'
const BIDI =
  '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'
const SOUND = {
  realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/pcm;rate=16000' } },
}
const hello = { clientContent: { turns: [{ role: 'user', parts: [{ text: 'hello' }] }] } }
const ca = new TestCa()

interface Closed {
  readonly code: number
  readonly reason: string
}

for (const mode of ['observe', 'enforce'])
  describe(`the model of a live conversation at a door, in ${mode}`, () => {
    let there: Origin
    let yori: Yori
    const asked: IncomingMessage[] = []
    const heard: string[] = []

    before(async () => {
      there = await startOrigin({ certificate: ca.issue({ names: [GEMINI, OPENAI] }) })
      const sockets = new WebSocketServer({ server: there.server as Server })
      sockets.on('connection', (socket, request) => {
        asked.push(request)
        socket.on('error', () => undefined)
        socket.on('message', (data) => {
          const text = (data as Buffer).toString()
          heard.push(text)
          const isSetup = text.includes('"setup"')
          const turn = { modelTurn: { parts: [{ text: 'Hi.' }] }, turnComplete: true }
          socket.send(
            JSON.stringify(isSetup ? { setupComplete: {} } : { serverContent: turn }),
          )
        })
      })
      const enforce = {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { action: 'block' } } },
      }
      yori = await Yori.start({
        origins: { [GEMINI]: there, [OPENAI]: there },
        trust: [ca],
        config: {
          gateway: { providers: { gemini: { key: VENDOR }, openai: { key: VENDOR } } },
          ...(mode === 'enforce' ? enforce : {}),
        },
      })
    })

    after(async () => {
      await yori[Symbol.asyncDispose]()
      await there[Symbol.asyncDispose]()
    })

    const keyFor = (name: string, models: readonly string[]): Promise<string> =>
      yori.appliance.policyState.change(
        (database) => createKey(database, { name, models }, { by: 'test', nowMs: 0 }).key,
      )

    const rowOf = async (name: string): Promise<Row> => {
      let found: Row | undefined
      await until(async () => {
        found = (await yori.rows('exchanges')).find(
          (row) => row['access_key'] === name && row['event_type'] !== 'request',
        )
        return found !== undefined
      })
      return found as Row
    }

    const open = async (path: string, headers: Record<string, string>) => {
      const socket = new WebSocket(`ws://127.0.0.1:${yori.port}${path}`, { headers })
      socket.on('error', () => undefined)
      await once(socket, 'open')
      return socket
    }

    const connect = async (apiKey: string, model: string) => {
      const ai = new GoogleGenAI({
        apiKey,
        httpOptions: { baseUrl: `http://127.0.0.1:${yori.port}/llm/gemini` },
      })
      const said: LiveServerMessage[] = []
      let closes: (event: Closed) => void = () => undefined
      const closed = new Promise<Closed>((resolve) => (closes = resolve))
      const callbacks = {
        onmessage: (message: LiveServerMessage) => void said.push(message),
        onclose: (event: Closed) => closes(event),
      }
      const session = ai.live.connect({ model, callbacks })
      return { session, said, closed }
    }

    it("is judged in its first message: Google's library converses", async () => {
      const key = await keyFor('sdk', ['gemini-live-*'])
      const { session, said, closed } = await connect(key, MODEL)
      const open = await session
      open.sendClientContent({ turns: [{ role: 'user', parts: [{ text: 'hello' }] }] })
      await until(() => said.some(({ serverContent }) => serverContent?.turnComplete))
      open.close()
      await closed
      const [seen] = asked.splice(0)
      assert.ok(!JSON.stringify([seen?.url, seen?.rawHeaders]).includes(key))
      assert.ok(JSON.stringify([seen?.url, seen?.rawHeaders]).includes(VENDOR))
      const row = await rowOf('sdk')
      assert.deepEqual(
        [row['event_type'], row['model'], row['response_status'], row['code']],
        ['response', MODEL, 101, null],
      )
    })

    it("is refused there: Google's library hears why, the provider nothing", async () => {
      const key = await keyFor('refused', ['gemini-live-*'])
      const before = heard.length
      const { session, closed } = await connect(key, OTHER)
      session.catch(() => undefined)
      const { code, reason } = await closed
      const why = `${OTHER} is not for the key refused`
      assert.deepEqual([code, reason], [1008, `refused by YORI: ${why}`])
      assert.equal(heard.length, before)
      const row = await rowOf('refused')
      assert.deepEqual(
        [row['event_type'], row['code'], row['reason'], row['close_code']],
        ['error', 'YORI_KEY_MODEL_REFUSED', why, 1008],
      )
    })

    for (const [what, messages, passed] of [
      ['sound before it was named', [SOUND], 0],
      ['words before it was named', [hello], 0],
      ['a first message without one', [{ setup: {} }], 0],
      [
        'another one later',
        [
          { setup: { model: `models/${MODEL}` } },
          SOUND,
          { setup: { model: `models/${OTHER}` } },
        ],
        2,
      ],
    ] as const)
      it(`lets nothing through: ${what}`, async () => {
        const name = what.replaceAll(' ', '-')
        const key = await keyFor(name, [MODEL])
        const before = heard.length
        const socket = await open(`/llm/gemini${BIDI}`, { 'x-goog-api-key': key })
        const over = once(socket, 'close') as Promise<[number, Buffer]>
        for (const message of messages) socket.send(JSON.stringify(message))
        const [code] = await over
        assert.equal(code, 1008)
        assert.deepEqual(
          heard.slice(before),
          messages.slice(0, passed).map((message) => JSON.stringify(message)),
        )
        assert.equal((await rowOf(name))['code'], 'YORI_KEY_MODEL_REFUSED')
      })

    it('is any where the key names none', async () => {
      const key = await keyFor('any', [])
      const socket = await open(`/llm/gemini${BIDI}`, { 'x-goog-api-key': key })
      const first = once(socket, 'message')
      socket.send(JSON.stringify({ setup: { model: `models/${OTHER}` } }))
      await first
      socket.close()
      assert.equal((await rowOf('any'))['model'], OTHER)
    })

    for (const type of ['session.update', 'response.create'])
      it(`is judged where ${type} of Realtime names another`, async () => {
        const name = `realtime-${type}`
        const key = await keyFor(name, ['gpt-realtime'])
        const socket = await open('/llm/openai/v1/realtime?model=gpt-realtime', {
          authorization: `Bearer ${key}`,
        })
        const before = heard.length
        const same = JSON.stringify({ type, [type.split('.')[0] as string]: {} })
        const answered = once(socket, 'message')
        socket.send(same)
        await answered
        const told = once(socket, 'message') as Promise<[Buffer]>
        const over = once(socket, 'close') as Promise<[number, Buffer]>
        const session = { model: 'gpt-realtime-pro' }
        socket.send(JSON.stringify({ type, [type.split('.')[0] as string]: session }))
        const { error } = JSON.parse((await told)[0].toString()) as {
          error: { code: string; message: string }
        }
        assert.equal(error.code, 'YORI_KEY_MODEL_REFUSED')
        assert.match(error.message, /gpt-realtime-pro is not for the key/)
        assert.equal((await over)[0], 1008)
        assert.deepEqual(heard.slice(before), [same])
      })

    it('ends where its device is paused, whose sound nobody judges', async () => {
      const key = await keyFor('paused', [])
      const socket = await open(`/llm/gemini${BIDI}`, { 'x-goog-api-key': key })
      const first = once(socket, 'message')
      socket.send(JSON.stringify({ setup: { model: `models/${MODEL}` } }))
      await first
      const over = once(socket, 'close') as Promise<[number, Buffer]>
      const until = Date.now() + 3_600_000
      const value = { kind: 'pause', ip: '127.0.0.1', until } as const
      await yori.appliance.policyState.change((database) => {
        database.put('act', { key: 'it', value, addedAt: 0, addedBy: 'test' })
      })
      const [code, why] = await over
      assert.equal(code, 1008)
      assert.match(why.toString(), /^ended by YORI: paused until /)
      const row = await rowOf('paused')
      assert.deepEqual(
        [row['event_type'], row['policy_name'], row['close_code']],
        ['block', 'pause', 1008],
      )
      await yori.appliance.policyState.change((database) => {
        database.remove('act', 'it')
      })
    })

    for (const [what, offered, spoken] of [
      ['HTTP/2 alone', ['h2'], 'h2'],
      ['both', ['h2', 'http/1.1'], 'http/1.1'],
    ] as const)
      it(`goes by TLS in our own name as ${spoken} from who offers ${what}`, async () => {
        const options = {
          ...{ port: yori.port, host: '127.0.0.1', servername: 'yori.home.arpa' },
          ...{ ca: yori.rootPem, ALPNProtocols: [...offered] },
        }
        const secure = connectTls(options)
        await once(secure, 'secureConnect')
        assert.equal(secure.alpnProtocol, spoken)
        if (spoken !== 'h2') {
          secure.destroy()
          return
        }
        const key = await keyFor('by-h2', ['gemini-live-*'])
        const client = connectH2('https://yori.home.arpa', {
          createConnection: () => secure,
        })
        const asking = client.request({
          ':method': 'POST',
          ':path': `/llm/gemini/v1beta/models/${OTHER}:generateContent`,
          'content-type': 'application/json',
          'x-goog-api-key': key,
        })
        asking.end('{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}')
        const [head] = (await once(asking, 'response')) as [Record<string, unknown>]
        assert.equal(head[':status'], 403)
        assert.match(await text(asking), /gemini-3-pro-live is not for the key by-h2/)
        client.close()
        await once(client, 'close')
      })
  })
