import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { APIError } from 'openai'
import { request } from 'undici'
import type { Listed } from '../../../src/audit/where.js'
import { grantFor } from '../../../src/household/approvals.js'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { openaiSdk } from '../../support/sdk.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { ALLOW, block, UdsAgent } from '../../support/uds-agent.js'
import type { Say } from '../../support/uds-agent.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}

const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'hi' },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}

interface Asked {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly url: string
  readonly body: string
}

type Setup = Proxied & {
  readonly asked: Asked[]
  readonly folder: TempFolder
  /** Rows that were seen before. */
  rows: number
}

/** Each for a path of its own, so that one YORI does for all of them. */
const PROCESSORS: Readonly<Record<string, object>> = {
  plain: { events: ['request_headers', 'request_body'] },
  named: { headers: ['Authorization'] },
  fields: {},
  body: { events: 'request_body' },
  closed_h1: { timeout_ms: 60_000, fail_mode: 'closed' },
  closed_h2: { timeout_ms: 60_000, fail_mode: 'closed' },
  slow: { timeout_ms: 30 },
  redirect: {},
  challenge: {},
  large: { events: 'request_body', fail_mode: 'closed', body_bytes: '1KiB' },
  coded: { events: 'request_body' },
  told: { events: ['response_headers', 'response_body', 'complete'] },
}

