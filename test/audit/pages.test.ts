import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import type { Database } from 'better-sqlite3'
import { migrate } from '../../src/audit/migrations.js'
import {
  MOST_LOOKED,
  PAGE_MS,
  PAGE_ROWS,
  placeIn,
  placeText,
  readPage,
} from '../../src/audit/pages.js'
import type { Page, PageAsked } from '../../src/audit/pages.js'
import type { Listed } from '../../src/audit/where.js'

const SMALL = 5_000
const LARGE = 50_000
const COLUMNS = ['request_id']

/** Exchanges three seconds apart; the oldest alone says `needle`. */
function record(rows: number): Database {
  const db = new Sqlite(':memory:')
  migrate(db)
  db.prepare(
    `INSERT INTO exchanges (timestamp, request_id, connection_id, event_type, device_ip,
       endpoint_domain, http_version, http_method, http_path, request_bytes,
       response_bytes, model, prompt_preview)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     SELECT strftime('%Y-%m-%d %H:%M:%f', 1764000000 + i / 2 * 3.0, 'unixepoch'), 'r-' || i,
       'c', 'response', '192.168.1.' || (i % 20), 'api.openai.com', '1.1', 'POST', '/v1/x',
       1, 1, CASE WHEN i % 3 = 0 THEN 'claude' ELSE 'gpt' END,
       CASE WHEN i = 1 THEN 'needle' ELSE 'hay' END FROM n`,
  ).run(rows)
  return db
}

/** A page, and how often it looked at the record: each look takes a third of the time. */
function looked(db: Database, asked: PageAsked): { page: Page<Listed>; looks: number } {
  let calls = 0
  const now = (): number => (calls++ * PAGE_MS) / 3
  const page = readPage(db, asked, COLUMNS, now)
  return { page, looks: calls }
}

describe('a page of the record', () => {
  let small: Database
  let large: Database
  before(() => {
    small = record(SMALL)
    large = record(LARGE)
  })
  after(() => {
    small.close()
    large.close()
  })

  it('looks as often at a record that is ten times as large', () => {
    for (const filter of [{}, { device: '192.168.1.7' }, { model: 'claude' }]) {
      const [one, ten] = [looked(small, { filter }), looked(large, { filter })]
      assert.equal(ten.looks, one.looks, JSON.stringify(filter))
      assert.equal(one.page.rows.length, PAGE_ROWS)
      assert.equal(ten.page.rows.length, PAGE_ROWS)
    }
  })

  it('stops when its time is up, says where, and finds what is there in the end', () => {
    const filter = { text: 'needle' }
    let asked: PageAsked = { filter }
    const found: unknown[] = []
    let pages = 0
    for (;;) {
      const { page, looks } = looked(large, asked)
      assert.ok(looks <= 5)
      found.push(...page.rows.map((row) => row['request_id']))
      pages++
      if (page.next === undefined) break
      asked = { filter, before: page.next }
    }
    assert.deepEqual(found, ['r-1'])
    assert.ok(pages > 5)
  })

  it('ends after so many rows, however quick they were, and goes on behind them', () => {
    const db = record(MOST_LOOKED + 10)
    try {
      const filter = { text: 'needle' }
      const first = readPage(db, { filter }, COLUMNS, () => 0)
      assert.deepEqual(first.rows, [])
      assert.ok(first.next !== undefined)
      const asked = { filter, before: first.next }
      const { rows, next } = readPage(db, asked, COLUMNS, () => 0)
      assert.deepEqual(rows, [{ request_id: 'r-1' }])
      assert.equal(next, undefined)
    } finally {
      db.close()
    }
  })

  it('has every row once, also where several are of one moment', () => {
    const seen: unknown[] = []
    let asked: PageAsked = { filter: {}, rows: 199 }
    for (;;) {
      const page = readPage(small, asked, COLUMNS, () => 0)
      seen.push(...page.rows.map((row) => row['request_id']))
      if (page.next === undefined) break
      asked = { ...asked, before: page.next }
    }
    const all = Array.from({ length: SMALL }, (_, n) => `r-${SMALL - n}`)
    assert.deepEqual(seen, all)
  })

  it('begins where a text says, and nowhere where it says nothing', () => {
    const place = { timestamp: '2026-01-02 03:04:05.678', id: 42 }
    assert.deepEqual(placeIn(placeText(place)), place)
    for (const text of ['', 'x', 'AAAA', placeText({ timestamp: "' OR 1", id: 1 })])
      assert.equal(placeIn(text), undefined)
  })
})
