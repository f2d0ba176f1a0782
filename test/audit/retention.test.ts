import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { cutoffMs, nextPruneMs, prune } from '../../src/audit/retention.js'
import { openDatabase } from '../../src/audit/queries.js'
import type { Clock } from '../../src/core/clock.js'
import {
  closed,
  connection,
  event,
  ListeningLog,
  query,
  single,
  startStore,
  temporaryFolder,
} from './support.js'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 20, 12)

describe('audit retention', () => {
  it('prunes next when local clocks show its time', () => {
    const at = (...parts: [number, number, number, number, number]) =>
      new Date(...parts).getTime()
    assert.equal(nextPruneMs(at(2026, 10, 20, 2, 59), '03:00'), at(2026, 10, 20, 3, 0))
    assert.equal(nextPruneMs(at(2026, 10, 20, 3, 0), '03:00'), at(2026, 10, 21, 3, 0))
    assert.equal(nextPruneMs(at(2026, 11, 31, 12, 0), '03:30'), at(2027, 0, 1, 3, 30))
  })

  it('keeps rows for ever when told 0 days', () => {
    assert.equal(cutoffMs(NOW, 0), undefined)
    assert.equal(cutoffMs(NOW, 1), NOW - DAY_MS)
  })

  it('deletes what is older, in steps, and gives the room back', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database)
    const requestBody = 'b'.repeat(2000)
    for (let i = 0; i < 3000; i++) {
      const startedAt = NOW - (i < 2500 ? 31 : 29) * DAY_MS
      store.exchangeClosed(closed({ startedAt, requestBody }))
    }
    store.connection(connection({ openedAt: NOW - 31 * DAY_MS }))
    store.event(event({ at: NOW - 31 * DAY_MS }))
    store.event(event({ at: NOW }))
    await store.stop()
    const before = statSync(folder.database).size

    const db = openDatabase(folder.database, false)
    const steps = prune(db, { cutoffMs: NOW - 30 * DAY_MS, maxBytes: 0 })
    let count = 0
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) count++
    db.close()
    const { exchanges, connections, events } = step.value
    assert.deepEqual(
      { exchanges, connections, events },
      { exchanges: 2500, connections: 1, events: 1 },
    )
    assert.ok(count > 10, `${count} steps`)
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 500)
    assert.equal(single(folder.database, 'PRAGMA freelist_count'), 0)
    assert.ok(statSync(folder.database).size < before / 3)
  })

  it('keeps the file under its cap, oldest rows first and events last', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database)
    for (let i = 0; i < 1000; i++) {
      const requestBody = 'b'.repeat(1000)
      store.exchangeClosed(
        closed({ startedAt: NOW + i, requestBody, requestId: `r${i}` }),
      )
    }
    store.event(event({ at: 0 }))
    await store.stop()
    const db = openDatabase(folder.database, false)
    const maxBytes = 1_000_000
    const steps = prune(db, { cutoffMs: undefined, maxBytes })
    while (steps.next().done !== true);
    db.close()
    assert.ok(statSync(folder.database).size <= maxBytes)
    const [kept] = query(
      folder.database,
      'SELECT count(*) AS n, min(timestamp) AS oldest, max(request_id) AS newest FROM exchanges',
    ) as { n: number; oldest: string; newest: string }[]
    assert.ok(kept !== undefined && kept.n > 100 && kept.n < 1000)
    assert.equal(
      kept.oldest,
      single(
        folder.database,
        `SELECT timestamp FROM exchanges WHERE request_id = 'r${1000 - kept.n}'`,
      ),
    )
    assert.equal(kept.newest, 'r999')
    assert.equal(single(folder.database, 'SELECT count(*) FROM events'), 1)
  })

  it('prunes by itself when the day comes, while rows are written', async () => {
    using folder = temporaryFolder()
    const log = new ListeningLog()
    let now = new Date(2026, 10, 20, 2, 0).getTime()
    const clock: Clock = { now: () => now, monotonic: () => performance.now() }
    const first = await startStore(folder.database)
    for (let i = 0; i < 200; i++)
      first.exchangeClosed(
        closed({ startedAt: now - 9.99 * DAY_MS, requestId: `aged-${i}` }),
      )
    await first.stop()

    await using store = await startStore(folder.database, {
      log,
      clock,
      retentionDays: 10,
      tendMs: 5,
    })
    now += 2 * 3_600_000
    for (let i = 0; i < 100; i++) store.exchangeClosed(closed({ startedAt: now }))
    await log.said('deleted')
    await store.flush()
    assert.deepEqual(
      query(folder.database, `SELECT event_type, details FROM audit_log`),
      [
        {
          event_type: 'audit.pruned',
          details: '{"connections":0,"exchanges":200,"events":0}',
        },
      ],
    )
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 100)
  })
})
