/**
 * Calls at once against a limit: exactly as many pass as fit, whatever becomes of them, over
 * both versions of HTTP. Every test is a device of its own in the one YORI.
 */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const AT_ONCE = 20
/** 100 characters of prompt are 25 tokens; with 100 of the answer 125 tokens. */
const ASKING = {
  model: 'gpt-4o-mini',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'x'.repeat(100) }],
}
const USAGE = { prompt_tokens: 25, completion_tokens: 100, total_tokens: 125 }
/** Of that, in micro-dollars: 25 at $0.15 and 100 at $0.60 a million. */
const COST = 64

const ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok' } }],
  usage: USAGE,
}

type Answering = (reply: ServerResponse) => void

const answers: Answering = (reply) => {
  reply.writeHead(200, { 'content-type': 'application/json' })
  reply.end(JSON.stringify(ANSWER))
}
const callsTool: Answering = (reply) => {
  reply.writeHead(200, { 'content-type': 'application/json' })
  const call = {
    id: 'call_1',
    type: 'function',
    function: { name: 'look', arguments: '{}' },
  }
  const message = { role: 'assistant', content: null, tool_calls: [call] }
  const choices = [{ index: 0, finish_reason: 'tool_calls', message }]
  reply.end(JSON.stringify({ ...ANSWER, choices }))
}
const fails: Answering = (reply) => {
  reply.writeHead(500, { 'content-type': 'application/json' })
  reply.end(JSON.stringify({ error: { message: 'no', type: 'server_error' } }))
}
const FIRST = {
  ...ANSWER,
  usage: undefined,
  choices: [{ index: 0, delta: { content: 'ok' } }],
}
const LAST = { ...ANSWER, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
const streams: Answering = (reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.write(`data: ${JSON.stringify(FIRST)}\n\n`)
  reply.end(`data: ${JSON.stringify(LAST)}\n\ndata: [DONE]\n\n`)
}
/** Begins, and leaves the rest to the client. */
const begins: Answering = (reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.write(`data: ${JSON.stringify(FIRST)}\n\n`)
}

/** The provider: what has come waits until it is answered. */
class Provider {
  readonly waiting: ServerResponse[] = []
  /** The most that were there at once. */
  most = 0
  came = 0

  readonly handler = (asked: IncomingMessage, reply: ServerResponse): void => {
    asked.resume().on('end', () => {
      this.waiting.push(reply)
      this.came++
      this.most = Math.max(this.most, this.waiting.length)
    })
  }

  /** Once one more has come. */
  async next(how: Answering): Promise<void> {
    await until(() => this.waiting.length > 0)
    const reply = this.waiting.shift()
    if (reply !== undefined) how(reply)
  }

  reset(): void {
    this.waiting.length = 0
    this.most = 0
    this.came = 0
  }
}

const ENFORCE = {
  mode: 'enforce',
  enforcement: {
    enabled: true,
    consent_accepted: true,
    timezone: 'UTC',
    allowlist: {
      groups: [
        {
          name: 'children',
          exempt: false,
          device_ips: Array.from({ length: 60 }, (_, n) => `127.0.0.${n + 10}`),
        },
      ],
    },
  },
}

const policies = (files: object, timeouts: object = {}) => ({
  policies: { files },
  timeouts,
})
const quota = (hours: number) => ({
  hourly_quota: { action: 'block', params: { per_hour: hours, peak_per_hour: hours } },
})
/** Of one conversation; 0 is no limit. */
const governed = (params: object) => ({
  agent_governor: {
    action: 'block',
    params: { max_tool_calls: 0, max_tokens: 0, max_usd: 0, ...params },
  },
})
const limit = (params: object) => ({
  cost_limit: { action: 'block', params: { daily_usd: 0, ...params } },
})

/** Either the status, or that the client hung up. */
type Outcome = number | 'gone'

describe('calls at once', () => {
  const provider = new Provider()
  let proxied: Proxied
  let device = 10
  const seen = new Set<unknown>()

  before(async () => {
    proxied = await behind(provider.handler, ENFORCE)
  })
  after(() => proxied[Symbol.asyncDispose]())

  /** A device that has used nothing, before these policies. */
  async function household(files: object, timeouts?: object): Promise<string> {
    provider.reset()
    await proxied.yori.reload(policies(files, timeouts))
    return `127.0.0.${device++}`
  }

  async function call(
    from: string,
    version: HttpVersion,
    about: { body?: object; signal?: AbortSignal; session?: string } = {},
  ): Promise<Outcome> {
    const { body = ASKING, signal, session } = about
    const named = session === undefined ? {} : { 'x-yori-session-id': session }
    try {
      const answer = await request(`https://${NAME}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: proxied.yori.dispatcher(from, version),
        headers: { 'content-type': 'application/json', ...named },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      })
      await answer.body.text()
      return answer.statusCode
    } catch {
      return 'gone'
    }
  }

  const calls = (
    from: string,
    version: HttpVersion,
    count = AT_ONCE,
    about: { body?: object; session?: string } = {},
  ) => Promise.all(Array.from({ length: count }, () => call(from, version, about)))

  /** The rows of this test, once so many calls have ended; one row counts what is refused again. */
  async function rowsOf(count: number): Promise<Row[]> {
    let own: Row[] = []
    await until(async () => {
      own = (await proxied.yori.rows('exchanges')).filter(
        (row) => row['event_type'] !== 'request' && !seen.has(row['request_id']),
      )
      return own.reduce((sum, row) => sum + 1 + Number(row['repeats'] ?? 0), 0) >= count
    })
    for (const row of own) seen.add(row['request_id'])
    return own
  }

  function tally(outcomes: readonly Outcome[]): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
    return counts
  }

  for (const version of HTTP_VERSIONS) {
    describe(`over ${version}`, () => {
      for (const [name, how] of [
        ['bodies', answers],
        ['streams', streams],
      ] as const) {
        it(`fill a quota to its last place, with ${name}`, async () => {
          const from = await household(quota(5))
          const outcomes = calls(from, version)
          await until(() => provider.came === 5)
          for (let n = 0; n < 5; n++) await provider.next(how)
          assert.deepEqual(tally(await outcomes), { 200: 5, 403: 15 })
          assert.deepEqual([provider.came, provider.most], [5, 5])
          await rowsOf(AT_ONCE)
        })

        it(`use tokens up to a limit and not over it, with ${name}`, async () => {
          const from = await household(limit({ daily_tokens: 1000 }))
          const outcomes = calls(from, version)
          for (let n = 0; n < 8; n++) await provider.next(how)
          assert.deepEqual(tally(await outcomes), { 200: 8, 403: 12 })
          assert.equal(provider.came, 8)
          const rows = await rowsOf(AT_ONCE)
          const used = rows.map(
            (row) =>
              Number(row['prompt_tokens'] ?? 0) + Number(row['response_tokens'] ?? 0),
          )
          assert.equal(
            used.reduce((sum, tokens) => sum + tokens, 0),
            1000,
          )
        })
      }

      it('spend money up to a limit and not over it', async () => {
        const from = await household(limit({ daily_usd: (8 * COST) / 1e6 }))
        const outcomes = calls(from, version)
        for (let n = 0; n < 8; n++) await provider.next(answers)
        assert.deepEqual(tally(await outcomes), { 200: 8, 403: 12 })
        const rows = await rowsOf(AT_ONCE)
        const spent = rows.reduce(
          (sum, row) => sum + Number(row['cost_micro_usd'] ?? 0),
          0,
        )
        assert.equal(spent, 8 * COST)
      })

      describe('of one conversation', () => {
        for (const [name, params, passing, usage] of [
          ['tokens', { max_tokens: 1000 }, 8, USAGE],
          ['money', { max_usd: (8 * COST) / 1e6 }, 8, USAGE],
          ['requests', { max_requests: 5 }, 5, USAGE],
        ] as const)
          it(`use its ${name} up to a limit and not over it`, async () => {
            const from = await household(governed(params))
            const outcomes = calls(from, version, AT_ONCE, { session: `s-${from}` })
            for (let n = 0; n < passing; n++) await provider.next(answers)
            assert.deepEqual(tally(await outcomes), {
              200: passing,
              403: AT_ONCE - passing,
            })
            assert.equal(provider.came, passing)
            const rows = await rowsOf(AT_ONCE)
            const used = rows.reduce(
              (sum, row) => sum + Number(row['prompt_tokens'] ?? 0),
              0,
            )
            assert.equal(used, passing * usage.prompt_tokens)
          })

        it('call tools up to a limit, where each calls one', async () => {
          const from = await household(governed({ max_tool_calls: 3 }))
          const tool = { type: 'function', function: { name: 'look', parameters: {} } }
          const about = { session: `s-${from}`, body: { ...ASKING, tools: [tool] } }
          const outcomes = calls(from, version, AT_ONCE, about)
          for (let n = 0; n < 3; n++) await provider.next(callsTool)
          assert.deepEqual(tally(await outcomes), { 200: 3, 403: 17 })
          assert.equal(provider.came, 3)
          await rowsOf(AT_ONCE)
        })

        it('hold no other conversation of the same device up', async () => {
          const from = await household(governed({ max_tokens: 130 }))
          const each = ['a', 'b', 'c'].map((session) => call(from, version, { session }))
          await until(() => provider.came === 3)
          for (let n = 0; n < 3; n++) await provider.next(answers)
          assert.deepEqual(await Promise.all(each), [200, 200, 200])
          await rowsOf(3)
        })

        it('that fail leave what they would have used to others', async () => {
          const from = await household(governed({ max_tokens: 250 }))
          const outcomes = calls(from, version, 5, { session: `s-${from}` })
          await until(() => provider.came === 2)
          for (const how of [fails, fails, fails, answers, answers])
            await provider.next(how)
          assert.deepEqual(tally(await outcomes), { 200: 2, 500: 3 })
          assert.equal(provider.most, 2)
          await rowsOf(5)
        })
      })

      it('give their place to others when no model took them', async () => {
        const from = await household(quota(5))
        const outcomes = calls(from, version)
        for (const how of [fails, fails, fails, ...Array<Answering>(5).fill(answers)])
          await provider.next(how)
        assert.deepEqual(tally(await outcomes), { 200: 5, 500: 3, 403: 12 })
        assert.deepEqual([provider.came, provider.most <= 5], [8, true])
        await rowsOf(AT_ONCE)
      })

      it('that their client leaves count what they used, and no more', async () => {
        const from = await household(limit({ daily_tokens: 1000 }))
        // What others left to be written is none of these.
        await proxied.yori.appliance.audit.flush()
        const leaving = new AbortController()
        const gone = [1, 2, 3].map(() => call(from, version, { signal: leaving.signal }))
        for (let n = 0; n < 3; n++) await provider.next(begins)
        const others = calls(from, version)
        await until(() => provider.came === 8)
        leaving.abort()
        assert.deepEqual(tally(await Promise.all(gone)), { gone: 3 })
        // 26 tokens each. Of the 922 that are left, 7 more fit beside each other, and the one
        // after them alone.
        for (let n = 0; n < 8; n++) await provider.next(answers)
        assert.deepEqual(tally(await others), { 200: 8, 403: 12 })
        assert.equal(provider.came, 11)
        await rowsOf(AT_ONCE + 3)
      })

      it('wait in vain when their client leaves, and hold nobody up', async () => {
        const from = await household(limit({ daily_tokens: 200 }))
        const first = call(from, version)
        await until(() => provider.came === 1)
        const leaving = new AbortController()
        const gone = [1, 2, 3].map(() => call(from, version, { signal: leaving.signal }))
        const { audit } = proxied.yori.appliance
        await until(() => audit.counts.open === 4)
        leaving.abort()
        assert.deepEqual(tally(await Promise.all(gone)), { gone: 3 })
        const rows = await rowsOf(3)
        assert.deepEqual(
          rows.map((row) => row['code']),
          Array(3).fill('YORI_CLIENT_GONE'),
        )
        // They are none that a budget refused, whether they had come as far as to wait or not.
        for (const row of rows) assert.notEqual(row['policy_decision'], 'deny')
        await provider.next(answers)
        assert.equal(await first, 200)
        const last = call(from, version)
        await provider.next(answers)
        assert.equal(await last, 200)
        await rowsOf(2)
      })

      it('are counted when they are asked, not when their heads have come', async () => {
        const from = await household(quota(5))
        const bodies = Array.from(
          { length: AT_ONCE },
          () => new Readable({ read: () => undefined }),
        )
        // A head goes out with the first of a body.
        for (const body of bodies) body.push(' ')
        const dispatcher = proxied.yori.dispatcher(from, version)
        const outcomes = bodies.map(async (body) => {
          const headers = { 'content-type': 'application/json' }
          const about = { method: 'POST', dispatcher, headers, body } as const
          const answer = await request(`https://${NAME}/v1/chat/completions`, about)
          await answer.body.text()
          return answer.statusCode
        })
        const { audit } = proxied.yori.appliance
        await until(() => audit.counts.open === AT_ONCE)
        for (const body of bodies) {
          body.push(JSON.stringify(ASKING))
          body.push(null)
        }
        for (let n = 0; n < 5; n++) await provider.next(answers)
        assert.deepEqual(tally(await Promise.all(outcomes)), { 200: 5, 403: 15 })
        await rowsOf(AT_ONCE)
      })
    })
  }

  it('hold no other device up', async () => {
    const from = await household(limit({ daily_tokens: 130 }))
    const first = call(from, 'h1')
    const other = call(`127.0.0.${device++}`, 'h1')
    await until(() => provider.came === 2)
    for (let n = 0; n < 2; n++) await provider.next(answers)
    assert.deepEqual(await Promise.all([first, other]), [200, 200])
    await rowsOf(2)
  })

  it('are refused after a while, in words that tell why', async () => {
    const from = await household(limit({ daily_tokens: 130 }), { in_flight: 0.1 })
    const first = call(from, 'h1')
    await until(() => provider.came === 1)
    assert.equal(await call(from, 'h1'), 403)
    await provider.next(answers)
    assert.equal(await first, 200)
    const rows = await rowsOf(2)
    const refused = rows.find((row) => row['event_type'] === 'block')
    assert.match(
      String(refused?.['reason']),
      /the limit of 130 tokens today is reached, if what is being answered uses all/,
    )
  })

  it('are as many as there may be, where the limit is far away', async () => {
    const from = await household(limit({ daily_tokens: 1_000_000 }))
    const outcomes = calls(from, 'h1')
    await until(() => provider.came === AT_ONCE)
    for (let n = 0; n < AT_ONCE; n++) await provider.next(answers)
    assert.deepEqual(tally(await outcomes), { 200: AT_ONCE })
    await rowsOf(AT_ONCE)
  })

  it('pass alone while anything is left, whatever they may use', async () => {
    const from = await household(limit({ daily_tokens: 50 }))
    const asked = call(from, 'h1', { body: { ...ASKING, max_tokens: 100_000 } })
    await provider.next(answers)
    assert.equal(await asked, 200)
    assert.equal(await call(from, 'h1'), 403)
    await rowsOf(2)
  })

  it('wait for nothing where nothing would be refused', async () => {
    const from = await household({
      cost_limit: { action: 'alert', params: { daily_tokens: 1 } },
    })
    const outcomes = calls(from, 'h1', 3)
    await until(() => provider.came === 3)
    for (let n = 0; n < 3; n++) await provider.next(answers)
    assert.deepEqual(tally(await outcomes), { 200: 3 })
    await rowsOf(3)
  })
})
