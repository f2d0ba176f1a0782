import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PermissionDeniedError } from 'openai'
import { request } from 'undici'
import { ExtProcServer, headersOf } from '../../support/ext-proc.js'
import type { ProcRequest, ProcSay } from '../../support/ext-proc.js'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}

interface Guardrail {
  readonly asked: { path: string; headers: IncomingHttpHeaders; body: Asked }[]
  say: () => unknown
  readonly server: Server
  readonly url: string
}

interface Asked {
  readonly texts?: string[]
  readonly input_type?: string
  readonly request?: { readonly json: { model: string }; readonly text: string }
  readonly eventType?: string
}

async function guardrail(): Promise<Guardrail> {
  const asked: Guardrail['asked'] = []
  const server = createServer((incoming, response) => {
    let text = ''
    incoming.setEncoding('utf8')
    incoming.on('data', (chunk: string) => (text += chunk))
    incoming.on('end', () => {
      const body = JSON.parse(text) as Asked
      asked.push({ path: incoming.url ?? '', headers: incoming.headers, body })
      const said = made.say()
      if (typeof said === 'number') response.statusCode = said
      response.end(JSON.stringify(said))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const made: Guardrail = { asked, say: () => ({ action: 'NONE' }), server, url }
  return made
}

describe('a processor by another dialect', () => {
  let house: Proxied
  let litellm: Guardrail
  let portkey: Guardrail
  let proc: ExtProcServer
  const up: { headers: IncomingHttpHeaders; body: string }[] = []

  before(async () => {
    litellm = await guardrail()
    portkey = await guardrail()
    proc = await ExtProcServer.start(() => 'end')
    const at = (name: string) => ({ name, routes: [{ path: `/${name}/` }] })
    house = await behind(
      (incoming, response) => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => (body += chunk))
        incoming.on('end', () => {
          up.push({ headers: incoming.headers, body })
          response.setHeader('content-type', 'application/json')
          response.end('{}')
        })
      },
      {
        ...ENFORCE,
        processors: [
          {
            ...at('litellm'),
            ...{ dialect: 'webhook', address: litellm.url, token: 'tok-1' },
            fail_mode: 'closed',
          },
          {
            ...at('portkey'),
            ...{ dialect: 'webhook', shape: 'portkey', address: `${portkey.url}/hook` },
          },
          {
            ...at('proc'),
            ...{ dialect: 'ext_proc', address: proc.address, fail_mode: 'closed' },
            events: ['request_headers', 'request_body'],
          },
        ],
      },
    )
  })
  after(async () => {
    await house[Symbol.asyncDispose]()
    await proc[Symbol.asyncDispose]()
    for (const { server } of [litellm, portkey]) {
      server.closeAllConnections()
      server.close()
    }
  })
  beforeEach(() => {
    up.length = 0
    proc.requests.length = 0
    for (const { asked } of [litellm, portkey]) asked.length = 0
  })

  function post(name: string, content: string, headers: Record<string, string> = {}) {
    const messages = [
      { role: 'system', content: 'be kind' },
      { role: 'user', content: [{ type: 'text', text: content }] },
    ]
    return request(`https://${NAME}/${name}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: house.yori.dispatcher(),
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'gpt-4o', messages }),
    })
  }

  for (const version of HTTP_VERSIONS)
    it(`is asked as LiteLLM asks, and blocks an SDK over ${version}`, async () => {
      litellm.say = () => ({ action: 'BLOCKED', blocked_reason: 'about weapons' })
      const client = openaiSdk({
        dispatcher: house.yori.dispatcher(undefined, version),
      }).withOptions({ baseURL: `https://${NAME}/litellm/v1` })
      const messages = [{ role: 'user' as const, content: `hello by ${version}` }]
      await assert.rejects(
        async () => client.chat.completions.create({ model: 'gpt-4o', messages }),
        (error) => {
          assert.ok(error instanceof PermissionDeniedError)
          assert.match(error.message, /policy litellm: about weapons/)
          return true
        },
      )
      assert.equal(up.length, 0)
      const [asked] = litellm.asked
      assert.equal(litellm.asked.length, 1)
      assert.equal(asked?.path, '/beta/litellm_basic_guardrail_api')
      assert.equal(asked.headers['x-api-key'], 'tok-1')
      assert.deepEqual(asked.body.texts, [`hello by ${version}`])
      assert.equal(asked.body.input_type, 'request')
    })

  it('has its texts put in the places of those that it was shown', async () => {
    litellm.say = () => ({
      action: 'GUARDRAIL_INTERVENED',
      texts: ['be kind', 'my [NAME]'],
    })
    const answer = await post('litellm', 'my Jane')
    await answer.body.dump()
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(litellm.asked[0]?.body.texts, ['be kind', 'my Jane'])
    assert.match(up[0]?.body ?? '', /"text":"my \[NAME\]"/)
    assert.equal(up[0]?.body.includes('Jane'), false)
  })

  it('fails closed where a guardrail is broken, or gives what fits nowhere', async () => {
    for (const said of [
      500,
      { action: 'PERHAPS' },
      'no',
      { action: 'GUARDRAIL_INTERVENED', texts: [] },
    ]) {
      litellm.say = () => said
      const answer = await post('litellm', `hello ${JSON.stringify(said)}`)
      await answer.body.dump()
      assert.equal(answer.statusCode, 503, JSON.stringify(said))
      // So that its breaker stays closed.
      litellm.say = () => ({ action: 'NONE' })
      await (await post('litellm', 'hello')).body.dump()
    }
    assert.equal(up.length, 4)
  })

  it('is asked as Portkey asks', async () => {
    portkey.say = () => ({ verdict: true })
    await (await post('portkey', 'hello')).body.dump()
    const [asked] = portkey.asked
    assert.equal(asked?.path, '/hook')
    assert.equal(asked.body.request?.json.model, 'gpt-4o')
    assert.match(asked.body.request.text, /hello/)
    assert.equal(asked.body.eventType, 'beforeRequestHook')
    portkey.say = () => ({ verdict: false, data: { reason: 'too long' } })
    const answer = await post('portkey', 'hello again')
    assert.equal(answer.statusCode, 403)
    assert.match(await answer.body.text(), /policy portkey: too long/)
    portkey.say = () => ({
      verdict: true,
      transformedData: { request: { json: { a: 1 } } },
    })
    await (await post('portkey', 'and again')).body.dump()
    assert.equal(up.at(-1)?.body, '{"a":1}')
    assert.equal(up.length, 2)
  })

  const PASS: ProcSay = ({ request_headers: head }) =>
    head === undefined ? { request_body: {} } : { request_headers: {} }

  it('is asked as Envoy asks', async () => {
    proc.say = PASS
    const answer = await post('proc', 'hello', { authorization: 'Bearer x', 'x-a': 'b' })
    await answer.body.dump()
    assert.equal(answer.statusCode, 200)
    const [head, body] = proc.requests as [ProcRequest, ProcRequest]
    const fields = headersOf(head)
    assert.equal(fields[':method'], 'POST')
    assert.equal(fields[':path'], '/proc/v1/chat/completions')
    assert.equal(fields[':authority'], NAME)
    assert.equal(fields['x-a'], 'b')
    assert.equal('authorization' in fields, false)
    assert.notEqual(head.request_headers?.end_of_stream, true)
    assert.equal(body.request_body?.body.toString(), up[0]?.body)
    assert.equal(body.request_body?.end_of_stream, true)
  })

  it('changes what goes up as Envoy would', async () => {
    const value = (text: string) => ({ raw_value: Buffer.from(text) })
    proc.say = ({ request_headers: head }) =>
      head === undefined
        ? {
            request_body: {
              response: { body_mutation: { body: Buffer.from('{"b":2}') } },
            },
          }
        : {
            request_headers: {
              response: {
                header_mutation: {
                  set_headers: [
                    { header: { key: 'x-set', ...value('new') } },
                    { header: { key: 'x-a', ...value('2') }, append: { value: true } },
                    { header: { key: ':path', ...value('/evil') } },
                  ],
                  remove_headers: ['x-old'],
                },
              },
            },
          }
    await (await post('proc', 'hello', { 'x-old': '1', 'x-a': '1' })).body.dump()
    const [{ headers, body } = { headers: {}, body: '' }] = up
    assert.equal(body, '{"b":2}')
    assert.equal(headers['x-set'], 'new')
    assert.equal(headers['x-a'], '1, 2')
    assert.equal('x-old' in headers, false)
  })

  it('answers in place of the provider', async () => {
    proc.say = () => ({
      immediate_response: {
        status: { code: 451 },
        body: Buffer.from('not here'),
        details: 'law_451',
      },
    })
    const answer = await post('proc', 'hello at once')
    assert.equal(answer.statusCode, 451)
    assert.match(await answer.body.text(), /policy proc: not here/)
    assert.equal(up.length, 0)
    const rows = await endedExchanges(house.yori, 1)
    assert.match(String(rows.at(-1)?.['policy_message']), /law_451/)
  })

  it('passes by a clean end, and fails closed by any other', async () => {
    proc.say = () => 'end'
    const first = await post('proc', 'hello')
    await first.body.dump()
    assert.equal(first.statusCode, 200)
    proc.say = () => 13
    const second = await post('proc', 'hello again')
    assert.equal(second.statusCode, 503)
    assert.match(await second.body.text(), /refused to look: grpc-status 13/)
    await proc[Symbol.asyncDispose]()
    const third = await post('proc', 'and again')
    assert.equal(third.statusCode, 503)
    assert.match(await third.body.text(), /cannot be reached|went away/)
    assert.equal(up.length, 1)
  })
})
