import assert from 'node:assert/strict'
import { parseSince } from '../../src/audit/since.js'

const NOW = Date.UTC(2026, 10, 20, 12)

describe('audit since', () => {
  it('reads spans and dates', () => {
    const cases: [string, number][] = [
      ['90s', NOW - 90_000],
      ['15m', NOW - 900_000],
      ['24h', NOW - 86_400_000],
      ['7d', NOW - 604_800_000],
      ['2w', NOW - 1_209_600_000],
      ['2026-11-01', Date.UTC(2026, 10, 1)],
      ['2026-11-01 08:30', Date.UTC(2026, 10, 1, 8, 30)],
      ['2026-11-01 08:30:15.250', Date.UTC(2026, 10, 1, 8, 30, 15, 250)],
      ['2026-11-01T08:30:00Z', Date.UTC(2026, 10, 1, 8, 30)],
      ['2026-11-01T08:30:00+02:00', Date.UTC(2026, 10, 1, 6, 30)],
    ]
    for (const [text, expected] of cases)
      assert.equal(parseSince(text, NOW), expected, text)
  })

  it('refuses what says no time', () => {
    for (const text of [
      '',
      'yesterday',
      '24',
      'h',
      '1y',
      '-1d',
      '2026-13-01',
      '2026-11-01 99:00',
    ])
      assert.equal(parseSince(text, NOW), undefined, text)
  })
})
