/**
 * The gateway's doors: every library by its base URL through `/llm/NAME` hears what it hears
 * of its provider directly; what goes on is what came; and who may not, or asks wrongly, is
 * told in the library's own shape. One YORI and one origin for all.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { request } from 'undici'
import { CLIENT_KEY, DOOR_LIBRARIES } from '../../support/door-libraries.js'
import type { DoorLibrary } from '../../support/door-libraries.js'
import { startLlmOrigin } from '../../support/llm-origin.js'
import type { LlmOrigin } from '../../support/llm-origin.js'
import { collect } from '../../support/streams.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const HOSTS = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  gemini: 'generativelanguage.googleapis.com',
  mistral: 'api.mistral.ai',
  cohere: 'api.cohere.com',
  groq: 'api.groq.com',
  deepseek: 'api.deepseek.com',
  xai: 'api.x.ai',
  together: 'api.together.xyz',
  openrouter: 'openrouter.ai',
  ollama: 'ollama.com',
} as const

const messages = [{ role: 'user' as const, content: 'What is the time?' }]
const key = CLIENT_KEY
const JSON_TYPE = { 'content-type': 'application/json' }

describe('the doors of the gateway', () => {
  const ca = new TestCa()
  let there: LlmOrigin
  let direct: LlmOrigin
  let yori: Yori

  before(async () => {
    there = await startLlmOrigin({ ca, names: Object.values(HOSTS) })
    direct = await startLlmOrigin()
    yori = await Yori.start({
      origins: Object.fromEntries(Object.values(HOSTS).map((host) => [host, there])),
      trust: [ca],
      config: {
        // None of them is an endpoint: they answer all the same.
        endpoints: [{ domain: 'elsewhere.example' }],
        gateway: {
          providers: {
            mine: {
              base_url: `http://127.0.0.1:${direct.port}/in/front/`,
              api: 'openai',
            },
            keyed: {
              base_url: `http://localhost:${direct.port}`,
              api: 'anthropic',
              key: 'the-key-of-the-operator',
              headers: { 'X-Team': 'blue' },
            },
            inward: { base_url: 'http://router.example' },
          },
          models: [
            { match: 'fast', provider: 'groq', model: 'llama-3.1-8b-instant' },
            { match: 'house/*', provider: 'mine', model: 'local-*' },
            { match: 'lost', provider: 'nowhere' },
          ],
        },
        upstream: { dns: ['127.0.0.1:9'] },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await direct[Symbol.asyncDispose]()
  })

  /** What has no model in its body, or another path than `/v1/`, cannot be led by that. */
  const doors = [
    {
      what: '/llm/NAME',
      leads: (one: DoorLibrary) => one.door in HOSTS,
      base: ({ door, prefix = '' }: DoorLibrary) => `/llm/${door}${prefix}`,
    },
    {
      what: '/NAME',
      leads: ({ door }: DoorLibrary) => door !== 'ollama',
      base: ({ door, prefix }: DoorLibrary) =>
        `/${door}${prefix === undefined ? '' : '/v1'}`,
    },
    {
      what: 'a model',
      leads: ({ namesModel }: DoorLibrary) => namesModel,
      base: ({ prefix }: DoorLibrary) => (prefix === undefined ? '' : '/v1'),
    },
  ] as const

  for (const { what, leads, base } of doors)
    for (const library of DOOR_LIBRARIES.filter(leads))
      it(`${library.name} hears of ${library.door} by ${what} what it hears directly`, async () => {
        const { door, hear } = library
        const host = HOSTS[door as keyof typeof HOSTS]
        const isByModel = what === 'a model'
        const before = there.arrived.length
        const earlier = (await yori.rows('exchanges')).length
        const heard = await hear({
          url: yori.url + base(library),
          model: isByModel ? `${door}/` : '',
          isByModel,
        })
        const url = `http://127.0.0.1:${direct.port}${library.prefix ?? ''}`
        const asked = direct.arrived.length
        const expected = await hear({ url, model: '', isByModel })
        assert.deepEqual(bare(heard), bare(expected))
        const mine = there.arrived.slice(before)
        // Each request went up as it goes up directly, whatever its door.
        assert.deepEqual(
          mine.map(({ method, body }) => [method, known(body)]),
          direct.arrived.slice(asked).map(({ method, body }) => [method, known(body)]),
        )
        for (const { headers } of mine) assert.equal(headers.host, host)
        const own = (await yori.rows('exchanges')).slice(earlier)
        assert.equal(own.length, mine.length)
        assert.ok(
          own.every(
            (row) =>
              row['endpoint_domain'] === host &&
              row['provider'] === door &&
              row['response_status'] === 200,
          ),
        )
        const read = own.filter((row) => Number(row['prompt_tokens']) > 0)
        assert.ok(read.length >= 3, `${read.length} with tokens`)
      })

  it('sends on what came: path, query, fields and bytes', async () => {
    const before = direct.arrived.length
    const body = Buffer.from('{"model":"m",  "messages":[ ]}\n')
    const path = '/v1/a%2Fb//c;d=e?x=%2e%2e&y=/../z&y='
    const { statusCode } = await request(`${yori.url}/llm/mine${path}`, {
      method: 'PUT',
      headers: { 'X-Odd': 'Kept', authorization: 'Bearer theirs', 'x-yori-tags': 'a:b' },
      body,
    })
    assert.equal(statusCode, 200)
    const [seen] = direct.arrived.slice(before)
    assert.equal(seen?.target, `/in/front${path}`)
    assert.equal(seen.method, 'PUT')
    assert.deepEqual(seen.body, body)
    assert.equal(seen.headers.authorization, 'Bearer theirs')
    assert.ok(seen.rawHeaders.includes('X-Odd'))
    assert.equal(seen.headers['x-yori-tags'], undefined)
    assert.equal(seen.headers.host, `127.0.0.1:${direct.port}`)
  })

  it("sends the operator's key where a client has none, and never over its own", async () => {
    const ask = async (headers: Record<string, string>): Promise<void> => {
      await request(`${yori.url}/llm/keyed/v1/models?key=`, { headers })
    }
    const before = direct.arrived.length
    await ask({ 'x-team': 'red' })
    await ask({ 'x-api-key': 'theirs' })
    const [first, second] = direct.arrived.slice(before)
    assert.equal(first?.headers['x-api-key'], 'the-key-of-the-operator')
    assert.equal(first.headers['x-team'], 'blue')
    assert.equal(second?.headers['x-api-key'], 'theirs')
  })

  for (const [model, path, host, target, named] of [
    [
      'openrouter/meta/llama-3',
      '/v1/chat/completions',
      'openrouter.ai',
      '/api/v1/chat/completions',
      'meta/llama-3',
    ],
    [
      'groq/qwen/qwen3-32b',
      '/v1/chat/completions',
      'api.groq.com',
      '/openai/v1/chat/completions',
      'qwen/qwen3-32b',
    ],
    [
      'gemini/gemini-2.5-flash',
      '/v1/chat/completions',
      HOSTS.gemini,
      '/v1beta/openai/chat/completions',
      'gemini-2.5-flash',
    ],
    [
      'fast',
      '/v1/embeddings?x=1',
      'api.groq.com',
      '/openai/v1/embeddings?x=1',
      'llama-3.1-8b-instant',
    ],
    [
      'anthropic/claude-x',
      '/v1/messages',
      'api.anthropic.com',
      '/v1/messages',
      'claude-x',
    ],
  ] as const)
    it(`leads ${path} for ${model} to ${host}`, async () => {
      const before = there.arrived.length
      const body = `{"messages": [ {"role":"user","content":"hi é"}], "max_tokens":5, "model":"${model}" ,"n":1}`
      const { body: answer } = await request(yori.url + path, {
        method: 'POST',
        headers: { ...JSON_TYPE, authorization: 'Bearer k', 'x-api-key': 'k' },
        body,
      })
      await answer.dump()
      const [seen] = there.arrived.slice(before)
      assert.equal(seen?.headers.host, host)
      assert.equal(seen.target, target)
      assert.equal(seen.body.toString(), body.replace(model, named))
      const row = (await yori.rows('exchanges')).at(-1)
      assert.equal(row?.['model'], named)
    })

  it('leads a body without a length, in pieces, too', async () => {
    const before = direct.arrived.length
    const pieces = ['{"mod', 'el":"house/9b","messages":', '[]}']
    const { statusCode, body } = await request(`${yori.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: 'Bearer k' },
      body: Readable.from(pieces),
    })
    await body.dump()
    const [seen] = direct.arrived.slice(before)
    assert.equal(seen?.target, '/in/front/v1/chat/completions')
    assert.equal(seen.body.toString(), '{"model":"local-9b","messages":[]}')
    // The origin itself will not have it without a message.
    assert.equal(statusCode, 400)
  })

  for (const [what, body, status, says] of [
    [
      'an API that is not spoken',
      { model: 'anthropic/claude-x' },
      400,
      /anthropic does not speak the API of/,
    ],
    [
      'a provider that is not there',
      { model: 'lost' },
      502,
      /no provider of that name: nowhere/,
    ],
    [
      'one that stands nowhere',
      { model: 'vllm/x' },
      503,
      /gateway\.providers\.vllm\.base_url/,
    ],
  ] as const)
    it(`answers ${what} with ${status}`, async () => {
      const before = there.arrived.length
      const answer = await request(`${yori.url}/v1/chat/completions`, {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify(body),
      })
      assert.equal(answer.statusCode, status)
      const { error } = (await answer.body.json()) as { error: { message: string } }
      assert.match(error.message, says)
      assert.equal(there.arrived.length, before)
    })

  it('answers a body that names two models with 400', async () => {
    const { statusCode } = await request(`${yori.url}/v1/chat/completions`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"model":"openrouter/a","model":"gpt-4o"}',
    })
    assert.equal(statusCode, 400)
  })

  for (const [path, host, target] of [
    ['/groq/v1/models', 'api.groq.com', '/openai/v1/models'],
    ['/openrouter/v1/models?a=b', 'openrouter.ai', '/api/v1/models?a=b'],
    ['/anthropic/v1/models', 'api.anthropic.com', '/v1/models'],
    ['/cohere/v1/rerank', 'api.cohere.com', '/v1/rerank'],
    ['/cohere/v1/models', 'api.cohere.com', '/compatibility/v1/models'],
    ['/gemini/v1beta/models', HOSTS.gemini, '/v1beta/models'],
  ] as const)
    it(`takes ${path} for ${target} of ${host}`, async () => {
      const before = there.arrived.length
      await (
        await request(yori.url + path, { headers: { 'x-api-key': 'k' } })
      ).body.dump()
      const [seen] = there.arrived.slice(before)
      assert.deepEqual([seen?.headers.host, seen?.target], [host, target])
    })

  for (const [what, path, status, code] of [
    ['a short name that nobody knows', '/nobody/v1/models', 404, 'YORI_NOT_FOUND'],
    ['a name that nobody knows', '/llm/nobody/v1/x', 502, 'YORI_PROVIDER_UNKNOWN'],
    ['no name', '/llm//v1/x', 502, 'YORI_PROVIDER_UNKNOWN'],
    ['azure', '/llm/azure/openai/x', 503, 'YORI_PROVIDER_NOT_CONFIGURED'],
    ['vllm', '/llm/vllm/v1/x', 503, 'YORI_PROVIDER_NOT_CONFIGURED'],
    ['lmstudio', '/llm/lmstudio/v1/x', 503, 'YORI_PROVIDER_NOT_CONFIGURED'],
    ['bedrock', '/llm/bedrock/model/x', 503, 'ServiceUnavailableException'],
    ['dots', '/llm/openai/v1/../x', 400, 'YORI_NOT_FORWARDED'],
    ['hidden dots', '/llm/openai/v1/%2e%2E%2fx', 400, 'YORI_NOT_FORWARDED'],
    ['a host that does not resolve', '/llm/inward/v1/x', 502, 'YORI_UPSTREAM_UNRESOLVED'],
  ] as const)
    it(`answers ${what} with ${status}`, async () => {
      const before = [there.arrived.length, direct.arrived.length]
      const answer = await raw(yori.port, [`GET ${path} HTTP/1.1`, 'Host: localhost'])
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.ok(answer.includes(code), answer)
      assert.deepEqual([there.arrived.length, direct.arrived.length], before)
    })

  for (const [what, fields, status] of [
    ['over 100 MiB', ['Content-Length: 104857601'], 400],
    ['below zero', ['Content-Length: -1'], 400],
    ['no number', ['Content-Length: many'], 400],
    ['two numbers', ['Content-Length: 1', 'Content-Length: 2'], 400],
  ] as const)
    it(`answers a length that is ${what} with ${status}`, async () => {
      const head = ['POST /llm/openai/v1/chat/completions HTTP/1.1', 'Host: localhost']
      const answer = await raw(yori.port, [...head, ...fields])
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    })

  it('tells who signed for AWS why that cannot go on', async () => {
    const answer = await raw(yori.port, [
      'POST /llm/bedrock/model/m/converse HTTP/1.1',
      'Host: localhost',
      'Authorization: AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request, SignedHeaders=host, Signature=0',
      'Content-Length: 0',
    ])
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.match(answer, /"message":"[^"]*signed for our own host/)
  })

  it("raises a library's own error where its provider is not known", async () => {
    const openai = new OpenAI({ apiKey: key, baseURL: `${yori.url}/llm/nobody/v1` })
    await assert.rejects(
      openai.chat.completions.create({ model: 'm', messages }),
      (error) => error instanceof OpenAI.APIError && error.status === 502,
    )
    const anthropic = new Anthropic({ apiKey: key, baseURL: `${yori.url}/llm/nobody` })
    await assert.rejects(
      anthropic.messages.create({ model: 'm', max_tokens: 1, messages }),
      (error) => error instanceof Anthropic.APIError && error.type === 'api_error',
    )
  })

  describe('where a policy blocks', () => {
    before(() =>
      yori.reload({
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: {
          files: {
            model_allowlist: { action: 'block', params: { models: ['gpt-4o-mini'] } },
          },
        },
      }),
    )

    it("blocks in the library's shape, and nothing goes up", async () => {
      const before = there.arrived.length
      const openai = new OpenAI({
        apiKey: key,
        baseURL: `${yori.url}/llm/groq/openai/v1`,
      })
      await assert.rejects(
        openai.chat.completions.create({ model: 'gpt-4o', messages }),
        (error) => error instanceof OpenAI.PermissionDeniedError,
      )
      const anthropic = new Anthropic({
        apiKey: key,
        baseURL: `${yori.url}/llm/anthropic`,
      })
      await assert.rejects(
        anthropic.messages.create({ model: 'claude-x', max_tokens: 1, messages }),
        (error) => error instanceof Anthropic.PermissionDeniedError,
      )
      assert.equal(there.arrived.length, before)
      const rows = (await yori.rows('exchanges')).slice(-2)
      assert.deepEqual(
        rows.map((row) => [row['event_type'], row['policy_name'], row['provider']]),
        [
          ['block', 'model_allowlist', 'groq'],
          ['block', 'model_allowlist', 'anthropic'],
        ],
      )
    })

    it('lets pass what a policy allows', async () => {
      const openai = new OpenAI({
        apiKey: key,
        baseURL: `${yori.url}/llm/groq/openai/v1`,
      })
      const said = await openai.chat.completions.create({
        model: 'gpt-4o-mini',
        messages,
      })
      assert.ok((said.choices[0]?.message.content ?? '').length > 0)
    })
  })

  it('is no door for pages of other sites', async () => {
    const { statusCode } = await request(`${yori.url}/llm/mine/v1/models`, {
      headers: { origin: 'https://elsewhere.example' },
    })
    assert.equal(statusCode, 403)
  })
})

/** Without what a library adds of its own, such as the response that it hangs on. */
function bare(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** A form's boundary is random. */
function known(body: Buffer): string {
  const text = body.toString('latin1')
  const [, boundary] = /^--(\S+)\r\n/.exec(text) ?? []
  return boundary === undefined ? text : text.replaceAll(boundary, 'BOUNDARY')
}

async function raw(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.end(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  return (await collect(socket)).toString('latin1')
}
