/**
 * `node:sqlite` as better-sqlite3 has it, as far as this project asks: statements with `pluck` and
 * `raw`, transactions in one another, pragmas, a copy of a database, the names of errors. What
 * differs beneath is said where it is made up for. https://nodejs.org/api/sqlite.html
 */
import { existsSync } from 'node:fs'
import type SqliteModule from 'better-sqlite3'

type Row = Record<string, unknown>

interface NodeStatement {
  get(...values: unknown[]): Row | undefined
  all(...values: unknown[]): Row[]
  iterate(...values: unknown[]): IterableIterator<Row>
  run(...values: unknown[]): { changes: number; lastInsertRowid: number }
  setReturnArrays(wanted: boolean): void
}

interface NodeDatabase {
  readonly isTransaction: boolean
  exec(text: string): void
  prepare(text: string): NodeStatement
  close(): void
}

interface NodeSqlite {
  readonly StatementSync: { readonly prototype: object }
  readonly DatabaseSync: new (
    file: string,
    options: { readOnly: boolean },
  ) => NodeDatabase
}

interface Options {
  readonly readonly?: boolean
  readonly fileMustExist?: boolean
  readonly timeout?: number
}

const TIMEOUT_MS = 5_000

/** Undefined where this Node.js has none. */
export function nodeSqlite(): typeof SqliteModule | undefined {
  const found = withoutWarning(
    () => process.getBuiltinModule?.('node:sqlite') as unknown as NodeSqlite | undefined,
  )
  // Since 22.16; before, two columns of one name were one.
  if (found === undefined || !('setReturnArrays' in found.StatementSync.prototype))
    return undefined
  const sqlite: NodeSqlite = found
  const Made = class extends Database {
    constructor(file: string, options: Options = {}) {
      super(sqlite, file, options)
    }
  }
  return Made as unknown as typeof SqliteModule
}

