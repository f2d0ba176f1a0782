/** The record's file: smaller, kept elsewhere and brought back, by the command line that is shipped. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import Sqlite from 'better-sqlite3'
import { openAuthority } from '../../../../ca/authority.js'
import { copyDatabase } from '../../../../src/audit/copy-database.js'
import { headsFileOf, keyFileOf } from '../../../../src/audit/evidence/heads.js'
import { InstanceLock } from '../../../../src/cli/instance.js'
import { systemClock } from '../../../../src/core/clock.js'
import { closed, single, startStore, verdictOf } from '../../../audit/support.js'
import { runCli } from '../../../support/cli.js'
import type { CliRan } from '../../../support/cli.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

describe('yori audit backup, restore and vacuum', () => {
  let folder: TempFolder
  before(async () => {
    folder = await tempFolder()
    for (const state of ['one', 'two'])
      await openAuthority({
        ...{ directory: folder.file(`${state}/ca`), issuedNames: ['api.openai.com'] },
        clock: systemClock,
      })
  })
  after(() => folder[Symbol.asyncDispose]())

  const yori = (state: string, ...words: string[]): Promise<CliRan> =>
    runCli(['audit', ...words], {
      cwd: folder.path,
      env: { YORI_STATE_DIR: folder.file(state) },
    })
  const database = (state: string): string => folder.file(`${state}/audit.db`)
  const write = async (state: string, ...ids: string[]): Promise<void> => {
    await using store = await startStore(database(state))
    for (const requestId of ids) store.exchangeClosed(closed({ requestId }))
  }
  const ids = (file: string): string =>
    String(single(file, 'SELECT group_concat(request_id) FROM audit_events'))

  it('keeps the record beside a YORI that runs, whole and by itself', async () => {
    await using store = await startStore(database('one'))
    using _lock = InstanceLock.take(folder.file('one'))
    store.exchangeClosed(closed({ requestId: 'first' }))
    await store.flush()
    const { status, stdout, stderr } = await yori('one', 'backup', 'copy.db')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^1 exchanges are in .*copy\.db; .*copy\.db-evidence\.pem/)
    const copy = folder.file('copy.db')
    for (const file of [copy, keyFileOf(copy), headsFileOf(copy)])
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
    assert.equal(existsSync(`${copy}-wal`), false)
    assert.equal(ids(copy), 'first')
    assert.deepEqual(verdictOf(copy).findings, [])
    const again = await yori('one', 'backup', 'copy.db')
    assert.equal(again.status, 4)
    assert.match(again.stderr, /copy\.db.* is there already; --force overwrites it/)
    assert.equal((await yori('one', 'backup', '--force', 'copy.db')).status, 0)
    const itself = await yori('one', 'backup', '--force', database('one'))
    assert.match(itself.stderr, /is the record itself/)
    const running = await yori('one', 'restore', 'copy.db')
    assert.equal(running.status, 4)
    assert.match(running.stderr, /another YORI uses .*one; end it first/)
  })

  it('brings it back, keeps what was there, and the chain goes on', async () => {
    await write('one', 'second')
    // Of sinks that had been sent all of it.
    const sink = folder.file('one/sink-far.json')
    const far = { record: 'r', where: 'w', seq: 900, part: 3, head: 900 }
    writeFileSync(sink, JSON.stringify(far))
    const { status, stdout, stderr } = await yori('one', 'restore', 'copy.db')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^1 exchanges are back .*; what was there is .*before-restore/)
    assert.equal(ids(database('one')), 'first')
    const newest = single(database('one'), 'SELECT seq FROM chain_head')
    assert.deepEqual(JSON.parse(readFileSync(sink, 'utf8')), {
      ...far,
      ...{ seq: newest, part: 0, head: newest },
    })
    const kept = `${database('one')}.before-restore`
    assert.equal(ids(kept), 'first,second')
    assert.deepEqual(verdictOf(kept).findings, [])
    await write('one', 'third')
    assert.equal(ids(database('one')), 'first,third')
    assert.deepEqual(verdictOf(database('one')).findings, [])
    const tables = `SELECT count(*) FROM sqlite_master WHERE name = 'backup_of'`
    assert.equal(single(database('one'), tables), 0)
    const again = await yori('one', 'restore', 'copy.db')
    assert.match(again.stderr, /before-restore is there: .*--force overwrites it/)
    assert.equal(ids(database('one')), 'first,third', 'nothing was touched')
  })

  it("refuses another CA's record, and what nothing says whose it is", async () => {
    const foreign = await yori('two', 'restore', 'copy.db')
    assert.equal(foreign.status, 4)
    assert.match(
      foreign.stderr,
      /is the record of another CA \(SHA-256 [\dA-F:]{95}\); .*two\/ca has [\dA-F:]{95}/,
    )
    assert.equal(existsSync(database('two')), false)
    await write('two', 'theirs')
    // Copied by hand, also with the key that signed it.
    await copyDatabase(database('one'), folder.file('bare.db'))
    copyFileSync(keyFileOf(database('one')), keyFileOf(folder.file('bare.db')))
    const unmarked = await yori('two', 'restore', 'bare.db')
    assert.match(unmarked.stderr, /nothing says that .*bare\.db is of this YORI/)
    assert.equal(ids(database('two')), 'theirs')
    mkdirSync(folder.file('three'))
    copyFileSync(folder.file('copy.db'), folder.file('alone.db'))
    const alone = await yori('three', 'restore', 'alone.db')
    assert.match(alone.stderr, /alone\.db-evidence\.pem, which signed it, belongs beside/)
    assert.equal((await yori('three', 'restore', 'copy.db')).status, 0)
    assert.deepEqual(verdictOf(database('three')).findings, [])
    writeFileSync(folder.file('noise.db'), 'no database at all'.repeat(100))
    const noise = await yori('two', 'restore', 'noise.db')
    assert.match(noise.stderr, /noise\.db: file is not a database/)
  })

  it('gives pages back beside a YORI, and repacks the file where none runs', async () => {
    {
      await using store = await startStore(database('two'))
      const body = 'b'.repeat(4000)
      for (let n = 0; n < 1000; n++)
        store.exchangeClosed(closed({ requestId: `body-${n}`, requestBody: body }))
    }
    // Every second row: pages that are partly empty, besides those that are free.
    const db = new Sqlite(database('two'))
    db.exec("UPDATE exchanges SET request_body = NULL WHERE request_id LIKE 'body-%'")
    db.close()
    const before = statSync(database('two')).size
    {
      await using _store = await startStore(database('two'))
      using lock = InstanceLock.take(folder.file('two'))
      lock.announce({ pid: process.pid, listen: [], startedAt: 0 })
      const { status, stdout } = await yori('two', 'vacuum')
      assert.equal(status, 0)
      assert.match(stdout, /given back: .* before, .* now\nYORI runs, so pages .* stay/)
    }
    const between = statSync(database('two')).size
    assert.ok(between < before, `${between} of ${before} bytes`)
    const told = await yori('two', 'vacuum', '--json')
    const won = JSON.parse(told.stdout) as Record<string, unknown>
    assert.equal(won['repacked'], true)
    assert.equal(won['after'], statSync(database('two')).size)
    assert.ok(won['after'] <= between)
    assert.equal(single(database('two'), 'PRAGMA integrity_check'), 'ok')
    assert.equal(single(database('two'), 'PRAGMA freelist_count'), 0)
    assert.equal(single(database('two'), 'SELECT count(*) FROM exchanges'), 1001)
  })

  it('stops with a word where another program holds the database', async () => {
    const db = new Sqlite(database('two'))
    try {
      db.exec("DELETE FROM exchanges WHERE request_id LIKE 'body-%'; BEGIN IMMEDIATE")
      const { status, stdout } = await yori('two', 'vacuum')
      assert.equal(status, 1)
      assert.match(stdout, /another program holds the database; ask again later/)
    } finally {
      db.close()
    }
  })

  it('copies one snapshot, though somebody writes at each of its steps', async () => {
    const [from, to] = [folder.file('busy.db'), folder.file('busy-copy.db')]
    const writer = new Sqlite(from)
    writer.pragma('journal_mode = WAL')
    writer.exec('CREATE TABLE t (a)')
    const insert = writer.prepare('INSERT INTO t VALUES (?)')
    writer.transaction(() => {
      for (let n = 0; n < 3000; n++) insert.run('x'.repeat(4000))
    })()
    const seen: number[] = []
    await copyDatabase(from, to, (done) => {
      seen.push(done)
      // Bounded, should it begin anew each time.
      if (seen.length < 100) insert.run('meanwhile')
    })
    writer.close()
    assert.ok(seen.length > 2, 'in steps')
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    )
    assert.equal(single(to, 'SELECT count(*) FROM t'), 3000)
  })
})
