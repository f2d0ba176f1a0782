import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { coverageCounts, OTHER_DEVICES } from '../../src/audit/coverage-counts.js'
import { daysUntil, readCoverage } from '../../src/audit/coverage-queries.js'
import { encode, timestampText } from '../../src/audit/rows.js'
import { migrate, migrations } from '../../src/audit/migrations.js'
import { openReader } from '../../src/audit/queries.js'
import { prune } from '../../src/audit/retention.js'
import { connectionColumns } from '../../src/audit/tables.js'
import type { ConnectionRecord, EventRecord } from '../../src/core/record.js'
import { connection, query, startStore, temporaryFolder } from './support.js'
import { skip } from '../support/needs.js'

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

    const today = reader.coverage(wall(NOW), 1)
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
    assert.equal(reader.coverage(wall(NOW), 2).all.total, 22)
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
    assert.equal(reader.coverage(wall(NOW), 1).uncounted, 8)
    assert.equal(reader.coverage(wall(NOW + 2 * DAY_MS), 1).uncounted, 0)
  })

  it('count devices together once a day has enough counts', () => {
    const db = memory()
    const counts = coverageCounts(db, 3)
    const add = (fields: Partial<ConnectionRecord>): void =>
      counts.add(rowOf(fields), 'UTC')
    for (let n = 1; n <= 10; n++) add({ device: { ip: `192.0.2.${n}` } })
    add({ device: { ip: '192.0.2.2' } })
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
    coverageCounts(db, 3).add(rowOf({ device: { ip: '192.0.2.99' } }), 'UTC')
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
      counts.add(row, 'UTC')
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
        .prepare('SELECT zone, name_class, coverage, code, connections FROM coverage')
        .raw()
        .all(),
      [
        ['UTC', '(unknown)', 'failed', 'YORI_CLIENT_GONE', 1],
        ['UTC', '(unknown)', 'tunnel-pinned', '', 1],
        ['UTC', 'api.openai.com', 'inspected', '', 2],
      ],
    )
    db.close()
  })
})

