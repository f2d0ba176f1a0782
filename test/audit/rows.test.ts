import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { migrate, migrations } from '../../src/audit/migrations.js'
import { encode, timestampText } from '../../src/audit/rows.js'
import type { Column } from '../../src/audit/tables.js'
import {
  connectionColumns,
  eventColumns,
  exchangeColumns,
} from '../../src/audit/tables.js'
import { closed, event, exchange } from './support.js'

const limits = { textLength: 100, bodyLength: 1000 }

describe('audit rows', () => {
  it('writes times as UTC text that SQLite itself writes', () => {
    const db = new Sqlite(':memory:')
    const byClock = db.prepare(
      "SELECT strftime('%Y-%m-%d %H:%M:%f', ? / 1000.0, 'unixepoch')",
    )
    const moments = [
      '2026-11-20T09:08:07.065Z',
      '1970-01-01T00:00:00Z',
      '2000-02-29T23:59:59.999Z',
    ]
    for (const moment of moments) {
      const ms = Date.parse(moment)
      assert.equal(timestampText(ms), byClock.pluck().get(ms))
    }
    db.close()
  })

  it('makes some time of any number', () => {
    for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])
      assert.match(timestampText(ms), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/)
  })

  it('turns flags to numbers, fractions to whole numbers, absence to null', () => {
    const record = closed({
      stream: true,
      retried: false,
      latencyMs: 12.5,
      toolCalls: ['a', 'b'],
    })
    const { row } = encode(exchangeColumns, record, limits)
    const value = (name: string) => row[exchangeColumns.findIndex((c) => c.name === name)]
    assert.equal(value('stream'), 1)
    assert.equal(value('retried'), 0)
    assert.equal(value('truncated'), null)
    assert.equal(value('latency_ms'), 13)
    assert.equal(value('tool_calls'), '["a","b"]')
    assert.equal(value('provider'), null)
  })

  it('says `request` of an exchange that has no outcome', () => {
    const { row } = encode(exchangeColumns, exchange(), limits)
    assert.equal(
      row[exchangeColumns.findIndex((c) => c.name === 'event_type')],
      'request',
    )
  })

  it('never throws over the details of an event', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const details = [circular, { big: 1n }, { long: 'x'.repeat(20_000) }]
    for (const each of details) {
      const { row } = encode(eventColumns, event({ details: each }), limits)
      assert.match(String(row.at(-1)), /^\{"unwritable":"(not JSON|too long)"\}$/)
    }
  })
})

describe('audit migrations', () => {
  it('make the tables that rows are made for, in the same order', () => {
    const db = new Sqlite(':memory:')
    migrate(db)
    const inTable = (table: string): unknown =>
      db
        .prepare(
          `SELECT name, type || iif("notnull", ' NOT NULL', '') AS type
           FROM pragma_table_info(?) WHERE name <> 'id'`,
        )
        .all(table)
    const inCode = (columns: readonly Pick<Column<never>, 'name' | 'type'>[]): unknown =>
      columns.map(({ name, type }) => ({ name, type }))
    assert.deepEqual(inTable('exchanges'), inCode(exchangeColumns))
    assert.deepEqual(inTable('connections'), inCode(connectionColumns))
    assert.deepEqual(inTable('events'), inCode(eventColumns))
    assert.equal(db.pragma('user_version', { simple: true }), migrations.length)
    db.close()
  })

  it('bring a database of the first version along, with its rows', () => {
    const db = new Sqlite(':memory:')
    db.exec(migrations[0] ?? '')
    db.pragma('user_version = 1')
    db.exec(
      `INSERT INTO exchanges (timestamp, request_id, connection_id, event_type, device_ip,
         endpoint_domain, http_version, http_method, http_path, request_bytes,
         response_bytes, session_id)
       VALUES ('2026-01-02 03:04:05.006', 'r', 'c', 'response', '192.0.2.1',
         'api.openai.com', '1.1', 'POST', '/v1/x', 1, 2, 's')`,
    )
    migrate(db)
    assert.deepEqual(
      db
        .prepare('SELECT request_id, session_id, tags, uninspectable FROM audit_events')
        .all(),
      [{ request_id: 'r', session_id: 's', tags: null, uninspectable: null }],
    )
    assert.equal(db.pragma('user_version', { simple: true }), migrations.length)
    db.close()
  })

  it('give tokens one meaning, or say of a row that it could not be told', () => {
    const db = new Sqlite(':memory:')
    for (const sql of migrations.slice(0, 7)) db.exec(sql)
    db.pragma('user_version = 7')
    const insert = db.prepare(
      `INSERT INTO exchanges (timestamp, request_id, connection_id, event_type, device_ip,
         endpoint_domain, http_version, http_method, request_bytes, response_bytes,
         provider, http_path, prompt_tokens, response_tokens, cached_tokens,
         cache_write_tokens, reasoning_tokens, tokens_estimated)
       VALUES ('2026-01-02 03:04:05.006', ?, 'c', 'response', '192.0.2.1', 'x', '1.1',
         'POST', 1, 2, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    const gemini = '/v1beta/models/gemini-2.5-pro:streamGenerateContent'
    const rows = [
      // As each was counted before, and what that is now.
      [
        ['anthropic', '/v1/messages', 10, 5, 100, 20, null, 0],
        [130, 5, 'converted'],
      ],
      [
        ['a-gateway', '/a/v1/messages', 10, 5, 100, null, null, 0],
        [110, 5, 'converted'],
      ],
      [
        ['bedrock', '/model/m/converse-stream', 1, 2, 3, 4, null, 0],
        [8, 2, 'converted'],
      ],
      [
        ['anthropic', '/v1/messages', 10, 5, null, null, null, 0],
        [10, 5, null],
      ],
      [
        ['gemini', gemini, 10, 5, 4, null, 30, 0],
        [10, 35, 'converted'],
      ],
      [
        ['openai', '/v1/responses', 10, 50, 4, null, 30, 0],
        [10, 50, null],
      ],
      [
        ['openai', '/v1/chat/completions', 10, 50, 4, 2, 30, 1],
        [10, 50, null],
      ],
      // More reasoning than output: it was beside. Less: nobody knows.
      [
        ['xai', '/v1/chat/completions', 10, 5, null, null, 30, 0],
        [10, 35, 'converted'],
      ],
      [
        ['xai', '/v1/chat/completions', 10, 50, null, null, 30, 0],
        [10, 50, 'as told'],
      ],
      [
        ['openai', '/v1/messages/count_tokens', 10, null, null, null, null, 0],
        [10, null, null],
      ],
    ] as const
    rows.forEach(([before], index) => insert.run(String(index), ...before))
    migrate(db)
    const after = db
      .prepare<[], Record<string, unknown>>('SELECT * FROM audit_events ORDER BY id')
      .all()
    assert.deepEqual(
      after.map((row) => [
        ...[row['prompt_tokens'], row['response_tokens'], row['tokens_meaning']],
      ]),
      rows.map(([, now]) => [...now]),
    )
    const [told, , , , , , estimated] = after
    assert.equal(told?.['prompt_tokens_estimated'], 0)
    // One of the two was, and nobody knows which.
    assert.equal(estimated?.['prompt_tokens_estimated'], null)
    assert.equal(estimated['tokens_estimated'], 1)
    db.close()
  })

  it('change nothing in a database that is up to date', () => {
    const db = new Sqlite(':memory:')
    migrate(db)
    const before = db.prepare('SELECT * FROM sqlite_schema').all()
    migrate(db)
    assert.deepEqual(db.prepare('SELECT * FROM sqlite_schema').all(), before)
    db.close()
  })
})
