/**
 * A door with several targets, by the vendors' own libraries: while some of them refuse, hang,
 * answer with errors or cut, clients hear what the others say; nothing is sent twice once an
 * answer has begun; and each attempt stands in the row. In the clear, by TLS and by HTTP/2, in
 * observe and in enforce.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { request } from 'undici'
import { FickleOrigin } from '../../support/fickle-origin.js'
import type { Temper } from '../../support/fickle-origin.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const CLIENT_KEY = 'sk-client-0123456789abcdef'
const OWN_KEY = 'sk-of-the-second-target'
const ask = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'What is the time?' }],
}
const H2_NAMES = ['one.h2.test', 'two.h2.test']

describe('a door with several targets', () => {
  let folder: TempFolder
  let yori: Yori
  let plain: [FickleOrigin, FickleOrigin, FickleOrigin]
  let overH2: [FickleOrigin, FickleOrigin]
  let secure: [FickleOrigin, FickleOrigin]

  before(async () => {
    folder = await tempFolder()
    const ca = new TestCa()
    const certificate = ca.issue({ names: [...H2_NAMES, 'one.tls.test', 'two.tls.test'] })
    const start = (h2?: boolean): Promise<FickleOrigin> =>
      FickleOrigin.start(h2 === undefined ? {} : { certificate, h2 })
    plain = [await start(), await start(), await start()]
    secure = [await start(false), await start(false)]
    overH2 = [await start(true), await start(true)]
    const file = folder.file('catalogue.yaml')
    const entries = H2_NAMES.map((host) => ({
      name: host,
      hosts: [host],
      upstream: 'h2',
      speaks: 'openai',
      route: 'intercept',
    }))
    await writeFile(file, JSON.stringify({ providers: entries }))
    const clear = (origin: FickleOrigin, more: object = {}): object => ({
      base_url: `http://${origin.address}`,
      ...more,
    })
    const tls = (kind: string): object[] =>
      ['one', 'two'].map((name) => ({ base_url: `https://${name}.${kind}.test` }))
    const [a, b, c] = plain
    yori = await Yori.start({
      trust: [ca],
      origins: {
        'one.tls.test': secure[0],
        'two.tls.test': secure[1],
        'one.h2.test': overH2[0],
        'two.h2.test': overH2[1],
      },
      config: {
        catalogue: { file },
        access: { clients: ['127.0.0.0/8'] },
        gateway: {
          // What is left out, and for how long, is `test/pools`'s.
          pools: {
            ...{ eject_after: 1000, breaker_requests: 10_000, health_interval: 0 },
            ...{ body_bytes: 200_000, slow_start: 0.01 },
          },
          providers: {
            three: { pool: [a, b, c].map((one) => clear(one)) },
            // What it is told lasts longer than a test.
            others: { pool: [a, b, c].map((one) => clear(one)) },
            limited: { pool: [a, b, c].map((one) => clear(one)) },
            claude: { api: 'anthropic', pool: [a, b, c].map((one) => clear(one)) },
            secure: { pool: tls('tls') },
            quick: { pool: tls('h2') },
            spare: {
              pool: [
                clear(a, { name: 'first' }),
                clear(b, { name: 'second', priority: 1, key: OWN_KEY }),
              ],
            },
            keyed: { pool: [clear(b, { key: OWN_KEY })] },
            small: { pool: [clear(a, { max_requests: 1 })] },
            slow: { timeout: 0.2, pool: [clear(a), clear(b, { priority: 1 })] },
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const origin of [...plain, ...secure, ...overH2])
      await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  beforeEach(() => forget())
  afterEach(async () => {
    for (const origin of [...plain, ...secure, ...overH2]) await origin.turn('well')
  })

  function forget(): void {
    for (const origin of [...plain, ...secure, ...overH2]) origin.arrived.length = 0
  }

  const openai = (door: string): OpenAI =>
    new OpenAI({
      apiKey: CLIENT_KEY,
      baseURL: `${yori.url}/llm/${door}/v1`,
      maxRetries: 0,
    })
  const anthropic = (door: string): Anthropic =>
    new Anthropic({
      apiKey: CLIENT_KEY,
      baseURL: `${yori.url}/llm/${door}`,
      maxRetries: 0,
    })

  async function said(door: string): Promise<string> {
    const whole = await openai(door).chat.completions.create(ask)
    const stream = await openai(door).chat.completions.create({ ...ask, stream: true })
    let streamed = ''
    for await (const { choices } of stream) streamed += choices[0]?.delta.content ?? ''
    assert.equal(whole.choices[0]?.message.content, streamed)
    return streamed
  }

  async function saidByClaude(door: string): Promise<string> {
    const asked = { model: 'claude-x', max_tokens: 99, messages: ask.messages }
    const whole = await anthropic(door).messages.create(asked)
    const streamed = await anthropic(door).messages.stream(asked).finalMessage()
    assert.deepEqual(whole.content, streamed.content)
    const [first] = whole.content
    return first?.type === 'text' ? first.text : ''
  }

  async function newRows(before: number): Promise<Row[]> {
    return (await yori.rows('exchanges')).slice(before)
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

      for (const [what, temper, outcome] of [
        ['refuses', 'refuses', 'YORI_UPSTREAM_UNREACHABLE'],
        ['answers 502', { status: 502 }, '502'],
        ['answers 503', { status: 503 }, '503'],
        ['answers 504', { status: 504 }, '504'],
        [
          'answers 429 with a wait within bounds',
          { status: 429, fields: { 'retry-after': '0' } },
          '429',
        ],
      ] as const satisfies readonly (readonly [string, Temper, string])[])
        for (const [kind, door, origins] of [
          ['in the clear', 'three', () => plain],
          ['by TLS', 'secure', () => secure],
          ['by HTTP/2', 'quick', () => overH2],
        ] as const) {
          // What a status means is the same whatever carries it.
          if (door !== 'three' && outcome !== '503' && temper !== 'refuses') continue
          it(`hears the others ${kind} where one ${what}`, async () => {
            const before = (await yori.rows('exchanges')).length
            const [bad] = origins()
            await bad.turn(temper)
            const words = new Set<string>()
            const rounds = origins().length
            for (let i = 0; i < rounds; i++) words.add(await said(door))
            assert.equal(words.size, 1)
            const rows = await newRows(before)
            assert.equal(rows.length, 2 * rounds)
            const others = origins().slice(1)
            assert.equal(others.flatMap(({ arrived }) => arrived).length, 2 * rounds)
            const again = rows.filter(({ retries }) => retries === 1)
            assert.ok(
              again.length >= 1,
              JSON.stringify(rows.map((row) => row['attempts'])),
            )
            for (const { attempts, upstream, response_status } of again) {
              const [first = '', last] = JSON.parse(String(attempts)) as string[]
              assert.match(first, new RegExp(` ${outcome}$`))
              assert.equal(last, `${upstream} 200`)
              assert.equal(response_status, 200)
            }
          })
        }

      it('serves the library of Anthropic where one of three refuses', async () => {
        await plain[1].turn('refuses')
        for (let i = 0; i < 3; i++) assert.notEqual(await saidByClaude('claude'), '')
        assert.equal(plain[0].arrived.length + plain[2].arrived.length, 6)
      })

      for (const [what, temper, status] of [
        ['a 500', { status: 500 }, 500],
        ['a 429 that says no wait', { status: 429 }, 429],
        [
          'a 429 with a wait out of bounds',
          { status: 429, fields: { 'retry-after': '3600' } },
          429,
        ],
        ['a 400', { status: 400 }, 400],
        ['a connection that is closed before an answer', 'cuts-head', 502],
      ] as const satisfies readonly (readonly [string, Temper, number])[])
        it(`passes ${what} on, and asks nobody else`, async () => {
          // On a connection that has served before, closing it would mean that it is old.
          for (const origin of plain) await origin.turn('refuses')
          for (const origin of plain) await origin.turn(temper)
          const door = status === 429 ? 'limited' : 'others'
          const asked = openai(door).chat.completions.create(ask)
          await assert.rejects(asked, { status })
          assert.equal(plain.flatMap(({ arrived }) => arrived).length, 1)
        })

      it('asks nobody else for one that has waited in vain', async () => {
        await plain[0].turn('hangs')
        const asked = openai('slow').chat.completions.create(ask)
        await assert.rejects(asked, { status: 504 })
        assert.equal(plain[1].arrived.length, 0)
      })

      for (const [kind, door, origins] of [
        ['HTTP/1.1', 'three', () => plain],
        ['HTTP/2', 'quick', () => overH2],
      ] as const)
        it(`never sends one again whose answer has begun, over ${kind}`, async () => {
          for (const origin of origins()) await origin.turn('cuts-body')
          const stream = await openai(door).chat.completions.create({
            ...ask,
            stream: true,
          })
          let heard = ''
          await assert.rejects(async () => {
            for await (const { choices } of stream) heard += choices[0]?.delta.content
          })
          assert.equal(heard, 'Hi')
          assert.equal(origins().flatMap(({ arrived }) => arrived).length, 1)
        })

      it('says the last failure where all of them fail', async () => {
        const before = (await yori.rows('exchanges')).length
        for (const origin of plain) await origin.turn({ status: 503 })
        await assert.rejects(openai('three').chat.completions.create(ask), {
          status: 503,
          message: /as told/,
        })
        const [row] = await newRows(before)
        assert.equal(row?.['retries'], 2)
        assert.equal((JSON.parse(String(row['attempts'])) as string[]).length, 3)
        for (const origin of plain) assert.equal(origin.arrived.length, 1)
      })

      for (const [what, bytes] of [
        ['a long body', 100_000],
        ['a body that is longer than what is read first', 300_000],
      ] as const)
        it(`sends ${what} again from its beginning`, async () => {
          await plain[0].turn({ status: 503 })
          const content = 'x'.repeat(bytes)
          const body = JSON.stringify({
            model: 'm',
            messages: [{ role: 'user', content }],
          })
          const statuses: number[] = []
          for (let i = 0; i < 3; i++) {
            const url = `${yori.url}/llm/three/v1/chat/completions`
            const headers = {
              'content-type': 'application/json',
              authorization: 'Bearer k',
            }
            const answer = await request(url, { method: 'POST', headers, body })
            await answer.body.dump()
            statuses.push(answer.statusCode)
          }
          const well = [...plain[1].arrived, ...plain[2].arrived]
          for (const one of well) assert.equal(one.body.toString(), body)
          assert.equal(well.length, 3)
          assert.deepEqual(statuses, [200, 200, 200])
        })
    })

  it('says in the head who answered, and after how many others', async () => {
    await plain[0].turn('refuses')
    const got: (string | undefined)[][] = []
    for (let i = 0; i < 3; i++) {
      const { headers, body } = await request(`${yori.url}/llm/three/v1/models`)
      await body.dump()
      const upstream = headers['x-yori-upstream'] as string
      got.push([upstream, headers['x-yori-retries'] as string | undefined])
      assert.ok([plain[1].address, plain[2].address].includes(upstream), upstream)
    }
    assert.equal(got.filter(([, retries]) => retries === '1').length, 1)
  })

  it('gives a target with a key of its own that key, and nothing of the client’s', async () => {
    await plain[0].turn('refuses')
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${CLIENT_KEY}`,
      'x-api-key': CLIENT_KEY,
      'api-key': CLIENT_KEY,
      'x-goog-api-key': CLIENT_KEY,
      cookie: `session=${CLIENT_KEY}`,
      'x-portal-auth': CLIENT_KEY,
      'x-anything': `v=${CLIENT_KEY}`,
      'x-tenant': 'mine',
      'openai-organization': 'org-of-the-client',
    }
    const url = `${yori.url}/llm/spare/v1/chat/completions?key=${CLIENT_KEY}&k%65y=${CLIENT_KEY}&a=1`
    const answer = await request(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(ask),
    })
    await answer.body.dump()
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['x-yori-upstream'], 'second')
    const [seen] = plain[1].arrived
    assert.ok(seen)
    const everything = [seen.target, ...seen.rawHeaders, seen.body.toString()].join('\n')
    assert.ok(!everything.includes(CLIENT_KEY), everything)
    assert.ok(!everything.includes('org-of-the-client'))
    assert.equal(seen.headers.authorization, `Bearer ${OWN_KEY}`)
    assert.equal(seen.headers['x-tenant'], 'mine')
    assert.match(seen.target, /\?a=1$/)
  })

  it('gives the client’s own key to a target that has none', async () => {
    await openai('spare').chat.completions.create(ask)
    assert.equal(plain[0].arrived[0]?.headers.authorization, `Bearer ${CLIENT_KEY}`)
  })

  it('answers 503 where the one target has all that it may have', async () => {
    await plain[0].turn('hangs')
    const gone = new AbortController()
    const held = openai('small').chat.completions.create(ask, { signal: gone.signal })
    held.catch(() => undefined)
    while (plain[0].arrived.length === 0) await new Promise((go) => setImmediate(go))
    await assert.rejects(openai('small').chat.completions.create(ask), {
      status: 503,
      message: /max_requests|all the requests/,
    })
    gone.abort()
    await assert.rejects(held)
  })

  it('adds nothing to answers that came by no pool', async () => {
    await yori.reload({
      gateway: { providers: { alone: { base_url: `http://${plain[0].address}` } } },
    })
    const { headers, body } = await request(`${yori.url}/llm/alone/v1/models`)
    await body.dump()
    assert.equal(headers['x-yori-upstream'], undefined)
    const row = (await yori.rows('exchanges')).at(-1)
    assert.equal(row?.['attempts'], null)
  })
})
