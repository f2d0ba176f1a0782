/**
 * Inserts rows by the columns that have a value: most of a row is NULL, and a parameter that
 * says so costs as much as another. Few sets of columns occur; each has a statement of its
 * own, up to a bound, and whatever else comes is written by all columns.
 */
import type SqliteModule from 'better-sqlite3'
import type { Row, Value } from './tables.js'

/** Sets of columns that have a statement of their own; each is a few KB in SQLite. */
export const MAX_SETS = 32
/** So many columns are told in one number, as bits that a double holds exactly. */
const COLUMNS_A_NUMBER = 50

type Statement = SqliteModule.Statement<[Value[]]>

export class Insert {
  readonly #db: SqliteModule.Database
  readonly #table: string
  readonly #names: readonly string[]
  readonly #tail: string
  readonly #all: Statement
  /** By the columns that have a value: the first of them, then the rest. */
  readonly #bySet = new Map<number, Map<number, Statement>>()
  #sets = 0

  /** `tail` stands behind each statement. Of a NULL that is not bound it sees the default, NULL. */
  constructor(
    db: SqliteModule.Database,
    table: string,
    columns: readonly { readonly name: string }[],
    tail = '',
  ) {
    this.#db = db
    this.#table = table
    this.#names = columns.map(({ name }) => name)
    this.#tail = tail
    this.#all = this.#prepare(this.#names)
  }

  /** Sets of columns that have a statement. */
  get sets(): number {
    return this.#sets
  }

  /** Returns the number that SQLite gave last. @throws what SQLite throws */
  run(row: Row): number {
    const values: Value[] = []
    let first = 0
    let rest = 0
    let bit = 1
    for (let i = 0; i < row.length; i++) {
      if (i === COLUMNS_A_NUMBER) {
        first = rest
        rest = 0
        bit = 1
      }
      const value = row[i] as Value
      if (value !== null) {
        values.push(value)
        rest += bit
      }
      bit *= 2
    }
    const statement = this.#bySet.get(first)?.get(rest) ?? this.#begin(row, first, rest)
    const made = statement === undefined ? this.#all.run(row) : statement.run(values)
    return Number(made.lastInsertRowid)
  }

  #begin(row: Row, first: number, rest: number): Statement | undefined {
    // SQL has no insert of no columns.
    if (this.#sets === MAX_SETS || (first === 0 && rest === 0)) return undefined
    this.#sets += 1
    const statement = this.#prepare(this.#names.filter((_name, i) => row[i] !== null))
    const others = this.#bySet.get(first)
    if (others === undefined) this.#bySet.set(first, new Map([[rest, statement]]))
    else others.set(rest, statement)
    return statement
  }

  #prepare(names: readonly string[]): Statement {
    const places = names.map(() => '?').join(', ')
    const into = `INSERT INTO ${this.#table} (${names.join(', ')}) VALUES (${places})`
    return this.#db.prepare<[Value[]]>(into + this.#tail)
  }
}
