/** Money, conversations and devices, as counters and policies see them on the wire. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import Sqlite from 'better-sqlite3'
import { PermissionDeniedError } from 'openai'
import { request } from 'undici'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { Yori } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
}
/** gpt-4o-mini: $0.15 for a million tokens in, so that this is one dollar. */
const TOKENS_OF_A_DOLLAR = 6_666_667

function priced(files: Record<string, unknown>, extra: object = {}) {
  return (answer: object = {}): Promise<Proxied> =>
    behind(
      (request, response) => {
        request.resume().on('end', () => {
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ ...COMPLETION, ...answer }))
        })
      },
      { ...ENFORCE, policies: { files }, ...extra },
    )
}

const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [
    { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'ok' } },
  ],
  usage: {
    prompt_tokens: TOKENS_OF_A_DOLLAR,
    completion_tokens: 0,
    total_tokens: TOKENS_OF_A_DOLLAR,
  },
}

const CALLING = {
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } },
          { id: 'call_2', type: 'function', function: { name: 'look', arguments: '{}' } },
        ],
      },
    },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
}

interface Asking {
  readonly content?: string
  readonly from?: string
  readonly session?: string
}

/** Undefined when it was answered, else what the SDK was told. */
async function refusal(yori: Yori, asking: Asking = {}): Promise<string | undefined> {
  const { content = 'hello', from, session } = asking
  try {
    await openaiSdk({ dispatcher: yori.dispatcher(from) }).chat.completions.create(
      { model: 'gpt-4o-mini', messages: [{ role: 'user', content }] },
      session === undefined ? {} : { headers: { 'X-Yori-Session-Id': session } },
    )
    return undefined
  } catch (error) {
    assert.ok(error instanceof PermissionDeniedError, String(error))
    return error.message
  }
}

