/**
 * Exchanges as they end, from the record: over a connection that cannot write, asked again and
 * again by whoever follows. Until there is a socket to the running service this is how others
 * see what happens; it costs the service nothing, and SQLite tells cheaply that nothing is new.
 */
import type { Database } from 'better-sqlite3'
import { openDatabase, unavailable } from './queries.js'
import { whereOf } from './where.js'
import type { Filter, Listed } from './where.js'

/** Exchanges that are waited for; of more, the oldest are not told when they end. */
export const MAX_AWAITED = 10_000
/** Rows that one look reads at most; the next look goes on there. */
const LOOK_ROWS = 500

export interface Look {
  /** Those that have ended since the last look and fit, in the order in which they began. */
  readonly ended: readonly Listed[]
  /** More are there: look again at once. */
  readonly more: boolean
  /** Of how many the end will not be told, since `MAX_AWAITED` others are waited for. */
  readonly lost: number
}

const NOTHING: Look = { ended: [], more: false, lost: 0 }

export class Follower implements Disposable {
  readonly #db: Database
  readonly #database: string
  readonly #filter: Filter
  readonly #columns: string
  readonly #awaited = new Set<number>()
  #version: unknown
  #last: number

  /**
   * Follows from now on, and what is open now. `columns` are those of `audit_events`.
   * @throws YORI_AUDIT_UNAVAILABLE
   */
  constructor(database: string, filter: Filter, columns: readonly string[]) {
    this.#database = database
    this.#filter = filter
    this.#columns = columns.join(', ')
    this.#db = openDatabase(database, true)
    this.#last = this.#asked(() => {
      const open = this.#db
        .prepare<unknown[], number>(
          `SELECT id FROM exchanges WHERE event_type = 'request' ORDER BY id DESC LIMIT ?`,
        )
        .pluck()
        .all(MAX_AWAITED)
      for (const id of open.reverse()) this.#awaited.add(id)
      const last = this.#db.prepare('SELECT max(id) FROM exchanges').pluck().get()
      return (last as number | null) ?? 0
    })
  }

  /** @throws YORI_AUDIT_UNAVAILABLE */
  look(): Look {
    return this.#asked(() => {
      const version = this.#db.pragma('data_version', { simple: true })
      if (version === this.#version) return NOTHING
      const fresh = this.#db
        .prepare<unknown[], { id: number; event_type: string }>(
          'SELECT id, event_type FROM exchanges WHERE id > ? ORDER BY id LIMIT ?',
        )
        .all(this.#last, LOOK_ROWS)
      const ended = this.#endedOf([...this.#awaited])
      for (const { id, event_type } of fresh) {
        this.#last = id
        if (event_type === 'request') this.#awaited.add(id)
        else ended.push(id)
      }
      const more = fresh.length === LOOK_ROWS
      if (!more) this.#version = version
      return { ended: this.#rowsOf(ended), more, lost: this.#forget() }
    })
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  /** Of those that are waited for; they are waited for no longer. */
  #endedOf(ids: readonly number[]): number[] {
    const ended = this.#db
      .prepare<unknown[], number>(
        `SELECT id FROM exchanges
         WHERE id IN (SELECT value FROM json_each(?)) AND event_type <> 'request' ORDER BY id`,
      )
      .pluck()
      .all(JSON.stringify(ids))
    for (const id of ended) this.#awaited.delete(id)
    return ended
  }

  #rowsOf(ids: readonly number[]): Listed[] {
    if (ids.length === 0) return []
    const list = JSON.stringify(ids)
    const where = whereOf(this.#filter, [
      ['id IN (SELECT value FROM json_each(?))', list],
    ])
    return this.#db
      .prepare<unknown[], Listed>(
        `SELECT ${this.#columns} FROM audit_events ${where.sql} ORDER BY id`,
      )
      .all(...where.values)
  }

  #forget(): number {
    let lost = 0
    for (const id of this.#awaited) {
      if (this.#awaited.size <= MAX_AWAITED) break
      this.#awaited.delete(id)
      lost++
    }
    return lost
  }

  #asked<Result>(ask: () => Result): Result {
    try {
      return ask()
    } catch (cause) {
      throw unavailable(this.#database, cause)
    }
  }
}
