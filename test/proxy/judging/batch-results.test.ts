/**
 * Results of batches that are fetched as files: what their lines used is paid once, in the row of
 * whoever asked for the batch, by SDKs of their own, in observe and in enforce, over both versions
 * of HTTP.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import Sqlite from 'better-sqlite3'
import { request } from 'undici'
import { endedExchanges, NAME, originCa } from '../../support/proxied.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { tempFolder } from '../../support/temp-folder.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const ANTHROPIC = 'api.anthropic.com'
const GEMINI = 'generativelanguage.googleapis.com'
const MISTRAL = 'api.mistral.ai'
const NAMES = [NAME, ANTHROPIC, GEMINI, MISTRAL]
const namedCertificate = originCa.issue({ names: NAMES })

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
  policies: { files: { cost_limit: { action: 'block', params: { daily_usd: 1000 } } } },
}

interface Said {
  readonly status?: number
  readonly type: string
  readonly body: string
}
const json = (value: object): Said => ({
  type: 'application/json',
  body: JSON.stringify(value),
})
/** As the providers announce files. */
const lines = (values: readonly object[], type = 'application/octet-stream'): Said => ({
  type,
  body: values.map((value) => `${JSON.stringify(value)}\n`).join(''),
})

const LINES = 120
/** platform.openai.com/docs/guides/batch: 100 tokens in and 20 out, of some 3 KB. */
const openaiLine = (n: number): object => ({
  id: `batch_req_${n}`,
  custom_id: `request-${n}`,
  response: {
    status_code: 200,
    request_id: `req_${n}`,
    body: {
      id: `chatcmpl-${n}`,
      object: 'chat.completion',
      model: 'gpt-4o-mini-2024-07-18',
      choices: [
        { index: 0, finish_reason: 'stop', message: { content: 'word '.repeat(600) } },
      ],
      usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
    },
  },
  error: null,
})
const OUTPUT = lines([
  ...Array.from({ length: LINES }, (_, n) => openaiLine(n)),
  { id: 'batch_req_x', custom_id: 'x', response: null, error: { code: 'batch_expired' } },
])
/** At $0.15 and $0.60 a million, each line rounded: what a batch costs at most. */
const OUTPUT_COST = LINES * (15 + 12)
const OUTPUT_TOKENS = LINES * 120

const BATCH_PRICES = `priced_on: 2026-10-01
providers:
  - name: openai
    models:
      - id: gpt-4o-mini
        input: 0.15
        output: 0.6
        tiers: [{ name: batch, input: 0.075, output: 0.3 }]
`

const batch = (more: object): object => ({
  id: 'batch_1',
  object: 'batch',
  endpoint: '/v1/chat/completions',
  status: 'completed',
  output_file_id: 'file-out',
  ...more,
})

const messageLine = (id: string, model: string, input: number): object => ({
  custom_id: id,
  result: {
    type: 'succeeded',
    message: {
      ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model },
      content: [{ type: 'text', text: 'ok' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: input, output_tokens: 10, service_tier: 'batch' },
    },
  },
})

