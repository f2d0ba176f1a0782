/**
 * Responses over WebSocket, developers.openai.com/api/docs/guides/websocket-mode: each
 * `response.create` is an exchange of its own, read and judged as by POST.
 */
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
import type { Row } from '../../support/yori.js'

type Json = Record<string, unknown>

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const CARD = 'my card is 4111 1111 1111 1111'

interface Answering extends Proxied {
  readonly heard: Json[]
}

/** Answers a turn with `answers` events, an error where there is none for it. */
async function answering(
  config: Record<string, unknown> = {},
  answers: (asked: Json, at: number) => readonly Json[] = answer,
  perMessageDeflate: boolean | { threshold: number } = false,
): Promise<Answering> {
  const origin = await startOrigin({ certificate })
  const server = new WebSocketServer({
    server: origin.server as Server,
    perMessageDeflate,
  })
  const heard: Json[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      const asked = JSON.parse((data as Buffer).toString()) as Json
      heard.push(asked)
      for (const event of answers(asked, heard.length)) socket.send(JSON.stringify(event))
    })
  })
  return Object.assign(await joined(origin, config), { heard })
}

/** What the reference says of a turn of two words and its tokens. */
function answer({ model, generate }: Json, at: number): readonly Json[] {
  const response = { id: `resp_${at}`, object: 'response', model }
  const said = { type: 'output_text', text: 'Forty two', annotations: [] }
  const item = { type: 'message', id: 'm', role: 'assistant', content: [said] }
  const usage = {
    input_tokens: 100 * at,
    input_tokens_details: { cached_tokens: 7 },
    output_tokens: 10 * at,
    output_tokens_details: { reasoning_tokens: 3 },
  }
  const created = { ...response, status: 'in_progress', output: [], usage: null }
  const done = { ...response, status: 'completed', output: [item], usage }
  const empty = { ...response, status: 'completed', output: [], usage: null }
  const events = [
    { type: 'response.created', response: created },
    { type: 'response.output_text.delta', item_id: 'm', delta: 'Forty two' },
    { type: 'response.completed', response: generate === false ? empty : done },
  ]
  return generate === false ? events.filter((_event, i) => i !== 1) : events
}

async function dial(
  { yori }: Proxied,
  perMessageDeflate: boolean | { threshold: number } = false,
): Promise<WebSocket> {
  const secure = await yori.tls(NAME)
  const socket = new WebSocket(`wss://${NAME}/v1/responses`, {
    createConnection: () => secure,
    perMessageDeflate,
  })
  await once(socket, 'open')
  return socket
}

const asks = (input: unknown, more: Json = {}): string =>
  JSON.stringify({ type: 'response.create', model: 'gpt-5-mini', input, ...more })

/** Sends, and resolves with the closing event. */
async function turn(socket: WebSocket, message: string): Promise<Json> {
  const closing = new Promise<Json>((resolve) => {
    const hear = (data: Buffer): void => {
      const event = JSON.parse(data.toString()) as Json
      if (event['type'] !== 'response.completed' && event['type'] !== 'error') return
      socket.off('message', hear)
      resolve(event)
    }
    socket.on('message', hear)
  })
  socket.send(message)
  return closing
}

async function close(socket: WebSocket): Promise<void> {
  const closed = once(socket, 'close')
  socket.close(1000)
  await closed
}

/** That of the WebSocket, then those of its turns. */
async function rowsOf({ yori }: Proxied, count: number): Promise<Row[]> {
  const rows = await endedExchanges(yori, count)
  const isOpened = (row: Row): boolean => row['response_status'] === 101
  return [...rows.filter(isOpened), ...rows.filter((row) => !isOpened(row))]
}

