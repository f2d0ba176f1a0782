import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  closed,
  connection,
  event,
  exchange,
  query,
  startStore,
  temporaryFolder,
} from './support.js'

describe('audit store', () => {
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
