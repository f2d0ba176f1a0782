import assert from 'node:assert/strict'
import { request as undiciRequest } from 'undici'
import { Simulator } from '../../../tools/sim/simulator.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { Yori } from '../../support/yori.js'

async function withProvider(): Promise<
  { simulator: Simulator; yori: Yori } & AsyncDisposable
> {
  const simulator = await Simulator.start()
  const yori = await Yori.start({
    origins: { 'api.openai.com': simulator, 'api.anthropic.com': simulator },
    trust: [simulator.ca],
  })
  return {
    simulator,
    yori,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await simulator[Symbol.asyncDispose]()
    },
  }
}

describe('an exchange', () => {
  it('of the openai package passes and is recorded', async () => {
    await using setup = await withProvider()
    const { yori, simulator } = setup
    const client = openaiSdk({ dispatcher: yori.dispatcher() })

    const answer = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'What is a router?' }],
    })

    assert.match(answer.choices[0]?.message.content ?? '', /What is a router\?/)
    assert.equal(simulator.requests.all.length, 1)
    const [row] = await yori.rows('audit_events')
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['endpoint_domain'], 'api.openai.com')
    assert.equal(row['http_path'], '/v1/chat/completions')
    assert.equal(row['client_ip'], '127.0.0.1')
    assert.equal(row['response_status'], 200)
  })

  it('of the Anthropic package streams event by event', async () => {
    await using setup = await withProvider()
    const { yori } = setup
    const client = anthropicSdk({ dispatcher: yori.dispatcher() })

    const stream = client.messages.stream({
      model: 'claude-sonnet-4-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Say it slowly' }],
    })
    let pieces = 0
    stream.on('text', () => pieces++)
    const message = await stream.finalMessage()

    assert.ok(pieces > 1)
    assert.equal(message.type, 'message')
    const [row] = await yori.rows('audit_events')
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['endpoint_domain'], 'api.anthropic.com')
  })

  it('keeps one provider connection for requests one after the other', async () => {
    await using setup = await withProvider()
    const { yori, simulator } = setup
    const dispatcher = yori.dispatcher()
    for (let i = 0; i < 3; i++) {
      const { body } = await undiciRequest('https://api.openai.com/v1/models', {
        dispatcher,
      })
      await body.dump()
    }
    assert.equal(simulator.requests.all.length, 3)
    assert.equal(simulator.connectionCount, 1)
  })
})
