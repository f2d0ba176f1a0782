/** What a call costs to which nothing came back, over both versions of HTTP. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { EventEmitter } from 'node:events'
import { mayHaveBeenServed } from '../../../src/core/record.js'
import { h2Client } from '../../support/h2.js'
import { ask, behind, disposable, endedExchanges, NAME } from '../../support/proxied.js'
import type { Yori } from '../../support/yori.js'

/** 40,000 characters are some 10,000 tokens at $0.15 a million: 1,500 micro-dollars. */
const PROMPT = 'word'.repeat(10_000)
const BODY = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: PROMPT }],
})
const COST = 1_500

const arrivals = new EventEmitter()

/** Says nothing, or breaks off before it has said anything. */
const provider: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    if (request.url?.includes('breaks') === true) response.destroy()
    else arrivals.emit('whole', request)
  })
}

async function arrived(): Promise<IncomingMessage> {
  const [request] = (await once(arrivals, 'whole')) as [IncomingMessage]
  return request
}

const head = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: ${NAME}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

async function leavesOverH1(yori: Yori): Promise<void> {
  using socket = disposable(await yori.tls(NAME, { ca: yori.rootPem }))
  const there = arrived()
  socket.stream.write(head('/v1/chat/completions'))
  await there
}

async function leavesOverH2(yori: Yori): Promise<void> {
  const client = await h2Client(yori, NAME)
  const there = arrived()
  const stream = client.session.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    'content-type': 'application/json',
  })
  stream.on('error', () => undefined)
  stream.end(BODY)
  await there
  stream.close(8)
  client[Symbol.dispose]()
}

describe('a call that was never answered', () => {
  it('costs what it sent where a model may have read it, and nothing where the way broke', async () => {
    await using setup = await behind(provider)
    const { yori } = setup
    await leavesOverH1(yori)
    await leavesOverH2(yori)
    using socket = disposable(await yori.tls(NAME, { ca: yori.rootPem }))
    const answer = await ask(socket.stream, head('/v1/chat/completions?breaks'))
    assert.match(answer, /^HTTP\/1\.1 50[24] /)
    const rows = await endedExchanges(yori, 3)
    const costs = rows.map((row) => ({
      tokens: [row['prompt_tokens'], row['prompt_tokens_estimated']],
      written: [row['response_tokens'], row['response_tokens_estimated']],
      cost: row['cost_micro_usd'],
    }))
    const gone = { tokens: [10_000, 1], written: [0, 1], cost: COST }
    const broke = { tokens: [null, null], written: [null, null], cost: null }
    assert.deepEqual(costs, [gone, gone, broke])
  })

  it('may have been served when it took too long, not when nobody took it', () => {
    const sent = { phase: 'sent', status: 504 } as const
    assert.equal(mayHaveBeenServed({ ...sent, code: 'YORI_UPSTREAM_TIMEOUT' }), true)
    for (const code of ['YORI_UPSTREAM_CONNECT_TIMEOUT', 'YORI_UPSTREAM_RESET'])
      assert.equal(mayHaveBeenServed({ ...sent, code } as never), false)
    const held = { phase: 'held', code: 'YORI_CLIENT_GONE' } as const
    assert.equal(mayHaveBeenServed(held), false)
  })
})
