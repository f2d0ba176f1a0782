/**
 * Answers that are given again to who asks the same again, by the vendors' own libraries: what the
 * client gets is what came the first time, the provider hears of it once, and nothing is paid twice.
 * Never across clients, never where something had gone wrong, and never past a policy. In observe
 * and in enforce; in the clear and by HTTP/2.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { Client, request } from 'undici'
import { createKey } from '../../../src/household/keys.js'
import { FickleOrigin } from '../../support/fickle-origin.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const KEY = 'sk-client-0123456789abcdef'
const H2_NAME = 'one.h2.test'
const POLICY = `package yori.programs

deny contains "not by this program" if input.device.user_agent == "unwanted/1.0"
`
let turn = 0
/** What nobody has asked before. */
const fresh = () => [
  { role: 'user' as const, content: `What is the time in zone ${turn++}?` },
]

describe('the cache of answers', () => {
  let folder: TempFolder
  let yori: Yori
  let plain: FickleOrigin
  let overH2: FickleOrigin
  /** Answers with what it is told. */
  let told: Server
  let answer: { status?: number; fields?: Record<string, string>; body: string }
  let askedOfTold = 0

  before(async () => {
    folder = await tempFolder()
    await writeFile(folder.file('programs.rego'), POLICY)
    const ca = new TestCa()
    plain = await FickleOrigin.start()
    overH2 = await FickleOrigin.start({
      certificate: ca.issue({ names: [H2_NAME] }),
      h2: true,
    })
    told = createServer((asked, response) => {
      askedOfTold++
      const { status = 200, fields, body } = answer
      asked.resume().on('end', () => {
        response.writeHead(status, { 'content-type': 'application/json', ...fields })
        response.end(body)
      })
    }).listen(0, '127.0.0.1')
    await once(told, 'listening')
    const entry = { name: H2_NAME, hosts: [H2_NAME], upstream: 'h2', speaks: 'openai' }
    await writeFile(
      folder.file('catalogue.yaml'),
      JSON.stringify({ providers: [{ ...entry, route: 'intercept' }] }),
    )
    yori = await Yori.start({
      trust: [ca],
      origins: { [H2_NAME]: overH2 },
      config: {
        catalogue: { file: folder.file('catalogue.yaml') },
        access: { clients: ['127.0.0.0/8'] },
        gateway: gateway(true),
      },
    })
  })

  function gateway(enabled: boolean): object {
    const base_url = `http://${plain.address}`
    const { port } = told.address() as AddressInfo
    return {
      cache: { enabled },
      providers: {
        mine: { base_url },
        ours: { base_url, key: 'key-of-the-house' },
        claude: { base_url, api: 'anthropic' },
        pooled: { pool: [{ base_url }] },
        quick: { base_url: `https://${H2_NAME}` },
        told: { base_url: `http://127.0.0.1:${port}` },
      },
    }
  }

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const origin of [plain, overH2]) await origin[Symbol.asyncDispose]()
    told.closeAllConnections()
    told.close()
    await folder[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    for (const origin of [plain, overH2]) origin.arrived.length = 0
    askedOfTold = 0
  })

  const openai = (door: string, apiKey = KEY): OpenAI =>
    new OpenAI({ apiKey, baseURL: `${yori.url}/llm/${door}/v1`, maxRetries: 0 })

  async function chat(
    door: string,
    messages: ReturnType<typeof fresh>,
    headers: Record<string, string> = {},
    apiKey = KEY,
  ): Promise<{ text: string; head: Headers }> {
    const { data, response } = await openai(door, apiKey)
      .chat.completions.create({ model: 'gpt-4o', temperature: 0, messages }, { headers })
      .withResponse()
    return { text: JSON.stringify(data), head: response.headers }
  }

  async function streamed(
    door: string,
    messages: ReturnType<typeof fresh>,
  ): Promise<{ chunks: string[]; head: Headers }> {
    const { data, response } = await openai(door)
      .chat.completions.create({
        ...{ model: 'gpt-4o', temperature: 0, messages, stream: true as const },
        stream_options: { include_usage: true },
      })
      .withResponse()
    const chunks: string[] = []
    for await (const chunk of data) chunks.push(JSON.stringify(chunk))
    return { chunks, head: response.headers }
  }

  async function newest(count: number): Promise<Row[]> {
    return (await yori.rows('exchanges')).slice(-count)
  }

  const came = (): number => plain.arrived.length + overH2.arrived.length

  for (const mode of ['observe', 'enforce'] as const)
    describe(`in ${mode}`, () => {
      before(() =>
        yori.reload({
          mode,
          enforcement: { enabled: mode === 'enforce', consent_accepted: true },
          policies: {
            ...(mode === 'enforce' ? { directory: folder.path } : {}),
            files: mode === 'enforce' ? { programs: { action: 'block' } } : {},
          },
        }),
      )

      for (const door of ['mine', 'pooled', 'quick']) {
        it(`answers again what came whole, at ${door}, and pays once`, async () => {
          const messages = fresh()
          const first = await chat(door, messages)
          const second = await chat(door, messages)
          assert.equal(second.text, first.text)
          assert.equal(came(), 1)
          assert.equal(first.head.get('x-yori-cache'), null)
          assert.equal(second.head.get('x-yori-cache'), 'hit')
          assert.match(second.head.get('age') ?? '', /^\d+$/)
          const [paid, free] = await newest(2)
          assert.equal(paid?.['cache'], null)
          assert.ok(Number(paid['prompt_tokens']) > 0)
          assert.equal(free?.['cache'], 'hit')
          for (const column of ['prompt_tokens', 'response_tokens', 'cost_micro_usd'])
            assert.equal(free[column], null, column)
          assert.equal(free['model'], 'gpt-4o')
          assert.equal(free['finish_reason'], paid['finish_reason'])
          assert.equal(free['policy_decision'], 'allow')
        })

        it(`streams again what was streamed, at ${door}`, async () => {
          const messages = fresh()
          const first = await streamed(door, messages)
          const second = await streamed(door, messages)
          assert.ok(first.chunks.length > 2)
          assert.deepEqual(second.chunks, first.chunks)
          assert.equal(second.head.get('x-yori-cache'), 'hit')
          assert.equal(came(), 1)
          const [, free] = await newest(2)
          assert.equal(free?.['stream'], 1)
          assert.equal(free['response_tokens'], null)
          // The whole answer to the same words is another request.
          assert.equal((await chat(door, messages)).head.get('x-yori-cache'), null)
        })
      }

      it('serves the library of Anthropic, whole and streamed', async () => {
        const client = new Anthropic({
          apiKey: KEY,
          baseURL: `${yori.url}/llm/claude`,
          maxRetries: 0,
        })
        const ask = {
          model: 'claude-x',
          max_tokens: 99,
          temperature: 0,
          messages: fresh(),
        }
        const whole = await client.messages.create(ask)
        assert.deepEqual(await client.messages.create(ask), whole)
        const said = async (): Promise<unknown> =>
          client.messages.stream(ask).finalMessage()
        assert.deepEqual(await said(), await said())
        assert.equal(came(), 2)
      })

      it('asks again where something is left to chance', async () => {
        const messages = fresh()
        const ask = { model: 'gpt-4o', messages }
        for (let i = 0; i < 2; i++) await openai('mine').chat.completions.create(ask)
        for (let i = 0; i < 2; i++)
          await openai('mine').chat.completions.create({ ...ask, temperature: 0.1 })
        assert.equal(came(), 4)
      })

      it('gives nothing to another key, nor to another device', async () => {
        const messages = fresh()
        await chat('mine', messages)
        const other = await chat('mine', messages, {}, 'sk-of-somebody-else')
        assert.equal(other.head.get('x-yori-cache'), null)
        const body = JSON.stringify({ model: 'gpt-4o', temperature: 0, messages })
        const caches: unknown[] = []
        for (const localAddress of ['127.0.0.1', '127.0.0.2', '127.0.0.2']) {
          const client = new Client(yori.url, { localAddress })
          const answered = await client.request({
            method: 'POST',
            path: '/llm/mine/v1/chat/completions',
            headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
            body,
          })
          await answered.body.dump()
          caches.push(answered.headers['x-yori-cache'])
          await client.close()
        }
        assert.deepEqual(caches, [undefined, undefined, 'hit'])
        assert.equal(came(), 4)
      })

      it('minds what the client says of it', async () => {
        const messages = fresh()
        const by = async (control: string): Promise<string | null> =>
          (await chat('mine', messages, { 'cache-control': control })).head.get(
            'x-yori-cache',
          )
        assert.equal(await by('no-store'), null)
        assert.equal(await by('max-age=60'), null)
        assert.equal(await by('max-age=60'), 'hit')
        assert.equal(await by('no-store'), null)
        assert.equal(await by('no-cache'), null)
        assert.equal(came(), 4)
      })
    })

  describe('with a policy that blocks', () => {
    before(() =>
      yori.reload({
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { directory: folder.path, files: { programs: { action: 'block' } } },
      }),
    )

    it('is past no policy: what is blocked stays blocked', async () => {
      const messages = fresh()
      await chat('mine', messages, { 'user-agent': 'wanted/1.0' })
      await assert.rejects(
        chat('mine', messages, { 'user-agent': 'unwanted/1.0' }),
        (error) => error instanceof OpenAI.PermissionDeniedError,
      )
      const again = await chat('mine', messages, { 'user-agent': 'wanted/2.0' })
      assert.equal(again.head.get('x-yori-cache'), 'hit')
      assert.equal(came(), 1)
      const [, blocked] = await newest(3)
      assert.equal(blocked?.['event_type'], 'block')
      assert.equal(blocked['cache'], null)
    })
  })

  it('gives nothing to another key of ours', async () => {
    const keys: string[] = []
    for (const name of ['one', 'two']) {
      const made = await yori.appliance.policyState.change((database) =>
        createKey(database, { name, models: [] }, { by: 'test', nowMs: 0 }),
      )
      keys.push(made.key)
    }
    const messages = fresh()
    const caches: unknown[] = []
    for (const key of [...keys, ...keys])
      caches.push((await chat('ours', messages, {}, key)).head.get('x-yori-cache'))
    assert.deepEqual(caches, [null, null, 'hit', 'hit'])
  })

  const GOOD = {
    id: 'a',
    object: 'chat.completion',
    model: 'gpt-4o',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' },
    ],
  }
  const EVENTS = { 'content-type': 'text/event-stream' }
  const delta = 'data: {"id":"a","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
  async function askTwice(): Promise<unknown[]> {
    const body = JSON.stringify({ model: 'm', temperature: 0, messages: fresh() })
    const caches: unknown[] = []
    for (let i = 0; i < 2; i++) {
      const answered = await request(`${yori.url}/llm/told/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      await answered.body.dump()
      caches.push(answered.headers['x-yori-cache'])
    }
    return caches
  }

  for (const [what, one] of [
    ['another status than 200', { status: 203, body: JSON.stringify(GOOD) }],
    ['a refusal', { status: 400, body: '{"error":{"message":"no"}}' }],
    ['no end of its own', { fields: EVENTS, body: delta }],
    [
      'an error inside the stream',
      {
        fields: EVENTS,
        body: `${delta}data: {"error":{"message":"overloaded","type":"server_error"}}\n\ndata: [DONE]\n\n`,
      },
    ],
    ['an error with 200', { body: '{"error":{"message":"no","type":"server_error"}}' }],
    ['no JSON', { body: '{"id":"a","choices":[' }],
    [
      'no-store',
      { fields: { 'cache-control': 'private, no-store' }, body: JSON.stringify(GOOD) },
    ],
  ] as const)
    it(`keeps none that has ${what}`, async () => {
      answer = one
      assert.deepEqual(await askTwice(), [undefined, undefined])
      assert.equal(askedOfTold, 2)
    })

  it('keeps nothing in the head that was for the first alone', async () => {
    const of = { 'set-cookie': 'a=b', 'x-ratelimit-remaining': '1', 'x-other': 'c' }
    answer = { fields: of, body: JSON.stringify(GOOD) }
    const ask = async (body: string) => {
      const answered = await request(`${yori.url}/llm/told/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      await answered.body.dump()
      return answered.headers
    }
    const body = JSON.stringify({ model: 'm', temperature: 0, messages: fresh() })
    const first = await ask(body)
    const second = await ask(body)
    assert.equal(first['set-cookie'], 'a=b')
    assert.equal(second['x-yori-cache'], 'hit')
    assert.deepEqual(
      Object.keys(of).map((name) => second[name]),
      [undefined, undefined, 'c'],
    )
  })

  it('is off unless it is asked for, and empty after a reload', async () => {
    const messages = fresh()
    await chat('mine', messages)
    await yori.reload({})
    assert.equal((await chat('mine', messages)).head.get('x-yori-cache'), null)
    assert.equal((await chat('mine', messages)).head.get('x-yori-cache'), 'hit')
    await yori.reload({ gateway: gateway(false) })
    assert.equal((await chat('mine', messages)).head.get('x-yori-cache'), null)
    assert.equal((await chat('mine', messages)).head.get('x-yori-cache'), null)
  })
})
