/**
 * Every surface that tells what was used tells the same: exports, `yori stats`, `yori audit
 * stats`, sessions, the standing reports, the counters, and what `cost_limit` is asked with. Fed
 * with recorded exchanges over the wire, in an order that is drawn, from two devices, over both
 * versions of HTTP, some of them fetched again, failed or blocked.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import type { Usage, UsageLine } from '../../../../src/audit/session-queries.js'
import { auditDefaults } from '../../../../src/audit/store-options.js'
import { auditCommand } from '../../../../src/cli/commands/record/audit.js'
import {
  sessionsCommand,
  statsCommand,
} from '../../../../src/cli/commands/record/sessions-command.js'
import { recordedCases } from '../../../support/needs.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { startOrigin } from '../../../support/origins.js'
import type { Origin } from '../../../support/origins.js'
import { ownRows } from '../../../support/sdk-rows.js'
import { TestCa } from '../../../support/test-ca.js'
import { HTTP_VERSIONS, Yori } from '../../../support/yori.js'
import type { HttpVersion } from '../../../support/yori.js'

interface Exchange {
  readonly method: string
  readonly url: URL
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly answer: Buffer
}

/** How it is asked for: by whom, how, and how often it is fetched again where it has an id. */
interface Asking {
  readonly exchange: Exchange
  readonly device: string
  readonly version: HttpVersion
  readonly fetches: number
  /** The provider fails, or what is asked is blocked. */
  readonly fate: 'answered' | 'failed' | 'blocked'
}

const DEVICES = ['127.0.0.11', '127.0.0.12']
const CARD = 'my card is 4111 1111 1111 1111'
const CARRIED = /^(?:content-type|x-amzn-.*)$/i
const CASE = 'x-case'

interface PairRow {
  readonly request: { method: string; url: string; body: string | null }
  readonly response: { status: number; headers: Record<string, unknown>; body: string }
}

function recorded(file: string): Exchange[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PairRow)
    .map(({ request: { method, url: address, body }, response }) => {
      const url = new URL(address)
      const carried = Object.entries(response.headers).filter(
        ([name, value]) => CARRIED.test(name) && typeof value === 'string',
      )
      return {
        method: method.toUpperCase(),
        url:
          url.protocol === 'https:' ? url : new URL(url.pathname, 'https://ollama.com'),
        body: body ?? '',
        status: response.status,
        headers: Object.fromEntries(carried) as Record<string, string>,
        answer: Buffer.from(response.body),
      }
    })
}

const own: readonly Exchange[] = ownRows.map(({ url, model, stream, ...row }) => ({
  method: 'POST',
  url,
  body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] }),
  status: row.status,
  headers: row.headers,
  answer: row.body,
}))

/** Answers each request with what stands for it. */
class Household implements AsyncDisposable {
  readonly yori: Yori
  readonly #origin: Origin
  readonly #asked: Asking[]
  readonly #ways = new Map<string, Dispatcher>()

  private constructor(yori: Yori, origin: Origin, asked: Asking[]) {
    this.yori = yori
    this.#origin = origin
    this.#asked = asked
  }

  static async start(names: readonly string[]): Promise<Household> {
    const asked: Asking[] = []
    const ca = new TestCa()
    const origin = await startOrigin({
      certificate: ca.issue({ names }),
      handler: (incoming: IncomingMessage, reply: ServerResponse) => {
        const asking = asked[Number(incoming.headers[CASE])]
        incoming.resume().on('end', () => {
          const isFailed = asking?.fate === 'failed' && incoming.method === 'POST'
          reply.writeHead(isFailed ? 503 : (asking?.exchange.status ?? 500), {
            ...asking?.exchange.headers,
          })
          reply.end(isFailed ? '{"error":{"message":"busy"}}' : asking?.exchange.answer)
        })
      },
    })
    const yori = await Yori.start({
      origins: Object.fromEntries(names.map((name) => [name, origin])),
      trust: [ca],
      // It stands still: no hour nor day ends in between.
      clock: new ManualClock(Date.now()),
      config: {
        endpoints: names.map((domain) => ({ domain })),
        ca: { permitted: names },
        mode: 'enforce',
        enforcement: {
          enabled: true,
          consent_accepted: true,
          timezone: 'UTC',
          allowlist: {
            groups: [{ name: 'children', exempt: false, device_ips: DEVICES }],
          },
        },
        policies: { files: { privacy: { action: 'block' } } },
      },
    })
    return new Household(yori, origin, asked)
  }

