/**
 * What has no known price: its row has no cost, budgets of money count the most that it can have
 * cost and say so, and nothing is counted for servers of which nobody knows a price.
 */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import { request } from 'undici'
import { openReader } from '../../../src/audit/queries.js'
import { NAME, originCa, until } from '../../support/proxied.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const GEMINI = 'generativelanguage.googleapis.com'
const ANTHROPIC = 'api.anthropic.com'
/** Nobody knows a price of any of these. */
const FREE = ['llm.lan', 'ollama.com', 'gateway.example', 'api.together.xyz']
const NAMES = [NAME, GEMINI, ANTHROPIC, ...FREE]
const namedCertificate = originCa.issue({ names: NAMES })

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
          device_ips: Array.from({ length: 200 }, (_, n) => `127.0.0.${n + 10}`),
        },
      ],
    },
  },
}

interface Asked {
  readonly model?: string
  readonly stream?: boolean
  /** What the answer says of itself. */
  readonly says?: object
  /** It breaks off before a word. */
  readonly breaks?: boolean
}

/** 1,000 tokens in and 100 out, by the model that was asked for, as the request says. */
function answer({ model, says }: Asked, path: string): object {
  if (path.includes('/messages'))
    return {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', model },
      content: [{ type: 'text', text: 'ok' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1000, output_tokens: 100 },
      ...says,
    }
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', model },
    choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok' } }],
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    ...says,
  }
}

async function answers(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
  const body = (await json(asked)) as Asked
  if (body.breaks === true) {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    const delta = { role: 'assistant', content: '' }
    const first = { id: 'c', model: body.model, choices: [{ index: 0, delta }] }
    reply.write(`data: ${JSON.stringify(first)}\n\n`, () => reply.destroy())
    return
  }
  reply.writeHead(200, { 'content-type': 'application/json' })
  reply.end(JSON.stringify(answer(body, asked.url ?? '')))
}

const messages = [{ role: 'user', content: 'x'.repeat(400) }]

