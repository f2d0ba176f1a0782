import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { coverageCounts, OTHER_DEVICES } from '../../src/audit/coverage-counts.js'
import { encode } from '../../src/audit/rows.js'
import { migrate, migrations } from '../../src/audit/migrations.js'
import { openReader } from '../../src/audit/queries.js'
import { prune } from '../../src/audit/retention.js'
import { connectionColumns } from '../../src/audit/tables.js'
import type { ConnectionRecord } from '../../src/core/record.js'
import { connection, query, startStore, temporaryFolder } from './support.js'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 0, 2, 12)
const LIMITS = { textLength: 1000, bodyLength: 1000 }

describe('coverage counts', () => {
  it('agree with the rows of the connections, by day, device, name and reason', async () => {
    using folder = temporaryFolder()
    {
      await using store = await startStore(folder.database)
      const mine = { ip: '192.0.2.1', mac: '02:00:00:00:00:01', hostname: 'desk' }
      const give = (fields: Partial<ConnectionRecord>, times: number): void => {
        for (let n = 0; n < times; n++)
          store.connection(connection({ openedAt: NOW, closedAt: NOW, ...fields }))
      }
      const endpoint = { nameClass: 'api.openai.com', device: mine }
      give(
        { ...endpoint, coverage: 'inspected', exchanges: 2, code: 'YORI_CLIENT_GONE' },
        3,
      )
      give({ ...endpoint, coverage: 'tunnel-pinned' }, 2)
      give({ ...endpoint, coverage: 'failed', code: 'YORI_CLIENT_TLS_FAILED' }, 1)
      give({ coverage: 'tunnel-not-endpoint' }, 5)
      give({ coverage: 'refused', code: 'YORI_ENDPOINT_REFUSED' }, 4)
      give({ coverage: 'tunnel-ech', openedAt: NOW - DAY_MS }, 7)
    }
    using reader = openReader(folder.database)

    const today = reader.coverage(NOW, 1)
    assert.deepEqual(today.all, {
      total: 15,
      inspected: 3,
      tunnelled: 7,
      refused: 4,
      failed: 1,
    })
    assert.deepEqual(today.reasons, [
      { group: 'tunnelled', reason: 'tunnel-not-endpoint', count: 5 },
      { group: 'refused', reason: 'YORI_ENDPOINT_REFUSED', count: 4 },
      { group: 'inspected', reason: 'inspected', count: 3 },
      { group: 'tunnelled', reason: 'tunnel-pinned', count: 2 },
      { group: 'failed', reason: 'YORI_CLIENT_TLS_FAILED', count: 1 },
    ])
    assert.deepEqual(today.devices, [
      {
        name: '192.168.1.23',
        total: 9,
        inspected: 0,
        tunnelled: 5,
        refused: 4,
        failed: 0,
      },
      {
        name: '02:00:00:00:00:01',
        hostname: 'desk',
        total: 6,
        inspected: 3,
        tunnelled: 2,
        refused: 0,
        failed: 1,
      },
    ])
    assert.deepEqual(
      today.names.map(({ name, total }) => [name, total]),
      [
        ['(other)', 9],
        ['api.openai.com', 6],
      ],
    )
    assert.equal(reader.coverage(NOW, 2).all.total, 22)
    const rows = 'SELECT count(*) AS rows, sum(exchanges) AS exchanges FROM connections'
    assert.deepEqual(query(folder.database, rows), [{ rows: 22, exchanges: 6 }])
    const sums =
      'SELECT sum(connections) AS rows, sum(exchanges) AS exchanges FROM coverage'
    assert.deepEqual(query(folder.database, sums), [{ rows: 22, exchanges: 6 }])
  })

  it('tell connections that were dropped apart from those counted', async () => {
    using folder = temporaryFolder()
    {
      await using store = await startStore(folder.database)
      store.event({
        at: NOW,
        kind: 'audit.dropped',
        details: { connections: 8, exchanges: 2, events: 0 },
      })
    }
    using reader = openReader(folder.database)
    assert.equal(reader.coverage(NOW, 1).uncounted, 8)
    assert.equal(reader.coverage(NOW + 2 * DAY_MS, 1).uncounted, 0)
  })

  it('count devices together once a day has enough counts', () => {
    const db = memory()
    const counts = coverageCounts(db, 3)
    for (let n = 1; n <= 10; n++) counts.add(rowOf({ device: { ip: `192.0.2.${n}` } }))
    counts.add(rowOf({ device: { ip: '192.0.2.2' } }))
    assert.deepEqual(
      db.prepare('SELECT device, connections FROM coverage ORDER BY device').raw().all(),
      [
        [OTHER_DEVICES, 7],
        ['192.0.2.1', 1],
        ['192.0.2.2', 2],
        ['192.0.2.3', 1],
      ],
    )
    // Another writer on the same file, as after a restart, knows that the day is full.
    coverageCounts(db, 3).add(rowOf({ device: { ip: '192.0.2.99' } }))
    const others = db
      .prepare<[string], number>('SELECT connections FROM coverage WHERE device = ?')
      .pluck()
    assert.equal(others.get(OTHER_DEVICES), 8)
    db.close()
  })

  it('go with the rows of their day when that is too old', () => {
    const db = memory()
    const counts = coverageCounts(db)
    for (const day of ['2026-01-01', '2026-01-02', '2026-01-03']) {
      const row = rowOf({})
      row[0] = `${day} 03:04:05.006`
      counts.add(row)
    }
    const steps = prune(db, { cutoffMs: Date.UTC(2026, 0, 2, 23), maxBytes: 0 })
    while (steps.next().done !== true);
    assert.deepEqual(db.prepare('SELECT day FROM coverage ORDER BY day').pluck().all(), [
      '2026-01-02',
      '2026-01-03',
    ])
    db.close()
  })

  it('begin, in a database of before, with the connections that it holds', () => {
    const db = new Sqlite(':memory:')
    for (const sql of migrations.slice(0, 2)) db.exec(sql)
    db.pragma('user_version = 2')
    const insert = db.prepare(
      `INSERT INTO connections (timestamp, connection_id, device_ip, client_port, way,
         server_name, coverage, bytes_from_client, bytes_to_client, exchanges, duration_ms,
         code) VALUES ('2026-01-02 00:00:00.000', 'c', '192.0.2.1', 1, 'explicit', ?, ?, 1, 2,
         3, 4, ?)`,
    )
    const steps = prune(db, { cutoffMs: 0, maxBytes: 0 })
    assert.equal(steps.next().done, false, 'pruning does without the counts')
    insert.run('api.openai.com', 'inspected', null)
    insert.run('api.openai.com', 'inspected', 'YORI_CLIENT_GONE')
    insert.run(null, 'tunnel-pinned', null)
    insert.run(null, 'failed', 'YORI_CLIENT_GONE')
    migrate(db)
    assert.deepEqual(
      db
        .prepare('SELECT name_class, coverage, code, connections FROM coverage')
        .raw()
        .all(),
      [
        ['(unknown)', 'failed', 'YORI_CLIENT_GONE', 1],
        ['(unknown)', 'tunnel-pinned', '', 1],
        ['api.openai.com', 'inspected', '', 2],
      ],
    )
    db.close()
  })
})

function memory(): Sqlite.Database {
  const db = new Sqlite(':memory:')
  migrate(db)
  return db
}

function rowOf(fields: Partial<ConnectionRecord>) {
  const { row } = encode(connectionColumns, connection(fields), LIMITS)
  row[0] = '2026-01-02 03:04:05.006'
  return row
}
