/** A WebSocket that cannot be inspected, where the same is to be had by HTTP. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { h2Ask, h2Client } from '../../support/h2.js'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import { startOrigin } from '../../support/origins.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'
import type { Proxied } from '../../support/proxied.js'

const PRIVACY = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

interface Refused {
  readonly status: number | undefined
  readonly upgrade: string | undefined
  readonly connection: string | undefined
  readonly body: string
}

/** What an ordinary client of WebSockets is told. */
async function refusedAt({ yori }: Pick<Proxied, 'yori'>, path: string, host = NAME) {
  const secure = await yori.tls(host)
  const socket = new WebSocket(`wss://${host}${path}`, { createConnection: () => secure })
  const [, answer] = (await once(socket, 'unexpected-response')) as [
    unknown,
    IncomingMessage,
  ]
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  const { upgrade, connection } = answer.headers
  return { status: answer.statusCode, upgrade, connection, body } satisfies Refused
}

describe('a WebSocket that cannot be inspected', () => {
  for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])
    it(`at ${path} is answered 426: ask by HTTP instead`, async () => {
      let asked = 0
      await using setup = await behind((_request, response) => {
        asked++
        response.end('{}')
      }, PRIVACY)
      const { status, upgrade, connection, body } = await refusedAt(setup, path)
      assert.equal(status, 426)
      // RFC 9110 §15.5.22: it must say what to ask by, and the connection option names it.
      assert.equal(upgrade, 'HTTP/1.1')
      assert.match(String(connection), /upgrade/i)
      const { error } = JSON.parse(body) as { error: { code: string; message: string } }
      assert.equal(error.code, 'YORI_NOT_OVER_WEBSOCKET')
      assert.match(error.message, /ask by HTTP instead/)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.deepEqual(
        [
          row?.['event_type'],
          row?.['response_status'],
          row?.['code'],
          row?.['policy_name'],
        ],
        ['block', 426, 'YORI_NOT_OVER_WEBSOCKET', 'uninspectable'],
      )
      assert.equal(asked, 0)
    })

  it('of Anthropic is told so in its shape', async () => {
    const host = 'api.anthropic.com'
    const ca = new TestCa()
    await using origin = await startOrigin({ certificate: ca.issue({ names: [host] }) })
    await using yori = await Yori.start({
      origins: { [host]: origin },
      trust: [ca],
      config: PRIVACY,
    })
    const { status, body } = await refusedAt({ yori }, '/v1/messages', host)
    assert.equal(status, 426)
    assert.equal((JSON.parse(body) as { type: string }).type, 'error')
  })

  for (const path of ['/v1/threads/live', '/v1/models'])
    it(`at ${path}, where nobody is asked by HTTP, stays 403`, async () => {
      await using setup = await behind(
        (_request, response) => response.end('{}'),
        PRIVACY,
      )
      assert.equal((await refusedAt(setup, path)).status, 403)
    })

  it('is blocked as ever where a policy is against it', async () => {
    await using setup = await behind((_request, response) => response.end('{}'), {
      ...PRIVACY,
      policies: { files: { privacy: { action: 'block' }, default: { action: 'block' } } },
    })
    assert.equal((await refusedAt(setup, '/v1/chat/completions')).status, 403)
  })

  it('is followed by the same over HTTP, which passes', async () => {
    await using setup = await behind((_request, response) => response.end('{}'), PRIVACY)
    assert.equal((await refusedAt(setup, '/v1/chat/completions')).status, 426)
    using client = await h2Client(setup.yori, NAME)
    const { headers } = await h2Ask(
      client.session,
      {
        ':method': 'POST',
        ':path': '/v1/chat/completions',
        ':authority': NAME,
        'content-type': 'application/json',
      },
      JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
    )
    assert.equal(headers[':status'], 200)
  })
})
