/**
 * When and how old rows go. Deleting is a generator of small steps, so that the writer's
 * thread does a batch between two of them; the daily run and the command drive the same one.
 */
import type { Database } from 'better-sqlite3'
import type { ChainWriter } from './evidence/chain-writer.js'
import { shorten } from './evidence/shorten.js'
import { hasCoverage } from './coverage-queries.js'
import { timestampText } from './rows.js'

/** A step aims at this; the next takes fewer or more rows by how long it was. */
const STEP_MS = 8
const FIRST_ROWS = 32
const MOST_ROWS = 1000
/** Over the cap, it is brought this far under it, so that it is not met again at once. */
const UNDER_CAP = 0.95

const DAY_MS = 86_400_000
/** No zone is further behind UTC. */
const MOST_BEHIND_MS = DAY_MS / 2
/** `YYYY-MM-DD` of a timestamp. */
const DAY_LENGTH = 10
const TABLES = ['exchanges', 'connections', 'events'] as const

export interface Pruned {
  readonly exchanges: number
  readonly connections: number
  readonly events: number
  /** Longest that one chunk kept the writer waiting. */
  readonly longestMs: number
}

export interface PruneRequest {
  /** Rows older than this go; undefined: none goes for its age. */
  readonly cutoffMs: number | undefined
  /** The file's used pages may not be more; 0: no cap. */
  readonly maxBytes: number
}

export const nonePruned: Pruned = {
  exchanges: 0,
  connections: 0,
  events: 0,
  longestMs: 0,
}

/** The next moment after `nowMs` at which local clocks show `HH:MM`. */
export function nextPruneMs(nowMs: number, pruneAt: string): number {
  const [hour = 3, minute = 0] = pruneAt.split(':').map(Number)
  const now = new Date(nowMs)
  const at = (days: number): number =>
    new Date(
      now.getFullYear(),
      now.getMonth(),
      now.getDate() + days,
      hour,
      minute,
    ).getTime()
  return at(0) > nowMs ? at(0) : at(1)
}

export function cutoffMs(nowMs: number, retentionDays: number): number | undefined {
  return retentionDays > 0 ? nowMs - retentionDays * DAY_MS : undefined
}

/** How many rows a prune by age would delete. */
export function countOlder(db: Database, cutoff: number): Omit<Pruned, 'longestMs'> {
  const count = (table: string): number =>
    db
      .prepare(`SELECT count(*) FROM ${table} WHERE timestamp < ?`)
      .pluck()
      .get(timestampText(cutoff)) as number
  return {
    exchanges: count('exchanges'),
    connections: count('connections'),
    events: count('events'),
  }
}

/**
 * Deletes by age, then by size (oldest first, events last), tells the chain, gives the pages back,
 * and cuts the log. Yields what is gone between steps; throws what SQLite throws, with all earlier
 * steps done. `chain` is undefined where the file has none.
 */
export function* prune(
  db: Database,
  request: PruneRequest,
  chain?: ChainWriter,
): Generator<Pruned, Pruned> {
  const pruned = { exchanges: 0, connections: 0, events: 0, longestMs: 0 }
  const pace = new Pace()
  const timed = (step: (limit: number) => number): number => {
    const spent = pace.measure(step)
    pruned.longestMs = Math.max(pruned.longestMs, pace.lastMs)
    return spent
  }

  if (request.cutoffMs !== undefined) {
    const cutoff = timestampText(request.cutoffMs)
    for (const table of TABLES) {
      const oldest = deleteOldest(db, table, 'WHERE timestamp < ?', chain)
      for (let gone = -1; gone !== 0; yield pruned) {
        gone = timed((limit) => oldest(cutoff, limit))
        pruned[table] += gone
      }
    }
    const ended = timestampText(request.cutoffMs - MOST_BEHIND_MS)
    const counts = oldCounts(db, ended.slice(0, DAY_LENGTH))
    for (let gone = -1; gone !== 0; yield pruned) gone = timed(counts)
  }

  if (request.maxBytes > 0 && usedBytes(db) > request.maxBytes) {
    while (usedBytes(db) > request.maxBytes * UNDER_CAP) {
      const table = oldestTable(db)
      if (table === undefined) break
      const oldest = deleteOldest(db, table, '', chain)
      pruned[table] += timed((limit) => oldest(limit))
      yield pruned
    }
  }

  if (pruned.exchanges + pruned.connections + pruned.events === 0) return pruned
  if (chain !== undefined) {
    db.transaction(() => chain.link('pruned', Date.now(), true)).immediate()
    chain.committed()
    for (const _step of shorten(db, chain, Date.now())) yield pruned
  }
  while (pragma(db, 'freelist_count') > 0) {
    const before = pragma(db, 'freelist_count')
    timed((limit) => {
      db.pragma(`incremental_vacuum(${limit})`)
      return limit
    })
    if (pragma(db, 'freelist_count') >= before) break
    yield pruned
  }
  db.pragma('wal_checkpoint(TRUNCATE)')
  return pruned
}