  async ask(asking: Asking): Promise<void> {
    const { exchange, fate, fetches } = asking
    const at = this.#asked.push(asking) - 1
    const { method, url } = exchange
    const body = fate === 'blocked' ? withCard(exchange.body) : exchange.body
    await this.#send(asking, { at, method, path: `${url.pathname}${url.search}`, body })
    const { pathname } = url
    const { id } = objectIn(exchange.answer)
    if (typeof id !== 'string' || method !== 'POST') return
    for (let n = 0; n < fetches; n++)
      await this.#send(asking, { at, method: 'GET', path: `${pathname}/${id}`, body: '' })
  }

  async #send(
    { exchange, device, version }: Asking,
    about: { at: number; method: string; path: string; body: string },
  ): Promise<void> {
    const { at, method, path, body } = about
    const answer = await request(`${exchange.url.origin}${path}`, {
      method: method as 'POST',
      dispatcher: this.#way(device, version),
      headers: { 'content-type': 'application/json', [CASE]: String(at) },
      ...(body === '' ? {} : { body }),
    })
    await answer.body.dump()
  }

  #way(device: string, version: HttpVersion): Dispatcher {
    const way = this.#ways.get(device + version) ?? this.yori.dispatcher(device, version)
    this.#ways.set(device + version, way)
    return way
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yori[Symbol.asyncDispose]()
    await this.#origin[Symbol.asyncDispose]()
  }
}

function withCard(body: string): string {
  const value = objectIn(Buffer.from(body))
  return JSON.stringify({ ...value, messages: [{ role: 'user', content: CARD }] })
}

function objectIn(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** What `yori WORDS --json` prints: one value a line. */
async function printed(
  { yori }: Household,
  words: readonly string[],
): Promise<unknown[]> {
  const stdout = new PassThrough()
  const said = text(stdout)
  const deps = {
    auditOptions: () => ({ ...auditDefaults, database: yori.database }),
    stdout,
    clock: { now: () => Date.now(), monotonic: () => 0 },
  }
  const [name, ...rest] = words
  const command = { audit: auditCommand, stats: statsCommand, sessions: sessionsCommand }[
    name as 'audit' | 'stats' | 'sessions'
  ](deps)
  await command.parseAsync(rest, { from: 'user' })
  stdout.end()
  const lines = (await said).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as unknown)
}

type Row = Readonly<Record<string, number | string | null>>

interface Sums {
  readonly input: number
  readonly output: number
  readonly microUsd: number
  /** Of what has no known price. */
  readonly atMost: number
}

const of = (rows: readonly Row[], name: string): number =>
  rows.reduce((sum, row) => sum + Number(row[name] ?? 0), 0)

const sumsOf = (rows: readonly Row[]): Sums => ({
  input: of(rows, 'prompt_tokens'),
  output: of(rows, 'response_tokens'),
  microUsd: of(rows, 'cost_micro_usd'),
  atMost: of(rows, 'cost_at_most_micro_usd'),
})

const sumsOfLines = (lines: readonly UsageLine[]): Sums => ({
  input: lines.reduce((sum, line) => sum + line.promptTokens, 0),
  output: lines.reduce((sum, line) => sum + line.responseTokens, 0),
  microUsd: lines.reduce((sum, line) => sum + (line.costMicroUsd ?? 0), 0),
  atMost: lines.reduce((sum, line) => sum + line.atMostMicroUsd, 0),
})

function query(file: string, sql: string): Row[] {
  const db = new Sqlite(file, { readonly: true })
  try {
    return db.prepare<[], Row>(sql).all()
  } finally {
    db.close()
  }
}

/** What a policy is told of a device: it says so in its reason. */
const TELLS = `package yori.tells

deny contains text if {
  month := input.counters.device.month
  group := input.counters.groups.children.month
  text := sprintf("%d %d %d %d", [
    month.requests, month.tokens, round(month.cost_usd * 1000000), group.tokens,
  ])
}
`

