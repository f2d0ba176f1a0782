import assert from 'node:assert/strict'
import Driver from 'better-sqlite3'
import { nodeSqlite } from '../../src/audit/sqlite-node.js'
import { tempFolder } from '../support/temp-folder.js'

const codeOf = (work: () => unknown): unknown => {
  try {
    work()
    return 'none'
  } catch (cause) {
    return (cause as { code?: unknown }).code
  }
}

/** What the project asks of a driver, and what it answered. */
async function asked(driver: typeof Driver): Promise<unknown[]> {
  await using folder = await tempFolder()
  const file = folder.file('a.db')
  const seen: unknown[] = []
  const db = new driver(file, { timeout: 1 })
  const other = new driver(file, { timeout: 1 })
  try {
    seen.push(
      db.pragma('journal_mode = WAL'),
      db.pragma('foreign_keys', { simple: true }),
    )
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b BLOB)')
    const insert = db.prepare('INSERT INTO t (a, b) VALUES (?, ?)')
    seen.push(insert.run('one', Buffer.from('x')), insert.run(['two', null]))
    seen.push(
      db.prepare('INSERT INTO t (a) VALUES (@a)').run({ a: 'three', unused: 1 }),
      db.prepare('SELECT * FROM t WHERE a = $a').get({ a: 'one' }),
      db.prepare('SELECT * FROM t WHERE id > ?').get(100),
      db.prepare('SELECT a FROM t ORDER BY id').pluck().all(),
      db.prepare('SELECT b FROM t').pluck().get(),
      db.prepare('SELECT id, a, a FROM t WHERE id < 3 ORDER BY id').raw().all(),
      [...db.prepare('SELECT a FROM t ORDER BY id').pluck().iterate()],
      [...db.prepare('SELECT id FROM t WHERE id < ?').iterate(2)],
    )
    const count = () => db.prepare('SELECT count(*) FROM t').pluck().get()
    const two = db.transaction((a: string, fails: boolean) => {
      insert.run(a, null)
      const inner = db.transaction(() => {
        insert.run(`${a} inner`, null)
        if (fails) throw new Error('inner')
      })
      try {
        inner()
      } catch {
        // The outer one goes on.
      }
      return [a, db.inTransaction]
    })
    seen.push(two('four', true), count(), two.immediate('five', false), count())
    seen.push(codeOf(db.transaction(() => insert.run('one', null))), db.inTransaction)
    seen.push(codeOf(() => db.prepare('SELECT nothing FROM t')))
    const isBusy = db.transaction(() =>
      codeOf(other.transaction(() => undefined).immediate),
    )
    seen.push(isBusy.immediate())
    seen.push(codeOf(() => new driver(folder.file('none.db'), { fileMustExist: true })))
    const read = new driver(file, { readonly: true })
    seen.push(codeOf(() => read.exec('DELETE FROM t')))
    await read.backup(folder.file('b.db'))
    read.close()
    const copy = new driver(folder.file('b.db'), { readonly: true })
    seen.push(copy.prepare('SELECT a FROM t ORDER BY id').pluck().all(), copy.open)
    copy.close()
    seen.push(copy.open)
    // One that was left in the middle ends with its loop.
    for (const row of db.prepare('SELECT a FROM t').iterate()) {
      seen.push(row)
      break
    }
    seen.push(insert.run('six', null).changes)
  } finally {
    db.close()
    other.close()
  }
  return seen
}

/** Those of better-sqlite3. */
const ANSWERS: unknown[] = [
  [{ journal_mode: 'wal' }],
  1,
  { changes: 1, lastInsertRowid: 1 },
  { changes: 1, lastInsertRowid: 2 },
  { changes: 1, lastInsertRowid: 3 },
  { id: 1, a: 'one', b: { type: 'Buffer', data: [120] } },
  null,
  ['one', 'two', 'three'],
  { type: 'Buffer', data: [120] },
  [
    [1, 'one', 'one'],
    [2, 'two', 'two'],
  ],
  ['one', 'two', 'three'],
  [{ id: 1 }],
  ['four', true],
  4,
  ['five', true],
  6,
  'SQLITE_CONSTRAINT_UNIQUE',
  false,
  'SQLITE_ERROR',
  'SQLITE_BUSY',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  ['one', 'two', 'three', 'four', 'five', 'five inner'],
  true,
  false,
  { a: 'five' },
  1,
]

describe('a driver of SQLite', () => {
  it('answers what everybody is written against', async () => {
    assert.deepEqual(JSON.parse(JSON.stringify(await asked(Driver))), ANSWERS)
  })

  it('is better-sqlite3, or of a Node.js that has one', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    const has = major > 22 || (major === 22 && minor >= 16)
    assert.equal(nodeSqlite() !== undefined, has)
  })
})
