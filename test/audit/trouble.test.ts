import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { openSync, closeSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { total } from '../../src/audit/tally.js'
import { migrations } from '../../src/audit/migrations.js'
import type { AuditStore } from '../../src/audit/store.js'
import {
  closed,
  connection,
  event,
  exchange,
  ListeningLog,
  query,
  single,
  startStore,
  temporaryFolder,
} from './support.js'

const UNWRITABLE = 'cannot be written'
const RECOVERED = 'can be written again'

function assertAddsUp(store: AuditStore, database: string): void {
  const { offered, written, dropped } = store.counts
  for (const kind of ['connections', 'exchanges', 'events'] as const) {
    assert.equal(written[kind] + dropped[kind], offered[kind], kind)
    assert.equal(single(database, `SELECT count(*) FROM ${kind}`), written[kind], kind)
  }
}

describe('audit store in trouble', () => {
  afterEach(() => {
    delete process.env['DYING_WORKER_DEATHS']
  })

  it('waits out a lock, loses nothing, and says so', async () => {
    using folder = temporaryFolder()
    const log = new ListeningLog()
    await using store = await startStore(folder.database, { log })
    const other = new Sqlite(folder.database)
    other.exec('BEGIN EXCLUSIVE')
    for (let i = 0; i < 30; i++) store.exchangeClosed(closed())
    assert.deepEqual(await log.said(UNWRITABLE), {
      trouble: 'locked',
      reason: 'SQLITE_BUSY: database is locked',
      database: folder.database,
    })
    assert.equal(store.health.kind, 'degraded')
    other.exec('COMMIT')
    other.close()
    await log.said(RECOVERED)
    await store.flush()
    assert.equal(store.health.kind, 'ok')
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 30)
    assert.equal(
      single(folder.database, `SELECT details ->> 'trouble' FROM audit_log`),
      'locked',
    )
    assertAddsUp(store, folder.database)
  })

  it('drops at its limit, counts, logs once, and records the gap when there is room', async () => {
    using folder = temporaryFolder()
    const log = new ListeningLog()
    await using store = await startStore(folder.database, { log, queueRows: 50 })
    const other = new Sqlite(folder.database)
    other.exec('BEGIN EXCLUSIVE')
    const slow = exchange({ requestId: 'admitted' })
    store.exchangeOpened(slow)
    for (let i = 0; i < 200; i++) {
      const record = exchange()
      store.exchangeOpened(record)
      record.outcome = 'response'
      store.exchangeClosed(record)
      store.connection(connection())
    }
    slow.outcome = 'response'
    store.exchangeClosed(slow)
    assert.equal(store.dropped, 351)
    assert.equal(store.counts.held, 50)
    other.exec('COMMIT')
    other.close()
    await store.flush()
    // The event that tells of the gap is given when room is seen: after the rows.
    await store.flush()
    const drops = log.lines.filter(({ message }) => message.includes('dropped'))
    assert.equal(drops.length, 1)
    assertAddsUp(store, folder.database)
    assert.equal(
      single(
        folder.database,
        `SELECT count(*) FROM exchanges WHERE request_id = 'admitted'`,
      ),
      1,
    )
    const told = query(
      folder.database,
      `SELECT details ->> 'connections' AS connections, details ->> 'exchanges' AS exchanges
       FROM audit_log WHERE event_type = 'audit.dropped'`,
    )
    const { connections, exchanges } = store.counts.dropped
    assert.deepEqual(told, [{ connections, exchanges }])
  })

  it('moves a file aside that is no database, and begins a new one', async () => {
    using folder = temporaryFolder()
    mkdirSync(dirname(folder.database))
    writeFileSync(
      folder.database,
      'this is no database, it only looks long enough\n'.repeat(99),
    )
    const log = new ListeningLog()
    await using store = await startStore(folder.database, { log })
    store.exchangeClosed(closed())
    await log.said(RECOVERED)
    await store.flush()
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 1)
    const aside = readdirSync(dirname(folder.database)).filter((name) =>
      name.includes('corrupt'),
    )
    assert.equal(aside.length, 1)
    assert.equal(
      single(
        folder.database,
        `SELECT details ->> 'movedTo' FROM audit_log WHERE event_type = 'audit.corrupt'`,
      ),
      join(dirname(folder.database), aside[0] ?? ''),
    )
  })

  it('moves a database aside whose pages were overwritten', async () => {
    using folder = temporaryFolder()
    const before = await startStore(folder.database)
    for (let i = 0; i < 100; i++) before.exchangeClosed(closed())
    await before.stop()
    const file = openSync(folder.database, 'r+')
    for (let page = 1; page < 20; page++)
      writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, page * 4096)
    closeSync(file)

    const log = new ListeningLog()
    await using store = await startStore(folder.database, { log })
    store.exchangeClosed(closed({ requestId: 'after' }))
    await log.said('corrupt')
    await store.flush()
    assert.deepEqual(query(folder.database, 'SELECT request_id FROM exchanges'), [
      { request_id: 'after' },
    ])
  })

  it('leaves a database of a later version as it is, and waits', async () => {
    using folder = temporaryFolder()
    mkdirSync(dirname(folder.database))
    const db = new Sqlite(folder.database)
    db.pragma(`user_version = ${migrations.length + 1}`)
    db.close()
    const store = await startStore(folder.database, { stopMs: 300 })
    store.exchangeClosed(closed())
    assert.equal(store.health.kind === 'degraded' && store.health.trouble, 'newer')
    await store.stop()
    assert.equal(store.dropped, 1)
    assert.deepEqual(query(folder.database, 'SELECT name FROM sqlite_schema'), [])
  })

  it('waits for a folder that cannot be made, and writes when it can', async () => {
    using folder = temporaryFolder()
    const inTheWay = dirname(folder.database)
    writeFileSync(inTheWay, '')
    const log = new ListeningLog()
    await using store = await startStore(folder.database, { log })
    assert.equal(store.health.kind === 'degraded' && store.health.trouble, 'unwritable')
    store.exchangeClosed(closed())
    rmSync(inTheWay)
    await log.said(RECOVERED)
    await store.flush()
    assertAddsUp(store, folder.database)
  })

  it('begins a new database when the file was taken away', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database, { placeCheckMs: 0 })
    store.event(event({ kind: 'before' }))
    await store.flush()
    renameSync(folder.database, `${folder.database}.old`)
    store.event(event({ kind: 'after' }))
    await store.flush()
    assert.deepEqual(query(folder.database, 'SELECT event_type FROM events'), [
      { event_type: 'after' },
      { event_type: 'audit.replaced' },
    ])
  })

  it('gives an end to what an earlier run left open', async () => {
    using folder = temporaryFolder()
    const before = await startStore(folder.database)
    before.exchangeOpened(exchange({ requestId: 'left' }))
    await before.flush()
    const db = new Sqlite(folder.database)
    // As if that run had been killed: its stop would have done it.
    await before.stop()
    db.exec(`UPDATE exchanges SET event_type = 'request', reason = NULL`)
    db.close()
    await using _store = await startStore(folder.database)
    assert.deepEqual(
      query(folder.database, 'SELECT request_id, event_type, reason FROM audit_events'),
      [
        {
          request_id: 'left',
          event_type: 'error',
          reason: 'YORI stopped before the end',
        },
      ],
    )
  })

  it('starts a new worker when one dies, and writes no row twice', async () => {
    using folder = temporaryFolder()
    process.env['DYING_WORKER_DEATHS'] = '2'
    const workerScript = new URL('./dying-worker.js', import.meta.url)
    await using store = await startStore(folder.database, { workerScript })
    for (let i = 0; i < 10; i++) store.connection(connection())
    store.event(event())
    await store.flush()
    assert.equal(store.counts.workerRestarts, 2)
    assert.equal(single(folder.database, 'SELECT count(*) FROM connections'), 10)
    assert.equal(store.dropped, 0)
    assert.equal(store.health.kind, 'ok')
  })

  it('gives up a batch that kills its workers, counts it, and goes on', async () => {
    using folder = temporaryFolder()
    process.env['DYING_WORKER_DEATHS'] = '3'
    const workerScript = new URL('./dying-worker.js', import.meta.url)
    await using store = await startStore(folder.database, { workerScript, batchRows: 1 })
    store.connection(connection())
    await store.flush()
    assert.equal(store.counts.dropped.connections, 1)
    store.connection(connection())
    await store.flush()
    assert.equal(store.counts.written.connections, 1)
  })

  it('does not wait for ever to stop while the database is locked', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database, { stopMs: 200 })
    const other = new Sqlite(folder.database)
    other.exec('BEGIN EXCLUSIVE')
    for (let i = 0; i < 5; i++) store.exchangeClosed(closed())
    await store.stop()
    other.close()
    const { offered, written, dropped } = store.counts
    assert.equal(total(offered), 5)
    assert.equal(total(written) + total(dropped), 5)
  })
})