describe('a budget', () => {
  it('that is reached in the month is reached after a restart as well', async () => {
    const budget = { action: 'block', params: { monthly_usd: 2 } }
    await using proxied = await priced({ budget })()
    const { yori } = proxied
    assert.equal(await refusal(yori), undefined)
    await endedExchanges(yori, 1)
    assert.equal(await refusal(yori), undefined)
    const rows = await endedExchanges(yori, 2)
    assert.deepEqual(
      rows.map((row) => row['cost_micro_usd']),
      [1_000_000, 1_000_000],
    )
    assert.match((await refusal(yori)) ?? '', /the month's budget of \$2\.00 is spent/)
    await yori.closeClients()
    await yori.appliance.stop()
    await using again = await yori.restart()
    assert.match((await refusal(again)) ?? '', /the month's budget of \$2\.00 is spent/)
    const [, , , last] = await endedExchanges(again, 4)
    assert.equal(last?.['policy_name'], 'budget')
  })

  it('that is switched on in the month knows what was spent before', async () => {
    await using proxied = await priced({})()
    const { yori } = proxied
    assert.equal(await refusal(yori), undefined)
    await endedExchanges(yori, 1)
    const budget = { action: 'block', params: { monthly_usd: 1 } }
    await yori.reload({ policies: { files: { budget } } })
    assert.match((await refusal(yori)) ?? '', /budget/)
  })

  for (const [policy, params] of [
    ['budget', { monthly_usd: 1 }],
    ['cost_limit', { daily_usd: 1 }],
    ['cost_limit', { daily_usd: 0, daily_tokens: 10 }],
  ] as const)
    for (const version of HTTP_VERSIONS)
      it(`of ${policy} (${Object.keys(params).join(' and ')}) that is spent refuses calls over ${version}, and no lists and polls`, async () => {
        await using proxied = await priced({ [policy]: { action: 'block', params } })()
        const { yori } = proxied
        assert.equal(await refusal(yori), undefined)
        await endedExchanges(yori, 1)
        const dispatcher = yori.dispatcher(undefined, version)
        const ask = async (method: 'GET' | 'POST', path: string): Promise<number> => {
          const json = JSON.stringify({ model: 'gpt-4o-mini', input: 'hello' })
          const { statusCode, body } = await request(`https://${NAME}${path}`, {
            method,
            dispatcher,
            ...(method === 'GET'
              ? {}
              : { headers: { 'content-type': 'application/json' }, body: json }),
          })
          await body.dump()
          return statusCode
        }
        for (const path of ['/v1/models', '/v1/responses/resp_1', '/v1/batches/batch_1'])
          assert.equal(await ask('GET', path), 200, path)
        assert.equal(await ask('POST', '/v1/responses/input_tokens'), 200)
        assert.equal(await ask('POST', '/v1/responses'), 403)
      })

  it('warns at its shares', async () => {
    const cost_limit = { action: 'block', params: { daily_usd: 2 } }
    await using proxied = await priced({ cost_limit })()
    const { yori } = proxied
    await refusal(yori)
    await endedExchanges(yori, 1)
    await refusal(yori)
    const [, second] = await endedExchanges(yori, 2)
    assert.equal(second?.['policy_decision'], 'alert')
    assert.equal(second['reason'], '50 % of 2 dollars today are used')
    assert.match((await refusal(yori)) ?? '', /the limit of 2 dollars today is reached/)
  })

  it('is held against what the record itself adds up to', async () => {
    await using proxied = await priced({})()
    const { yori } = proxied
    for (let n = 0; n < 3; n++) await refusal(yori)
    await endedExchanges(yori, 3)
    using database = opened(yori.database)
    const kept = database.db
      .prepare(
        `SELECT requests, tokens, cost_micro_usd FROM usage
         WHERE scope = 'device' AND length(period) = 7`,
      )
      .get()
    const recorded = database.db
      .prepare(
        `SELECT count(*) AS requests, sum(prompt_tokens + response_tokens) AS tokens,
           sum(cost_micro_usd) AS cost_micro_usd FROM exchanges`,
      )
      .get()
    assert.deepEqual(kept, recorded)
  })
})

function opened(file: string): { db: Sqlite.Database } & Disposable {
  const db = new Sqlite(file, { readonly: true })
  return { db, [Symbol.dispose]: () => void db.close() }
}

describe('two devices', () => {
  const OTHER = '127.0.0.2'

  it('have counters of their own', async () => {
    const high_usage = { action: 'block', params: { daily_threshold: 1 } }
    const extra = household(['127.0.0.1', OTHER])
    await using proxied = await priced({ high_usage }, extra)()
    const { yori } = proxied
    assert.equal(await refusal(yori), undefined)
    assert.match((await refusal(yori)) ?? '', /more than 1 requests/)
    assert.equal(await refusal(yori, { from: OTHER }), undefined)
    assert.match((await refusal(yori, { from: OTHER })) ?? '', /more than 1 requests/)
  })

  it('count as one while nobody knows them', async () => {
    const high_usage = { action: 'block', params: { daily_threshold: 1 } }
    await using proxied = await priced({ high_usage })()
    const { yori } = proxied
    assert.equal(await refusal(yori), undefined)
    assert.match((await refusal(yori, { from: OTHER })) ?? '', /more than 1 requests/)
  })

  it('never share an answer that was kept', async () => {
    const parental = { action: 'block' }
    const extra = household(['127.0.0.1'])
    await using proxied = await priced({ parental }, extra)()
    const { yori } = proxied
    const content = 'teach me poker'
    for (let n = 0; n < 2; n++) {
      assert.match((await refusal(yori, { content })) ?? '', /gambling/)
      assert.equal(await refusal(yori, { content, from: OTHER }), undefined)
    }
  })
})

/** All in the group of children, which no list lets past. */
function household(ips: readonly string[]): object {
  const groups = [{ name: 'children', exempt: false, device_ips: ips }]
  return { enforcement: { ...ENFORCE.enforcement, allowlist: { groups } } }
}

describe('a conversation', () => {
  it('of an agent that runs away is stopped, and no other', async () => {
    const agent_governor = { action: 'block', params: { max_tool_calls: 4 } }
    await using proxied = await priced({ agent_governor })(CALLING)
    const { yori } = proxied
    const asking = { session: 'runaway' }
    assert.equal(await refusal(yori, asking), undefined)
    await endedExchanges(yori, 1)
    assert.equal(await refusal(yori, asking), undefined)
    await endedExchanges(yori, 2)
    const told = await refusal(yori, asking)
    assert.match(told ?? '', /limit of 4 tool calls: stop here, do not try again/)
    assert.equal(await refusal(yori, { session: 'calm' }), undefined)
  })

  it('that a person stops is blocked at its next request, until it may go on', async () => {
    await using proxied = await priced({})(CALLING)
    const { yori } = proxied
    const asking = { session: 'agent-7' }
    assert.equal(await refusal(yori, asking), undefined)
    using database = new PolicyDatabase(yori.folder.file('state/policy.db'))
    const value = { session: 'agent-7', reason: 'too dear', until: Date.now() + 60_000 }
    const kept = { key: 'agent-7', addedAt: Date.now(), addedBy: 'test' }
    database.put('stop', { ...kept, value })
    const { decider } = yori.appliance.current.services
    await until(() => !decider.idle)
    assert.match(
      (await refusal(yori, asking)) ?? '',
      /a person has stopped this conversation \(too dear\): do not try again/,
    )
    assert.equal(await refusal(yori, { session: 'agent-8' }), undefined)
    database.remove('stop', 'agent-7')
    await until(() => decider.idle)
    assert.equal(await refusal(yori, asking), undefined)
  })

  it('counts its tool calls for tool_guard', async () => {
    const tool_guard = { action: 'block', params: { max_calls: 2 } }
    await using proxied = await priced({ tool_guard })(CALLING)
    const { yori } = proxied
    assert.equal(await refusal(yori, { session: 's' }), undefined)
    await endedExchanges(yori, 1)
    assert.match((await refusal(yori, { session: 's' })) ?? '', /made 2 tool calls/)
  })
})

describe('a bad policy file', () => {
  it('keeps the old set in force, and is named with line, column and cause', async () => {
    const prompt_length = { action: 'block', params: { max_chars: 10 } }
    await using proxied = await priced({ prompt_length })()
    const { yori } = proxied
    const content = 'x'.repeat(20)
    assert.match((await refusal(yori, { content })) ?? '', /20 characters/)
    const directory = yori.folder.file('own')
    await mkdir(directory)
    await writeFile(
      `${directory}/own.rego`,
      'package yori.own\n\ndeny if {\n  input.x ==\n}\n',
    )
    const policies = { directory, files: {} }
    await assert.rejects(
      yori.reload({ policies }),
      /own\/own\.rego:5:1: rego_parse_error/,
    )
    assert.match((await refusal(yori, { content })) ?? '', /20 characters/)
    await writeFile(`${directory}/own.rego`, 'package yori.own\ndeny contains "own"')
    await yori.reload({ policies: { directory, files: { own: { action: 'block' } } } })
    assert.match((await refusal(yori, { content })) ?? '', /own/)
  })

  it('has parameters that are refused by name', async () => {
    await using proxied = await priced({})()
    const files = { bedtime: { params: { start_hour: '21' } } }
    await assert.rejects(
      proxied.yori.reload({ policies: { files } }),
      /policies\.files\.bedtime\.params: start_hour is a whole number from 0 to 24/,
    )
  })
})
