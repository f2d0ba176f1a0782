/** What processors are told beside requests: messages of WebSockets, and answers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import { ExtProcServer } from '../../support/ext-proc.js'
import { startOrigin } from '../../support/origins.js'
import {
  certificate,
  endedExchanges,
  joined,
  NAME,
  until,
} from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { ALLOW, UdsAgent } from '../../support/uds-agent.js'
import { HTTP_VERSIONS } from '../../support/yori.js'

const EVENTS = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'Good ' } }] },
  { choices: [{ index: 0, delta: { content: 'morning' } }] },
]
const STREAM = EVENTS.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

describe('a processor that is told more than requests', () => {
  let folder: TempFolder
  let house: Proxied
  let agent: UdsAgent
  let proc: ExtProcServer
  let guard: Server
  const guarded: { texts?: string[]; input_type?: string; response?: object }[] = []
  const heard: string[] = []

  before(async () => {
    folder = await tempFolder()
    proc = await ExtProcServer.start(() => 'nothing')
    guard = createServer((incoming, response) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => (text += chunk))
      incoming.on('end', () => {
        guarded.push(JSON.parse(text) as (typeof guarded)[number])
        response.end('{"action":"NONE","verdict":true}')
      })
    }).listen(0, '127.0.0.1')
    await once(guard, 'listening')
    const url = `http://127.0.0.1:${(guard.address() as AddressInfo).port}/`
    const origin = await startOrigin({
      certificate,
      handler: (incoming, response) => {
        incoming.resume()
        incoming.on('end', () => {
          response.setHeader('content-type', 'text/event-stream')
          response.setHeader('set-cookie', 'session=1')
          response.end(STREAM)
        })
      },
    })
    const server = new WebSocketServer({ server: origin.server as Server })
    server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.on('message', (data) => {
        heard.push((data as Buffer).toString())
        socket.send('{"type":"conversation.item.created"}')
      })
    })
    const at = (name: string) => ({ name, routes: [{ path: `/${name}/` }] })
    house = await joined(origin, {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      processors: [
        {
          ...{ name: 'spoken', address: folder.file('agent.sock'), events: 'websocket' },
          ...{ routes: [{ path: '/v1/realtime' }], fail_mode: 'closed' },
          timeout_ms: 10_000,
        },
        {
          ...{ ...at('proc'), dialect: 'ext_proc', address: proc.address },
          events: ['response_headers', 'response_body'],
        },
        {
          ...{ ...at('litellm'), dialect: 'webhook', address: url },
          events: 'response_body',
        },
        {
          ...{ ...at('portkey'), dialect: 'webhook', address: url, shape: 'portkey' },
          events: 'response_body',
        },
      ],
    })
    agent = await UdsAgent.start(folder.file('agent.sock'))
  })
  after(async () => {
    await house[Symbol.asyncDispose]()
    await house.origin[Symbol.asyncDispose]()
    await agent[Symbol.asyncDispose]()
    await proc[Symbol.asyncDispose]()
    guard.closeAllConnections()
    guard.close()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    heard.length = 0
    guarded.length = 0
    proc.requests.length = 0
    agent.events.length = 0
    agent.say = () => ALLOW
  })

  function says(text: string): string {
    const content = [{ type: 'input_text', text }]
    const item = { role: 'user', content }
    return JSON.stringify({ type: 'conversation.item.create', item })
  }

  async function dial(): Promise<WebSocket> {
    const secure = await house.yori.tls(NAME)
    const socket = new WebSocket(`wss://${NAME}/v1/realtime`, {
      createConnection: () => secure,
    })
    await once(socket, 'open')
    return socket
  }

  const refusals = {
    'blocks it': {
      decision: { block: { status: 403, body: 'not that', headers: null } },
    },
    'closes it': {
      decision: 'allow',
      websocket_decision: { close: { code: 1008, reason: 'not that' } },
    },
  }
  for (const [how, answer] of Object.entries(refusals))
    it(`is asked about each message of a WebSocket, and ${how}`, async () => {
      const before = (await house.yori.rows('exchanges')).length
      const socket = await dial()
      const answered = once(socket, 'message')
      socket.send(says('hello'))
      await answered
      agent.say = () => ({ version: 2, ...answer })
      const closed = once(socket, 'close')
      socket.send(says('the other'))
      const [code] = (await closed) as [number]
      // RFC 6455 §7.4.1: a message that violates a policy.
      assert.equal(code, 1008)
      assert.deepEqual(heard, [says('hello')])
      const shown = agent.events.map(({ type, payload }) => {
        assert.equal(type, 0x15)
        assert.equal(payload['client_to_server'], true)
        assert.equal(payload['fin'], true)
        return Buffer.from(String(payload['data']), 'base64').toString()
      })
      assert.deepEqual(shown, [says('hello'), says('the other')])
      const indexes = agent.events.map(({ payload }) => payload['frame_index'])
      assert.deepEqual(indexes, [0, 1])
      const row = (await endedExchanges(house.yori, before + 1)).at(-1)
      assert.equal(row?.['event_type'], 'block')
      assert.equal(row['policy_name'], 'spoken')
      assert.equal(row['reason'], 'not that')
    })

  it('closes a WebSocket where it has gone and may not fail', async () => {
    const socket = await dial()
    agent.say = () => 'end'
    const closed = once(socket, 'close')
    socket.send(says('hello'))
    assert.deepEqual((await closed).slice(0, 1), [1008])
    assert.deepEqual(heard, [])
  })

  for (const version of HTTP_VERSIONS) {
    async function post(name: string): Promise<string> {
      const { statusCode, body } = await request(
        `https://${NAME}/${name}/v1/chat/completions`,
        {
          method: 'POST',
          dispatcher: house.yori.dispatcher(undefined, version),
          headers: { 'content-type': 'application/json' },
          body: '{"model":"gpt-4o","stream":true,"messages":[]}',
        },
      )
      assert.equal(statusCode, 200)
      return body.text()
    }

    it(`of Envoy is told of the answer over ${version}, which waits for nothing`, async () => {
      assert.equal(await post('proc'), STREAM)
      await until(() => proc.requests.at(-1)?.response_body?.end_of_stream === true)
      const [head, ...chunks] = proc.requests
      assert.ok(proc.requests.every((one) => one.observability_mode === true))
      const fields = (head?.response_headers?.headers.headers ?? []).map(
        ({ key, raw_value: value }) => [key, value.toString()],
      )
      assert.deepEqual(fields[0], [':status', '200'])
      assert.equal(new Map(fields as [string, string][]).has('set-cookie'), false)
      assert.notEqual(head?.response_headers?.end_of_stream, true)
      const said = chunks.map(({ response_body: one }) => one?.body ?? Buffer.alloc(0))
      assert.equal(Buffer.concat(said).toString(), STREAM)
    })

    it(`of LiteLLM is asked about the answer over ${version}, once it is whole`, async () => {
      assert.equal(await post('litellm'), STREAM)
      await until(() => guarded.length > 0)
      assert.deepEqual(guarded[0]?.texts, ['Good morning'])
      assert.equal(guarded[0].input_type, 'response')
    })

    it(`of Portkey is asked after the request over ${version}`, async () => {
      assert.equal(await post('portkey'), STREAM)
      await until(() => guarded.length > 0)
      assert.deepEqual(guarded[0]?.response, {
        ...{ json: {}, text: 'Good morning', statusCode: 200, isTransformed: false },
      })
    })
  }
})
