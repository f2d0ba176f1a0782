/**
 * Requests without a body, under each policy that reads content: nothing was hidden, so that
 * nothing is refused. Whether there is a body is said by the head, in either version of HTTP.
 */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { request } from 'undici'
import {
  ask,
  behind,
  disposable,
  endedExchanges,
  NAME,
  until,
} from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'

const READING: Record<string, Record<string, unknown>> = {
  privacy: {},
  parental: { minor_groups: ['unknown'] },
  homework_helper: {},
  prompt_length: {},
  model_allowlist: { models: ['gpt-4o-mini'] },
  tool_guard: { denied_tools: ['shell'] },
}

const enforcing = (files: Record<string, Record<string, unknown>>) => ({
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: {
    files: Object.fromEntries(
      Object.entries(files).map(([name, params]) => [name, { action: 'block', params }]),
    ),
  },
})

/** Method, path, body: `null` is no body and no framing of one. */
const BODYLESS: readonly (readonly [string, string, null | '' | 'chunked'])[] = [
  ['GET', '/v1/models', null],
  ['HEAD', '/v1/models', null],
  ['OPTIONS', '/v1/chat/completions', null],
  ['DELETE', '/v1/files/file-1', null],
  ['GET', '/v1/batches/batch_1', null],
  ['GET', '/nobody/knows/this', null],
  ['POST', '/v1/batches/batch_1/cancel', null],
  ['POST', '/v1/batches/batch_1/cancel', ''],
  ['POST', '/v1/batches/batch_1/cancel', 'chunked'],
  ['PUT', '/nobody/knows/this', 'chunked'],
  ['DELETE', '/v1/files/file-1', ''],
]

describe('a request without a body', () => {
  for (const version of HTTP_VERSIONS)
    for (const [name, params] of Object.entries(READING))
      it(`passes ${name} over ${version}, and the connection goes on`, async () => {
        await using proxied = await behind(
          (_request, response) => void response.end('{}'),
          enforcing({ [name]: params }),
        )
        const dispatcher = proxied.yori.dispatcher(undefined, version)
        for (const [method, path, body] of BODYLESS) {
          const answer = await request(`https://${NAME}${path}`, {
            method: method as 'GET',
            dispatcher,
            ...(body === null ? {} : { body: body === '' ? '' : Readable.from([]) }),
          })
          await answer.body.dump()
          assert.equal(answer.statusCode, 200, `${method} ${path} ${String(body)}`)
        }
        const rows = await endedExchanges(proxied.yori, BODYLESS.length)
        for (const row of rows) {
          assert.equal(row['event_type'], 'response', String(row['http_path']))
          assert.equal(row['http_version'], version === 'h2' ? '2.0' : '1.1')
          assert.equal(row['policy_decision'], 'allow')
        }
        await proxied.yori.closeClients()
        await until(async () => (await proxied.yori.rows('connections')).length > 0)
        assert.equal((await proxied.yori.rows('connections')).length, 1)
      })

  for (const version of HTTP_VERSIONS)
    it(`is still held to what the words are not about, over ${version}`, async () => {
      await using proxied = await behind(
        (_request, response) => void response.end('{}'),
        {
          ...enforcing({ privacy: {} }),
          policies: { files: { default: { enabled: true, action: 'block' } } },
        },
      )
      const dispatcher = proxied.yori.dispatcher(undefined, version)
      for (const method of ['GET', 'DELETE', 'POST'] as const) {
        const url = `https://${NAME}/v1/models`
        const answer = await request(url, { method, dispatcher })
        await answer.body.dump()
        assert.equal(answer.statusCode, 403, method)
        assert.equal(answer.headers.connection ?? 'keep-alive', 'keep-alive', method)
      }
    })

  it('is no longer one when its head says that a body follows', async () => {
    await using proxied = await behind(
      (_request, response) => void response.end('{}'),
      enforcing({ privacy: {} }),
    )
    using tls = disposable(await proxied.yori.tls(NAME))
    const body = JSON.stringify({
      messages: [{ role: 'user', content: '4111 1111 1111 1111' }],
    })
    const head = [
      'GET /v1/chat/completions HTTP/1.1',
      `Host: ${NAME}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    const answer = await ask(tls.stream, `${head.join('\r\n')}\r\n\r\n${body}`)
    assert.match(answer, /^HTTP\/1\.1 403 /)
  })
})
