/** Time: moments are nanoseconds since the Unix epoch, alone or with a zone and a layout. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import { integerOf, isArray, isRegoNumber, numberFromBigInt } from '../value.js'
import type { RegoNumber, Value } from '../value.js'
import { civilOf, daysIn, isMoment, momentAt } from './civil.js'
import type { Moment } from './civil.js'
import { define, intAt, refuse, refuseType, stringAt, valueAt } from './define.js'
import { parseDuration } from './go-duration.js'
import { dayNames, layouts } from './go-layout.js'
import { formatTime } from './go-time-format.js'
import { parseTime } from './go-time-parse.js'
import { utc, zoneNamed } from './zones.js'

function nanoseconds(ns: bigint): Value {
  return isMoment(ns) ? numberFromBigInt(ns) : refuse('time outside of valid range')
}

function moment(value: RegoNumber): bigint {
  const ns = integerOf(value)
  return ns !== undefined && isMoment(ns) ? ns : refuse('timestamp too big')
}

const shape = 'either number (ns) or [number (ns), string (tz)]'

/** A number, or `[ns, zone]`, or `[ns, zone, layout]`. */
function momentAtOperand(
  args: readonly Value[],
  index: number,
): Moment & { layout: string } {
  const value = valueAt(args, index)
  if (isRegoNumber(value)) return { ns: moment(value), zone: utc, layout: '' }
  if (!isArray(value) || value[0] === undefined) return refuseType(1, value, shape)
  const [ns, name = '', layout = ''] = value
  if (!isRegoNumber(ns)) return refuseType(1, ns, 'number')
  if (typeof name !== 'string') return refuseType(1, name, 'string')
  if (typeof layout !== 'string') return refuseType(1, layout, 'string')
  const zone = zoneNamed(name) ?? refuse(`unknown time zone ${name}`)
  return { ns: moment(ns), zone, layout }
}

function format(args: readonly Value[]): Value {
  const { layout, ...at } = momentAtOperand(args, 0)
  const named = layouts.get(layout === '' ? 'RFC3339Nano' : layout)
  return formatTime(at, named ?? layout)
}

function addDate(args: readonly Value[]): Value {
  const { zone, ...at } = momentAtOperand(args, 0)
  const civil = civilOf({ ...at, zone })
  const [years, months, days] = [intAt(args, 1), intAt(args, 2), intAt(args, 3)]
  const moved = momentAt(
    {
      ...civil,
      year: civil.year + years,
      month: civil.month + months,
      day: civil.day + days,
    },
    zone,
  )
  return moved === undefined ? refuse('time outside of valid range') : nanoseconds(moved)
}

/** Years, months, days, hours, minutes and seconds between two moments, in the first's zone. */
function diff(args: readonly Value[]): Value {
  const first = momentAtOperand(args, 0)
  const second = { ...momentAtOperand(args, 1), zone: first.zone }
  const [early, late] = first.ns > second.ns ? [second, first] : [first, second]
  const a = civilOf(early)
  const b = civilOf(late)
  let [year, month, day] = [b.year - a.year, b.month - a.month, b.day - a.day]
  let [hour, minute, second_] = [
    b.hour - a.hour,
    b.minute - a.minute,
    b.second - a.second,
  ]
  if (second_ < 0) [second_, minute] = [second_ + 60, minute - 1]
  if (minute < 0) [minute, hour] = [minute + 60, hour - 1]
  if (hour < 0) [hour, day] = [hour + 24, day - 1]
  if (day < 0) [day, month] = [day + daysIn(a.year, a.month), month - 1]
  if (month < 0) [month, year] = [month + 12, year - 1]
  return [year, month, day, hour, minute, second_]
}

const withZone = t.tuple(t.number, t.string)
const momentType = t.oneOf(t.number, withZone)
const three = t.tuple(t.number, t.number, t.number)

export const times: readonly Builtin[] = [
  {
    ...define('time.now_ns', [], t.number, (_args, { nowNs }) => numberFromBigInt(nowNs)),
    nondeterministic: true,
  },
  define('time.parse_ns', [t.string, t.string], t.number, (args) => {
    const layout = stringAt(args, 0)
    return nanoseconds(parseTime(layouts.get(layout) ?? layout, stringAt(args, 1)))
  }),
  define('time.parse_rfc3339_ns', [t.string], t.number, (args) =>
    nanoseconds(parseTime('2006-01-02T15:04:05Z07:00', stringAt(args, 0))),
  ),
  define('time.parse_duration_ns', [t.string], t.number, (args) =>
    numberFromBigInt(parseDuration(stringAt(args, 0))),
  ),
  define(
    'time.format',
    [t.oneOf(t.number, withZone, t.tuple(t.number, t.string, t.string))],
    t.string,
    format,
  ),
  define('time.date', [momentType], three, (args) => {
    const { year, month, day } = civilOf(momentAtOperand(args, 0))
    return [year, month, day]
  }),
  define('time.clock', [momentType], three, (args) => {
    const { hour, minute, second } = civilOf(momentAtOperand(args, 0))
    return [hour, minute, second]
  }),
  define('time.weekday', [momentType], t.string, (args) => {
    return dayNames[civilOf(momentAtOperand(args, 0)).weekday]
  }),
  define('time.add_date', [t.number, t.number, t.number, t.number], t.number, addDate),
  define(
    'time.diff',
    [momentType, momentType],
    t.tuple(t.number, t.number, t.number, t.number, t.number, t.number),
    diff,
  ),
]
