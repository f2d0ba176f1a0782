/**
 * What of an answer is told again is paid once: fetched by its id, polled until it is there, out
 * of a batch, over both versions of HTTP, and after a restart.
 */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import Sqlite from 'better-sqlite3'
import { request } from 'undici'
import { openReader } from '../../../src/audit/queries.js'
import { endedExchanges, NAME, originCa } from '../../support/proxied.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

/** Every name by the one origin: what a path answers is what its name's provider would. */
const NAMES = [
  NAME,
  'api.anthropic.com',
  'generativelanguage.googleapis.com',
  'api.x.ai',
  'api.perplexity.ai',
]
const namedCertificate = originCa.issue({ names: NAMES })

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
}
const limited = (tokens: number): object => ({
  ...ENFORCE,
  policies: {
    files: {
      cost_limit: { action: 'block', params: { daily_usd: 0, daily_tokens: tokens } },
    },
  },
})

interface Setup extends AsyncDisposable {
  readonly yori: Yori
}

async function behindAll(handler: RequestListener, config: object = {}): Promise<Setup> {
  const origin: Origin = await startOrigin({ certificate: namedCertificate, handler })
  const origins = Object.fromEntries(NAMES.map((name) => [name, origin]))
  const yori = await Yori.start({ origins, trust: [originCa], config: { ...config } })
  return {
    yori,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

const USAGE = { input_tokens: 100, output_tokens: 20, total_tokens: 120 }
/** platform.openai.com/docs/api-reference/responses/object. */
const response = (status: string, more: object = {}): object => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-4o-mini-2024-07-18',
  status,
  output: [],
  usage: null,
  ...more,
})
const DONE = response('completed', {
  output: [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'ok', annotations: [] }],
    },
  ],
  usage: USAGE,
})

/** Answers one after the other; the last again and again. */
function inTurn(...answers: readonly (object | string)[]): RequestListener {
  let at = 0
  return (asked, reply) => {
    asked.resume().on('end', () => {
      const answer = answers[Math.min(at++, answers.length - 1)] ?? {}
      const isLines = typeof answer === 'string'
      const type = isLines ? 'application/x-jsonl' : 'application/json'
      reply.writeHead(200, { 'content-type': type })
      reply.end(isLines ? answer : JSON.stringify(answer))
    })
  }
}

interface Asked {
  readonly version?: HttpVersion
  readonly from?: string
}

