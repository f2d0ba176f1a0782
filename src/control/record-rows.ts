/**
 * Rows of the record as they stand, for the commands of this machine: what they would read from
 * the file. Made to text in the worker, so that the loop handles none of it.
 */
import type { Database } from 'better-sqlite3'
import { readerOver } from '../audit/queries.js'
import type { UsageWall } from '../audit/session-queries.js'
import type { Filter } from '../audit/where.js'
import { unreachable } from '../core/unreachable.js'

export const RECORD_READS = [
  'columns',
  'list',
  'stats',
  'usage',
  'sessions',
  'session',
] as const

export interface RecordAsked {
  readonly read: (typeof RECORD_READS)[number]
  readonly filter: Filter
  /** Of a list; `session` takes it, too. */
  readonly limit: number
  /** Those that there are count. */
  readonly columns: readonly string[]
  /** Of use. */
  readonly wall: UsageWall
  /** Of a session. */
  readonly id: string
}

/** JSON: `{"found": ...}`. */
export function readRecord(db: Database, asked: RecordAsked): string {
  return JSON.stringify({ found: found(db, asked) })
}

function found(
  db: Database,
  { read, filter, limit, columns, id, wall }: RecordAsked,
): unknown {
  const reader = readerOver(db, 'the record')
  switch (read) {
    case 'columns':
      return reader.columns
    case 'list': {
      // Names of columns are part of the question to SQLite: they are ours or left out.
      const known = columns.filter((name) => reader.columns.includes(name))
      return [...reader.list(filter, limit, known.length > 0 ? known : reader.columns)]
    }
    case 'stats':
      return reader.stats(filter)
    case 'usage':
      return reader.usage(filter, wall)
    case 'sessions':
      return reader.sessions(filter, limit)
    case 'session':
      return reader.session(id, limit)
    default:
      return unreachable(read)
  }
}