describe('Responses over a WebSocket', () => {
  for (const deflate of [false, { threshold: 0 }])
    for (const config of [{}, ENFORCE])
      it(`are one exchange a turn (${JSON.stringify({ deflate, ...config })})`, async () => {
        await using setup = await answering(config, answer, deflate)
        const socket = await dial(setup, deflate)
        const tools = [{ type: 'function', name: 'shell', parameters: {} }]
        await turn(
          socket,
          asks([], { generate: false, instructions: 'Be short.', tools }),
        )
        await turn(socket, asks('What is six times seven?', { tools }))
        await turn(socket, asks([{ role: 'user', content: 'And in words?' }]))
        await close(socket)
        const rows = await rowsOf(setup, 4)
        const [opened, warmUp, first, second] = rows
        assert.equal(opened?.['response_status'], 101)
        assert.equal(opened['model'], null)
        assert.equal(opened['client_messages'], 3)
        assert.equal(opened['uninspectable'], null)
        assert.equal(warmUp?.['model'], 'gpt-5-mini')
        assert.equal(warmUp['prompt_tokens'], null)
        assert.equal(warmUp['tokens_estimated'], null)
        assert.equal(first?.['prompt_preview'], 'What is six times seven?')
        assert.equal(first['prompt_tokens'], 200)
        assert.equal(first['response_tokens'], 20)
        assert.equal(first['cached_tokens'], 7)
        assert.equal(first['reasoning_tokens'], 3)
        assert.equal(first['finish_reason'], 'completed')
        assert.equal(first['response_id'], 'resp_2')
        assert.equal(second?.['prompt_preview'], 'And in words?')
        assert.equal(second['prompt_tokens'], 300)
        for (const row of rows.slice(1)) {
          assert.equal(row['event_type'], 'response')
          assert.equal(row['response_status'], 200)
          assert.equal(row['policy_decision'], 'allow')
          assert.equal(row['uninspectable'], null)
        }
        const ids = new Set(rows.map((row) => row['request_id']))
        assert.equal(ids.size, 4)
      })

  it('are told of a block in the words of the provider, and nothing goes up', async () => {
    await using setup = await answering(ENFORCE)
    const socket = await dial(setup)
    await turn(socket, asks('hello'))
    const closed = once(socket, 'close')
    const said = await turn(socket, asks(CARD))
    assert.equal(said['status'], 400)
    const { message, code } = said['error'] as Json
    assert.match(
      String(message),
      /^Blocked by YORI, policy privacy: the prompt holds a card/,
    )
    assert.equal(code, 'policy_blocked')
    assert.equal(((await closed) as [number])[0], 1008)
    assert.deepEqual(
      setup.heard.map(({ input }) => input),
      ['hello'],
    )
    const rows = await endedExchanges(setup.yori, 3)
    const blocked = rows.filter((row) => row['event_type'] === 'block')
    assert.equal(blocked.length, 1)
    const [row] = blocked
    assert.equal(row?.['policy_name'], 'privacy')
    assert.equal(row['response_status'], 400)
    assert.equal(row['model'], 'gpt-5-mini')
    assert.match(String(message), new RegExp(String(row['request_id'])))
  })

  it('are told of the same once more by the id of the first, and counted in its row', async () => {
    await using setup = await answering(ENFORCE)
    const told: string[] = []
    for (const model of ['gpt-5', 'gpt-5-mini']) {
      const socket = await dial(setup)
      const closed = once(socket, 'close')
      const { error } = await turn(socket, asks(CARD, { model }))
      const said = String((error as Json)['message'])
      told.push(/\(request ([\w-]+)\)/.exec(said)?.[1] ?? said)
      await closed
    }
    assert.equal(told[1], told[0])
    const counted = async () => {
      const rows = await endedExchanges(setup.yori, 3)
      return rows.filter((row) => row['event_type'] === 'block')
    }
    await until(async () => (await counted())[0]?.['repeats'] === 1)
    assert.deepEqual(
      (await counted()).map((row) => row['request_id']),
      [told[0]],
    )
  })

  for (const [what, more] of [
    ['a warm-up', { generate: false, input: CARD }],
    ['a field that nobody knows', { memory: [CARD] }],
    [
      'the result of a tool',
      { input: [{ type: 'function_call_output', call_id: 'c', output: CARD }] },
    ],
  ] as const)
    it(`are judged in ${what}`, async () => {
      await using setup = await answering(ENFORCE)
      const socket = await dial(setup)
      const said = await turn(socket, asks('hello', more))
      assert.equal(said['type'], 'error')
      assert.deepEqual(setup.heard, [])
    })

  it('are judged by the model and the tools that a turn names', async () => {
    const files = {
      model_allowlist: { action: 'block', params: { models: ['gpt-5*'] } },
    }
    await using setup = await answering({ ...ENFORCE, policies: { files } })
    const socket = await dial(setup)
    assert.equal((await turn(socket, asks('hello')))['type'], 'response.completed')
    const said = await turn(socket, asks('hello', { model: 'o1-pro' }))
    assert.match(JSON.stringify(said), /model o1-pro is not among those allowed/)
  })

  it('are alerted on where nothing is blocked', async () => {
    await using setup = await answering({
      mode: 'advisory',
      policies: { files: { privacy: { action: 'block' } } },
    })
    const socket = await dial(setup)
    assert.equal((await turn(socket, asks(CARD)))['type'], 'response.completed')
    await close(socket)
    const [, row] = await rowsOf(setup, 2)
    assert.equal(row?.['policy_decision'], 'alert')
    assert.equal(row['policy_name'], 'privacy')
  })

  it('that the provider refuses cost nothing', async () => {
    const error = { type: 'invalid_request_error', message: 'No such model.' }
    await using setup = await answering({}, () => [{ type: 'error', status: 404, error }])
    const socket = await dial(setup)
    await turn(socket, asks('hello'))
    await close(socket)
    const [, row] = await rowsOf(setup, 2)
    assert.equal(row?.['response_status'], 404)
    assert.equal(row['reason'], 'No such model.')
    assert.equal(row['prompt_tokens'], null)
  })

  it('that break off are told as such', async () => {
    await using setup = await answering({}, (asked, at) => answer(asked, at).slice(0, 2))
    const socket = await dial(setup)
    const begun = once(socket, 'message')
    socket.send(asks('hello'))
    await begun
    await close(socket)
    const [, row] = await rowsOf(setup, 2)
    assert.equal(row?.['event_type'], 'error')
    assert.equal(row['truncated'], 1)
    assert.equal(row['tokens_estimated'], 1)
  })

  it('do not pass as a message that no reference names, nor with its type twice', async () => {
    const twice = `{"type":"response.create","type":"x","input":"${CARD}"}`
    for (const message of [JSON.stringify({ type: 'x', input: 'hello' }), twice, '[]']) {
      await using setup = await answering(ENFORCE)
      const socket = await dial(setup)
      const closed = once(socket, 'close')
      socket.send(message)
      assert.equal(((await closed) as [number])[0], 1008)
      assert.deepEqual(setup.heard, [])
    }
  })

  it('wait for their answers in a line that has an end', async () => {
    await using setup = await answering({}, () => [])
    const socket = await dial(setup)
    for (let i = 0; i < 17; i++) socket.send(asks(`number ${i}`))
    await close(socket)
    const rows = await rowsOf(setup, 17)
    assert.equal(rows[0]?.['unread_messages'], 1)
    assert.equal(rows[0]['uninspectable'], 'upgraded')
  })
})
