/**
 * The vendors' own libraries are the oracle: each asks its provider through YORI, an origin
 * answers with recorded bytes, and what the library says is what YORI's record and its call
 * events say. Bedrock and Cohere stand on nothing else.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { recognise } from '../../src/providers/index.js'
import { startOrigin } from '../support/origins.js'
import { endedExchanges } from '../support/proxied.js'
import { ownRows } from '../support/sdk-rows.js'
import type { Recorded } from '../support/sdk-rows.js'
import { sdkSays } from '../support/sdk-says.js'
import type { Said } from '../support/sdk-words.js'
import { TestCa } from '../support/test-ca.js'
import { Yori } from '../support/yori.js'
import type { Row } from '../support/yori.js'
import { recordedCases } from '../support/needs.js'

/** Longer texts are cut in events. */
const MAX_EVENT_CHARS = 4096
/** Fields that say how to read the body; the rest is the provider's business. */
const CARRIED = /^(?:content-type|x-amzn-.*)$/i

interface PairRow {
  readonly id: string
  readonly request: { readonly url: string; readonly body: string | null }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
  }
  readonly expected: { readonly stream: boolean; readonly request_model: string | null }
}

function recordedRows(file: string): Recorded[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => recordedOf(JSON.parse(line) as PairRow))
}

function recordedOf({ id, request, response, expected }: PairRow): Recorded {
  const url = new URL(request.url)
  const inPath = /\/models?\/([^/:]+(?::\d+)?)(?=[/:])/.exec(
    decodeURIComponent(url.pathname),
  )
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers))
    if (CARRIED.test(name) && typeof value === 'string') headers[name] = value
  return {
    id,
    url: url.protocol === 'https:' ? url : new URL(url.pathname, 'https://ollama.com'),
    model: expected.request_model ?? inPath?.[1] ?? 'model',
    stream: expected.stream || url.pathname.endsWith('-stream'),
    status: response.status,
    headers,
    body: Buffer.from(response.body),
  }
}

/** YORI before an origin that stands for all those names, and a `fetch` that goes that way. */
class Oracle implements AsyncDisposable {
  #row: Recorded | undefined
  readonly #closing: AsyncDisposable[]
  readonly #fetch = globalThis.fetch
  readonly yori: Yori

  private constructor(yori: Yori, closing: AsyncDisposable[]) {
    this.yori = yori
    this.#closing = closing
    const dispatcher = yori.dispatcher()
    const own = this.#fetch
    globalThis.fetch = (input, init) =>
      own(input, Object.assign({}, init, { dispatcher }))
  }

  static async open(names: readonly string[]): Promise<Oracle> {
    const ca = new TestCa()
    // The origin is there before the oracle whose rows it answers with.
    const oracle: { current?: Oracle } = {}
    const origin = await startOrigin({
      certificate: ca.issue({ names }),
      handler: (request, response) => oracle.current?.answer(request, response),
    })
    const yori = await Yori.start({
      origins: Object.fromEntries(names.map((name) => [name, origin])),
      trust: [ca],
      config: {
        endpoints: names.map((domain) => ({ domain })),
        ca: { permitted: names },
        audit: { bodies: 'both', call_events: true },
      },
    })
    oracle.current = new Oracle(yori, [yori, origin])
    return oracle.current
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const row = this.#row
    request.resume().on('end', () => {
      response.writeHead(row?.status ?? 500, row?.headers)
      response.end(row?.body)
    })
  }

