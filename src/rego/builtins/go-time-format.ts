/** Moments as text, by Go's layouts. */
import { civilOf, secondsOf } from './civil.js'
import type { Civil, Moment } from './civil.js'
import { dayNames, monthNames, readLayout } from './go-layout.js'
import type { Field } from './go-layout.js'

export function formatTime(moment: Moment, layout: string): string {
  const civil = civilOf(moment)
  return readLayout(layout)
    .map((chunk) =>
      chunk.kind === 'text' ? chunk.text : field(chunk.field, chunk.text, civil, moment),
    )
    .join('')
}

function field(name: Field, text: string, civil: Civil, moment: Moment): string {
  switch (name) {
    case 'long-year':
      return year(civil.year)
    case 'year':
      return two(Math.abs(civil.year) % 100)
    case 'long-month':
      return monthNames[civil.month - 1] ?? ''
    case 'month':
      return (monthNames[civil.month - 1] ?? '').slice(0, 3)
    case 'number-month':
      return String(civil.month)
    case 'zero-month':
      return two(civil.month)
    case 'long-weekday':
      return dayNames[civil.weekday] ?? ''
    case 'weekday':
      return (dayNames[civil.weekday] ?? '').slice(0, 3)
    case 'day':
      return String(civil.day)
    case 'space-day':
      return String(civil.day).padStart(2)
    case 'zero-day':
      return two(civil.day)
    case 'space-year-day':
      return String(civil.yearDay).padStart(3)
    case 'zero-year-day':
      return String(civil.yearDay).padStart(3, '0')
    case 'hour':
      return two(civil.hour)
    case 'hour-12':
      return String(civil.hour % 12 || 12)
    case 'zero-hour-12':
      return two(civil.hour % 12 || 12)
    case 'minute':
      return String(civil.minute)
    case 'zero-minute':
      return two(civil.minute)
    case 'second':
      return String(civil.second)
    case 'zero-second':
      return two(civil.second)
    case 'upper-pm':
      return civil.hour >= 12 ? 'PM' : 'AM'
    case 'lower-pm':
      return civil.hour >= 12 ? 'pm' : 'am'
    case 'fraction':
      return fraction(text, civil.nanosecond)
    case 'zone':
      return zone(text, civil.offset)
    case 'zone-name':
      return moment.zone.abbreviationAt(secondsOf(moment.ns).seconds)
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function year(value: number): string {
  return (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(4, '0')
}

/** Zeros ask for that many digits; nines for those that are not zero. */
function fraction(text: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .padEnd(text.length - 1, '0')
  let end = text.length - 1
  if (text[1] === '9') while (end > 0 && digits[end - 1] === '0') end--
  return end === 0 ? '' : text.charAt(0) + digits.slice(0, end)
}

function zone(text: string, offset: number): string {
  if (text.startsWith('Z') && offset === 0) return 'Z'
  const size = Math.abs(offset)
  const parts = [two(Math.floor(size / 3600))]
  if (text.length > 3) parts.push(two(Math.floor(size / 60) % 60))
  if (text.length > 6) parts.push(two(size % 60))
  return (offset < 0 ? '-' : '+') + parts.join(text.includes(':') ? ':' : '')
}
