/**
 * The database as its one writer has it: opened with its pragmas, prepared statements, one
 * transaction a batch. Synchronous, so it lives in the worker thread. Every method throws
 * what SQLite throws; `keeper.ts` decides what that means.
 */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type SqliteModule from 'better-sqlite3'
import { makeFolder } from '../core/make-folder.js'
import { coverageCounts } from './coverage-counts.js'
import { ChainWriter } from './evidence/chain-writer.js'
import type { TableName } from './evidence/chain-format.js'
import { makeStorable, storableDigest } from './evidence/row-digest.js'
import { failureOf } from './failure.js'
import { Insert } from './insert.js'
import { answersWriter } from './answer-rows.js'
import type { Batch, EncodedChange } from './messages.js'
import { migrate } from './migrations.js'
import { timestampText } from './rows.js'
import type { Column, Row, Value } from './tables.js'
import {
  answeredColumns,
  connectionColumns,
  eventColumns,
  exchangeColumns,
} from './tables.js'
import { Sqlite } from './sqlite.js'
import type { Tally } from './tally.js'
import { unreachable } from '../core/unreachable.js'
import { usageWriter } from './usage-rows.js'

/**
 * How long a write waits for another connection's lock before the batch is tried again.
 * Short, because the thread hears nothing meanwhile, and cannot be ended either.
 */
const BUSY_TIMEOUT_MS = 100
/** Page cache of the writer, and what a checkpointed log is cut back to. */
const CACHE_KIB = 2048
const JOURNAL_BYTES = 4 * 2 ** 20

export interface Writer {
  readonly db: SqliteModule.Database
  /** What vouches for its rows. */
  readonly chain: ChainWriter
  /** Writes all rows or none; rows that cannot be written by their nature are counted. */
  write(run: string, batch: Batch): Tally
  /** The sequence of the last batch of this run that was committed; 0 when none was. */
  lastSequence(run: string): number
  /** Gives every exchange that is open its end: nobody is left who could. Returns how many. */
  closeOrphans(): number
  /** One event, at once. */
  append(row: Row): void
  /** Is the file that was opened still the one under that name? */
  inPlace(): boolean
  close(): void
}

