/** What quotas count: calls to a model, over both versions of HTTP, whatever else a program asks. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { h2Ask, h2Client } from '../../support/h2.js'
import { ask, behind, disposable, endedExchanges, NAME } from '../../support/proxied.js'
import type { Yori } from '../../support/yori.js'

const quota = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
  policies: {
    files: {
      hourly_quota: { action: 'block', params: { per_hour: 2, peak_per_hour: 2 } },
    },
  },
}

const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok' } }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
}

/** `/v1/chat/completions?status=529` is answered so. */
const provider: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    const status = Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200)
    response.writeHead(status, { 'content-type': 'application/json' })
    const isChat = request.url?.startsWith('/v1/chat') === true && status === 200
    response.end(
      request.method === 'HEAD' ? undefined : JSON.stringify(isChat ? ANSWER : {}),
    )
  })
}

const BODY = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'hello' }],
})

/** What a program asks beside its calls. */
const QUIET = [
  ...['GET /v1/models', 'HEAD /v1/models', 'GET /v1/responses/resp_1'],
  ...['POST /v1/responses/input_tokens', 'GET /v1/batches/batch_1'],
  ...['GET /v1/files', 'POST /v1/threads', 'DELETE /v1/responses/resp_1'],
]
/** Calls that no model took: a program sends them again. */
const FAILED = [500, 429].map((status) => `POST /v1/chat/completions?status=${status}`)

type Asks = (line: string) => Promise<number>

async function overH1(yori: Yori): Promise<Asks & Disposable> {
  const socket = disposable(await yori.tls(NAME, { ca: yori.rootPem }))
  const asks = async (line: string): Promise<number> => {
    const [method = '', path = ''] = line.split(' ')
    const body = method === 'POST' ? BODY : ''
    const fields = `Host: ${NAME}\r\nContent-Type: application/json\r\nx-stainless-lang: js`
    const length = method === 'POST' ? `\r\nContent-Length: ${body.length}` : ''
    const text = `${method} ${path} HTTP/1.1\r\n${fields}${length}\r\n\r\n${body}`
    const whole = (soFar: string): boolean =>
      soFar.includes('\r\n\r\n') && (method === 'HEAD' || /\}|0\r\n\r\n$/.test(soFar))
    const answer = await ask(socket.stream, text, whole)
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  }
  return Object.assign(asks, { [Symbol.dispose]: () => socket[Symbol.dispose]() })
}

async function overH2(yori: Yori): Promise<Asks & Disposable> {
  const client = await h2Client(yori, NAME)
  const asks = async (line: string): Promise<number> => {
    const [method = '', path = ''] = line.split(' ')
    const head = { ':method': method, ':path': path, 'content-type': 'application/json' }
    const body = method === 'POST' ? BODY : undefined
    return (await h2Ask(client.session, head, body)).headers[':status'] ?? 0
  }
  return Object.assign(asks, { [Symbol.dispose]: () => client[Symbol.dispose]() })
}

for (const [version, open] of [
  ['HTTP/1.1', overH1],
  ['HTTP/2', overH2],
] as const) {
  describe(`a quota over ${version}`, () => {
    it('counts calls to a model that a model took, and nothing else', async () => {
      await using setup = await behind(provider, quota)
      using asks = await open(setup.yori)
      const call = 'POST /v1/chat/completions'
      const before = [...QUIET, ...FAILED, call, ...QUIET, ...FAILED, call, ...QUIET]
      for (const line of before) assert.notEqual(await asks(line), 403, line)
      assert.equal(await asks(call), 403)
      // Nor are lists taken from it when it is used up.
      assert.equal(await asks('GET /v1/models'), 200)
      const asked = before.length + 2
      const rows = await endedExchanges(setup.yori, asked)
      const calls = rows.filter((row) => row['is_call'] === 1)
      assert.equal(calls.length, 3 + 2 * FAILED.length)
      const blocks = rows.filter((row) => row['event_type'] === 'block')
      assert.deepEqual(
        blocks.map((row) => row['policy_name']),
        ['hourly_quota'],
      )
      const quiet = rows.filter((row) =>
        /models|batches|input_tokens/.test(String(row['http_path'])),
      )
      for (const row of quiet)
        assert.equal(row['session_id'], null, String(row['http_path']))
    })
  })
}

describe('a poll', () => {
  it('is no conversation of its own', async () => {
    await using setup = await behind(provider)
    using asks = await overH1(setup.yori)
    for (let i = 0; i < 3; i++) await asks('GET /v1/responses/resp_1')
    await asks('POST /v1/chat/completions')
    const rows = await endedExchanges(setup.yori, 4)
    assert.deepEqual(
      rows.map((row) => row['session_id'] !== null),
      [false, false, false, true],
    )
  })
})