async function agree(household: Household): Promise<void> {
  const { yori } = household
  await yori.rows('exchanges')
  const rows = (await printed(household, [
    ...['audit', 'export', '--format', 'jsonl'],
  ])) as Row[]
  const expected = sumsOf(rows)
  const tokens = expected.input + expected.output
  assert.ok(tokens > 0, 'something was used')
  const counts = rows.filter(
    (row) => row['is_call'] === 1 && row['event_type'] !== 'block',
  )
  const taken = counts.filter((row) => Number(row['response_status']) < 400).length

  const [usage] = (await printed(household, ['stats', '--json'])) as [Usage]
  for (const lines of [
    [usage.total],
    usage.devices,
    usage.providers,
    usage.models,
    usage.days,
  ])
    assert.deepEqual(sumsOfLines(lines), expected)
  assert.equal(usage.total.calls, of(rows, 'is_call'))
  const [stats] = (await printed(household, ['audit', 'stats', '--json'])) as [
    Record<'promptTokens' | 'responseTokens' | 'costMicroUsd' | 'atMostMicroUsd', number>,
  ]
  assert.deepEqual(
    [stats.promptTokens, stats.responseTokens, stats.costMicroUsd, stats.atMostMicroUsd],
    [expected.input, expected.output, expected.microUsd, expected.atMost],
  )
  assert.deepEqual(sumsOf(query(yori.database, 'SELECT * FROM daily_stats')), expected)

  const words = ['sessions', 'list', '--limit', '1000', '--json']
  const [sessions] = (await printed(household, words)) as [UsageLine[]]
  const inSessions = rows.filter((row) => row['session_id'] !== null)
  assert.deepEqual(sumsOfLines(sessions), sumsOf(inSessions))

  for (const scope of ['device', 'group']) {
    const kept = query(
      yori.database,
      `SELECT * FROM usage WHERE scope = '${scope}' AND length(period) = 7`,
    )
    assert.deepEqual(
      ['requests', 'tokens', 'cost_micro_usd', 'cost_at_most_micro_usd'].map((name) =>
        of(kept, name),
      ),
      [taken, tokens, expected.microUsd, expected.atMost],
      scope,
    )
  }

  // And what cost_limit is asked with.
  const directory = yori.folder.file('own')
  await mkdir(directory, { recursive: true })
  await writeFile(`${directory}/tells.rego`, TELLS)
  await yori.reload({ policies: { directory, files: { tells: { action: 'block' } } } })
  for (const device of DEVICES) {
    const answer = await request('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      dispatcher: yori.dispatcher(device),
      headers: { 'content-type': 'application/json', [CASE]: '0' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
    })
    const told = /(\d+) (\d+) (\d+) (\d+)/.exec(await answer.body.text())
    const own = rows.filter((row) => row['client_ip'] === device)
    const { input, output, microUsd, atMost } = sumsOf(own)
    const calls = counts.filter(
      (row) => row['client_ip'] === device && Number(row['response_status']) < 400,
    )
    assert.deepEqual(
      told?.slice(1).map(Number),
      [calls.length + 1, input + output, microUsd + atMost, tokens],
      device,
    )
  }
}

const CHUNK = 40

function askings(exchanges: readonly Exchange[]): fc.Arbitrary<Asking[]> {
  const asking = fc.record({
    exchange: fc.constantFrom(...exchanges),
    device: fc.constantFrom(...DEVICES),
    version: fc.constantFrom(...HTTP_VERSIONS),
    fetches: fc.integer({ min: 0, max: 2 }),
    fate: fc.oneof(
      { weight: 8, arbitrary: fc.constant('answered' as const) },
      { weight: 1, arbitrary: fc.constant('failed' as const) },
      { weight: 1, arbitrary: fc.constant('blocked' as const) },
    ),
  })
  return fc.array(asking, { minLength: CHUNK, maxLength: CHUNK })
}

/** Every exchange once, and then as it is drawn. */
async function fed(exchanges: readonly Exchange[], seed: number): Promise<void> {
  const names = [...new Set(exchanges.map(({ url }) => url.hostname))]
  await using household = await Household.start([
    ...new Set([...names, 'api.openai.com']),
  ])
  const [drawn = []] = fc.sample(askings(exchanges), { seed, numRuns: 1 })
  const each = exchanges.map((exchange, n): Asking => ({
    exchange,
    device: DEVICES[n % 2] ?? '',
    version: HTTP_VERSIONS[n % 3 === 0 ? 1 : 0] ?? 'h1',
    fetches: n % 4 === 0 ? 1 : 0,
    fate: 'answered',
  }))
  const all = [...each, ...drawn]
  for (let at = 0; at < all.length; at += 8)
    await Promise.all(all.slice(at, at + 8).map((one) => household.ask(one)))
  await agree(household)
}

describe('what was used', () => {
  it('is the same on every surface, after answers of every kind', () => fed(own, 1))

  it('is the same on every surface, after recorded exchanges', async function () {
    await fed(recorded(recordedCases(this, 'llm', 'pairs.jsonl')), 2)
  })
})