describe('results of a batch that are fetched as a file', () => {
  let says: Readonly<Record<string, Said>> = {}
  let origin: Origin
  let seen = 0

  const handler: RequestListener = (asked: IncomingMessage, reply: ServerResponse) => {
    asked.resume().on('end', () => {
      const path = (asked.url ?? '').split('?')[0] ?? ''
      const said = says[`${asked.method ?? ''} ${path}`] ?? json({ error: 'unforeseen' })
      const { range } = asked.headers
      const part = /^bytes=0-(\d+)$/.exec(range ?? '')?.[1]
      const body = Buffer.from(said.body)
      reply.writeHead(part === undefined ? (said.status ?? 200) : 206, {
        'content-type': said.type,
      })
      reply.end(part === undefined ? body : body.subarray(0, Number(part) + 1))
    })
  }

  async function started(config: object): Promise<Yori> {
    const origins = Object.fromEntries(NAMES.map((name) => [name, origin]))
    const named = {
      endpoints: NAMES.map((domain) => ({ domain })),
      ca: { permitted: NAMES },
    }
    return Yori.start({ origins, trust: [originCa], config: { ...named, ...config } })
  }

  before(async () => {
    origin = await startOrigin({ certificate: namedCertificate, handler })
  })
  after(() => origin[Symbol.asyncDispose]())

  for (const [mode, config] of [
    ['observe', {}],
    ['enforce', ENFORCE],
  ] as const)
    for (const version of HTTP_VERSIONS)
      describe(`in ${mode} over ${version}`, () => {
        let yori: Yori
        before(async () => {
          seen = 0
          yori = await started(config)
        })
        after(() => yori[Symbol.asyncDispose]())
        define(() => yori, version)
      })

  it('cost what the price of a batch says, where that is known', async () => {
    await using folder = await tempFolder()
    const file = folder.file('own.yaml')
    await writeFile(file, BATCH_PRICES)
    await using yori = await started({ catalogue: { file } })
    seen = 0
    says = { 'GET /v1/files/file-out/content': OUTPUT }
    await gets(yori, 'h1', `${NAME}/v1/files/file-out/content`)
    const [row] = await rowsOf(yori, 1)
    // Half of 15 and of 12 micro-dollars a line, rounded half up.
    assert.equal(row?.['cost_micro_usd'], LINES * 14)
    assert.equal(row['cost_at_most_micro_usd'], null)
  })

  /** The rows since the last time, once there are so many. */
  async function rowsOf(yori: Yori, count: number): Promise<Row[]> {
    const rows = await endedExchanges(yori, seen + count)
    const own = rows.slice(seen)
    seen = rows.length
    return own
  }

  const told = (row: Row | undefined): number =>
    Number(row?.['prompt_tokens'] ?? 0) + Number(row?.['response_tokens'] ?? 0)

  function counted(yori: Yori): { tokens: number; known: number; most: number } {
    const db = new Sqlite(yori.database, { readonly: true })
    try {
      return db
        .prepare<[], { tokens: number; known: number; most: number }>(
          `SELECT coalesce(sum(tokens), 0) AS tokens, coalesce(sum(cost_micro_usd), 0) AS known,
             coalesce(sum(cost_at_most_micro_usd), 0) AS most
           FROM usage WHERE scope = 'device' AND length(period) = 7`,
        )
        .get() as { tokens: number; known: number; most: number }
    } finally {
      db.close()
    }
  }

  async function gets(
    yori: Yori,
    version: HttpVersion,
    address: string,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const dispatcher = yori.dispatcher(undefined, version)
    const answer = await request(`https://${address}`, { dispatcher, headers })
    return answer.body.text()
  }

  function define(of: () => Yori, version: HttpVersion): void {
    it('are paid in the row of the batch, once, whoever fetches them', async () => {
      const yori = of()
      says = {
        'POST /v1/batches': json(batch({ status: 'validating', output_file_id: null })),
        'GET /v1/batches/batch_1': json(batch({})),
        'GET /v1/files/file-out/content': OUTPUT,
      }
      await yori.recordMade()
      const before = counted(yori)
      const openai = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const { id } = await openai.batches.create({
        ...{ endpoint: '/v1/chat/completions', completion_window: '24h' },
        input_file_id: 'file-in',
      })
      await rowsOf(yori, 1)
      await openai.batches.retrieve(id)
      for (let n = 0; n < 3; n++) {
        const content = await openai.files.content('file-out')
        assert.equal(await content.text(), OUTPUT.body)
      }
      await openai.batches.retrieve(id)
      await rowsOf(yori, 5)
      const [asked, ...others] = (await endedExchanges(yori, seen)).slice(-6)
      assert.equal(told(asked), OUTPUT_TOKENS)
      assert.equal(asked?.['cost_micro_usd'], null)
      assert.equal(asked['cost_at_most_micro_usd'], OUTPUT_COST)
      for (const row of others) {
        assert.equal(told(row), 0)
        assert.equal(row['counted_in'], asked['request_id'])
        assert.equal(row['cost_at_most_micro_usd'], null)
        assert.equal(row['uninspectable'], null)
      }
      const now = counted(yori)
      assert.equal(now.tokens - before.tokens, OUTPUT_TOKENS)
      assert.equal(now.most - before.most, OUTPUT_COST)
    })

    it('are paid once where the batch tells them, too, before or after', async () => {
      const yori = of()
      const usage = {
        input_tokens: LINES * 100,
        output_tokens: LINES * 20,
        total_tokens: OUTPUT_TOKENS,
      }
      for (const order of ['batch first', 'file first']) {
        const name = order.slice(0, 4)
        says = {
          [`GET /v1/batches/${name}`]: json(
            batch({ id: name, output_file_id: `file-${name}`, usage }),
          ),
          [`GET /v1/files/file-${name}/content`]: OUTPUT,
        }
        await yori.recordMade()
        const before = counted(yori).tokens
        const ways = [`v1/batches/${name}`, `v1/files/file-${name}/content`]
        if (order === 'file first') ways.reverse()
        for (const way of [...ways, ...ways]) {
          await gets(yori, version, `${NAME}/${way}`)
          await rowsOf(yori, 1)
        }
        assert.equal(counted(yori).tokens - before, OUTPUT_TOKENS, order)
      }
    })

    it('are paid once by whoever fetches them first where nobody asked here', async () => {
      const yori = of()
      says = { 'GET /v1/files/file-lone/content': OUTPUT }
      await yori.recordMade()
      const before = counted(yori).tokens
      const path = `${NAME}/v1/files/file-lone/content`
      await gets(yori, version, path, { range: 'bytes=0-99999' })
      const [part] = await rowsOf(yori, 1)
      assert.ok(told(part) > 0 && told(part) < OUTPUT_TOKENS, String(told(part)))
      await gets(yori, version, path)
      await gets(yori, version, `${path}?again=1`)
      await gets(yori, version, path, { range: 'bytes=0-99999' })
      const rows = await rowsOf(yori, 3)
      assert.deepEqual(rows.map(told), [0, 0, 0])
      assert.equal(counted(yori).tokens - before, OUTPUT_TOKENS)
    })

    it('of several models are each paid at its own price, none as a long prompt', async () => {
      const yori = of()
      const results = [
        ...Array.from({ length: 30 }, (_, n) =>
          messageLine(`s${n}`, 'claude-sonnet-4-5', 10_000),
        ),
        messageLine('h', 'claude-haiku-4-5', 1000),
      ]
      const ended = {
        id: 'msgbatch_1',
        type: 'message_batch',
        processing_status: 'ended',
      }
      const results_url = `https://${ANTHROPIC}/v1/messages/batches/msgbatch_1/results`
      says = {
        'POST /v1/messages/batches': json({ ...ended, processing_status: 'in_progress' }),
        'GET /v1/messages/batches/msgbatch_1': json({ ...ended, results_url }),
        'GET /v1/messages/batches/msgbatch_1/results': lines(
          results,
          'application/x-jsonl',
        ),
      }
      const anthropic = anthropicSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const messages = [{ role: 'user' as const, content: 'hi' }]
      const params = { model: 'claude-sonnet-4-5', max_tokens: 10, messages }
      const { id } = await anthropic.messages.batches.create({
        requests: [{ custom_id: 's0', params }],
      })
      for (let n = 0; n < 2; n++) {
        let came = 0
        for await (const result of await anthropic.messages.batches.results(id))
          came += result.result.type === 'succeeded' ? 1 : 0
        assert.equal(came, 31)
      }
      await rowsOf(yori, 5)
      const asked = (await endedExchanges(yori, seen)).find(
        (row) => row['http_method'] === 'POST' && row['endpoint_domain'] === ANTHROPIC,
      )
      assert.equal(told(asked), 30 * 10_010 + 1010)
      assert.equal(asked?.['service_tier'], 'batch')
      // Sonnet 4.5 at $3 and $15 a million below 200,000 tokens, Haiku 4.5 at $1 and $5.
      assert.equal(
        asked['cost_at_most_micro_usd'],
        30 * (10_000 * 3 + 10 * 15) + (1000 + 10 * 5),
      )
      assert.equal(asked['truncated'], null)
    })

    it('of Gemini and of Mistral are paid once', async () => {
      const yori = of()
      const answer = {
        candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
        modelVersion: 'gemini-2.5-flash',
        usageMetadata: {
          promptTokenCount: 9,
          candidatesTokenCount: 2,
          totalTokenCount: 11,
        },
      }
      const done = { done: true, response: { responsesFile: 'files/batch-abc' } }
      says = {
        'GET /v1beta/batches/abc': json({ name: 'batches/abc', metadata: {}, ...done }),
        'GET /download/v1beta/files/batch-abc:download': lines(
          [1, 2, 3].map((n) => ({ key: `k${n}`, response: answer })),
        ),
        'GET /v1/batch/jobs/job-1': json({
          ...{ id: 'job-1', object: 'batch', status: 'SUCCESS', output_file: 'file-m' },
        }),
        'GET /v1/files/file-m/content': lines([openaiLine(1)]),
      }
      await yori.recordMade()
      const before = counted(yori).tokens
      for (let n = 0; n < 2; n++) {
        await gets(yori, version, `${GEMINI}/v1beta/batches/abc`)
        const file = 'download/v1beta/files/batch-abc:download?alt=media'
        await gets(yori, version, `${GEMINI}/${file}`)
        await gets(yori, version, `${MISTRAL}/v1/batch/jobs/job-1`)
        await gets(yori, version, `${MISTRAL}/v1/files/file-m/content`)
      }
      await rowsOf(yori, 8)
      assert.equal(counted(yori).tokens - before, 33 + 120)
    })

    it('are read but for a line of more than a megabyte, and its row says so', async () => {
      const yori = of()
      const long = { ...openaiLine(2), padding: 'x'.repeat(1024 * 1024) }
      says = {
        'GET /v1/files/file-long/content': lines([openaiLine(1), long, openaiLine(3)]),
      }
      await gets(yori, version, `${NAME}/v1/files/file-long/content`)
      const [row] = await rowsOf(yori, 1)
      assert.deepEqual([told(row), row?.['uninspectable']], [240, 'response'])
    })

    it('are told from other files, which pass and are paid by nobody', async () => {
      const yori = of()
      const files: Readonly<Record<string, Said>> = {
        pretty: {
          type: 'application/octet-stream',
          body: '{\n  "a": 1,\n  "b": []\n}\n',
        },
        input: lines([
          { custom_id: 'a', method: 'POST', url: '/v1/responses', body: {} },
        ]),
        training: lines([{ messages: [{ role: 'user', content: 'x' }], usage: 7 }]),
        binary: { type: 'application/octet-stream', body: '\u0000%PDF'.repeat(300_000) },
      }
      says = Object.fromEntries(
        Object.entries(files).map(([name, said]) => [
          `GET /v1/files/${name}/content`,
          said,
        ]),
      )
      await yori.recordMade()
      const before = counted(yori)
      for (const [name, { body }] of Object.entries(files))
        assert.equal(await gets(yori, version, `${NAME}/v1/files/${name}/content`), body)
      for (const row of await rowsOf(yori, 4)) {
        assert.deepEqual(
          [told(row), row['uninspectable'], row['truncated']],
          [0, null, null],
        )
      }
      assert.deepEqual(counted(yori), before)
    })
  }
})