describe('a price that is not known', () => {
  let origin: Origin
  let yori: Yori
  let device = 10

  before(async () => {
    const handler = (asked: IncomingMessage, reply: ServerResponse): void =>
      void answers(asked, reply)
    origin = await startOrigin({ certificate: namedCertificate, handler })
    const origins = Object.fromEntries(NAMES.map((name) => [name, origin]))
    yori = await Yori.start({
      origins,
      trust: [originCa],
      config: {
        ...ENFORCE,
        endpoints: NAMES.map((domain) => ({ domain })),
        ca: { permitted: NAMES },
      },
    })
  })
  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  /** A device that has used nothing, before these policies. */
  async function household(files: object, mode = 'enforce'): Promise<string> {
    await yori.reload({ mode, policies: { files } })
    return `127.0.0.${device++}`
  }

  interface Way {
    readonly from: string
    readonly version: HttpVersion
    readonly url?: string
    readonly session?: string
  }

  /** Its status, or that it broke off; and what was said. */
  async function ask(
    { from, version, url = `https://${NAME}/v1/chat/completions`, session }: Way,
    asked: Asked & { readonly max_tokens?: number },
  ): Promise<{ status: number | 'broken'; text: string }> {
    const named = {
      ...(session === undefined ? {} : { 'x-yori-session-id': session }),
      'x-yori-tags': `job:${from.replaceAll('.', '-')}`,
    }
    try {
      const { statusCode: status, body } = await request(url, {
        method: 'POST',
        dispatcher: yori.dispatcher(from, version),
        headers: { 'content-type': 'application/json', ...named },
        body: JSON.stringify({ messages, ...asked }),
      })
      return { status, text: await body.text() }
    } catch {
      return { status: 'broken', text: '' }
    }
  }

  async function rowsOf(from: string, count: number): Promise<Row[]> {
    let own: Row[] = []
    await until(async () => {
      own = (await yori.rows('exchanges')).filter(
        (row) => row['device_ip'] === from && row['event_type'] !== 'request',
      )
      return own.length >= count
    })
    return own
  }

  const costs = (row: Row | undefined): unknown[] => [
    row?.['cost_micro_usd'],
    row?.['cost_at_most_micro_usd'],
  ]

  /**
   * What is asked, and what it costs at most in micro-dollars, by config/providers.yaml. A model
   * counts as the dearest whose name begins alike: gpt-4-32k ($60, $120) of all of gpt, gpt-5-pro
   * ($15, $120) of gpt-5, o1-pro ($150, $600) of all; Claude Opus 4.1 ($15, $75) of all of Opus.
   */
  const UNKNOWN: readonly (readonly [string, string, Asked, number])[] = [
    ['a model of a new generation', NAME, { model: 'gpt-99' }, 60_000 + 12_000],
    ['a model of a known one', NAME, { model: 'gpt-5.9-2026-01-01' }, 15_000 + 12_000],
    ['a model of which nobody has heard', NAME, { model: 'zeus' }, 150_000 + 60_000],
    ['a new Claude', ANTHROPIC, { model: 'claude-opus-9' }, 15_000 + 7_500],
    [
      'a dearer tier of a known model',
      NAME,
      { model: 'gpt-4o-mini', says: { service_tier: 'priority' } },
      6 * 210,
    ],
    [
      'a tier that is served later',
      NAME,
      { model: 'gpt-4o-mini', says: { service_tier: 'flex' } },
      210,
    ],
    [
      'a faster mode',
      ANTHROPIC,
      {
        model: 'claude-haiku-4-5',
        says: { usage: { input_tokens: 1000, output_tokens: 100, speed: 'fast' } },
      },
      6 * (1000 + 500),
    ],
  ]

  const urlOf = (host: string): string =>
    `https://${host}/v1/${host === ANTHROPIC ? 'messages' : 'chat/completions'}`

  for (const version of HTTP_VERSIONS)
    describe(`over ${version}`, () => {
      for (const [what, host, asked, atMost] of UNKNOWN)
        it(`is counted at most and said: ${what}`, async () => {
          const daily_usd = (2 * atMost) / 1e6
          const cost_limit = { action: 'block', params: { daily_usd } }
          const from = await household({ cost_limit })
          const way = { from, version, url: urlOf(host) }
          // Alone, the second passes while anything is left.
          assert.equal((await ask(way, asked)).status, 200)
          assert.deepEqual(costs((await rowsOf(from, 1))[0]), [null, atMost])
          assert.equal((await ask(way, asked)).status, 200)
          await rowsOf(from, 2)
          const refused = await ask(way, asked)
          assert.equal(refused.status, 403)
          const cents = (Math.ceil((2 * atMost) / 10_000) / 100).toFixed(2)
          assert.match(
            refused.text,
            new RegExp(
              `is reached \\(of what is used \\$${cents.replace('.', '\\.')} is estimated`,
            ),
          )
        })

      it('is counted and told in observe, and refuses nothing', async () => {
        const cost_limit = { action: 'block', params: { daily_usd: 0.01 } }
        const from = await household({ cost_limit }, 'observe')
        for (let n = 1; n <= 3; n++) {
          assert.equal((await ask({ from, version }, { model: 'gpt-99' })).status, 200)
          await rowsOf(from, n)
        }
        const rows = await rowsOf(from, 3)
        for (const row of rows) assert.deepEqual(costs(row), [null, 72_000])
        assert.match(
          String(rows[2]?.['reason']),
          /reached \(of what is used \$0\.15 is est/,
        )
      })

      it('of an output that nobody told is that of all that was asked for', async () => {
        const from = await household({})
        const asked = { model: 'gpt-4o-mini', stream: true, breaks: true }
        await ask({ from, version }, { ...asked, max_tokens: 500 })
        const [row] = await rowsOf(from, 1)
        // 100 tokens of prompt at $0.15, and 500 at $0.60 a million.
        assert.deepEqual(costs(row), [null, 15 + 300])
        assert.equal(row?.['response_tokens'], null)
      })

      it('is none where nobody knows any, nor in the house', async () => {
        const budget = { action: 'block', params: { monthly_usd: 0.001 } }
        const cost_limit = { action: 'block', params: { daily_usd: 0.001 } }
        const agent_governor = { action: 'block', params: { max_usd: 0.001 } }
        const from = await household({ budget, cost_limit, agent_governor })
        for (const host of FREE) {
          const path = host === 'ollama.com' ? 'api/chat' : 'v1/chat/completions'
          const way = { from, version, url: `https://${host}/${path}`, session: host }
          for (let n = 0; n < 2; n++)
            assert.equal((await ask(way, { model: 'gpt-99' })).status, 200, host)
        }
        const rows = await rowsOf(from, 2 * FREE.length)
        for (const row of rows) assert.deepEqual(costs(row), [null, null])
      })

      for (const [policy, params] of [
        ['budget', { monthly_usd: 0.14 }],
        ['budget', { monthly_usd: 0.14, scope: 'group', groups: ['children'] }],
        ['cost_limit', { daily_usd: 0, monthly_usd: 0.14 }],
        ['agent_governor', { max_usd: 0.14 }],
      ] as const)
        it(`ends ${policy} (${Object.keys(params).join(', ')})`, async () => {
          await yori.reload({ policies: { files: {} } })
          const from = await household({ [policy]: { action: 'block', params } })
          const way = { from, version, session: `s-${from}` }
          let refused = { status: 200 as number | 'broken', text: '' }
          let passed = 0
          while (refused.status === 200 && passed < 4) {
            refused = await ask(way, { model: 'gpt-99' })
            if (refused.status === 200) await rowsOf(from, ++passed)
          }
          assert.equal(refused.status, 403, refused.text)
          // A group's budget knows what its other devices used.
          if (!('scope' in params)) assert.equal(passed, 2)
          assert.match(
            refused.text,
            /\$\d+\.\d\d is estimated: the most that calls without/,
          )
        })
    })

  // Last: it ends the YORI that all of them share.
  describe('after all', () => {
    it('is shown beside what is known, and is known after a restart', async () => {
      const from = await household({})
      await ask({ from, version: 'h1' }, { model: 'gpt-99' })
      await rowsOf(from, 1)
      const rows = await yori.rows('exchanges')
      const of = (column: string): number =>
        rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0)
      using reader = openReader(yori.database)
      const { total } = reader.usage({}, { nowMs: Date.now(), zone: 'UTC' })
      assert.equal(total.atMostMicroUsd, of('cost_at_most_micro_usd'))
      assert.equal(total.costMicroUsd ?? 0, of('cost_micro_usd'))
      assert.equal(reader.stats({}).atMostMicroUsd, of('cost_at_most_micro_usd'))
      const tagged = reader.tagged('job', from.replaceAll('.', '-'), 0)
      assert.deepEqual(
        [tagged.microUsd, tagged.atMostMicroUsd, tagged.unpriced, tagged.uncounted],
        [0, 72_000, 1, 0],
      )
      await yori.closeClients()
      await yori.appliance.stop()
      await using again = await yori.restart()
      const db = new Sqlite(again.database, { readonly: true })
      const kept = db
        .prepare(
          `SELECT cost_micro_usd AS known, cost_at_most_micro_usd AS most FROM usage
         WHERE scope = 'device' AND name = ? AND length(period) = 7`,
        )
        .get(from)
      db.close()
      assert.deepEqual(kept, { known: 0, most: 72_000 })
      await again.reload({
        policies: {
          files: { cost_limit: { action: 'block', params: { daily_usd: 0.07 } } },
        },
      })
      const { statusCode, body } = await request(`https://${NAME}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: again.dispatcher(from, 'h1'),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o-mini', messages }),
      })
      assert.match(await body.text(), /of what is used \$0\.08 is estimated/)
      assert.equal(statusCode, 403)
    })
  })
})