async function setup(config: Record<string, unknown>): Promise<Setup> {
  const folder = await tempFolder()
  const asked: Asked[] = []
  const processors = Object.entries(PROCESSORS).map(([name, keys]) => ({
    ...{ name, address: folder.file(`${name}.sock`), ...keys },
    routes: [
      { path: '/none' },
      { endpoint: NAME, path: `/${name}/`, device: '127.0.0.0/8' },
    ],
  }))
  const proxied = await behind(
    (incoming, response) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => (body += chunk))
      incoming.on('end', () => {
        asked.push({ headers: incoming.headers, url: incoming.url ?? '', body })
        response.setHeader('content-type', 'application/json')
        response.setHeader('x-from-provider', 'yes')
        response.setHeader('set-cookie', 'session=1')
        response.end(JSON.stringify(ANSWER))
      })
    },
    { ...config, processors },
  )
  return {
    ...{ asked, folder, rows: 0, yori: proxied.yori, origin: proxied.origin },
    async [Symbol.asyncDispose]() {
      await proxied[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('a processor over a Unix socket', () => {
  let house: Setup
  let observing: Setup
  let version: HttpVersion = 'h1'

  before(async () => {
    house = await setup({
      ...ENFORCE,
      policies: {
        files: { privacy: { action: 'block', params: { redact: ['EMAIL_ADDRESS'] } } },
      },
    })
    observing = await setup({ mode: 'observe' })
  })
  after(async () => {
    await house[Symbol.asyncDispose]()
    await observing[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    house.asked.length = 0
    observing.asked.length = 0
  })

  function agentOf(name: string, say?: Say, on: Setup = house): Promise<UdsAgent> {
    return UdsAgent.start(on.folder.file(`${name}.sock`), say)
  }

  function post(
    name: string,
    content: string,
    more: { headers?: Record<string, string>; query?: string; body?: Buffer } = {},
    { yori }: Setup = house,
  ) {
    const { headers = {}, query = '' } = more
    const messages = [{ role: 'user', content }]
    return request(`https://${NAME}/${name}/v1/chat/completions${query}`, {
      method: 'POST',
      dispatcher: yori.dispatcher(undefined, version),
      headers: { 'content-type': 'application/json', ...headers },
      body: more.body ?? JSON.stringify({ model: 'gpt-4o', messages }),
    })
  }

  /** Of the exchange that ended last, `more` after those before. */
  async function lastRow(more = 1, of: Setup = house): Promise<Row> {
    const rows = await endedExchanges(of.yori, of.rows + more)
    of.rows = rows.length
    return rows.at(-1) as Row
  }
  afterEach(async () => {
    for (const one of [house, observing])
      one.rows = (await one.yori.rows('exchanges')).length
  })

  for (const each of HTTP_VERSIONS)
    describe(`for a client of ${each}`, () => {
      before(() => {
        version = each
      })

      it('is told of a request without its credentials, and lets it pass', async () => {
        await using agent = await agentOf('plain')
        const answer = await post('plain', 'hello', {
          headers: {
            authorization: 'Bearer sk-secret',
            cookie: 'a=b',
            'x-plain': 'seen',
          },
          query: '?key=AIzaSecret&alt=sse',
        })
        assert.equal(answer.statusCode, 200)
        await answer.body.dump()

        assert.deepEqual(agent.handshakes[0]?.payload['supported_versions'], [2])
        const [head, body] = agent.events
        assert.equal(head?.type, 0x10)
        assert.equal(head.payload['method'], 'POST')
        assert.equal(head.payload['uri'], '/plain/v1/chat/completions?key=&alt=sse')
        const headers = head.payload['headers'] as Record<string, string[]>
        assert.deepEqual(headers['x-plain'], ['seen'])
        assert.equal(JSON.stringify(agent.events).includes('sk-secret'), false)
        assert.equal('cookie' in headers, false)
        const metadata = head.payload['metadata'] as Record<string, unknown>
        assert.equal(metadata['server_name'], NAME)
        assert.equal(metadata['client_ip'], '127.0.0.1')
        assert.equal(body?.type, 0x11)
        assert.equal(body.payload['is_last'], true)
        assert.equal(body.payload['correlation_id'], metadata['correlation_id'])
        const shown = Buffer.from(String(body.payload['data']), 'base64').toString()
        assert.equal(shown, house.asked[0]?.body)
        // It went up as it came.
        assert.equal(house.asked[0]?.headers['authorization'], 'Bearer sk-secret')
        assert.match(house.asked[0]?.url ?? '', /\?key=AIzaSecret&alt=sse$/)
      })

      it('blocks by its own status, in the shape of the client, and says why', async () => {
        const audit = {
          tags: ['legal'],
          rule_ids: ['L-451'],
          reason_codes: ['takedown'],
          confidence: 0.9,
        }
        await using agent = await agentOf('named', () =>
          block(451, 'not for this house', audit),
        )
        const client = openaiSdk({
          dispatcher: house.yori.dispatcher(undefined, each),
        }).withOptions({ baseURL: `https://${NAME}/named/v1`, maxRetries: 2 })
        const messages = [{ role: 'user' as const, content: `hello ${each}` }]
        await assert.rejects(
          async () => client.chat.completions.create({ model: 'gpt-4o', messages }),
          (error) => {
            assert.ok(error instanceof APIError)
            assert.equal(error.status, 451)
            assert.equal(error.code, 'policy_blocked')
            assert.match(error.message, /policy named: not for this house/)
            return true
          },
        )

        assert.equal(house.asked.length, 0)
        const row = await lastRow()
        assert.equal(row['event_type'], 'block')
        assert.equal(row['policy_name'], 'named')
        assert.equal(row['policy_decision'], 'deny')
        assert.equal(row['response_status'], 451)
        assert.equal(row['reason'], 'not for this house')
        for (const word of ['L-451', 'legal', 'takedown', '0.9'])
          assert.match(String(row['policy_message']), new RegExp(word))
        const headers = agent.events[0]?.payload['headers'] as Record<string, string[]>
        assert.match(String(headers['authorization']), /^Bearer /)
      })

      it('is noted in observe, where nothing waits and nothing is changed', async () => {
        const say: Say = () => ({
          ...block(451, 'no'),
          request_headers: [{ set: { name: 'x-new', value: '1' } }],
        })
        await using agent = await agentOf('fields', say, observing)
        const answer = await post('fields', 'hello', {}, observing)
        assert.equal(answer.statusCode, 200)
        await answer.body.dump()
        const row = await lastRow(1, observing)
        assert.equal(row['event_type'], 'response')
        assert.equal(row['policy_name'], 'fields')
        assert.equal(row['policy_decision'], 'deny')
        assert.equal(agent.events.length, 1)
        assert.equal(observing.asked[0]?.headers['x-new'], undefined)
      })

      it('changes fields both ways, and none that it may not', async () => {
        await using agent = await agentOf('fields', () => ({
          ...ALLOW,
          request_headers: [
            { set: { name: 'X-Set', value: 'new' } },
            { add: { name: 'x-added', value: 'more' } },
            { remove: { name: 'x-old' } },
            { set: { name: 'authorization', value: 'Bearer stolen' } },
            { set: { name: 'Host', value: 'evil.example' } },
            { set: { name: 'transfer-encoding', value: 'chunked' } },
            { set: { name: 'content-length', value: '0' } },
            { set: { name: 'x-split', value: 'a\r\nb: c' } },
          ],
          response_headers: [
            { add: { name: 'x-answer', value: 'seen' } },
            { remove: { name: 'x-from-provider' } },
            { set: { name: 'content-length', value: '3' } },
          ],
        }))
        const answer = await post('fields', 'hello', {
          headers: { authorization: 'Bearer mine', 'x-old': '1', 'x-set': 'old' },
        })
        assert.deepEqual(await answer.body.json(), ANSWER)
        assert.equal(answer.headers['x-answer'], 'seen')
        assert.equal(answer.headers['x-from-provider'], undefined)
        const { headers = {}, body = '' } = house.asked[0] ?? {}
        assert.equal(headers['x-set'], 'new')
        assert.equal(headers['x-added'], 'more')
        assert.equal(headers['x-old'], undefined)
        assert.equal(headers['authorization'], 'Bearer mine')
        assert.equal(headers['host'], NAME)
        assert.equal('x-split' in headers, false)
        assert.equal(body.includes('hello'), true)
        assert.equal(agent.events.length, 1)
      })

      it('sees what policies left of a body, and replaces what goes up', async () => {
        await using agent = await agentOf('body')
        const first = await post('body', 'my mail is jane.doe@example.org')
        await first.body.dump()
        const shown = Buffer.from(String(agent.events[0]?.payload['data']), 'base64')
        assert.equal(shown.toString().includes('jane.doe'), false)
        assert.equal(shown.toString(), house.asked[0]?.body)

        const other = JSON.stringify({ model: 'gpt-4o', messages: [] })
        const data = Buffer.from(other).toString('base64')
        agent.say = () => ({ ...ALLOW, request_body_mutation: { data, chunk_index: 0 } })
        const second = await post('body', 'hello')
        await second.body.dump()
        assert.equal(house.asked[1]?.body, other)
        assert.equal(house.asked[1].headers['content-length'], String(other.length))
      })

      it('ends in its fail mode at once where it goes or lies', async () => {
        const name = `closed_${each}`
        const answers: Say[] = [
          () => 'end',
          () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
          () => Buffer.from([0x40, 0, 0, 0, 0x20]),
          () => ({ decision: 'perhaps' }),
        ]
        {
          await using agent = await agentOf(name)
          for (const [index, say] of answers.entries()) {
            agent.say = say
            const answer = await post(name, `hello ${index}`)
            const { error } = (await answer.body.json()) as { error: { message: string } }
            assert.equal(answer.statusCode, 503)
            assert.match(error.message, new RegExp(`policy ${name}: ${name} `))
          }
        }
        // Nobody is there.
        const answer = await post(name, 'hello')
        assert.equal(answer.statusCode, 503)
        await answer.body.dump()
        assert.equal(house.asked.length, 0)
        const row = await lastRow(answers.length + 1)
        assert.match(String(row['reason']), /cannot be reached: ENOENT/)
      })
    })

  it('costs its timeout and no more where it hangs, open by default', async () => {
    await using agent = await agentOf('slow', () => 'nothing')
    const asked = 6
    for (let i = 0; i < asked; i++) {
      const answer = await post('slow', `hello ${i}`)
      assert.equal(answer.statusCode, 200)
      await answer.body.dump()
    }
    assert.equal(house.asked.length, asked)
    await lastRow(asked)
    // After five in a row nobody asks.
    const rows = (await house.yori.rows('exchanges')).slice(-asked)
    const late = 'slow did not answer in time'
    assert.deepEqual(
      rows.map(({ policy_message: said }) => said),
      [
        ...Array<string>(5).fill(late),
        'slow has failed too often, and is not asked for a while',
      ],
    )
    // Each that it was told of is called off.
    await until(() => agent.cancelled.length === agent.events.length)
    assert.equal(agent.events.length <= 5, true)
  })

  it('leads a client elsewhere', async () => {
    const url = 'https://login.example/start'
    await using agent = await agentOf('redirect', () => ({
      decision: { redirect: { url, status: 307 } },
    }))
    const answer = await post('redirect', 'hello')
    await answer.body.dump()
    assert.equal(answer.statusCode, 307)
    assert.equal(answer.headers['location'], url)
    assert.equal(house.asked.length, 0)
    assert.equal(agent.events.length, 1)
  })

  it('lets a challenged request pass once an adult has said so', async () => {
    await using agent = await agentOf('challenge', () => ({
      decision: { challenge: { challenge_type: 'adult', params: {} } },
    }))
    const answer = await post('challenge', 'hello')
    const { error } = (await answer.body.json()) as { error: { message: string } }
    assert.equal(answer.statusCode, 403)
    assert.match(error.message, /it asks for adult; an adult can allow it with the code/)
    const { request_id: id } = await lastRow()
    const [block] = (await house.yori.rows('exchanges')).filter(
      ({ request_id: one }) => one === id,
    )
    const grant = grantFor(block as Listed, { until: Date.now() + 60_000, once: false })
    using database = new PolicyDatabase(house.yori.folder.file('state/policy.db'))
    database.put('grant', {
      key: grant.id,
      value: grant,
      addedAt: Date.now(),
      addedBy: 'test',
    })

    const second = await post('challenge', 'hello')
    await second.body.dump()
    assert.equal(second.statusCode, 200)
    assert.equal(agent.events.length, 2)
    const row = await lastRow()
    assert.equal(row['bypass'], 'grant')
    assert.equal(row['policy_name'], 'challenge')
  })

  it('is not shown what is over its bound: closed answers 413', async () => {
    await using agent = await agentOf('large')
    const answer = await post('large', 'x'.repeat(2000))
    await answer.body.dump()
    assert.equal(answer.statusCode, 413)
    assert.equal(agent.events.length, 0)
    assert.equal(house.asked.length, 0)
  })

  it('is shown a body without its coding, which goes up as it came', async () => {
    await using agent = await agentOf('coded')
    const text = JSON.stringify({ model: 'gpt-4o', messages: [] })
    const answer = await post('coded', '', {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(text),
    })
    await answer.body.dump()
    const shown = Buffer.from(String(agent.events[0]?.payload['data']), 'base64')
    assert.equal(shown.toString(), text)
    assert.equal(house.asked[0]?.headers['content-encoding'], 'gzip')
  })

  it('is told how an exchange went on, without waiting for it', async () => {
    // What it says there changes nothing.
    await using agent = await agentOf('told', () => block(403, 'too late'))
    const answer = await post('told', 'hello')
    assert.equal(answer.statusCode, 200)
    const text = await answer.body.text()
    await until(() => agent.events.some(({ type }) => type === 0x14))
    const [head, ...others] = agent.events
    assert.equal(head?.type, 0x12)
    assert.equal(head.payload['status'], 200)
    const headers = head.payload['headers'] as Record<string, string[]>
    assert.deepEqual(headers['x-from-provider'], ['yes'])
    assert.equal('set-cookie' in headers, false)
    const chunks = others.filter(({ type }) => type === 0x13)
    const said = chunks.map(({ payload }) =>
      Buffer.from(String(payload['data']), 'base64'),
    )
    assert.equal(Buffer.concat(said).toString(), text)
    assert.equal(chunks.at(-1)?.payload['is_last'], true)
    const end = others.at(-1)?.payload
    assert.equal(end?.['status'], 200)
    assert.equal(end['response_body_size'], text.length)
    const ids = new Set(agent.events.map(({ payload }) => payload['correlation_id']))
    assert.equal(ids.size, 1)
  })

  describe('of a configuration that changes', () => {
    it('follows a reload', async () => {
      const address = house.folder.file('plain.sock')
      await using agent = await agentOf('plain', () => block(403, 'no'))
      await house.yori.reload({ processors: [{ name: 'other', address }] })
      const answer = await post('anything', 'hello after the reload')
      await answer.body.dump()
      assert.equal(answer.statusCode, 403)
      assert.equal(agent.events.length, 1)
    })
  })
})
