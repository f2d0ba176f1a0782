/**
 * Another provider in the place of the one that was asked: who is, and when, with which model and
 * at what price in the row; and that nothing of the client's credential goes there, by every byte
 * that the second one received. By the vendors' own libraries, in observe and in enforce.
 */
import assert from 'node:assert/strict'
import { connect as connectTo, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { once } from 'node:events'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { request } from 'undici'
import { FickleOrigin } from '../../support/fickle-origin.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const CLIENT_KEY = 'sk-client-0123456789abcdef'
const HOUSE_KEY = 'key-of-the-house'
const messages = [{ role: 'user' as const, content: 'What is the time?' }]
const ask = { model: 'gpt-4o', messages }

/** Passes bytes on, and keeps those that came. */
class Wiretap implements AsyncDisposable {
  readonly heard: Buffer[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(to: number) {
    this.#server = createServer((socket) => {
      const there = new FromHere(to, socket, this.heard)
      for (const one of [socket, there.socket]) this.#sockets.add(one)
    })
  }

  static async before(origin: FickleOrigin): Promise<Wiretap> {
    const tap = new Wiretap(origin.port)
    tap.#server.listen(0, '127.0.0.1')
    await once(tap.#server, 'listening')
    return tap
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

class FromHere {
  readonly socket: Socket

  constructor(port: number, client: Socket, heard: Buffer[]) {
    this.socket = connectTo(port, '127.0.0.1')
    client.on('data', (piece: Buffer) => heard.push(piece))
    client.pipe(this.socket).pipe(client)
    for (const one of [client, this.socket]) one.on('error', () => undefined)
  }
}

describe('a fallback', () => {
  let first: FickleOrigin
  let second: FickleOrigin
  let tap: Wiretap
  let yori: Yori

  before(async () => {
    first = await FickleOrigin.start()
    second = await FickleOrigin.start()
    tap = await Wiretap.before(second)
    const at = (origin: FickleOrigin, path = ''): string =>
      `http://${origin.address}${path}`
    yori = await Yori.start({
      config: {
        access: { clients: ['127.0.0.0/8'] },
        gateway: {
          pools: { health_interval: 0, eject_after: 1000, breaker_requests: 10_000 },
          providers: {
            main: {
              base_url: at(first),
              fallback: [
                { provider: 'claude' },
                { provider: 'xai', match: 'gpt-4*', model: 'grok-4' },
                { provider: 'xai' },
              ],
            },
            // The catalogue's prices are by its names.
            xai: { base_url: tap.url, key: HOUSE_KEY },
            claude: { api: 'anthropic', base_url: at(second, '/claude') },
            keyless: { base_url: at(first), fallback: [{ provider: 'bare' }] },
            bare: { api: 'ollama', base_url: tap.url },
            home: { api: 'ollama', base_url: tap.url, key: HOUSE_KEY },
            thrifty: {
              base_url: at(first),
              fallback: [
                { provider: 'home', match: 'small-*', model: '*', prefer: true },
              ],
            },
            hasty: {
              base_url: at(first),
              fallback: [{ provider: 'home', slower_than: 0.2 }],
            },
            second: { base_url: `${tap.url}/v1`, key: HOUSE_KEY },
            versioned: { base_url: at(first, '/v1'), fallback: [{ provider: 'second' }] },
            claudes: {
              api: 'anthropic',
              base_url: at(first),
              fallback: [{ provider: 'home' }, { provider: 'other-claude' }],
            },
            'other-claude': { api: 'anthropic', base_url: tap.url, key: HOUSE_KEY },
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const one of [tap, first, second]) await one[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    tap.heard.length = 0
    for (const origin of [first, second]) origin.arrived.length = 0
  })
  afterEach(async () => {
    for (const origin of [first, second]) await origin.turn('well')
  })

  const openai = (door: string, path = '/v1'): OpenAI =>
    new OpenAI({
      apiKey: CLIENT_KEY,
      organization: 'org-client',
      project: 'proj-client',
      baseURL: `${yori.url}/llm/${door}${path}`,
      defaultQuery: { key: CLIENT_KEY },
      defaultHeaders: {
        cookie: `session=${CLIENT_KEY}`,
        'x-api-key': CLIENT_KEY,
        'x-goog-api-key': CLIENT_KEY,
        'api-key': CLIENT_KEY,
        'x-custom': `v=${CLIENT_KEY}`,
        'x-other-secret': 'second-secret-of-the-client',
        referer: 'http://client.example/',
      },
      maxRetries: 0,
    })

  function nothingLeaked(): string {
    const text = Buffer.concat(tap.heard).toString('latin1')
    assert.notEqual(text, '')
    for (const secret of [
      CLIENT_KEY,
      Buffer.from(CLIENT_KEY).toString('base64'),
      encodeURIComponent(CLIENT_KEY),
      'second-secret',
      'org-client',
      'proj-client',
      'client.example',
    ])
      assert.ok(!text.includes(secret), `${secret} in ${text}`)
    return text
  }

  async function lastRow(): Promise<Row> {
    const row = (await yori.rows('exchanges')).at(-1)
    assert.ok(row)
    return row
  }

  for (const mode of ['observe', 'enforce'] as const)
    describe(`in ${mode}`, () => {
      before(() =>
        yori.reload({
          mode,
          enforcement: {
            enabled: mode === 'enforce',
            consent_accepted: mode === 'enforce',
          },
        }),
      )

      for (const [what, temper] of [
        ['refuses', 'refuses'],
        ['answers 503', { status: 503 }],
        ['answers 429', { status: 429 }],
        ['answers 529', { status: 529 }],
      ] as const)
        it(`answers where the provider ${what}, with nothing of the client’s key`, async () => {
          await first.turn(temper)
          const { data, response } = await openai('main')
            .chat.completions.create(ask)
            .withResponse()
          assert.ok(data.choices[0]?.message.content)
          assert.equal(response.headers.get('x-yori-fallback'), 'xai/grok-4')
          const heard = nothingLeaked()
          assert.match(
            heard,
            new RegExp(`\\r\\nauthorization: Bearer ${HOUSE_KEY}\\r\\n`, 'i'),
          )
          assert.match(heard, /"model":"grok-4"/)
          const stream = await openai('main').chat.completions.create({
            ...ask,
            stream: true,
          })
          let streamed = ''
          for await (const { choices } of stream)
            streamed += choices[0]?.delta.content ?? ''
          assert.equal(streamed, data.choices[0].message.content)
          nothingLeaked()
        })

      it('stands in the row, with the model and its price', async () => {
        await first.turn('refuses')
        await openai('main').chat.completions.create(ask)
        const row = await lastRow()
        assert.equal(row['fallback'], 'xai')
        assert.equal(row['provider'], 'xai')
        assert.equal(row['model'], 'grok-4')
        const { catalogue } = yori.appliance.current.services
        const usage = {
          inputTokens: Number(row['prompt_tokens']),
          outputTokens: Number(row['response_tokens']),
          inputEstimated: false,
          outputEstimated: false,
        }
        const cost = catalogue.costOf('xai', 'grok-4', usage, undefined)
        assert.ok(cost !== undefined && cost > 0)
        assert.equal(row['cost_micro_usd'], cost)
        const attempts = JSON.parse(String(row['attempts'])) as string[]
        assert.equal(attempts.length, 2)
        assert.match(attempts[0] ?? '', / YORI_UPSTREAM_UNREACHABLE$/)
        assert.match(attempts[1] ?? '', / 200$/)
      })

      it('is no one that does not speak the API', async () => {
        await first.turn('refuses')
        // `claude` stands before `xai`, and is not asked for OpenAI's API.
        await openai('main').chat.completions.create(ask)
        assert.ok(!Buffer.concat(tap.heard).includes('/claude'))
        assert.equal(second.arrived.length, 1)
        // Ollama has nothing of Anthropic's, the next one has.
        const claude = new Anthropic({
          apiKey: CLIENT_KEY,
          defaultHeaders: { authorization: 'Bearer oauth-of-the-client' },
          baseURL: `${yori.url}/llm/claudes`,
          maxRetries: 0,
        })
        tap.heard.length = 0
        await claude.messages.create({ model: 'claude-x', max_tokens: 9, messages })
        const heard = nothingLeaked()
        assert.ok(!heard.includes('oauth-of-the-client'))
        assert.match(heard, new RegExp(`\\r\\nx-api-key: ${HOUSE_KEY}\\r\\n`, 'i'))
        assert.match(heard, /\r\nanthropic-version: 20/i)
        assert.equal((await lastRow())['fallback'], 'other-claude')
      })
    })

  it('gets no credential at all where none is configured for it', async () => {
    await first.turn('refuses')
    const url = `${yori.url}/llm/keyless/v1/models`
    const headers = { authorization: `Bearer ${CLIENT_KEY}`, cookie: `a=${CLIENT_KEY}` }
    const answer = await request(url, { headers })
    await answer.body.dump()
    assert.equal(answer.headers['x-yori-fallback'], 'bare')
    const heard = nothingLeaked()
    assert.doesNotMatch(heard, /authorization|cookie|api-key/i)
  })

  it('is asked at the path that it has it at', async () => {
    await first.turn('refuses')
    await openai('versioned', '').chat.completions.create(ask)
    assert.match(nothingLeaked(), /^POST \/v1\/chat\/completions HTTP/)
    tap.heard.length = 0
    await openai('keyless')
      .chat.completions.create(ask)
      .catch(() => undefined)
    assert.match(nothingLeaked(), /^POST \/v1\/chat\/completions HTTP/)
  })

  it('is not asked for what holds the client’s key in its body', async () => {
    await first.turn('refuses')
    const said = [{ role: 'user' as const, content: `my key is ${CLIENT_KEY}` }]
    await assert.rejects(
      openai('main').chat.completions.create({ model: 'gpt-4o', messages: said }),
      { status: 502 },
    )
    assert.equal(tap.heard.length, 0)
  })

  for (const [what, temper, status] of [
    ['may have been acted on', 'cuts-head', 502],
    ['is the client’s own fault', { status: 400 }, 400],
    ['is refused for its key', { status: 401 }, 401],
    ['failed within', { status: 500 }, 500],
  ] as const)
    it(`is not asked for what ${what}`, async () => {
      await first.turn('refuses')
      await first.turn(temper)
      await assert.rejects(openai('main').chat.completions.create(ask), { status })
      assert.equal(tap.heard.length, 0)
    })

  it('is not asked once an answer has begun', async () => {
    await first.turn('cuts-body')
    const stream = await openai('main').chat.completions.create({ ...ask, stream: true })
    await assert.rejects(async () => {
      for await (const _ of stream);
    })
    assert.equal(tap.heard.length, 0)
  })

  it('comes first where it is preferred, for its models, while it is up', async () => {
    const small = { ...ask, model: 'small-gpt-4o' }
    const asked = openai('thrifty').chat.completions
    const { response } = await asked.create(small).withResponse()
    assert.equal(response.headers.get('x-yori-fallback'), 'home/gpt-4o')
    assert.match(nothingLeaked(), /"model":"gpt-4o"/)
    assert.equal(first.arrived.length, 0)
    const other = await asked.create(ask).withResponse()
    assert.equal(other.response.headers.get('x-yori-fallback'), null)
    assert.equal(first.arrived[0]?.headers.authorization, `Bearer ${CLIENT_KEY}`)
    // It goes to the provider itself as it came, where the other cannot be reached.
    await second.turn({ status: 503 })
    first.arrived.length = 0
    const back = await asked.create(small).withResponse()
    assert.equal(back.response.headers.get('x-yori-fallback'), null)
    assert.match(first.arrived[0]?.body.toString() ?? '', /"model":"small-gpt-4o"/)
    assert.equal(first.arrived[0]?.headers.authorization, `Bearer ${CLIENT_KEY}`)
    const row = await lastRow()
    assert.equal(row['fallback'], null)
    assert.equal(row['model'], 'small-gpt-4o')
    assert.equal(row['provider'], 'thrifty')
  })

  it('comes first while the provider’s answers begin too late', async () => {
    const asked = openai('hasty').chat.completions
    await asked.create(ask)
    assert.equal(tap.heard.length, 0)
    const pool = yori.appliance.current.services.pools.find('hasty')
    const lease = pool?.take({ without: new Set(), key: '', mayTry: false })
    lease?.answered(5_000)
    lease?.end({ kind: 'answered' })
    const { response } = await asked.create(ask).withResponse()
    assert.equal(response.headers.get('x-yori-fallback'), 'home/gpt-4o')
  })
})
