import assert from 'node:assert/strict'
import { PruneSchedule } from '../../src/audit/prune-schedule.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const NOON = new Date(2026, 10, 20, 12).getTime()
const options = { retentionDays: 10, pruneAt: '03:00', maxBytes: 0 }
const byAge = (nowMs: number) => ({ cutoffMs: nowMs - 10 * DAY_MS, maxBytes: 0 })

describe('audit prune schedule', () => {
  it('prunes at once, then each day at its time, one at a time', () => {
    const schedule = new PruneSchedule(options, NOON)
    assert.deepEqual(schedule.due(NOON), byAge(NOON))
    assert.equal(schedule.due(NOON + DAY_MS), undefined)
    schedule.finished()
    assert.equal(schedule.due(NOON + 15 * HOUR_MS - 1), undefined)
    assert.deepEqual(schedule.due(NOON + 15 * HOUR_MS), byAge(NOON + 15 * HOUR_MS))
  })

  it('looks at the size in between', () => {
    const schedule = new PruneSchedule({ ...options, maxBytes: 5 }, NOON)
    schedule.due(NOON)
    schedule.finished()
    assert.deepEqual(schedule.due(NOON + 1), { cutoffMs: undefined, maxBytes: 5 })
  })

  it('tries again soon what failed', () => {
    const schedule = new PruneSchedule(options, NOON)
    schedule.due(NOON)
    schedule.failed(NOON)
    assert.equal(schedule.due(NOON + 9 * MINUTE_MS), undefined)
    const later = NOON + 10 * MINUTE_MS
    assert.deepEqual(schedule.due(later), byAge(later))
  })

  it('is not misled by a clock that was years ahead', () => {
    const ahead = NOON + 3650 * DAY_MS
    const schedule = new PruneSchedule(options, ahead)
    schedule.due(ahead)
    schedule.finished()
    assert.deepEqual(schedule.due(NOON), byAge(NOON))
  })
})
