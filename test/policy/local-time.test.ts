import assert from 'node:assert/strict'
import {
  isWithin,
  LocalTimes,
  minutesOf,
  weekdayOf,
} from '../../src/policy/local-time.js'
import type { DailyWindow, Weekday } from '../../src/policy/local-time.js'

const times = new LocalTimes()

function window(start: string, end: string, ...days: Weekday[]): DailyWindow {
  return { start: minutesOf(start) ?? -1, end: minutesOf(end) ?? -1, days }
}

function holds(at: string, zone: string, daily: DailyWindow): boolean {
  return isWithin(daily, times.at(Date.parse(at), zone))
}

// 2026-03-06 is a Friday. The offsets are in the moments themselves, so that the expected
// answers need no library of zones.
const table: readonly [title: string, at: string, zone: string, DailyWindow, boolean][] =
  [
    ['its first moment', '2026-03-04T09:00:00Z', 'UTC', window('09:00', '18:00'), true],
    [
      'the moment before',
      '2026-03-04T08:59:59.999Z',
      'UTC',
      window('09:00', '18:00'),
      false,
    ],
    [
      'the last moment',
      '2026-03-04T17:59:59.999Z',
      'UTC',
      window('09:00', '18:00'),
      true,
    ],
    ['its end', '2026-03-04T18:00:00Z', 'UTC', window('09:00', '18:00'), false],
    [
      'half a minute past its end',
      '2026-03-04T18:00:30Z',
      'UTC',
      window('09:00', '18:00'),
      false,
    ],
    [
      'another day',
      '2026-03-05T10:00:00Z',
      'UTC',
      window('09:00', '18:00', 'wednesday'),
      false,
    ],
    ['until midnight', '2026-03-04T23:59:59Z', 'UTC', window('18:00', '24:00'), true],
    [
      'midnight after it',
      '2026-03-05T00:00:00Z',
      'UTC',
      window('18:00', '24:00', 'wednesday'),
      false,
    ],
    [
      'Friday 22:00',
      '2026-03-06T22:00:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      true,
    ],
    [
      'Saturday 00:00',
      '2026-03-07T00:00:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      true,
    ],
    [
      'Saturday 00:30',
      '2026-03-07T00:30:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      true,
    ],
    [
      'Saturday 02:00',
      '2026-03-07T02:00:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      false,
    ],
    [
      'Friday 00:30',
      '2026-03-06T00:30:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      false,
    ],
    [
      'Saturday 22:30',
      '2026-03-07T22:30:00Z',
      'UTC',
      window('22:00', '02:00', 'friday'),
      false,
    ],
    [
      'Sunday night into Monday',
      '2026-03-09T01:00:00Z',
      'UTC',
      window('22:00', '02:00', 'sunday'),
      true,
    ],
    [
      '21:30 in Berlin',
      '2026-01-05T21:30:00+01:00',
      'Europe/Berlin',
      window('21:00', '06:00'),
      true,
    ],
    [
      '20:30 in Berlin',
      '2026-01-05T20:30:00+01:00',
      'Europe/Berlin',
      window('21:00', '06:00'),
      false,
    ],
    [
      'the day of New York',
      '2026-03-06T23:00:00-05:00',
      'America/New_York',
      window('22:00', '24:00', 'friday'),
      true,
    ],
    // Berlin goes from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
    [
      'before the gap',
      '2026-03-29T01:59:59+01:00',
      'Europe/Berlin',
      window('01:30', '03:00'),
      true,
    ],
    [
      'after the gap',
      '2026-03-29T03:00:00+02:00',
      'Europe/Berlin',
      window('01:30', '03:00'),
      false,
    ],
    [
      'never inside the gap',
      '2026-03-29T03:15:00+02:00',
      'Europe/Berlin',
      window('02:00', '03:00'),
      false,
    ],
    [
      'the hour the first time',
      '2026-10-25T02:30:00+02:00',
      'Europe/Berlin',
      window('02:00', '03:00'),
      true,
    ],
    [
      'the hour again',
      '2026-10-25T02:30:00+01:00',
      'Europe/Berlin',
      window('02:00', '03:00'),
      true,
    ],
    [
      'after the hour',
      '2026-10-25T03:00:00+01:00',
      'Europe/Berlin',
      window('02:00', '03:00'),
      false,
    ],
    [
      'the night of the gap',
      '2026-03-29T05:59:00+02:00',
      'Europe/Berlin',
      window('21:00', '06:00', 'saturday'),
      true,
    ],
    [
      'the end of that night',
      '2026-03-29T06:00:00+02:00',
      'Europe/Berlin',
      window('21:00', '06:00', 'saturday'),
      false,
    ],
    // New York: 8 March and 1 November 2026, at 02:00.
    [
      'New York after its gap',
      '2026-03-08T03:00:00-04:00',
      'America/New_York',
      window('01:00', '03:00'),
      false,
    ],
    [
      'New York before its gap',
      '2026-03-08T01:59:00-05:00',
      'America/New_York',
      window('01:00', '03:00'),
      true,
    ],
    [
      'New York 01:30 once',
      '2026-11-01T01:30:00-04:00',
      'America/New_York',
      window('01:00', '02:00'),
      true,
    ],
    [
      'New York 01:30 twice',
      '2026-11-01T01:30:00-05:00',
      'America/New_York',
      window('01:00', '02:00'),
      true,
    ],
    [
      'a quarter-hour zone',
      '2026-03-04T06:15:00Z',
      'Asia/Kathmandu',
      window('12:00', '12:01'),
      true,
    ],
    ['no time at all', '2026-03-04T09:00:00Z', 'UTC', window('09:00', '09:00'), false],
  ]

describe('a daily window', () => {
  for (const [title, at, zone, daily, expected] of table) {
    it(`${expected ? 'holds' : 'does not hold'} ${title}: ${at}`, () => {
      assert.equal(holds(at, zone, daily), expected)
    })
  }

  it('TRAP: an overnight window belongs to the day on which it opened', () => {
    const friday = window('22:00', '02:00', 'friday')
    assert.equal(holds('2026-03-07T00:30:00Z', 'UTC', friday), true, 'Saturday 00:30')
    assert.equal(holds('2026-03-06T00:30:00Z', 'UTC', friday), false, 'Friday 00:30')
  })

  it('TRAP: an end is not included, to the millisecond', () => {
    const day = window('09:00', '18:00')
    assert.equal(holds('2026-03-04T17:59:59.999Z', 'UTC', day), true)
    assert.equal(holds('2026-03-04T18:00:00.000Z', 'UTC', day), false)
  })

  it('TRAP: time has a zone', () => {
    const evening = window('21:00', '22:00')
    const at = '2026-07-01T19:30:00Z'
    assert.equal(holds(at, 'Europe/Berlin', evening), true)
    assert.equal(holds(at, 'UTC', evening), false)
  })

  it('gives a zone that nobody knows as an error', () => {
    assert.throws(() => times.at(0, 'Mars/Olympus'), RangeError)
  })
})

describe('times and days as people write them', () => {
  it('are read, or are undefined', () => {
    assert.equal(minutesOf('00:00'), 0)
    assert.equal(minutesOf('24:00'), 1440)
    for (const wrong of ['24:01', '7:00', '07:60', '0700', '']) {
      assert.equal(minutesOf(wrong), undefined, wrong)
    }
    assert.equal(weekdayOf('Mon'), 'monday')
    assert.equal(weekdayOf('thursday'), 'thursday')
    assert.equal(weekdayOf('x'), undefined)
    assert.equal(weekdayOf('mondays'), undefined)
  })
})
