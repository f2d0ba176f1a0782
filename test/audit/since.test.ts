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
      assert.equal(parseSince(text, NOW, 'UTC'), expected, text)
  })

  // Offsets and days of change are those of the tz database, by `zdump -v ZONE`.
  it('reads a date without an offset on the wall of the zone', () => {
    const cases: [zone: string, text: string, expected: string][] = [
      ['Pacific/Chatham', '2026-07-01', '2026-06-30T11:15:00.000Z'],
      ['Pacific/Chatham', '2026-12-01 08:30', '2026-11-30T18:45:00.000Z'],
      ['Pacific/Chatham', '2026-12-01T08:30:15.250', '2026-11-30T18:45:15.250Z'],
      ['Pacific/Chatham', '2026-12-01T08:30+01:00', '2026-12-01T07:30:00.000Z'],
      // 02:45 becomes 03:45 on 27 September: 03:00 is shown by no clock.
      ['Pacific/Chatham', '2026-09-27 02:44', '2026-09-26T13:59:00.000Z'],
      ['Pacific/Chatham', '2026-09-27 03:00', '2026-09-26T14:15:00.000Z'],
      ['Pacific/Chatham', '2026-09-27 03:45', '2026-09-26T14:00:00.000Z'],
      // 03:45 becomes 02:45 on 5 April: 03:00 is shown twice.
      ['Pacific/Chatham', '2026-04-05 03:00', '2026-04-04T13:15:00.000Z'],
      ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z'],
      ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
      ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00.000Z'],
      ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
      // Midnight of 24 April is skipped.
      ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
      ['America/St_Johns', '2026-01-31', '2026-01-31T03:30:00.000Z'],
    ]
    for (const [zone, text, expected] of cases)
      assert.equal(
        new Date(parseSince(text, NOW, zone) ?? Number.NaN).toISOString(),
        expected,
        `${zone} ${text}`,
      )
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
      assert.equal(parseSince(text, NOW, 'UTC'), undefined, text)
  })
})
