/**
 * What a row was, in 16 bytes of SHA-256. Two ways of writing it down, which never read alike:
 *
 * plain: `real SEP flag SEP value SEP value ...`, the columns of a fixed list in its order, NULL as
 * nothing, and behind them JSON of the rarer ones when one of those has a value. SQLite makes the
 * same text itself (`digest-sql.ts`), so that verifying does not read eighty columns a row. A row
 * takes this way when it reads but one way: no empty text, no separator in a text, whole numbers.
 *
 * full: every value that is not NULL with the place of its column, its kind and its length. It is
 * the way of all rows of before there was another. Columns that later versions add at the end leave
 * both digests of earlier rows as they are. Pure.
 */
import { hash } from 'node:crypto'
import type { Row, Value } from '../tables.js'
import { DIGEST_BYTES } from './chain-format.js'
import type { TableName } from './chain-format.js'
import { PLANS, SEPARATOR } from './digest-columns.js'
import type { DigestPlan } from './digest-columns.js'

/** Of a row as it was read. As latin-1 text of `DIGEST_BYTES` characters, which costs less than a buffer. */
export function rowDigest(table: TableName, row: Readonly<Row>): string {
  return digestOf(plainText(PLANS[table], row) ?? fullText(row))
}

/** As rows were written down before there was the plain way. */
export const fullDigest = (row: Readonly<Row>): string => digestOf(fullText(row))

/** Of a row that is yet to be written, which is made storable. */
export function storableDigest(table: TableName, row: Row): string {
  const plain = plainText(PLANS[table], row)
  // One look at all of it costs a tenth of a look at each.
  if (plain?.isWellFormed() === true) return digestOf(plain)
  makeStorable(row)
  return rowDigest(table, row)
}

/** Latin-1. */
export const digestOf = (text: string): string =>
  hash('sha256', text, 'binary').slice(0, DIGEST_BYTES)

/** Undefined: it reads more than one way. */
function plainText(plan: DigestPlan, row: Readonly<Row>): string | undefined {
  const { usual, rare, real } = plan
  const values: Value[] = [null, null]
  for (const place of usual) {
    const value = row[place] as Value
    if (typeof value === 'string') {
      if (value === '' || value.includes(SEPARATOR)) return undefined
    } else if (value !== null && !Number.isSafeInteger(value)) return undefined
    values.push(value)
  }
  for (const place of plan.later) if (row[place] !== null) return undefined
  const last = real < 0 ? null : (row[real] as Value)
  if (last !== null) {
    if (typeof last !== 'number' || Number.isNaN(last)) return undefined
    values[0] = last
  }
  const rest = rareText(rare, row)
  if (rest === undefined) return undefined
  values[1] = rest === '' ? 0 : 1
  if (rest !== '') values.push(rest)
  return values.join(SEPARATOR)
}

/** Empty: none of them has a value. Undefined: not as SQLite would write it. */
function rareText(rare: readonly number[], row: Readonly<Row>): string | undefined {
  let some = false
  for (const place of rare) {
    const value = row[place] as Value
    if (value === null) continue
    some = true
    if (typeof value === 'string') {
      if (!value.isWellFormed()) return undefined
    } else if (!Number.isSafeInteger(value)) return undefined
  }
  return some ? JSON.stringify(rare.map((place) => row[place] as Value)) : ''
}

function fullText(row: Readonly<Row>): string {
  let text = ''
  for (let place = 0; place < row.length; place++) {
    const value = row[place] as Row[number]
    if (value === null) continue
    if (typeof value === 'string') text += `${place}s${value.length}:${value}`
    else if (typeof value === 'number') text += `${place}n${value};`
    // Nobody here writes bytes; somebody else may.
    else text += `${place}b${Buffer.from(value).toString('hex')};`
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
