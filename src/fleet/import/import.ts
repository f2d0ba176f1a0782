/**
 * Brings what an old box recorded to the server of a fleet: out of its database, or out of what
 * `yori audit export` wrote. The same rows are the same however often they are brought.
 */
import {
  createReadStream,
  mkdtempSync,
  openSync,
  readSync,
  closeSync,
  rmSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Feed, PIECE_ROWS } from '../../audit/feed.js'
import type { FeedPiece, FeedPlace, FedRow } from '../../audit/feed.js'
import { openDatabase } from '../../audit/queries.js'
import { exchangeColumns } from '../../audit/tables.js'
import type { Column, Value } from '../../audit/tables.js'
import { openWriter } from '../../audit/writer.js'
import { YoriError } from '../../core/errors.js'
import type { Destination, Sent } from '../ship/words.js'
import { CsvReader } from './csv.js'

export interface Imported {
  readonly exchanges: number
  readonly connections: number
  readonly events: number
  /** The server refuses them for what they are. */
  readonly rejected: number
}

type Progress = (rows: number) => void

const SQLITE = 'SQLite format 3\0'
/** Of exports: the same for all of a gateway, so that two that overlap do not double. */
const CSV_RECORD = 'csv'

/** @throws YORI_AUDIT_UNAVAILABLE, YORI_CONFIG_INVALID for what is in the file, and what the server says */
export async function importFile(
  file: string,
  destination: Destination,
  progress: Progress,
): Promise<Imported> {
  try {
    return firstBytes(file) === SQLITE
      ? await importDatabase(file, destination, progress)
      : await importCsv(file, destination, progress)
  } finally {
    await destination.close()
  }
}

function firstBytes(file: string): string {
  try {
    const fd = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(SQLITE.length)
      readSync(fd, bytes)
      return bytes.toString('latin1')
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    throw new YoriError('YORI_AUDIT_UNAVAILABLE', `${file} cannot be read`, { cause })
  }
}

class Sum {
  exchanges = 0
  connections = 0
  events = 0
  rejected = 0

  add(sent: Sent): void {
    this.exchanges += sent.exchanges
    this.connections += sent.connections
    this.events += sent.events
    this.rejected += sent.rejected
  }

  get rows(): number {
    return this.exchanges + this.connections + this.events
  }
}

async function importDatabase(
  file: string,
  destination: Destination,
  progress: Progress,
): Promise<Imported> {
  const folder = mkdtempSync(join(tmpdir(), 'yori-import-'))
  try {
    const { feed, record } = await feedOf(file, join(folder, 'audit.db'))
    using _open = feed
    const sum = new Sum()
    let place: FeedPlace = await destination.open(record)
    for (let piece = feed.next(place); piece !== undefined; piece = feed.next(place)) {
      sum.add(await destination.send(piece))
      place = piece.next
      progress(sum.rows)
    }
    return sum
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One of an earlier YORI is brought up to date as a copy, and has a name by what is in it. */
async function feedOf(
  file: string,
  copy: string,
): Promise<{ readonly feed: Feed; readonly record: string }> {
  const db = openDatabase(file, true)
  try {
    const has = (table: string): boolean =>
      db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(table) !== undefined
    if (!has('exchanges'))
      throw new YoriError('YORI_AUDIT_UNAVAILABLE', `${file} is no record of YORI`)
    if (has('chain_head') && db.prepare('SELECT 1 FROM chain_head').get() !== undefined) {
      const feed = new Feed(file)
      return { feed, record: feed.name }
    }
    const first = db
      .prepare('SELECT timestamp, request_id FROM exchanges ORDER BY id LIMIT 1')
      .raw()
      .get()
    const name = createHash('sha256')
      .update(JSON.stringify(first ?? null))
      .digest('hex')
    await db.backup(copy)
    openWriter(copy).close()
    return { feed: new Feed(copy), record: name.slice(0, 32) }
  } finally {
    db.close()
  }
}

async function importCsv(
  file: string,
  destination: Destination,
  progress: Progress,
): Promise<Imported> {
  const reader = new CsvReader()
  const sum = new Sum()
  let rows: FedRow[] = []
  let read: ((fields: readonly string[]) => FedRow) | undefined
  await destination.open(CSV_RECORD)
  const send = async (): Promise<void> => {
    if (rows.length === 0) return
    sum.add(await destination.send(pieceOf(rows)))
    rows = []
    progress(sum.rows)
  }
  const take = async (fields: string[]): Promise<void> => {
    if (read === undefined) read = rowReader(fields)
    else rows.push(read(fields))
    if (rows.length >= PIECE_ROWS) await send()
  }
  try {
    for await (const text of createReadStream(file, 'utf8'))
      for (const fields of reader.push(String(text))) await take(fields)
    const last = reader.end()
    if (last !== undefined) await take(last)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new YoriError('YORI_CONFIG_INVALID', `${file}: ${cause.message}`, { cause })
  }
  await send()
  return sum
}

/** By the names in the first line. @throws RangeError where what makes a row is not among them */
function rowReader(names: readonly string[]): (fields: readonly string[]) => FedRow {
  const placeOf = (name: string): number => names.indexOf(name)
  for (const name of ['id', 'timestamp', 'request_id'])
    if (placeOf(name) < 0)
      throw new RangeError(
        `line 1: there is no column ${name}; is it of \`yori audit export\`?`,
      )
  const places = exchangeColumns.map(({ name }) => placeOf(name))
  return (fields) => {
    if (fields.length !== names.length)
      throw new RangeError(`a row has ${fields.length} fields, the first ${names.length}`)
    const id = Number(fields[placeOf('id')])
    if (!Number.isSafeInteger(id) || id < 1) throw new RangeError('an id is no number')
    return {
      id,
      link: 0,
      values: exchangeColumns.map((column, at) =>
        valueOf(column, fields[places[at] ?? -1] ?? ''),
      ),
    }
  }
}

/** What has no value and what is empty are one in CSV. */
function valueOf({ type }: Column<never>, text: string): Value {
  if (text === '') return null
  if (!type.startsWith('TEXT')) {
    const number = Number(text)
    return Number.isFinite(number) ? number : null
  }
  // So that a spreadsheet does not take it for a formula.
  return /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text
}

function pieceOf(rows: readonly FedRow[]): FeedPiece {
  return {
    rows: { exchanges: rows, connections: [], events: [] },
    forgotten: { exchanges: [], connections: [], events: [] },
    missed: 0,
    next: { seq: 0, part: 0 },
    at: undefined,
  }
}
