/** Days of the record on the wall of a zone. Days of change are those of `zdump -v ZONE`. */
import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { wallDay } from '../../src/audit/wall-days.js'

const NOW = Date.UTC(2026, 11, 1)

describe('the day of a row', () => {
  it('is that on the wall of the zone, also where its clocks change', () => {
    const db = new Sqlite(':memory:')
    try {
      for (const [zone, timestamp, day] of [
        ['UTC', '2026-11-30 23:59:59.999', '2026-11-30'],
        // 45 minutes past the hour; an hour more from 26 September, 14:00 UTC.
        ['Pacific/Chatham', '2026-09-26 11:14:59.999', '2026-09-26'],
        ['Pacific/Chatham', '2026-09-26 11:15:00.000', '2026-09-27'],
        ['Pacific/Chatham', '2026-09-27 10:14:59.999', '2026-09-27'],
        ['Pacific/Chatham', '2026-09-27 10:15:00.000', '2026-09-28'],
        ['Pacific/Chatham', '2026-04-05 11:14:59.999', '2026-04-05'],
        ['Pacific/Chatham', '2026-04-04 10:15:00.000', '2026-04-05'],
        ['Pacific/Chatham', '2026-12-01 10:15:00.000', '2026-12-02'],
        // 23:59 is followed by 01:00, and on 29 October comes twice.
        ['Africa/Cairo', '2026-04-23 21:59:59.999', '2026-04-23'],
        ['Africa/Cairo', '2026-04-23 22:00:00.000', '2026-04-24'],
        ['Africa/Cairo', '2026-10-29 21:59:59.999', '2026-10-29'],
        ['Africa/Cairo', '2026-10-29 22:00:00.000', '2026-10-30'],
        ['America/St_Johns', '2026-01-31 03:29:59.000', '2026-01-30'],
        ['America/St_Johns', '2018-07-01 02:30:00.000', '2018-07-01'],
      ] as const) {
        const found = db
          .prepare<[string], { day: string }>(
            `SELECT ${wallDay('timestamp', NOW, zone)} AS day FROM (SELECT ? AS timestamp)`,
          )
          .get(timestamp)
        assert.equal(found?.day, day, `${zone} ${timestamp}`)
      }
    } finally {
      db.close()
    }
  })
})
