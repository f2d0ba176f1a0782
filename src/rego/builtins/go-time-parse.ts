/** Text as moments, by Go's layouts; refuses in the words of Go's time.Parse. */
import { daysIn, momentAt } from './civil.js'
import { refuse } from './define.js'
import { dayNames, isDigit, monthNames, readLayout } from './go-layout.js'
import type { Chunk, Field } from './go-layout.js'
import { quoteString } from './go-quote.js'
import { utc } from './zones.js'

/** A field that is not there, or whose value is out of range. */
class Mismatch extends Error {
  readonly problem: string

  constructor(problem = '') {
    super(problem)
    this.problem = problem
  }
}

/** Nanoseconds since the Unix epoch; UTC where the text names no zone. Of any size. */
export function parseTime(layout: string, text: string): bigint {
  const reader = new TimeReader(layout, text)
  return reader.read()
}

/** Undefined fields have not been read. */
type Found = {
  year: number
  month: number | undefined
  day: number | undefined
  yearDay: number | undefined
  hour: number
  minute: number
  second: number
  nanosecond: number
  half: 'am' | 'pm' | undefined
  offset: number
}

class TimeReader {
  readonly #layout: string
  readonly #text: string
  readonly #chunks: readonly Chunk[]
  #rest: string
  readonly #found: Found = {
    year: 0,
    month: undefined,
    day: undefined,
    yearDay: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    half: undefined,
    offset: 0,
  }

  constructor(layout: string, text: string) {
    this.#layout = layout
    this.#text = text
    this.#rest = text
    this.#chunks = readLayout(layout)
  }

  read(): bigint {
    for (const [index, chunk] of this.#chunks.entries()) {
      const before = this.#rest
      try {
        if (chunk.kind === 'text') this.#skip(chunk.text)
        else this.#field(chunk.field, chunk.text, this.#chunks[index + 1])
      } catch (cause) {
        if (!(cause instanceof Mismatch)) throw cause
        if (cause.problem !== '') this.#fail(`: ${cause.problem} out of range`)
        const shown = chunk.kind === 'text' ? this.#rest : before
        this.#fail(
          ` as ${quoteString(this.#layout, false)}: cannot parse ` +
            `${quoteString(shown, false)} as ${quoteString(chunk.text, false)}`,
        )
      }
    }
    if (this.#rest !== '') this.#fail(`: extra text: ${quoteString(this.#rest, false)}`)
    return this.#moment()
  }

  #fail(message: string): never {
    refuse(`parsing time ${quoteString(this.#text, false)}${message}`)
  }

  /** Text between fields; a space stands for any number of them. */
  #skip(prefix: string): void {
    let at = 0
    while (at < prefix.length) {
      if (prefix[at] === ' ') {
        if (this.#rest !== '' && !this.#rest.startsWith(' ')) throw new Mismatch()
        while (prefix[at] === ' ') at++
        this.#rest = this.#rest.replace(/^ +/, '')
        continue
      }
      if (this.#rest === '' || this.#rest[0] !== prefix[at]) throw new Mismatch()
      this.#rest = this.#rest.slice(1)
      at++
    }
  }

  #take(length: number): string {
    if (this.#rest.length < length) throw new Mismatch()
    const taken = this.#rest.slice(0, length)
    this.#rest = this.#rest.slice(length)
    return taken
  }

  #digits(from = 0): number {
    let count = 0
    while (isDigit(this.#rest.charCodeAt(from + count))) count++
    return count
  }

  /** One or two digits, or just two; out of range above `max`. */
  #number(width: 'fixed' | 'free', range?: { name: string; max: number; min?: number }) {
    const digits = Math.min(this.#digits(), 2)
    if (digits === 0 || (width === 'fixed' && digits < 2)) throw new Mismatch()
    const value = Number(this.#take(digits))
    if (range !== undefined && (value > range.max || value < (range.min ?? 0)))
      throw new Mismatch(range.name)
    return value
  }

  #name(names: readonly string[], length?: number): number {
    const index = names.findIndex((name) => {
      const wanted = name.slice(0, length).toLowerCase()
      return this.#rest.slice(0, wanted.length).toLowerCase() === wanted
    })
    if (index < 0) throw new Mismatch()
    this.#take((names[index] ?? '').slice(0, length).length)
    return index
  }

  #field(field: Field, text: string, next: Chunk | undefined): void {
    const found = this.#found
    switch (field) {
      case 'year': {
        const short = /^[0-9]{2}$/.test(this.#rest.slice(0, 2))
          ? Number(this.#take(2))
          : -1
        if (short < 0) throw new Mismatch()
        found.year = short + (short >= 69 ? 1900 : 2000)
        return
      }
      case 'long-year':
        if (this.#digits() < 4) throw new Mismatch()
        found.year = Number(this.#take(4))
        return
      case 'month':
        found.month = this.#name(monthNames, 3) + 1
        return
      case 'long-month':
        found.month = this.#name(monthNames) + 1
        return
      case 'number-month':
        found.month = this.#number('free', { name: 'month', min: 1, max: 12 })
        return
      case 'zero-month':
        found.month = this.#number('fixed', { name: 'month', min: 1, max: 12 })
        return
      case 'weekday':
        this.#name(dayNames, 3)
        return
      case 'long-weekday':
        this.#name(dayNames)
        return
      case 'day':
      case 'zero-day':
        found.day = this.#number(field === 'zero-day' ? 'fixed' : 'free')
        return
      case 'space-day':
        if (this.#rest.startsWith(' ')) this.#take(1)
        found.day = this.#number('free')
        return
      case 'space-year-day':
      case 'zero-year-day':
        found.yearDay = this.#yearDay(field)
        return
      case 'hour':
        found.hour = this.#number('free', { name: 'hour', max: 23 })
        return
      case 'hour-12':
        found.hour = this.#number('free', { name: 'hour', max: 12 })
        return
      case 'zero-hour-12':
        found.hour = this.#number('fixed', { name: 'hour', max: 12 })
        return
      case 'minute':
        found.minute = this.#number('free', { name: 'minute', max: 59 })
        return
      case 'zero-minute':
        found.minute = this.#number('fixed', { name: 'minute', max: 59 })
        return
      case 'second':
      case 'zero-second':
        found.second = this.#number(field === 'second' ? 'free' : 'fixed', {
          name: 'second',
          max: 59,
        })
        if (next?.kind !== 'field' || next.field !== 'fraction') this.#fraction()
        return
      case 'fraction':
        if (text[1] === '9') this.#fraction()
        else found.nanosecond = this.#exactFraction(text.length)
        return
      case 'upper-pm':
      case 'lower-pm':
        found.half = this.#half(field)
        return
      case 'zone':
        found.offset = this.#offset(text)
        return
      case 'zone-name':
        found.offset = this.#zoneName()
        return
    }
  }

  #yearDay(field: 'space-year-day' | 'zero-year-day'): number {
    for (let spaces = 0; field === 'space-year-day' && spaces < 2; spaces++)
      if (this.#rest.startsWith(' ')) this.#take(1)
    const digits = Math.min(this.#digits(), 3)
    if (digits === 0 || (field === 'zero-year-day' && digits < 3)) throw new Mismatch()
    return Number(this.#take(digits))
  }

  #half(field: 'upper-pm' | 'lower-pm'): 'am' | 'pm' {
    const half = this.#take(2)
    const lower = half.toLowerCase()
    const wanted = field === 'upper-pm' ? lower.toUpperCase() : lower
    if (half !== wanted || (lower !== 'am' && lower !== 'pm')) throw new Mismatch()
    return lower
  }

  /** A fraction of a second is read wherever one follows, asked for or not. */
  #fraction(): void {
    if (!/^[.,]/.test(this.#rest)) return
    const digits = this.#digits(1)
    if (digits > 0) this.#found.nanosecond = this.#exactFraction(digits + 1)
  }

  #exactFraction(length: number): number {
    const text = this.#take(length)
    if (!/^[.,][0-9]+$/.test(text)) throw new Mismatch()
    return Number(text.slice(1, 10).padEnd(9, '0'))
  }

  #offset(layout: string): number {
    if (layout.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#take(1)
      return 0
    }
    const text = this.#take(layout.length)
    const colon = layout.includes(':')
    const shape = colon
      ? /^[+-][0-9]{2}(?::[0-9]{2}){1,2}$/
      : /^[+-][0-9]{2}(?:[0-9]{2}){0,2}$/
    if (!shape.test(text)) throw new Mismatch()
    const digits = text.slice(1).replaceAll(':', '')
    const [hours, minutes, seconds] = [0, 2, 4].map((at) =>
      Number(digits.slice(at, at + 2)),
    )
    if ((hours ?? 0) > 24) throw new Mismatch('time zone offset hour')
    if ((minutes ?? 0) > 60) throw new Mismatch('time zone offset minute')
    if ((seconds ?? 0) > 60) throw new Mismatch('time zone offset second')
    const offset = ((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
    return text.startsWith('-') ? -offset : offset
  }

  /** A name tells no offset, save `GMT+3`. */
  #zoneName(): number {
    const signed = /^(?:GMT)?[+-]([0-9]+)/.exec(this.#rest.slice(0, 40))
    if (signed !== null && Number(signed[1]) <= 23) {
      const name = this.#take(signed[0].length)
      return name.startsWith('GMT') ? Number(name.slice(3)) * 3600 : 0
    }
    const name =
      /^(?:ChST|MeST|GMT|WITA|[A-Z]{4}T|[A-Z]{3}T|[A-Z]{3})(?![A-Z])/.exec(
        this.#rest.slice(0, 6),
      ) ?? /^(?:UTC|GMT)/.exec(this.#rest)
    if (name === null) throw new Mismatch()
    this.#take(name[0].length)
    return 0
  }

  #moment(): bigint {
    const found = this.#found
    let hour = found.hour
    if (found.half === 'pm' && hour < 12) hour += 12
    else if (found.half === 'am' && hour === 12) hour = 0
    const { month, day } = this.#date()
    if (day < 1 || day > daysIn(found.year, month)) this.#fail(': day out of range')
    const moment = momentAt({ ...found, hour, month, day }, utc)
    if (moment === undefined) this.#fail(': year out of range')
    return moment - BigInt(found.offset) * 1_000_000_000n
  }

  #date(): { month: number; day: number } {
    const { year, month, day, yearDay } = this.#found
    if (yearDay === undefined) return { month: month ?? 1, day: day ?? 1 }
    if (yearDay < 1 || yearDay > (daysIn(year, 2) === 29 ? 366 : 365))
      this.#fail(': day-of-year out of range')
    const date = new Date(0)
    date.setUTCFullYear(year, 0, yearDay)
    const of = { month: date.getUTCMonth() + 1, day: date.getUTCDate() }
    if (month !== undefined && month !== of.month)
      this.#fail(': day-of-year does not match month')
    if (day !== undefined && day !== of.day)
      this.#fail(': day-of-year does not match day')
    return of
  }
}
