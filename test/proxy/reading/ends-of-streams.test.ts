/** How a stream ended, where its status, which came first, cannot say so. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { request } from 'undici'
import { h2Ask, h2Client } from '../../support/h2.js'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const EVENTS = { 'content-type': 'text/event-stream; charset=utf-8' }
const ASKED = JSON.stringify({
  model: 'gpt-4.1-mini',
  stream: true,
  messages: [{ role: 'user', content: 'What is the time?' }],
})

const answers =
  (events: string): RequestListener =>
  (asked, response) => {
    asked.resume().on('end', () => response.writeHead(200, EVENTS).end(events))
  }

async function post(setup: Proxied, version: 'h1' | 'h2'): Promise<string> {
  const path = '/v1/chat/completions'
  if (version === 'h2') {
    using client = await h2Client(setup.yori, NAME)
    const fields = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/json',
    }
    return (await h2Ask(client.session, fields, ASKED)).body
  }
  const reply = await request(`https://${NAME}${path}`, {
    dispatcher: setup.yori.dispatcher(),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ASKED,
  })
  return reply.body.text()
}

describe('a stream of status 200', () => {
  for (const version of ['h1', 'h2'] as const) {
    it(`is an error in the row when one ends it, over ${version}`, async () => {
      // As platform.openai.com/docs describes errors within streams.
      const events =
        'data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"content":"It "}}]}\n\n' +
        'data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n'
      await using setup = await behind(answers(events))
      assert.equal(await post(setup, version), events)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'error')
      assert.equal(row['response_status'], 200)
      assert.match(String(row['reason']), /The server had an error/)
    })

    it(`is none when its answer is whole, over ${version}`, async () => {
      const events =
        'data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"content":"Noon"},"finish_reason":"stop"}]}\n\n' +
        'data: [DONE]\n\n'
      await using setup = await behind(answers(events))
      await post(setup, version)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'response')
    })
  }
})

describe('a client that closes a stream', () => {
  const endless: RequestListener = (asked, response) => {
    asked.resume()
    response.writeHead(200, EVENTS).write('event: endpoint\ndata: /messages\n\n')
  }

  async function leaves(
    setup: Proxied,
    version: 'h1' | 'h2',
    method: 'GET' | 'POST',
  ): Promise<void> {
    const path = '/v1/events'
    if (version === 'h2') {
      using client = await h2Client(setup.yori, NAME)
      const stream = client.session.request(
        { ':method': method, ':path': path, accept: 'text/event-stream' },
        { endStream: true },
      )
      stream.on('error', () => undefined)
      await once(stream, 'data')
      stream.close()
      await until(async () => (await endedExchanges(setup.yori, 1)).length === 1)
      return
    }
    const reply = await request(`https://${NAME}${path}`, {
      dispatcher: setup.yori.dispatcher(),
      method,
      headers: { accept: 'application/json, text/event-stream' },
    })
    await once(reply.body, 'data')
    reply.body.on('error', () => undefined).destroy()
  }

  for (const version of ['h1', 'h2'] as const) {
    it(`that it only listens to ends it as is right, over ${version}`, async () => {
      await using setup = await behind(endless)
      await leaves(setup, version, 'GET')
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'response')
      assert.equal(row['code'], null)
    })

    it(`that answers a question breaks it off, over ${version}`, async () => {
      await using setup = await behind(endless)
      await leaves(setup, version, 'POST')
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'error')
      assert.equal(row['code'], 'YORI_CLIENT_GONE')
    })
  }
})
