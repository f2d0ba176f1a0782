/**
 * What is sent to servers that are not in Debian: the statements to a PostgreSQL that says it has
 * TimescaleDB, and the requests to ClickHouse. Held to the shape that their manuals give.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FEED_START } from '../../src/audit/feed.js'
import type { FeedPiece } from '../../src/audit/feed.js'
import { encode } from '../../src/audit/rows.js'
import { exchangeColumns } from '../../src/audit/tables.js'
import { ClickHouse } from '../../src/fleet/ship/clickhouse/clickhouse.js'
import { postgresAddress } from '../../src/fleet/ship/postgres/address.js'
import { Postgres } from '../../src/fleet/ship/postgres/postgres.js'
import type { SqlClient, SqlQuery } from '../../src/fleet/ship/postgres/postgres.js'
import { closed } from '../audit/support.js'

const RECORD = '00112233445566778899aabbccddeeff'

function piece(ids: readonly number[], link = 7): FeedPiece {
  const rows = ids.map((id) => {
    const record = closed({ requestId: `r${id}`, promptPreview: 'say "hi"\n' })
    const { row } = encode(exchangeColumns, record, { textLength: 2048, bodyLength: 0 })
    return { id, link, values: ['2026-03-04 05:06:07.089', ...row.slice(1)] }
  })
  const none = { connections: [], events: [] }
  return {
    rows: { exchanges: rows, ...none },
    forgotten: { exchanges: [], ...none },
    missed: 0,
    next: { seq: link, part: 0 },
    at: undefined,
  }
}

class Fake {
  readonly asked: SqlQuery[] = []
  readonly answers: (query: SqlQuery) => readonly Record<string, unknown>[]

  constructor(answers: Fake['answers']) {
    this.answers = answers
  }
  connect = (): Promise<void> => Promise.resolve()
  end = (): Promise<void> => Promise.resolve()
  on = (): void => undefined
  query(query: SqlQuery) {
    this.asked.push(query)
    return Promise.resolve({ rows: this.answers(query) })
  }
}

const ADDRESS = () => postgresAddress('postgres://yori@127.0.0.1/yori')

describe('what a PostgreSQL with TimescaleDB is told', () => {
  const answers = ({ text }: SqlQuery): readonly Record<string, unknown>[] => {
    if (/pg_try_advisory_lock/.test(text)) return [{ taken: true }]
    if (/from pg_extension/.test(text)) return [{ extversion: '2.17.2' }]
    if (/insert into gateways/.test(text)) return [{ number: 2, seq: '40', part: '0' }]
    return []
  }

  it('makes hypertables and a continuous aggregate, within the lock, and no partitions', async () => {
    const fake = new Fake(answers)
    const client = () => fake as unknown as SqlClient
    const postgres = new Postgres({ address: ADDRESS, gateway: 'g', client })
    assert.deepEqual(await postgres.open(RECORD), { seq: 40, part: 0 })
    await postgres.send(piece([1]))
    const texts = fake.asked.map(({ text }) => text)
    const at = (pattern: RegExp): number => texts.findIndex((text) => pattern.test(text))
    const order = [
      /^begin$/,
      /pg_advisory_xact_lock/,
      /^create table if not exists exchanges \([^]*primary key \(gateway, id, timestamp\)\n\)$/,
      /^select create_hypertable\('exchanges', 'timestamp', chunk_time_interval => interval '7 days', if_not_exists => true/,
      /^create materialized view if not exists exchanges_hourly with \(timescaledb\.continuous\) as\nselect time_bucket\(interval '1 hour', timestamp\)[^]* with no data$/,
      /^select add_continuous_aggregate_policy\('exchanges_hourly'/,
      /^commit$/,
      /^insert into exchanges .*\nselect \$1, .* from unnest\(\$2::bigint\[\], /,
      /^update gateways set seq/,
    ].map(at)
    assert.deepEqual(
      order,
      [...order].toSorted((a, b) => a - b),
    )
    assert.ok(!order.includes(-1), String(order))
    assert.equal(at(/partition/), -1)
    assert.equal(at(/brin/), -1)
    // Of the third record of this gateway: its ids are no others'.
    const insert = fake.asked.find(({ text }) => text.startsWith('insert into exchanges'))
    assert.equal(insert?.values?.[1], `{${2n * 2n ** 48n + 1n}}`)
  })

  it('is left alone when its tables are of a later YORI', async () => {
    const later = (query: SqlQuery) =>
      /from yori_tables/.test(query.text)
        ? [{ version: 99, shape: '1 1 1' }]
        : answers(query)
    const fake = new Fake(later)
    const client = () => fake as unknown as SqlClient
    const postgres = new Postgres({ address: ADDRESS, gateway: 'g', client })
    await assert.rejects(postgres.open(RECORD), /of a later YORI/)
    assert.ok(!fake.asked.some(({ text }) => /^alter|hypertable/.test(text)))
  })

  it('loses one row that the server refuses for what it is, and no other', async () => {
    const refuses = (query: SqlQuery) => {
      const ids = String(query.values?.[1]).replaceAll(/[{}]/g, '').split(',').map(Number)
      if (query.text.startsWith('insert into exchanges') && ids.includes(3 + 2 * 2 ** 48))
        throw Object.assign(new Error('no'), { code: '22P02' })
      return answers(query)
    }
    const fake = new Fake(refuses)
    const client = () => fake as unknown as SqlClient
    const postgres = new Postgres({ address: ADDRESS, gateway: 'g', client })
    await postgres.open(RECORD)
    const { exchanges, rejected } = await postgres.send(piece([1, 2, 3, 4, 5]))
    assert.deepEqual({ exchanges, rejected }, { exchanges: 4, rejected: 1 })
  })
})

describe('the address of a PostgreSQL', () => {
  it('is verified beyond this machine unless it says otherwise', () => {
    const tls = (url: string) => postgresAddress(url).tls
    assert.equal(tls('postgres://u@127.0.0.1/d'), false)
    assert.deepEqual(tls('postgres://u@db.example/d'), { servername: 'db.example' })
    assert.deepEqual(tls('postgres://u@db.example/d?sslmode=require'), {
      rejectUnauthorized: false,
    })
    assert.equal(tls('postgres://u@db.example/d?sslmode=disable'), false)
  })

  it('has its password from a file that nobody else reads', () => {
    const folder = mkdtempSync(join(tmpdir(), 'yori-ship-'))
    try {
      const file = join(folder, 'password')
      writeFileSync(file, 'se cret\nmore\n', { mode: 0o600 })
      const { password } = postgresAddress('postgres://u:old@db.example/d', {
        passwordFile: file,
      })
      assert.equal(password, 'se cret')
      writeFileSync(join(folder, 'open'), 'x\n', { mode: 0o644 })
      assert.throws(
        () =>
          postgresAddress('postgres://u@db.example/d', {
            passwordFile: join(folder, 'open'),
          }),
        /can be read by others/,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what ClickHouse is sent', () => {
  it('is a POST of JSON lines with a token that is the same when it is sent again', async () => {
    const seen: { url: URL; user: unknown; key: unknown; body: string }[] = []
    let refuse = false
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { headers, url = '/' } = request
        seen.push({
          url: new URL(url, 'http://c'),
          user: headers['x-clickhouse-user'],
          key: headers['x-clickhouse-key'],
          body: Buffer.concat(chunks).toString(),
        })
        response.statusCode = refuse ? 500 : 200
        response.end(refuse ? 'Code: 241. Memory limit exceeded' : '')
      })
    })
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const folder = mkdtempSync(join(tmpdir(), 'yori-ship-'))
    const { port } = receiver.address() as AddressInfo
    const options = {
      url: `http://me:p%40ss@127.0.0.1:${port}/fleet`,
      gateway: 'g',
      placeFile: join(folder, 'ship.json'),
    }
    const clickhouse = new ClickHouse(options)
    try {
      assert.deepEqual(await clickhouse.open(RECORD), FEED_START)
      assert.match(
        seen[0]?.body ?? '',
        /^CREATE TABLE IF NOT EXISTS exchanges \(gateway /,
      )
      assert.match(seen[0]?.body ?? '', /ENGINE = ReplacingMergeTree\(link\)/)
      refuse = true
      await assert.rejects(clickhouse.send(piece([1, 2])), /answered 500: Code: 241/)
      refuse = false
      await clickhouse.send(piece([1, 2]))
      await clickhouse.send(piece([1, 2], 8))
      const inserts = seen.filter(({ url }) => url.searchParams.has('query'))
      const tokens = inserts.map(({ url }) =>
        url.searchParams.get('insert_deduplication_token'),
      )
      assert.equal(tokens[0], tokens[1])
      assert.notEqual(tokens[1], tokens[2], 'a row that changed since is another')
      const [first] = inserts
      assert.equal(
        first?.url.searchParams.get('query'),
        'INSERT INTO exchanges FORMAT JSONEachRow',
      )
      assert.deepEqual([first?.user, first?.key], ['me', 'p@ss'])
      const rows = (first?.body ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      assert.deepEqual(
        rows.map(({ gateway, id, link, request_id, timestamp, prompt_preview }) => [
          ...[gateway, id, link, request_id, timestamp, prompt_preview],
        ]),
        [1, 2].map((id) => [
          ...['g', id, 7, `r${id}`, '2026-03-04 05:06:07.089', 'say "hi"\n'],
        ]),
      )
      assert.equal(statSync(options.placeFile).mode & 0o777, 0o600)
      assert.doesNotMatch(readFileSync(options.placeFile, 'utf8'), /p@ss|p%40ss/)
      const again = new ClickHouse(options)
      assert.deepEqual(await again.open(RECORD), { seq: 8, part: 0 })
      await again.close()
    } finally {
      await clickhouse.close()
      receiver.close()
      rmSync(folder, { recursive: true })
    }
  })
})