/** `POST host/path` with a body, or `GET host/path`. */
async function asks(
  yori: Yori,
  line: string,
  body?: object,
  { version = 'h1', from }: Asked = {},
): Promise<number> {
  const [method = 'GET', address = ''] = line.split(' ')
  const answer = await request(`https://${address}`, {
    method,
    dispatcher: yori.dispatcher(from, version),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  await answer.body.dump()
  return answer.statusCode
}

/** What the counters hold of this month, whatever the device. */
function counted(yori: Yori): { tokens: number; microUsd: number; requests: number } {
  const db = new Sqlite(yori.database, { readonly: true })
  try {
    return db
      .prepare<[], { tokens: number; microUsd: number; requests: number }>(
        `SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(tokens), 0) AS tokens,
           coalesce(sum(cost_micro_usd), 0) AS microUsd
         FROM usage WHERE scope = 'device' AND length(period) = 7`,
      )
      .get() as { tokens: number; microUsd: number; requests: number }
  } finally {
    db.close()
  }
}

/** What `yori stats` and `yori sessions list` add up to. */
function shown(yori: Yori): { stats: number; sessions: number; microUsd: number | null } {
  using reader = openReader(yori.database)
  const { total } = reader.usage({}, { nowMs: Date.now(), zone: 'UTC' })
  const sessions = reader.sessions({}, 10)
  return {
    stats: total.promptTokens + total.responseTokens,
    sessions: sessions.reduce((sum, s) => sum + s.promptTokens + s.responseTokens, 0),
    microUsd: total.costMicroUsd,
  }
}

const tokensOf = (row: Row | undefined): unknown[] => [
  row?.['prompt_tokens'],
  row?.['response_tokens'],
  row?.['tokens_estimated'],
]

const ASKING = { model: 'gpt-4o-mini', input: 'x'.repeat(400) }

describe('an answer that is told again', () => {
  for (const version of HTTP_VERSIONS) {
    it(`is paid once, whoever fetches it, over ${version}`, async () => {
      await using setup = await behindAll(inTurn(DONE), limited(250))
      const { yori } = setup
      const openai = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const { id } = await openai.responses.create(ASKING)
      for (let n = 0; n < 3; n++) await openai.responses.retrieve(id)
      const rows = await endedExchanges(yori, 4)
      assert.deepEqual(rows.map(tokensOf), [
        [100, 20, 0],
        ...Array<unknown>(3).fill([null, null, null]),
      ])
      // gpt-4o-mini: $0.15 and $0.60 for a million.
      assert.deepEqual(
        rows.map((row) => row['cost_micro_usd']),
        [27, null, null, null],
      )
      const [first] = rows
      for (const row of rows.slice(1))
        assert.equal(row['counted_in'], first?.['request_id'])
      assert.deepEqual(counted(yori), { requests: 1, tokens: 120, microUsd: 27 })
      assert.deepEqual(shown(yori), { stats: 120, sessions: 120, microUsd: 27 })
      // Another of 120 is within 250; four would not have been.
      await openai.responses.create(ASKING)
    })

    it(`that was not there yet replaces what was guessed, over ${version}`, async () => {
      const handler = inTurn(
        response('queued'),
        response('in_progress'),
        response('in_progress', { usage: { ...USAGE, output_tokens: 1 } }),
        DONE,
      )
      await using setup = await behindAll(handler, limited(10_000))
      const { yori } = setup
      const openai = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const { id } = await openai.responses.create({ ...ASKING, background: true })
      const [asked] = await endedExchanges(yori, 1)
      assert.deepEqual(tokensOf(asked), [100, null, 1])
      for (let n = 0; n < 2; n++) await openai.responses.retrieve(id)
      assert.deepEqual(tokensOf((await endedExchanges(yori, 3))[0]), [100, null, 1])
      assert.equal(counted(yori).tokens, 100)
      for (let n = 0; n < 2; n++) await openai.responses.retrieve(id)
      const rows = await endedExchanges(yori, 5)
      assert.deepEqual(tokensOf(rows[0]), [100, 20, 0])
      assert.equal(rows[0]?.['finish_reason'], 'completed')
      for (const row of rows.slice(1)) assert.deepEqual(tokensOf(row), [null, null, null])
      assert.deepEqual(counted(yori), { requests: 1, tokens: 120, microUsd: 27 })
      assert.deepEqual(shown(yori), { stats: 120, sessions: 120, microUsd: 27 })
    })
  }

  it('and failed used nothing that was guessed', async () => {
    const failure = { error: { code: 'server_error', message: 'it failed' } }
    const handler = inTurn(response('queued'), response('failed', failure))
    await using setup = await behindAll(handler)
    const { yori } = setup
    await asks(yori, `POST ${NAME}/v1/responses`, { ...ASKING, background: true })
    await endedExchanges(yori, 1)
    assert.equal(counted(yori).tokens, 100)
    for (let n = 0; n < 2; n++) await asks(yori, `GET ${NAME}/v1/responses/resp_1`)
    const [first] = await endedExchanges(yori, 3)
    assert.deepEqual(tokensOf(first), [null, null, null])
    assert.deepEqual(counted(yori), { requests: 1, tokens: 0, microUsd: 0 })
  })

  it('counts for the device that asked, not for the one that fetches it', async () => {
    const devices = ['127.0.0.1', '127.0.0.2']
    const groups = [{ name: 'children', exempt: false, device_ips: devices }]
    const enforcement = { timezone: 'UTC', allowlist: { groups } }
    await using setup = await behindAll(inTurn(response('queued'), DONE), { enforcement })
    const { yori } = setup
    await asks(yori, `POST ${NAME}/v1/responses`, { ...ASKING, background: true })
    await endedExchanges(yori, 1)
    await asks(yori, `GET ${NAME}/v1/responses/resp_1`, undefined, { from: '127.0.0.2' })
    await endedExchanges(yori, 2)
    const db = new Sqlite(yori.database, { readonly: true })
    const rows = db
      .prepare(
        `SELECT scope, name, tokens FROM usage WHERE length(period) = 7 AND tokens > 0
         AND scope <> 'policy' ORDER BY scope`,
      )
      .all()
    db.close()
    assert.deepEqual(rows, [
      { scope: 'device', name: '127.0.0.1', tokens: 120 },
      { scope: 'group', name: 'children', tokens: 120 },
    ])
  })

  it('is known after a restart', async () => {
    await using setup = await behindAll(inTurn(response('queued'), DONE), ENFORCE)
    const { yori } = setup
    await asks(yori, `POST ${NAME}/v1/responses`, { ...ASKING, background: true })
    await endedExchanges(yori, 1)
    await yori.closeClients()
    await yori.appliance.stop()
    await using again = await yori.restart()
    for (let n = 0; n < 3; n++) await asks(again, `GET ${NAME}/v1/responses/resp_1`)
    const rows = await endedExchanges(again, 4)
    assert.deepEqual(tokensOf(rows[0]), [100, 20, 0])
    assert.deepEqual(counted(again), { requests: 1, tokens: 120, microUsd: 27 })
    assert.deepEqual(shown(again).stats, 120)
  })

  it('is paid by the first who tells of it where nobody saw who asked', async () => {
    await using setup = await behindAll(inTurn(response('in_progress'), DONE))
    const { yori } = setup
    for (let n = 0; n < 4; n++) await asks(yori, `GET ${NAME}/v1/responses/resp_1`)
    const rows = await endedExchanges(yori, 4)
    assert.deepEqual(
      rows.map((row) => row['prompt_tokens']),
      [null, 100, null, null],
    )
    assert.deepEqual(counted(yori), { requests: 0, tokens: 120, microUsd: 27 })
  })

  it('is another where a server uses its id again', async () => {
    await using setup = await behindAll(inTurn(DONE))
    const { yori } = setup
    for (let n = 0; n < 3; n++) await asks(yori, `POST ${NAME}/v1/responses`, ASKING)
    await endedExchanges(yori, 3)
    assert.deepEqual(counted(yori), { requests: 3, tokens: 360, microUsd: 81 })
  })
})

const CHAT_USAGE = { prompt_tokens: 70, completion_tokens: 7, total_tokens: 77 }
const CHAT = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'grok-4',
  choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok' } }],
  usage: CHAT_USAGE,
}
const MESSAGES = [{ role: 'user', content: 'x'.repeat(400) }]
const batchLine = (id: string): string =>
  JSON.stringify({
    custom_id: id,
    result: {
      type: 'succeeded',
      message: {
        id: `msg_${id}`,
        model: 'claude-haiku-4-5',
        usage: { input_tokens: 30, output_tokens: 5, cache_read_input_tokens: 10 },
      },
    },
  })

/** Of each: who asks, who fetches, what is answered in turn, and what it comes to. */
const KINDS: Readonly<
  Record<
    string,
    { asks: [string, object]; gets: string; says: (object | string)[]; tokens: number }
  >
> = {
  'a stored chat completion': {
    asks: [
      `POST ${NAME}/v1/chat/completions`,
      { model: 'm', messages: MESSAGES, store: true },
    ],
    gets: `GET ${NAME}/v1/chat/completions/chatcmpl-1`,
    says: [CHAT],
    tokens: 77,
  },
  'a deferred completion of xAI': {
    asks: [
      'POST api.x.ai/v1/chat/completions',
      { model: 'grok-4', messages: MESSAGES, deferred: true },
    ],
    gets: 'GET api.x.ai/v1/chat/deferred-completion/defer-1',
    says: [{ request_id: 'defer-1' }, CHAT],
    tokens: 77,
  },
  'an asynchronous completion of Perplexity': {
    asks: [
      'POST api.perplexity.ai/async/chat/completions',
      { request: { model: 'sonar', messages: MESSAGES } },
    ],
    gets: 'GET api.perplexity.ai/async/chat/completions/async-1',
    says: [
      { id: 'async-1', model: 'sonar', status: 'CREATED', response: null },
      { id: 'async-1', model: 'sonar', status: 'IN_PROGRESS', response: null },
      { id: 'async-1', model: 'sonar', status: 'COMPLETED', response: CHAT },
    ],
    tokens: 77,
  },
  'a run of an assistant': {
    asks: [`POST ${NAME}/v1/threads/thread_1/runs`, { assistant_id: 'asst_1' }],
    gets: `GET ${NAME}/v1/threads/thread_1/runs/run_1`,
    says: [
      { id: 'run_1', object: 'thread.run', status: 'queued', usage: null },
      {
        id: 'run_1',
        object: 'thread.run',
        status: 'completed',
        model: 'm',
        usage: CHAT_USAGE,
      },
    ],
    tokens: 77,
  },
  'a batch of OpenAI': {
    asks: [`POST ${NAME}/v1/batches`, { input_file_id: 'file_1' }],
    gets: `GET ${NAME}/v1/batches/batch_1`,
    says: [
      { id: 'batch_1', object: 'batch', status: 'validating' },
      {
        id: 'batch_1',
        object: 'batch',
        status: 'in_progress',
        usage: { ...USAGE, input_tokens: 3 },
      },
      { id: 'batch_1', object: 'batch', status: 'completed', usage: USAGE },
    ],
    tokens: 120,
  },
  'a batch of Anthropic': {
    asks: [
      'POST api.anthropic.com/v1/messages/batches',
      {
        requests: [
          { custom_id: 'a', params: { model: 'claude-haiku-4-5', messages: MESSAGES } },
        ],
      },
    ],
    gets: 'GET api.anthropic.com/v1/messages/batches/msgbatch_1/results',
    says: [
      { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' },
      `${batchLine('a')}\n${batchLine('b')}\n`,
    ],
    // Twice 30 and 10 from the cache in, 5 out.
    tokens: 90,
  },
  'an interaction of Gemini': {
    asks: [
      'POST generativelanguage.googleapis.com/v1beta/interactions',
      { model: 'gemini-2.5-flash', input: 'x'.repeat(400), background: true },
    ],
    gets: 'GET generativelanguage.googleapis.com/v1beta/interactions/int_1',
    says: [
      { id: 'int_1', status: 'in_progress' },
      {
        id: 'int_1',
        status: 'completed',
        usage: {
          total_input_tokens: 50,
          total_output_tokens: 4,
          total_thought_tokens: 6,
        },
      },
    ],
    tokens: 60,
  },
  'an operation of Gemini': {
    asks: [
      'POST generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:batchGenerateContent',
      { batch: { input_config: { requests: { requests: [] } } } },
    ],
    gets: 'GET generativelanguage.googleapis.com/v1beta/batches/abc',
    says: [
      { name: 'batches/abc', metadata: { model: 'models/gemini-2.5-flash' } },
      { name: 'batches/abc', metadata: { state: 'BATCH_STATE_RUNNING' } },
      {
        name: 'batches/abc',
        metadata: { model: 'models/gemini-2.5-flash' },
        done: true,
        response: {
          inlinedResponses: {
            inlinedResponses: [1, 2].map(() => ({
              response: {
                candidates: [],
                usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2 },
              },
            })),
          },
        },
      },
    ],
    tokens: 22,
  },
}

for (const version of HTTP_VERSIONS)
  describe(`paid once over ${version} is`, () => {
    let setup: Setup
    let answers: RequestListener = inTurn({})
    /** Rows of the kinds before. */
    let seen = 0
    before(async () => {
      setup = await behindAll((asked, reply) => answers(asked, reply))
    })
    after(() => setup[Symbol.asyncDispose]())

    for (const [
      kind,
      {
        asks: [line, body],
        gets,
        says,
        tokens,
      },
    ] of Object.entries(KINDS))
      it(kind, async () => {
        const { yori } = setup
        answers = inTurn(...says)
        await yori.recordMade()
        const before = counted(yori)
        await asks(yori, line, body, { version })
        await endedExchanges(yori, seen + 1)
        const fetches = says.length + 2
        for (let n = 0; n < fetches; n++) await asks(yori, gets, undefined, { version })
        const rows = await endedExchanges(yori, seen + 1 + fetches)
        const [first, ...others] = rows.slice(seen)
        seen = rows.length
        const told = (row: Row | undefined): number =>
          Number(row?.['prompt_tokens'] ?? 0) + Number(row?.['response_tokens'] ?? 0)
        assert.equal(told(first), tokens, 'in the row of the request')
        assert.deepEqual([...new Set(others.map(told))], [0])
        assert.equal(first?.['tokens_estimated'], 0)
        const now = counted(yori)
        assert.equal(now.tokens - before.tokens, tokens)
        assert.equal(now.requests - before.requests, 1)
        assert.equal(shown(yori).stats, now.tokens)
      })
  })
