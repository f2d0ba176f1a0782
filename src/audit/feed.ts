/**
 * What became of rows, in the order in which it did, for whoever keeps a copy elsewhere: read
 * from the chain (`evidence/chain-format.ts`), over a connection that cannot write. A row is
 * given as it stands when it is read, and again when it has changed since. Rows of before the
 * chain come first. Keeps no place of its own: whoever asks says where it is.
 */
import { statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { TABLES, entriesOf, openingOf } from './evidence/chain-format.js'
import type { Link, Opening, TableName } from './evidence/chain-format.js'
import { columnsOf, hasChain } from './evidence/chain-writer.js'
import { openDatabase, unavailable } from './queries.js'
import type { Value } from './tables.js'

/** Where somebody is: behind that link. `part` counts on within what was there before the chain. */
export interface FeedPlace {
  readonly seq: number
  readonly part: number
}

export const FEED_START: FeedPlace = { seq: 0, part: 0 }

export interface FedRow {
  readonly id: number
  /** The link that told of it last, of those read; 0: of before the chain. */
  readonly link: number
  /** In the order of the table's columns. */
  readonly values: readonly Value[]
}

export interface FeedPiece {
  readonly rows: Readonly<Record<TableName, readonly FedRow[]>>
  /** Taken out because somebody is to be forgotten; before `rows`. */
  readonly forgotten: Readonly<Record<TableName, readonly number[]>>
  /** Rows that were told of and are not there any more. */
  readonly missed: number
  /** Where whoever has taken this is. */
  readonly next: FeedPlace
  /** When the last of it was written; undefined: nobody knows. */
  readonly at: string | undefined
}

/** A piece is done with the link that brings it to so many rows; a link has some 512 at most. */
export const PIECE_ROWS = 500
const MOST_LINKS = 200
/** Of what was there before the chain a table is walked in turn. */
const PART_TABLE = 2 ** 48

export class Feed implements Disposable {
  readonly #database: string
  readonly #db: Database
  readonly #inode: number
  #version: unknown

  /** @throws YORI_AUDIT_UNAVAILABLE where there is none, or none with a chain */
  constructor(database: string) {
    this.#database = database
    this.#db = openDatabase(database, true)
    this.#inode = statSync(database).ino
    if (hasChain(this.#db) && this.#head() !== undefined) return
    this.#db.close()
    throw unavailable(database, 'holds no chain yet: it is of an earlier YORI')
  }

  /** Names this record; one that began anew has another. 32 digits. */
  get name(): string {
    return this.#asked(() => (this.#head()?.name ?? Buffer.alloc(0)).toString('hex'))
  }

  /** The newest link. */
  get last(): number {
    return this.#asked(() => this.#head()?.seq ?? 0)
  }

  /** Is the file still the one under that name? */
  get inPlace(): boolean {
    return statSync(this.#database, { throwIfNoEntry: false })?.ino === this.#inode
  }

  /** When that link was written that comes next; undefined: none does. */
  waitingSince({ seq }: FeedPlace): string | undefined {
    return this.#asked(() =>
      this.#db
        .prepare<[number], string>(
          'SELECT at FROM chain WHERE seq > ? ORDER BY seq LIMIT 1',
        )
        .pluck()
        .get(seq),
    )
  }

  /** Has anything been written since this was last asked? */
  changed(): boolean {
    const version = this.#asked(() => this.#db.pragma('data_version', { simple: true }))
    const isNew = version !== this.#version
    this.#version = version
    return isNew
  }

  /** What comes next; undefined: nothing more is there. @throws YORI_AUDIT_UNAVAILABLE */
  next(place: FeedPlace): FeedPiece | undefined {
    return this.#asked(() =>
      place.seq === 0 ? this.#before(place.part) : this.#links(place),
    )
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #head(): { readonly name: Buffer; readonly seq: number } | undefined {
    return this.#db
      .prepare<[], { name: Buffer; seq: number }>('SELECT name, seq FROM chain_head')
      .get()
  }

  #opening(): (Opening & { readonly entries: Buffer }) | undefined {
    const link = this.#db
      .prepare<[], Link>(
        `SELECT * FROM chain WHERE kind IN ('began', 'shortened') ORDER BY seq DESC LIMIT 1`,
      )
      .get()
    return link === undefined ? undefined : openingOf(link.entries)
  }

  /** Rows of which the chain says nothing. */
  #before(part: number): FeedPiece {
    const { bounds } = this.#opening() ?? { bounds: undefined }
    const rows = nothing<FedRow>()
    const first = Math.floor(part / PART_TABLE)
    for (let at = first; at < TABLES.length; at++) {
      const table = TABLES[at] as TableName
      const after = at === first ? part % PART_TABLE : 0
      const ids = this.#db
        .prepare<[number, number, number], number>(
          `SELECT id FROM ${table} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
        )
        .pluck()
        .all(after, bounds?.[table] ?? 0, PIECE_ROWS)
      const last = ids.at(-1)
      if (last === undefined) continue
      rows[table] = this.#rowsOf(table, new Map(ids.map((id) => [id, 0])))
      const next = { seq: 0, part: at * PART_TABLE + last }
      return { rows, forgotten: nothing(), missed: 0, next, at: undefined }
    }
    return {
      ...{ rows, forgotten: nothing<number>(), missed: 0, at: undefined },
      next: { seq: 1, part: 0 },
    }
  }

  #links({ seq }: FeedPlace): FeedPiece | undefined {
    const links = this.#db
      .prepare<[number, number], Link>(
        'SELECT * FROM chain WHERE seq > ? ORDER BY seq LIMIT ?',
      )
      .iterate(seq, MOST_LINKS)
    const touched = { exchanges: map(), connections: map(), events: map() }
    const forgotten = nothing<number>()
    let next = seq
    let at: string | undefined
    let count = 0
    let gapBefore: number | undefined
    for (const link of links) {
      if (next === seq && link.seq > seq + 1) gapBefore = link.seq
      if (gapBefore !== undefined) break
      next = link.seq
      at = link.at
      // What one opens with has been told already.
      if (link.kind === 'began' || link.kind === 'shortened') continue
      for (const { table, id, digest } of entriesOf(link.entries)) {
        count++
        if (digest !== undefined) touched[table].set(id, link.seq)
        else if (link.kind === 'forgotten') {
          forgotten[table].push(id)
          touched[table].delete(id)
        }
      }
      if (count >= PIECE_ROWS) break
    }
    if (gapBefore !== undefined) return this.#overGap(gapBefore - 1)
    if (next === seq) return undefined
    return this.#piece(touched, forgotten, { seq: next, at })
  }

  /** Links were let go of whose rows are gone; what they still told of stands in the newest opening. */
  #overGap(seq: number): FeedPiece {
    const entries = this.#opening()?.entries ?? Buffer.alloc(0)
    const touched = { exchanges: map(), connections: map(), events: map() }
    for (const { table, id } of entriesOf(entries)) touched[table].set(id, 0)
    return this.#piece(touched, nothing(), { seq, at: undefined })
  }

  #piece(
    touched: Readonly<Record<TableName, ReadonlyMap<number, number>>>,
    forgotten: FeedPiece['forgotten'],
    { seq, at }: { readonly seq: number; readonly at: string | undefined },
  ): FeedPiece {
    const rows = nothing<FedRow>()
    let missed = 0
    for (const table of TABLES) {
      rows[table] = this.#rowsOf(table, touched[table])
      missed += touched[table].size - rows[table].length
    }
    return { rows, forgotten, missed, next: { seq, part: 0 }, at }
  }

  /** Of exchanges those that have ended: the others will be told of when they do. */
  #rowsOf(table: TableName, links: ReadonlyMap<number, number>): FedRow[] {
    if (links.size === 0) return []
    const ended = table === 'exchanges' ? `AND event_type <> 'request'` : ''
    // The number comes last, so that the rest is the row without a copy of it.
    const rows = this.#db
      .prepare<[string], Value[]>(
        `SELECT ${columnsOf(table)}, id FROM ${table}
         WHERE id IN (SELECT value FROM json_each(?)) ${ended}`,
      )
      .raw()
      .all(JSON.stringify([...links.keys()]))
    return rows.map((values) => {
      const id = values.pop() as number
      return { id, link: links.get(id) ?? 0, values }
    })
  }

  #asked<Result>(ask: () => Result): Result {
    try {
      return ask()
    } catch (cause) {
      throw unavailable(this.#database, cause)
    }
  }
}

const map = (): Map<number, number> => new Map()

function nothing<Item>(): Record<TableName, Item[]> {
  return { exchanges: [], connections: [], events: [] }
}