/** Opens or makes the database. File 0600; a folder that it makes is 0700. */
export function openWriter(database: string): Writer {
  prepareFile(database)
  const db = new Sqlite(database, { timeout: BUSY_TIMEOUT_MS })
  try {
    for (const pragma of PRAGMAS) db.pragma(pragma)
    migrate(db)
    return writerOver(db, database)
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** `auto_vacuum` counts only before the first table; deleted rows are zeroed where it costs no I/O. */
const PRAGMAS = [
  'auto_vacuum = INCREMENTAL',
  'journal_mode = WAL',
  'synchronous = NORMAL',
  `cache_size = -${CACHE_KIB}`,
  `journal_size_limit = ${JOURNAL_BYTES}`,
  'foreign_keys = OFF',
  'secure_delete = FAST',
  'temp_store = MEMORY',
] as const

function prepareFile(database: string): void {
  makeFolder(dirname(database), 0o700)
  closeSync(openSync(database, 'a', 0o600))
  if ((statSync(database).mode & 0o077) !== 0) chmodSync(database, 0o600)
}

function writerOver(db: SqliteModule.Database, database: string): Writer {
  const inode = statSync(database).ino
  const insertExchange = new Insert(db, 'exchanges', exchangeColumns, UPSERT)
  const insertConnection = new Insert(db, 'connections', connectionColumns)
  const insertEvent = new Insert(db, 'events', eventColumns)
  const remember = db.prepare<[string, number]>(
    'INSERT OR REPLACE INTO writer (id, run, sequence) VALUES (1, ?, ?)',
  )
  const recall = db.prepare<[string], { sequence: number }>(
    'SELECT sequence FROM writer WHERE run = ?',
  )
  const coverage = coverageCounts(db)
  const chain = new ChainWriter(db, database)
  const orphans = db
    .prepare<[string], number>(
      `UPDATE exchanges SET event_type = 'error', code = 'YORI_INTERNAL', reason = ?
       WHERE event_type = 'request' RETURNING id`,
    )
    .pluck()
  const idOf = db
    .prepare<[Value], number>('SELECT id FROM exchanges WHERE request_id = ?')
    .pluck()
  const endedIdOf = db
    .prepare<[string], number>(
      `SELECT id FROM exchanges WHERE request_id = ? AND event_type <> 'request'`,
    )
    .pluck()

  const drop = db.prepare<[string]>(
    "DELETE FROM exchanges WHERE request_id = ? AND event_type = 'request'",
  )
  const repeated = db.prepare<[number, string, string]>(
    `UPDATE exchanges SET repeats = max(coalesce(repeats, 0), ?), found_marks = ?
     WHERE request_id = ?`,
  )
  const answered = db.prepare<Value[]>(
    `UPDATE exchanges SET ${answeredColumns.map(({ name }) => `${name} = ?`).join(', ')}
     WHERE request_id = ?`,
  )
  const sentBy = db.prepare<[string, string | null, string]>(
    'UPDATE exchanges SET program = ?, program_folder = ? WHERE request_id = ?',
  )
  const change = (made: EncodedChange): void => {
    changeRow(made)
    const id = endedIdOf.get(made.requestId)
    if (id !== undefined) chain.changed('exchanges', id)
  }
  const changeRow = (made: EncodedChange): unknown => {
    switch (made.kind) {
      case 'repeated':
        return repeated.run(made.repeats, made.marks, made.requestId)
      case 'sent-by':
        return sentBy.run(made.name, made.folder, made.requestId)
      case 'answered':
        return answered.run(...made.row, made.requestId)
      default:
        return unreachable(made)
    }
  }
  const usage = usageWriter(db)
  const answers = answersWriter(db)

  let last: number | undefined
  /** An update of an open row gives no number of its own: SQLite then tells the one before it. */
  const exchangeWritten = (row: Row, given: number, digest: string): void => {
    const fresh = last !== undefined && given !== last
    last = given
    const id = fresh ? given : idOf.get(row[REQUEST_ID] as Value)
    if (id !== undefined) chain.is('exchanges', id, digest)
  }

  const writeAll = db.transaction((run: string, batch: Batch): Tally => {
    last = undefined
    const rejected = {
      connections: insertAll(
        'connections',
        insertConnection,
        batch.connections,
        (row, id, digest) => {
          coverage.add(row, batch.zone)
          chain.is('connections', id, digest)
        },
      ),
      exchanges: insertAll('exchanges', insertExchange, batch.exchanges, exchangeWritten),
      events: insertAll('events', insertEvent, batch.events, (_row, id, digest) => {
        chain.is('events', id, digest)
      }),
    }
    insertAll('exchanges', insertExchange, batch.open)
    for (const requestId of batch.gone) drop.run(requestId)
    for (const made of batch.changes) change(made)
    if (batch.usage !== undefined) usage.write(batch.usage)
    if (batch.answers !== undefined) answers.write(batch.answers)
    remember.run(run, batch.sequence)
    chain.link('rows', Date.now())
    return rejected
  })
  const closeAll = db.transaction((): number => {
    const ids = orphans.all(ORPHAN_REASON)
    for (const id of ids) chain.changed('exchanges', id)
    chain.link('rows', Date.now())
    return ids.length
  })
  const appendOne = db.transaction((row: Row): void => {
    const digest = storableDigest('events', row)
    chain.is('events', insertEvent.run(row), digest)
    chain.link('rows', Date.now())
  })
  /** What was told of a transaction that did not come about is forgotten. */
  const chained = <Result>(write: () => Result): Result => {
    try {
      const result = write()
      chain.committed()
      return result
    } catch (cause) {
      chain.forget()
      throw cause
    }
  }
  db.transaction(() => chain.begin(Date.now())).immediate()

  return {
    db,
    chain,
    write: (run, batch) => chained(() => writeAll.immediate(run, batch)),
    lastSequence: (run) => recall.get(run)?.sequence ?? 0,
    closeOrphans: () => chained(() => closeAll.immediate()),
    append: (row) => chained(() => appendOne.immediate(row)),
    inPlace: () => statSync(database, { throwIfNoEntry: false })?.ino === inode,
    close: () => {
      try {
        chain.close(Date.now())
      } catch {
        // Its next start signs it.
      }
      db.close()
    },
  }
}

const REQUEST_ID = exchangeColumns.findIndex(({ name }) => name === 'request_id')

export const ORPHAN_REASON = 'YORI stopped before the end'

/** An exchange that was written while open gets its end in place. */
const UPSERT = ` ON CONFLICT (request_id) DO UPDATE SET ${exchangeColumns
  .filter((column: Column<never>) => column.fixed !== true)
  .map(({ name }) => `${name} = excluded.${name}`)
  .join(', ')}`

/** Returns how many rows were refused for what they are; any other failure ends the batch. */
function insertAll(
  table: TableName,
  insert: Insert,
  rows: readonly Row[],
  written?: (row: Row, id: number, digest: string) => void,
): number {
  let rejected = 0
  for (const row of rows) {
    if (typeof row[0] === 'number') row[0] = timestampText(row[0])
    try {
      if (written === undefined) {
        makeStorable(row)
        insert.run(row)
      } else {
        const digest = storableDigest(table, row)
        written(row, insert.run(row), digest)
      }
    } catch (cause) {
      if (failureOf(cause) !== undefined) throw cause
      rejected++
    }
  }
  return rejected
}
