import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { AuditCounts, AuditStore } from '../../src/audit/store.js'
import { openAuditStore } from '../../src/audit/store.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import {
  closed,
  connection,
  event,
  exchange,
  query,
  startStore,
  temporaryFolder,
} from './support.js'

/** Resolves when the tally of written rows fits. */
async function settled(
  store: AuditStore,
  fits: (written: AuditCounts['written']) => boolean,
): Promise<AuditCounts> {
  while (!fits(store.counts.written))
    await new Promise((resolve) => setImmediate(resolve))
  return store.counts
}

describe('audit store', () => {
  it('counts in one row what is merged into it, and keeps no row of its own for that', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const [first, again] = [
      exchange({ requestId: 'r-1' }),
      exchange({ requestId: 'r-2' }),
    ]
    const row = { requestId: 'r-1', repeats: 0, marks: ['a'] }
    store.exchangeOpened(first)
    store.exchangeOpened(again)
    // Both stand in the database while they are open.
    await store.flush()
    row.repeats = 1
    row.marks = ['a', 'b']
    // Its own end may come after that of what repeats it.
    store.exchangeMerged(again, { kind: 'repeated', row })
    await store.flush()
    Object.assign(first, { outcome: 'block', repeated: row })
    store.exchangeClosed(first)
    await store.flush()
    row.repeats = 2
    store.exchangeMerged(exchange({ requestId: 'r-3' }), { kind: 'repeated', row })
    await store.flush()
    assert.deepEqual(
      query(
        folder.database,
        'SELECT request_id, event_type, repeats, found_marks FROM exchanges',
      ),
      [{ request_id: 'r-1', event_type: 'block', repeats: 2, found_marks: 'a b' }],
    )
    const { held, offered, written } = store.counts
    assert.deepEqual([held, offered.exchanges, written.exchanges], [0, 1, 1])
  })

  it('writes connections, exchanges and events', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const record = exchange({ requestId: 'r-1' })
    store.exchangeOpened(record)
    Object.assign(record, { outcome: 'response', status: 200, latencyMs: 12.6 })
    store.exchangeClosed(record)
    store.connection(connection({ coverage: 'inspected', exchanges: 1 }))
    store.event(event({ kind: 'mode', actor: 'ann', details: { mode: 'observe' } }))
    await store.flush()

    assert.deepEqual(
      query(
        folder.database,
        'SELECT request_id, event_type, response_status, latency_ms FROM exchanges',
      ),
      [
        {
          request_id: 'r-1',
          event_type: 'response',
          response_status: 200,
          latency_ms: 13,
        },
      ],
    )
    assert.deepEqual(
      query(folder.database, 'SELECT coverage, exchanges, duration_ms FROM connections'),
      [{ coverage: 'inspected', exchanges: 1, duration_ms: 1500 }],
    )
    assert.deepEqual(
      query(folder.database, 'SELECT event_type, actor, details FROM audit_log'),
      [{ event_type: 'mode', actor: 'ann', details: '{"mode":"observe"}' }],
    )
    assert.equal(store.health.kind, 'ok')
    assert.equal(store.dropped, 0)
  })

  it('writes an open exchange once, then gives the same row its end', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const record = exchange({ requestId: 'slow' })
    store.exchangeOpened(record)
    await store.flush()
    const all = 'SELECT id, event_type, model FROM audit_events'
    assert.deepEqual(query(folder.database, all), [
      { id: 1, event_type: 'request', model: null },
    ])
    Object.assign(record, { outcome: 'block', model: 'gpt-4o' })
    store.exchangeClosed(record)
    await store.flush()
    assert.deepEqual(query(folder.database, all), [
      { id: 1, event_type: 'block', model: 'gpt-4o' },
    ])
  })

  it('writes everything before it stops, and may be stopped twice', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database)
    for (let i = 0; i < 2000; i++) store.exchangeClosed(closed())
    await store.stop()
    await store.stop()
    assert.deepEqual(query(folder.database, 'SELECT count(*) AS n FROM exchanges'), [
      { n: 2000 },
    ])
    assert.deepEqual(store.counts.written, { connections: 0, exchanges: 2000, events: 0 })
  })

  it('writes by itself when a batch is full, and when a row has waited', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database, { batchMs: 20 })
    for (let i = 0; i < 10; i++) store.connection(connection())
    assert.equal(store.counts.batches, 1)
    store.event(event())
    const { written } = await settled(store, ({ events }) => events === 1)
    assert.deepEqual(written, { connections: 10, exchanges: 0, events: 1 })
    assert.equal(store.counts.batches, 2)
  })

  it('lets a batch grow to its limit while the last one is not long enough ago', async () => {
    using folder = temporaryFolder()
    const limits = { batchGapMs: 60_000, batchSoonRows: 300 }
    await using store = await startStore(folder.database, limits)
    for (let i = 0; i < 10; i++) store.exchangeClosed(closed())
    await settled(store, ({ exchanges }) => exchanges === 10)
    for (let i = 0; i < 299; i++) store.exchangeClosed(closed())
    assert.deepEqual([store.counts.batches, store.counts.held], [1, 299])
    store.exchangeClosed(closed())
    await settled(store, ({ exchanges }) => exchanges === 310)
    assert.equal(store.counts.batches, 2)
  })

  it('takes no more in one batch than its worker is to hold', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database, { batchGapMs: 60_000 })
    for (let i = 0; i < 10 + 1200; i++) store.exchangeClosed(closed())
    await settled(store, ({ exchanges }) => exchanges === 1210)
    // Ten at once; then what has come since the worker has answered, 512 and the rest.
    assert.equal(store.counts.batches, 4)
  })

  it('writes bodies of the greatest size, in any script', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const responseBody = '世'.repeat(2 ** 20)
    for (let i = 0; i < 3; i++) store.exchangeClosed(closed({ responseBody }))
    await store.flush()
    const lengths = 'SELECT DISTINCT length(response_body) AS n FROM audit_events'
    assert.deepEqual(query(folder.database, lengths), [{ n: 2 ** 20 }])
    assert.equal(store.counts.workerRestarts, 0)
  })

  it('takes rows before it is started, and writes them then', async () => {
    using folder = temporaryFolder()
    const store = openAuditStore({
      database: folder.database,
      log: silentLog,
      clock: systemClock,
    })
    store.event(event({ kind: 'early' }))
    assert.equal(store.health.kind, 'starting')
    await store.start()
    await store.stop()
    assert.deepEqual(query(folder.database, 'SELECT event_type FROM events'), [
      { event_type: 'early' },
    ])
    assert.equal(store.health.kind, 'stopped')
  })

  it('keeps its file to itself', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    store.event(event())
    await store.flush()
    assert.equal(statSync(dirname(folder.database)).mode & 0o777, 0o700)
    for (const suffix of ['', '-wal', '-shm'])
      assert.equal(statSync(folder.database + suffix).mode & 0o777, 0o600, suffix)
  })
})