/** That it is experimental is known here, and nothing that an operator could act on. */
function withoutWarning<Result>(load: () => Result): Result {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

class Database {
  readonly name: string
  readonly #db: NodeDatabase
  #open = true
  #depth = 0

  constructor({ DatabaseSync }: NodeSqlite, file: string, options: Options) {
    const { readonly = false, fileMustExist = false, timeout = TIMEOUT_MS } = options
    this.name = file
    // It would make the file; of one that is not there better-sqlite3 says so.
    if ((fileMustExist || readonly) && file !== ':memory:' && !existsSync(file))
      throw sqliteError('unable to open database file', 'SQLITE_CANTOPEN')
    this.#db = named(() => new DatabaseSync(file, { readOnly: readonly }))
    this.#db.exec(`PRAGMA busy_timeout = ${Math.trunc(timeout)}`)
  }

  get open(): boolean {
    return this.#open
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  exec(text: string): this {
    named(() => this.#db.exec(text))
    return this
  }

  prepare(text: string): Statement {
    return new Statement(
      named(() => this.#db.prepare(text)),
      text,
    )
  }

  pragma(text: string, { simple = false }: { simple?: boolean } = {}): unknown {
    const rows = this.prepare(`PRAGMA ${text}`).all()
    return simple ? Object.values((rows[0] ?? {}) as Row)[0] : rows
  }

  close(): this {
    if (this.#open) this.#db.close()
    this.#open = false
    return this
  }

  /** A copy of what is committed. */
  backup(to: string): Promise<void> {
    return new Promise((resolve) => {
      named(() => this.#db.prepare('VACUUM INTO ?').run(to))
      resolve()
    })
  }

  /** Runs `work` whole or not at all; within another one as a part of that. */
  transaction<Args extends unknown[], Result>(work: (...args: Args) => Result) {
    const as =
      (kind: string) =>
      (...args: Args) =>
        this.#within(kind, () => work(...args))
    return Object.assign(as('DEFERRED'), {
      default: as('DEFERRED'),
      deferred: as('DEFERRED'),
      immediate: as('IMMEDIATE'),
      exclusive: as('EXCLUSIVE'),
    })
  }

  #within<Result>(kind: string, work: () => Result): Result {
    const inner = this.inTransaction
    const mark = `yori_${this.#depth}`
    this.exec(inner ? `SAVEPOINT ${mark}` : `BEGIN ${kind}`)
    this.#depth++
    try {
      const result = work()
      this.exec(inner ? `RELEASE ${mark}` : 'COMMIT')
      return result
    } catch (cause) {
      this.#undo(inner ? `ROLLBACK TO ${mark}; RELEASE ${mark}` : 'ROLLBACK')
      throw cause
    } finally {
      this.#depth--
    }
  }

  /** SQLite ends a transaction by itself at some errors; then there is nothing to undo. */
  #undo(text: string): void {
    try {
      this.#db.exec(text)
    } catch {
      // What is thrown is the error that came first.
    }
  }
}

class Statement {
  readonly #statement: NodeStatement
  readonly #names: ReadonlySet<string>
  #shape: (row: Row) => unknown = plain

  constructor(statement: NodeStatement, text: string) {
    this.#statement = statement
    this.#names = new Set([...text.matchAll(/[@:$](\w+)/g)].map(([, name = '']) => name))
  }

  /** The first column alone. */
  pluck(): this {
    this.#shape = (row) => buffered(Object.values(row)[0])
    return this
  }

  /** Columns as a list, also two of one name. */
  raw(): this {
    this.#statement.setReturnArrays(true)
    this.#shape = (row) => Object.values(row).map(buffered)
    return this
  }

  get(...values: unknown[]): unknown {
    const row = named(() => this.#statement.get(...this.#bound(values)))
    return row === undefined ? undefined : this.#shape(row)
  }

  all(...values: unknown[]): unknown[] {
    return named(() => this.#statement.all(...this.#bound(values))).map(this.#shape)
  }

  run(...values: unknown[]): { changes: number; lastInsertRowid: number } {
    return named(() => this.#statement.run(...this.#bound(values)))
  }

  *iterate(...values: unknown[]): Generator<unknown> {
    const rows = named(() => this.#statement.iterate(...this.#bound(values)))
    for (;;) {
      const next = named(() => rows.next())
      if (next.done === true) return
      yield this.#shape(next.value)
    }
  }

  /** A list is its values; of an object only the names that the statement has. */
  #bound(values: readonly unknown[]): unknown[] {
    return values.flatMap((value) => {
      if (Array.isArray(value)) return value as unknown[]
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value))
        return [value]
      const used = Object.entries(value).filter(([name]) => this.#names.has(name))
      return [Object.fromEntries(used)]
    })
  }
}

/** Rows come without a prototype, and bytes as a plain Uint8Array. */
function plain(row: Row): Row {
  const made: Row = {}
  for (const [name, value] of Object.entries(row)) made[name] = buffered(value)
  return made
}

function buffered(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** By SQLite's result codes, https://sqlite.org/rescode.html. */
const CODES: ReadonlyMap<number, string> = new Map([
  [3, 'PERM'],
  [5, 'BUSY'],
  [6, 'LOCKED'],
  [8, 'READONLY'],
  [10, 'IOERR'],
  [11, 'CORRUPT'],
  [13, 'FULL'],
  [14, 'CANTOPEN'],
  [18, 'TOOBIG'],
  [19, 'CONSTRAINT'],
  [20, 'MISMATCH'],
  [21, 'MISUSE'],
  [25, 'RANGE'],
  [26, 'NOTADB'],
  // Of the extended ones those that say what to do about it.
  [261, 'BUSY_RECOVERY'],
  [275, 'CONSTRAINT_CHECK'],
  [517, 'BUSY_SNAPSHOT'],
  [787, 'CONSTRAINT_FOREIGNKEY'],
  [1299, 'CONSTRAINT_NOTNULL'],
  [1555, 'CONSTRAINT_PRIMARYKEY'],
  [2067, 'CONSTRAINT_UNIQUE'],
])

/** Errors by the names that better-sqlite3 gives them. */
function named<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof Error) || !('errcode' in cause)) throw cause
    // The first byte is the kind; the others say more of it.
    const code = Number(cause.errcode)
    const name = CODES.get(code) ?? CODES.get(code & 0xff) ?? 'ERROR'
    throw sqliteError(cause.message, `SQLITE_${name}`, cause)
  }
}

function sqliteError(message: string, code: string, cause?: Error): Error {
  const error = new Error(message, cause === undefined ? {} : { cause })
  error.name = 'SqliteError'
  return Object.assign(error, { code })
}