/** Zones whose clocks differ from others in every way, and what is special about them. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Pacific/Chatham', // 12:45 or 13:45 ahead
  'America/St_Johns', // 3:30 or 2:30 behind
  'America/Santiago', // its clocks change at midnight
  'America/Havana', // they go back from one o'clock to midnight
  'Asia/Kathmandu', // 5:45 ahead
  'Pacific/Kiritimati', // 14 ahead
  'Etc/GMT+12', // 12 behind
]

describe("coverage by the household's days", () => {
  // A week around each change of clocks of 2024, a year that every table of zones agrees on.
  const moments = ['03-08', '03-29', '04-05', '09-06', '09-27', '10-25', '11-01'].flatMap(
    (day) =>
      Array.from(
        { length: 7 * 48 },
        (_, n) => Date.parse(`2024-${day}T00:10:00Z`) + n * 1_800_000,
      ),
  )

  for (const zone of ZONES)
    it(`are the days that date(1) tells for ${zone}`, function () {
      if (!existsSync(`/usr/share/zoneinfo/${zone}`))
        skip(this, { what: `the zone ${zone}`, brings: 'apt-get install tzdata' })
      const db = memory()
      const counts = coverageCounts(db)
      for (const ms of moments) {
        const row = rowOf({})
        row[0] = timestampText(ms)
        counts.add(row, zone)
      }
      const dates = datesOf(zone, moments)
      const expected = new Map<string, number>()
      for (const date of dates) expected.set(date, (expected.get(date) ?? 0) + 1)
      const found = db.prepare('SELECT day, connections FROM coverage').raw().all()
      assert.deepEqual(new Map(found as [string, number][]), expected)

      for (const [at, days] of [
        [60, 1],
        [167, 3],
        [400, 4],
        [moments.length - 1, 30],
      ] as const) {
        const nowMs = moments[at] ?? Number.NaN
        const { since, until, all, timezone, otherZones } = readCoverage(
          db,
          daysUntil(nowMs, days, zone),
        )
        const first = firstOf(dates[at] ?? '', days)
        assert.deepEqual([since, until], [first, dates[at]])
        const within = dates.filter((date) => date >= first && date <= until)
        assert.equal(all.total, within.length, `${days} days until ${until}`)
        assert.deepEqual([timezone, otherZones], [zone, []])
      }
      db.close()
    })

  it('are written by a store in the zone of its moment, and both zones are told', async () => {
    using folder = temporaryFolder()
    let zone = 'Pacific/Chatham'
    // 23:30 and 00:30 of the wall in Chatham, both on the second of January in UTC.
    const late = Date.parse('2026-01-02T09:45:00Z')
    {
      await using store = await startStore(folder.database, { zone: () => zone })
      store.connection(connection({ openedAt: late, closedAt: late }))
      store.connection(connection({ openedAt: late + 3_600_000, closedAt: NOW }))
      await store.flush()
      zone = 'America/St_Johns'
      store.connection(connection({ openedAt: late, closedAt: late }))
    }
    using reader = openReader(folder.database)
    const now = late + 3_600_000
    const chatham = reader.coverage({ nowMs: now, zone: 'Pacific/Chatham' }, 1)
    assert.deepEqual([chatham.since, chatham.all.total], ['2026-01-03', 1])
    assert.deepEqual(chatham.otherZones, [])
    const two = reader.coverage({ nowMs: now, zone: 'Pacific/Chatham' }, 2)
    assert.deepEqual([two.since, two.all.total], ['2026-01-02', 3])
    assert.deepEqual(two.otherZones, ['America/St_Johns'])
    assert.deepEqual(
      query(folder.database, 'SELECT day, zone FROM coverage ORDER BY day, zone'),
      [
        { day: '2026-01-02', zone: 'America/St_Johns' },
        { day: '2026-01-02', zone: 'Pacific/Chatham' },
        { day: '2026-01-03', zone: 'Pacific/Chatham' },
      ],
    )
  })

  it("count what was dropped from the day's first moment on", async () => {
    using folder = temporaryFolder()
    const dropped = (at: string): EventRecord => ({
      ...{ at: Date.parse(at), kind: 'audit.dropped' },
      details: { connections: 1, exchanges: 0, events: 0 },
    })
    {
      await using store = await startStore(folder.database)
      // In Santiago the eighth of September 2024 begins at one o'clock, 04:00 in UTC.
      store.event(dropped('2024-09-08T03:59:59Z'))
      store.event(dropped('2024-09-08T04:00:00Z'))
      store.event(dropped('2024-09-09T02:59:59Z'))
      store.event(dropped('2024-09-09T03:00:00Z'))
    }
    using reader = openReader(folder.database)
    const nowMs = Date.parse('2024-09-08T12:00:00Z')
    const { since, uncounted } = reader.coverage({ nowMs, zone: 'America/Santiago' }, 1)
    assert.deepEqual([since, uncounted], ['2024-09-08', 2])
  })

  it('go when the day is over in every zone', () => {
    const db = memory()
    const counts = coverageCounts(db)
    const row = rowOf({})
    // Noon of the second in UTC is where its first of January ends.
    row[0] = '2026-01-02 11:59:00.000'
    counts.add(row, 'Etc/GMT+12')
    const left = (): unknown => db.prepare('SELECT day FROM coverage').pluck().all()
    const pruneTo = (at: string): void => {
      const steps = prune(db, { cutoffMs: Date.parse(at), maxBytes: 0 })
      while (steps.next().done !== true);
    }
    pruneTo('2026-01-02T11:59:00Z')
    assert.deepEqual(left(), ['2026-01-01'])
    pruneTo('2026-01-02T12:00:00Z')
    assert.deepEqual(left(), [])
    db.close()
  })
})

/** As date(1) has them, from the system's own table of zones. */
function datesOf(zone: string, moments: readonly number[]): readonly string[] {
  const input = moments.map((ms) => `@${Math.floor(ms / 1000)}\n`).join('')
  const env = { ...process.env, TZ: zone }
  return execFileSync('date', ['-f', '-', '+%F'], { input, env, encoding: 'utf8' })
    .trim()
    .split('\n')
}

function firstOf(date: string, days: number): string {
  const asked = `${date} ${days - 1} days ago`
  const env = { ...process.env, TZ: 'UTC' }
  return execFileSync('date', ['-d', asked, '+%F'], { env, encoding: 'utf8' }).trim()
}

const wall = (nowMs: number): { nowMs: number; zone: string } => ({ nowMs, zone: 'UTC' })

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