  /** Undefined where no library makes such a call. */
  async says(row: Recorded): Promise<Said | undefined> {
    this.#row = row
    return sdkSays(row)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    globalThis.fetch = this.#fetch
    for (const closing of this.#closing) await closing[Symbol.asyncDispose]()
  }
}

/** What the library said, and what YORI wrote of the same exchange. */
interface Heard {
  readonly row: Recorded
  readonly said: Said
  readonly record: Row
  readonly events: readonly EventRow[]
}

interface EventRow {
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
}

async function hear(rows: readonly Recorded[]): Promise<Heard[]> {
  await using oracle = await Oracle.open([
    ...new Set(rows.map(({ url }) => url.hostname)),
  ])
  const asked: { row: Recorded; said: Said }[] = []
  for (const row of rows) {
    const said = await oracle.says(row)
    if (said !== undefined) asked.push({ row, said })
  }
  const records = await endedExchanges(oracle.yori, asked.length)
  assert.equal(records.length, asked.length, 'a library asked more than once')
  const log = await oracle.yori.rows('audit_log')
  return asked.map(({ row, said }, at) => {
    const record = records[at]
    assert.ok(record !== undefined)
    const id = record['request_id']
    const events = log
      .map((line) => JSON.parse(String(line['details'])) as EventRow)
      .filter(({ attributes }) => attributes?.['yori.request_id'] === id)
    return { row, said, record, events }
  })
}

/** What the readers say of the bytes; the record has no room for all of it. */
function readerSays({ url, status, headers, body }: Recorded) {
  const path = url.pathname + url.search
  const found = recognise({ host: url.hostname, method: 'POST', path })
  assert.ok(found !== undefined)
  const contentType = headers['content-type'] ?? headers['Content-Type']
  const reader = found.provider.reader({ api: found.api, path, status, contentType })
  reader.push(body)
  return reader.end()
}

function check({ row, said, record, events }: Heard): void {
  const { error } = said
  const facts = readerSays(row)
  assert.equal(record['response_status'], row.status)
  assert.equal(record['model'], row.model, 'model')
  if (error !== undefined) {
    assert.ok(facts.error !== undefined, error.message)
    const message = facts.error.message
    assert.ok(error.message.includes(message), `${error.message}\n${message}`)
    assert.equal(record['reason'], message)
    return
  }
  assert.equal(facts.text, said.text, 'text')
  if (said.model !== undefined) assert.equal(facts.model, said.model, 'model')
  if (said.id !== undefined) assert.equal(facts.responseId, said.id, 'id')
  assert.deepEqual(
    facts.toolCalls.map(({ name, argumentsText }) => ({
      name,
      arguments: JSON.parse(argumentsText === '' ? '{}' : argumentsText) as unknown,
    })),
    said.calls,
  )
  const names = JSON.parse(String(record['tool_calls'] ?? '[]')) as unknown
  assert.deepEqual(
    names,
    said.calls.map(({ name }) => name),
  )
  assert.equal(record['finish_reason'] ?? undefined, said.finish, 'finish')
  // Bedrock's library does not give the response head to those who invoke.
  const countedInHead = Object.keys(row.headers).some((name) =>
    /token-count$/i.test(name),
  )
  for (const [column, count] of [
    ['prompt_tokens', said.inputTokens],
    ['response_tokens', said.outputTokens],
  ] as const)
    if (count !== undefined) assert.equal(record[column], count, column)
    else if (record[column] !== null && !countedInHead)
      assert.equal(record['tokens_estimated'], 1, column)
  const finish = events.find(({ name }) => name === 'llm.call.finish')
  if (finish === undefined) return
  const content = finish.attributes['llm.response.content']
  assert.equal(content, said.text.slice(0, MAX_EVENT_CHARS))
}

describe("what the vendors' libraries say, over the wire", () => {
  it('YORI records the same of answers of every kind', async () => {
    const heard = await hear(ownRows)
    assert.equal(heard.length, ownRows.length)
    for (const each of heard) {
      assert.equal(each.said.error, undefined, each.row.id)
      check(each)
    }
  })

  it('YORI records the same of recorded answers', async function () {
    const file = recordedCases(this, 'llm', 'pairs.jsonl')
    const rows = recordedRows(file)
    const heard = await hear(rows)
    const wrong: string[] = []
    for (const each of heard)
      try {
        check(each)
      } catch (cause) {
        wrong.push(`${each.row.id} ${each.row.url.href}: ${String(cause)}`)
      }
    assert.deepEqual(wrong, [])
    const blind = rows.filter(({ url }) => /bedrock-runtime|cohere/.test(url.hostname))
    for (const { id } of blind)
      assert.ok(
        heard.some(({ row }) => row.id === id),
        `no library read ${id}`,
      )
    assert.ok(heard.length > 0.75 * rows.length)
  })
})
