import assert from 'node:assert/strict'
import { limitedLog } from '../../src/core/limited-log.js'
import { silentLog } from '../../src/core/log.js'
import { ManualClock } from '../support/manual-clock.js'

describe('a limited log', () => {
  it('passes so many like lines a second, then says how many it left out', () => {
    const lines: object[] = []
    const clock = new ManualClock()
    const log = limitedLog(
      { ...silentLog, warn: (fields) => lines.push(fields) },
      clock,
      3,
    )
    for (let i = 0; i < 10; i++) log.warn({ i }, 'failed')
    assert.deepEqual(lines, [{ i: 0 }, { i: 1 }, { i: 2 }])
    log.warn({ other: true }, 'another message')
    clock.advance(1_000)
    log.warn({ i: 10 }, 'failed')
    assert.deepEqual(lines.slice(3), [{ other: true }, { i: 10, likeLinesLeftOut: 7 }])
  })
})
