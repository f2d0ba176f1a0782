import assert from 'node:assert/strict'
import {
  offMs,
  offPeriodsSince,
  parseOffPeriods,
  unseenOffPeriods,
} from '../../pf/off-periods.js'

const TEXT = `1 1700000000 - no-answer open
2 1700000000 1700000012 no-answer open
3 1700000500 - ended closed_llm
`

describe('off periods', () => {
  it('are read line by line, times in milliseconds', () => {
    const [began, ended, later] = parseOffPeriods(TEXT)
    assert.deepEqual(began, {
      number: 1,
      fromMs: 1_700_000_000_000,
      toMs: undefined,
      cause: 'no-answer',
      state: 'open',
    })
    assert.equal(ended?.toMs, 1_700_000_012_000)
    assert.equal(later?.state, 'closed_llm')
  })

  it('are nothing where a line says something else', () => {
    const lines = [
      '',
      'x',
      '1 2 3',
      '1 2 3 <b> open',
      '1 2 3 ended shut',
      '-1 2 3 ended open',
    ]
    assert.deepEqual(parseOffPeriods(lines.join('\n')), [])
  })

  it('count once, as far as they lie in the span, the last until now', () => {
    const periods = parseOffPeriods(TEXT)
    const numbers = (sinceMs: number): number[] =>
      offPeriodsSince(periods, sinceMs).map(({ number }) => number)
    assert.deepEqual(numbers(0), [2, 3])
    assert.deepEqual(numbers(1_700_000_100_000), [3])
    const nowMs = 1_700_000_600_000
    assert.equal(offMs(periods, { sinceMs: 0, nowMs }), 12_000 + 100_000)
    assert.equal(offMs(periods, { sinceMs: 1_700_000_010_000, nowMs }), 2000 + 100_000)
    assert.equal(offMs(periods, { sinceMs: 1_700_000_550_000, nowMs }), 50_000)
  })

  it('are new by their number, and all of them when the count began anew', () => {
    const periods = parseOffPeriods(TEXT)
    const numbers = (seen: number): number[] =>
      unseenOffPeriods(periods, seen).map(({ number }) => number)
    assert.deepEqual(numbers(0), [1, 2, 3])
    assert.deepEqual(numbers(2), [3])
    assert.deepEqual(numbers(3), [])
    assert.deepEqual(numbers(400), [1, 2, 3])
  })
})
