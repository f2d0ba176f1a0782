/**
 * What a row was, in 16 bytes: of SHA-256 over the values that are not NULL, each with the place
 * of its column, its kind and the length of its text, so that two rows never read alike. Columns
 * that later versions add at the end leave the digests of earlier rows as they are. Pure.
 */
import { hash } from 'node:crypto'
import type { Row } from '../tables.js'

/** 128 bits: who wants another row with the same digest has to try that many. */
export const DIGEST_BYTES = 16

/** As latin-1 text of `DIGEST_BYTES` characters, which costs less than a buffer. */
export function rowDigest(row: Readonly<Row>): string {
  return digestOf(textOf(row))
}

/** Of a row that is yet to be written, which is made storable. */
export function storableDigest(row: Row): string {
  const text = textOf(row)
  // One look at all of it costs a tenth of a look at each.
  if (text.isWellFormed() && !text.includes(NOT_A_NUMBER)) return digestOf(text)
  makeStorable(row)
  return rowDigest(row)
}

const digestOf = (text: string): string =>
  hash('sha256', text, 'binary').slice(0, DIGEST_BYTES)

const NOT_A_NUMBER = 'nNaN;'

function textOf(row: Readonly<Row>): string {
  let text = ''
  for (let place = 0; place < row.length; place++) {
    const value = row[place] as Row[number]
    if (value === null) continue
    if (typeof value === 'string') text += `${place}s${value.length}:${value}`
    else text += `${place}n${value};`
  }
  return text
}

/**
 * A half of a surrogate pair has no UTF-8, and SQLite gives back something else than it got: such
 * a text is mended, in place, before it is written. NaN becomes NULL there.
 */
export function makeStorable(row: Row): void {
  for (let place = 0; place < row.length; place++) {
    const value = row[place]
    if (typeof value === 'string') {
      if (!value.isWellFormed()) row[place] = value.toWellFormed()
    } else if (Number.isNaN(value)) row[place] = null
  }
}
