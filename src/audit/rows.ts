/**
 * Records become rows: arrays of values that cost little to hand to another thread. Pure.
 * Rows are copies of one that was built by `push`: V8 clones an array without holes 5 times
 * faster than one that was made by length or by `flat()`, and one that grows by `push` takes
 * three times the room of its values.
 */
import type { Column, Row } from './tables.js'

export interface EncodeLimits {
  readonly textLength: number
  readonly bodyLength: number
}

export interface Encoded {
  readonly row: Row
  /** UTF-16 units of all texts: what the row weighs. */
  readonly size: number
}

/** A row weighs at least this, whatever its texts: the array and its numbers. */
const ROW_OVERHEAD = 256
/** 9999-12-31T23:59:59.999Z, the last moment whose text has four digits of year. */
const LAST_TIME = 253_402_300_799_999

const blanks = new Map<object, Row>()

/** A row of as many columns without a value; there are few lists of columns, which all last. */
function blankOf(columns: readonly Column<never>[]): Row {
  const known = blanks.get(columns)
  if (known !== undefined) return known
  const blank: Row = []
  for (const _column of columns) blank.push(null)
  blanks.set(columns, blank)
  return blank
}

/** Never throws. Over-long texts are cut; `bodies: false` leaves request and response bodies out. */
export function encode<Record>(
  columns: readonly Column<Record>[],
  record: Record,
  limits: EncodeLimits,
  bodies = true,
): Encoded {
  const row = blankOf(columns).slice()
  let size = ROW_OVERHEAD
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column<Record>
    let value = column.read(record) ?? null
    if (typeof value === 'string') {
      const limit =
        column.longest ?? (column.body === true ? limits.bodyLength : limits.textLength)
      if (column.body === true && !bodies) value = null
      else {
        if (value.length > limit) value = value.slice(0, limit)
        size += value.length
      }
    }
    row[i] = value
  }
  return { row, size }
}

let secondOfText = Number.NaN
let textOfSecond = ''

/** UTC text `YYYY-MM-DD HH:MM:SS.sss`: it sorts, and SQLite's date functions read it. */
export function timestampText(atMs: number): string {
  const ms = Math.min(Math.max(0, Math.trunc(atMs) || 0), LAST_TIME)
  const second = Math.floor(ms / 1000)
  if (second !== secondOfText) {
    secondOfText = second
    textOfSecond = new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ')
  }
  return `${textOfSecond}.${String(ms % 1000).padStart(3, '0')}`
}
