/**
 * Adds links to the chain, within the transactions that write or delete the rows that they are
 * about. What the newest link is stands in the database, so that a command may add one, too.
 * A head that cannot be signed or kept never stands in the way of the record: `verify` says
 * since when none was.
 */
import { randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { timestampText } from '../rows.js'
import type { Value } from '../tables.js'
import { connectionColumns, eventColumns, exchangeColumns } from '../tables.js'
import { EntryList, NAME_BYTES, linkDigest, openingBytes } from './chain-format.js'
import type { Link, LinkKind, TableName } from './chain-format.js'
import type { Head } from './heads.js'
import { keepHead, signed, signingKey } from './heads.js'
import { rowDigest } from './row-digest.js'

/** `YYYY-MM-DD` of a timestamp. */
const DAY_LENGTH = 10

const COLUMNS: Readonly<Record<TableName, string>> = {
  exchanges: exchangeColumns.map(({ name }) => name).join(', '),
  connections: connectionColumns.map(({ name }) => name).join(', '),
  events: eventColumns.map(({ name }) => name).join(', '),
}

export const columnsOf = (table: TableName): string => COLUMNS[table]

/** Is there a chain? Not in a file that no YORI of today has opened to write. */
export const hasChain = (db: Database): boolean =>
  db.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'chain'`).get() !== undefined

interface Newest {
  readonly name: Buffer
  readonly seq: number
  readonly digest: Buffer
}

type Said = Pick<Link, 'kind' | 'entries' | 'at'>

function after(before: Newest, link: Said): Newest {
  const seq = before.seq + 1
  return { name: before.name, seq, digest: linkDigest(before.digest, { seq, ...link }) }
}

export class ChainWriter {
  readonly #database: string
  readonly #db: Database
  readonly #newest
  readonly #insert
  readonly #setNewest
  readonly #move
  readonly #readBack: Readonly<Record<TableName, ReturnType<typeof rowById>>>
  readonly #entries = new EntryList()
  #key: KeyObject | undefined
  /** What was newest when this writer looked last, or made it; somebody else may have gone on. */
  #known: Newest | undefined
  /** Of the last signed link that this writer made. */
  #signedDay = ''
  #unsigned = false
  /** Signed and committed or about to be; not in the file yet. */
  #toKeep: Head | undefined

  /** On a migrated database. */
  constructor(db: Database, database: string) {
    this.#db = db
    this.#database = database
    this.#newest = db.prepare<[], Newest>('SELECT name, seq, digest FROM chain_head')
    this.#insert = db.prepare<[number, string, LinkKind, Buffer, Buffer, Buffer | null]>(
      'INSERT INTO chain (seq, at, kind, entries, digest, signature) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#setNewest = db.prepare<[Buffer, number, Buffer]>(
      'INSERT OR REPLACE INTO chain_head (id, name, seq, digest) VALUES (1, ?, ?, ?)',
    )
    this.#move = db.prepare<[number, Buffer, number, Buffer]>(
      'UPDATE chain_head SET seq = ?, digest = ? WHERE seq = ? AND digest = ?',
    )
    this.#readBack = {
      exchanges: rowById(db, 'exchanges'),
      connections: rowById(db, 'connections'),
      events: rowById(db, 'events'),
    }
  }

  /** A row that was just written, by what `storableDigest` said of it. */
  is(table: TableName, id: number, digest: string): void {
    this.#entries.is(table, id, digest)
  }

  /** A row that was changed where it stands. */
  changed(table: TableName, id: number): void {
    const row = this.#readBack[table].get(id)
    if (row !== undefined) this.#entries.is(table, id, rowDigest(table, row))
  }

  gone(table: TableName, id: number): void {
    this.#entries.gone(table, id)
  }

  /**
   * Makes a link of what was told since the last one. `sign`: now, whatever was told; else once a
   * day and at the first link of this writer.
   */
  link(kind: LinkKind, atMs: number, sign = false): void {
    if (this.#entries.isEmpty && !sign) return
    this.add(kind, this.#entries.take(), atMs, sign)
  }

  /** A link with these bytes, within the caller's transaction. Returns its number. */
  add(kind: LinkKind, entries: Buffer, atMs: number, sign: boolean): number {
    const link = { kind, entries, at: timestampText(atMs) }
    const newest = this.#moved(link) ?? this.#placed(link, atMs)
    const { seq, digest } = newest
    const due = sign || this.#signedDay !== link.at.slice(0, DAY_LENGTH)
    const signature = due ? this.#sign(newest, link.at) : null
    this.#unsigned = signature === null
    this.#insert.run(seq, link.at, kind, entries, digest, signature)
    this.#known = newest
    return seq
  }

  /** Undefined: somebody else, such as a command, has added one since, or nothing is known yet. */
  #moved(link: Said): Newest | undefined {
    const before = this.#known
    if (before === undefined) return undefined
    const { name, seq, digest } = after(before, link)
    const { changes } = this.#move.run(seq, digest, before.seq, before.digest)
    return changes === 1 ? { name, seq, digest } : undefined
  }

  #placed(link: Said, atMs: number): Newest {
    const newest = after(this.#newest.get() ?? this.#begin(atMs), link)
    this.#setNewest.run(newest.name, newest.seq, newest.digest)
    return newest
  }

  /** Of rows that are there already it says nothing. Within a transaction. */
  begin(atMs: number): void {
    if (this.#newest.get() === undefined) this.#begin(atMs)
  }

  /** The transaction did not come about: whatever was told is forgotten. */
  forget(): void {
    this.#entries.clear()
    this.#known = undefined
    if (this.#toKeep !== undefined) this.#signedDay = ''
    this.#toKeep = undefined
  }

  /** After the commit: the head goes where the database is not. */
  committed(): void {
    const head = this.#toKeep
    if (head === undefined) return
    this.#toKeep = undefined
    try {
      // A head on the disk of rows that a power cut took would tell of tampering.
      this.#db.pragma('wal_checkpoint(PASSIVE)')
      keepHead(this.#database, head)
    } catch {
      // The signature stands in the database; the next head is kept.
    }
  }

  /** The end of what was written, signed, unless it is so already. */
  close(atMs: number): void {
    if (!this.#unsigned) return
    this.#db.transaction(() => this.link('head', atMs, true)).immediate()
    this.committed()
  }

  #begin(atMs: number): Newest {
    const last = (table: TableName): number =>
      this.#db
        .prepare<[], number>(`SELECT coalesce(max(id), 0) FROM ${table}`)
        .pluck()
        .get() ?? 0
    const bounds = {
      exchanges: last('exchanges'),
      connections: last('connections'),
      events: last('events'),
    }
    const name = randomBytes(NAME_BYTES)
    const none = Buffer.alloc(0)
    const entries = openingBytes({ name, bounds, through: 0, digest: none })
    const link = { seq: 1, at: timestampText(atMs), kind: 'began', entries } as const
    const digest = linkDigest(none, link)
    this.#insert.run(1, link.at, 'began', entries, digest, null)
    this.#setNewest.run(name, 1, digest)
    return { name, seq: 1, digest }
  }

  #sign({ name, seq, digest }: Newest, at: string): Buffer | null {
    try {
      this.#key ??= signingKey(this.#database)
      const head = {
        chain: name.toString('hex'),
        seq,
        at,
        digest: digest.toString('hex'),
      }
      const signature = signed(head, this.#key)
      this.#signedDay = at.slice(0, DAY_LENGTH)
      this.#toKeep = { ...head, signature: signature.toString('base64') }
      return signature
    } catch {
      return null
    }
  }
}

const rowById = (db: Database, table: TableName) =>
  db
    .prepare<[number], Value[]>(`SELECT ${columnsOf(table)} FROM ${table} WHERE id = ?`)
    .raw()
