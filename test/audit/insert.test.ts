/** Rows by the columns that have a value are the same rows. */
import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { Insert, MAX_SETS } from '../../src/audit/insert.js'
import type { Row } from '../../src/audit/tables.js'
import { holds } from '../support/property.js'

/** More than one number tells of: the real table has as many. */
const COLUMNS = Array.from({ length: 70 }, (_, i) => ({ name: `c${i}` }))
const NAMES = COLUMNS.map(({ name }) => name).join(', ')

function tableOf(): Sqlite.Database {
  const db = new Sqlite(':memory:')
  const rest = COLUMNS.slice(1).map(({ name }) => name)
  db.exec(`CREATE TABLE t (c0 TEXT UNIQUE NOT NULL, ${rest.join(', ')})`)
  return db
}

const rowsOf = (db: Sqlite.Database): unknown[] =>
  db.prepare(`SELECT ${NAMES} FROM t ORDER BY rowid`).raw().all()

describe('an insert by the columns that have a value', () => {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    fc.constantFrom<string | number>(0, '', 1.5, -7, 'text'),
  )
  const rest = fc.array(value, { minLength: 69, maxLength: 69 })
  holds(
    'writes what an insert of all of them writes',
    fc.property(fc.array(rest, { maxLength: 80 }), (rests) => {
      const rows = rests.map((values, i): Row => [`r${i}`, ...values])
      const [ours, theirs] = [tableOf(), tableOf()]
      const insert = new Insert(ours, 't', COLUMNS)
      const all = theirs.prepare(
        `INSERT INTO t VALUES (${COLUMNS.map(() => '?').join(', ')})`,
      )
      for (const row of rows) {
        insert.run([...row])
        all.run(row)
      }
      assert.deepEqual(rowsOf(ours), rowsOf(theirs))
      assert.ok(insert.sets <= MAX_SETS)
      ours.close()
      theirs.close()
    }),
    { runs: 30 },
  )

  it('tells sets apart that differ in one column alone, wherever that stands', () => {
    const db = tableOf()
    const insert = new Insert(db, 't', COLUMNS)
    const rows = [1, 30, 31, 32, 49, 50, 51, 53, 69].map((at) => {
      const row: Row = COLUMNS.map(() => null)
      row[0] = `only ${at}`
      row[at] = at
      return row
    })
    for (const row of rows) insert.run(row)
    assert.deepEqual(rowsOf(db), rows)
    assert.equal(insert.sets, rows.length)
    for (const row of rows) insert.run([`again ${String(row[0])}`, ...row.slice(1)])
    assert.equal(insert.sets, rows.length)
    db.close()
  })

  it('takes values of an earlier row away that it has not', () => {
    const db = tableOf()
    const insert = new Insert(
      db,
      't',
      COLUMNS,
      ' ON CONFLICT (c0) DO UPDATE SET c1 = excluded.c1, c2 = excluded.c2',
    )
    const row = (...values: Row): Row => COLUMNS.map((_, i) => values[i] ?? null)
    insert.run(row('x', 'open', 5))
    insert.run(row('x', null, 6))
    assert.deepEqual(rowsOf(db), [row('x', null, 6)])
    db.close()
  })

  it('refuses a row without what must be there', () => {
    const db = tableOf()
    const insert = new Insert(db, 't', COLUMNS)
    const nothing: Row = COLUMNS.map(() => null)
    assert.throws(() => insert.run(nothing), { code: 'SQLITE_CONSTRAINT_NOTNULL' })
    assert.deepEqual(rowsOf(db), [])
    db.close()
  })
})
