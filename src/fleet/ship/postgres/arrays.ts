/**
 * Columns of rows as PostgreSQL's array literals, which is how `unnest` takes a batch: one text a
 * column, whatever the number of rows. Columns in which no row has a value are left out. Pure.
 * https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO
 */
import type { FedRow } from '../../../audit/feed.js'
import type { Column, Value } from '../../../audit/tables.js'

export type SqlType = 'timestamptz' | 'text' | 'bigint' | 'double precision'

export function sqlType({ name, type }: Pick<Column<never>, 'name' | 'type'>): SqlType {
  if (name === 'timestamp') return 'timestamptz'
  if (type === 'REAL') return 'double precision'
  return type.startsWith('INTEGER') ? 'bigint' : 'text'
}

export interface SqlColumn {
  readonly name: string
  readonly type: SqlType
}

export interface ColumnArrays {
  /** Those that have values, by their place in `columns`. */
  readonly present: readonly number[]
  readonly literals: readonly string[]
}

export function columnArrays(
  columns: readonly SqlColumn[],
  rows: readonly FedRow[],
): ColumnArrays {
  const present: number[] = []
  const literals: string[] = []
  for (let at = 0; at < columns.length; at++) {
    if (!someHas(rows, at)) continue
    const { type } = columns[at] as SqlColumn
    let text = '{'
    for (let i = 0; i < rows.length; i++) {
      const value = (rows[i] as FedRow).values[at] ?? null
      if (i > 0) text += ','
      text += value === null ? 'NULL' : literalOf(type, value)
    }
    present.push(at)
    literals.push(`${text}}`)
  }
  return { present, literals }
}

function someHas(rows: readonly FedRow[], at: number): boolean {
  for (let i = 0; i < rows.length; i++)
    if (((rows[i] as FedRow).values[at] ?? null) !== null) return true
  return false
}

export const numbersLiteral = (numbers: readonly (number | string)[]): string =>
  `{${numbers.join(',')}}`

function literalOf(type: SqlType, value: Exclude<Value, null>): string {
  switch (type) {
    case 'bigint':
      // SQLite keeps whatever it is given.
      return typeof value === 'number' && Number.isFinite(value)
        ? String(Math.trunc(value))
        : 'NULL'
    case 'double precision':
      return typeof value === 'number' ? String(value) : 'NULL'
    case 'timestamptz':
      return `"${escaped(String(value))}+00"`
    case 'text':
      return `"${escaped(String(value))}"`
  }
}

const TO_ESCAPE = /["\\\0]/

/** PostgreSQL's texts hold no NUL. */
function escaped(text: string): string {
  if (!TO_ESCAPE.test(text)) return text
  return text.replaceAll('\0', '\ufffd').replace(/["\\]/g, '\\$&')
}
