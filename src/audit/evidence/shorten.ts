/**
 * Lets go of links that vouch for nothing any more, since their rows were taken out on purpose. A
 * signed link takes their place, which holds what they still vouch for: events outlive exchanges.
 * What is missing without a word is not let go of: it stays a finding. In steps, as pruning is.
 */
import type { Database } from 'better-sqlite3'
import { EntryList, entriesOf, openingBytes, openingOf } from './chain-format.js'
import type { Link, Opening, TableName } from './chain-format.js'
import type { ChainWriter } from './chain-writer.js'

const STEP_LINKS = 100
const PAGE_ROWS = 4096

/** Yields between steps; returns how many links went. Throws what SQLite throws. */
export function* shorten(
  db: Database,
  chain: ChainWriter,
  atMs: number,
): Generator<undefined, number> {
  const opening = openingIn(db)
  if (opening === undefined) return 0
  const vouched = new Vouched()
  vouched.take(opening.entries, opening.through)
  let last = 0
  const next = db.prepare<[number, number], Link>(
    'SELECT * FROM chain WHERE seq > ? ORDER BY seq LIMIT ?',
  )
  for (;;) {
    const links = next.all(last === 0 ? opening.through : last, STEP_LINKS)
    if (links.length === 0) break
    for (const { seq, kind, entries } of links) {
      if (kind !== 'began' && kind !== 'shortened') vouched.take(entries, seq)
      last = seq
    }
    yield
  }
  const through = vouched.before(last)
  if (through <= opening.through) return 0
  const kept = keptOf(db, opening, through, vouched)
  const digest = db
    .prepare<[number], Buffer>('SELECT digest FROM chain WHERE seq = ?')
    .pluck()
    .get(through)
  if (digest === undefined) return 0
  const gone = db
    .transaction(() => {
      const bytes = Buffer.concat([
        openingBytes({ ...opening, through, digest }),
        kept.take(),
      ])
      chain.add('shortened', bytes, atMs, true)
      return db.prepare('DELETE FROM chain WHERE seq <= ?').run(through).changes
    })
    .immediate()
  chain.committed()
  return gone
}

function openingIn(db: Database): (Opening & { readonly entries: Buffer }) | undefined {
  const link = db
    .prepare<[], Link>(
      `SELECT * FROM chain WHERE kind IN ('began', 'shortened') ORDER BY seq DESC LIMIT 1`,
    )
    .get()
  return link === undefined ? undefined : openingOf(link.entries)
}

/** What links up to `through` vouch for, and no later one does. */
function keptOf(
  db: Database,
  opening: { readonly entries: Buffer; readonly through: number },
  through: number,
  vouched: Vouched,
): EntryList {
  const kept = new EntryList()
  const take = (entries: Buffer, seq: number): void => {
    for (const { table, id, digest } of entriesOf(entries))
      if (digest !== undefined && vouched.in(table, id) === seq)
        kept.is(table, id, digest)
  }
  take(opening.entries, opening.through)
  const links = db
    .prepare<[number, number], Link>(
      'SELECT * FROM chain WHERE seq > ? AND seq <= ? ORDER BY seq',
    )
    .iterate(opening.through, through)
  for (const { seq, kind, entries } of links)
    if (kind !== 'began' && kind !== 'shortened') take(entries, seq)
  return kept
}

/** By the row, the link that last vouched for it: 4 bytes a row. */
class Vouched {
  readonly #pages = new Map<string, Uint32Array>()

  take(entries: Buffer, seq: number): void {
    for (const { table, id, digest } of entriesOf(entries)) {
      const key = `${table} ${Math.floor(id / PAGE_ROWS)}`
      let page = this.#pages.get(key)
      if (page === undefined) {
        if (digest === undefined) continue
        page = new Uint32Array(PAGE_ROWS)
        this.#pages.set(key, page)
      }
      // One more, so that 0 is none: what an opening holds is of link 0 at first.
      page[id % PAGE_ROWS] = digest === undefined ? 0 : seq + 1
    }
  }

  in(table: TableName, id: number): number | undefined {
    const page = this.#pages.get(`${table} ${Math.floor(id / PAGE_ROWS)}`)
    const mark = page?.[id % PAGE_ROWS] ?? 0
    return mark === 0 ? undefined : mark - 1
  }

  /** The last link that vouches for no exchange and no connection, nor does any before it. */
  before(last: number): number {
    let first = last + 1
    for (const [key, page] of this.#pages) {
      if (key.startsWith('events')) continue
      for (const mark of page) if (mark !== 0 && mark - 1 < first) first = mark - 1
    }
    return first - 1
  }
}