const pragma = (db: Database, name: string): number =>
  db.pragma(name, { simple: true }) as number

function usedBytes(db: Database): number {
  const pages = pragma(db, 'page_count') - pragma(db, 'freelist_count')
  return pages * pragma(db, 'page_size')
}

/** Whole days: the one of the cut-off stays until it is over, in whichever zone. */
function oldCounts(db: Database, day: string): (limit: number) => number {
  // The command may meet a file that no run has brought up to date yet.
  if (!hasCoverage(db)) return () => 0
  const statement = db.prepare<[string, number]>(
    `DELETE FROM coverage WHERE (day, device, name_class, coverage, code) IN
       (SELECT day, device, name_class, coverage, code FROM coverage
        WHERE day < ? ORDER BY day LIMIT ?)`,
  )
  return (limit) => statement.run(day, limit).changes
}

/** Returns how many went. */
function deleteOldest(
  db: Database,
  table: (typeof TABLES)[number],
  where: string,
  chain: ChainWriter | undefined,
): (...values: (string | number)[]) => number {
  const oldest = db
    .prepare<(string | number)[], number>(
      `DELETE FROM ${table} WHERE id IN
         (SELECT id FROM ${table} ${where} ORDER BY timestamp LIMIT ?) RETURNING id`,
    )
    .pluck()
  const step = db.transaction((values: (string | number)[]): number => {
    const ids = oldest.all(...values)
    if (chain === undefined) return ids.length
    for (const id of ids) chain.gone(table, id)
    chain.link('pruned', Date.now())
    return ids.length
  })
  return (...values) => {
    try {
      return step.immediate(values)
    } catch (cause) {
      chain?.forget()
      throw cause
    }
  }
}

/** Where the oldest row is; events only when nothing else is left. */
function oldestTable(db: Database): (typeof TABLES)[number] | undefined {
  const oldest = (table: string): string | undefined =>
    db
      .prepare(`SELECT timestamp FROM ${table} ORDER BY timestamp LIMIT 1`)
      .pluck()
      .get() as string | undefined
  const exchange = oldest('exchanges')
  const connection = oldest('connections')
  if (exchange !== undefined && (connection === undefined || exchange <= connection))
    return 'exchanges'
  if (connection !== undefined) return 'connections'
  return oldest('events') === undefined ? undefined : 'events'
}

/** Chooses how many rows a step takes by how long the last one took. */
class Pace {
  #rows = FIRST_ROWS
  lastMs = 0

  measure(step: (limit: number) => number): number {
    const start = performance.now()
    const result = step(this.#rows)
    this.lastMs = performance.now() - start
    if (this.lastMs > STEP_MS)
      this.#rows = Math.max(1, Math.floor((this.#rows * STEP_MS) / this.lastMs / 2))
    else if (this.lastMs < STEP_MS / 2) this.#rows = Math.min(MOST_ROWS, this.#rows * 2)
    return result
  }
}
