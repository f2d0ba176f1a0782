/**
 * Questions about conversations and about use: who asked whom how much, and at what cost. A
 * cost that is not known is counted apart and never taken for zero.
 */
import type { Database } from 'better-sqlite3'
import { timestampText } from './rows.js'
import type { Value } from './tables.js'
import { wallDay } from './wall-days.js'
import { whereOf } from './where.js'
import type { Filter, Listed } from './where.js'

export interface UsageLine {
  readonly name: string
  readonly exchanges: number
  /** Of these, calls to a model: what quotas count. */
  readonly calls: number
  readonly errors: number
  readonly blocks: number
  readonly sessions: number
  /** Input with what was cached, output with reasoning. */
  readonly promptTokens: number
  readonly responseTokens: number
  /** Of the input. */
  readonly cachedTokens: number
  readonly cacheWriteTokens: number
  /** Of the output. */
  readonly reasoningTokens: number
  /** Of the two sums, what is our estimate; the rest was told. */
  readonly promptEstimated: number
  readonly responseEstimated: number
  /** Micro-dollars of the exchanges whose cost is known; null when none is. */
  readonly costMicroUsd: number | null
  /** Exchanges that used tokens at a price that is not known. */
  readonly unpriced: number
  /** The most that these can have cost, as far as anybody knows a price that is as high. */
  readonly atMostMicroUsd: number
}

export interface Unseen {
  readonly path: string
  readonly reason: string
  readonly count: number
}

export interface Usage {
  readonly total: UsageLine
  readonly devices: readonly UsageLine[]
  readonly providers: readonly UsageLine[]
  readonly models: readonly UsageLine[]
  /** By keys of our own, and by tags: of keys, and of clients. Those without are left out. */
  readonly keys: readonly UsageLine[]
  readonly tags: readonly UsageLine[]
  /** Days of the zone that was asked for, the newest first. */
  readonly days: readonly UsageLine[]
  /** What was not read, or not to its end, by path. */
  readonly unseen: readonly Unseen[]
}

export interface SessionLine extends UsageLine {
  /** `name` is the session's id. */
  readonly device: string
  readonly agentId: string | null
  readonly firstAt: string
  readonly lastAt: string
  readonly models: string
  readonly fragmented: boolean
}

/** Lines of one table; the rest is one line. */
export const MOST_LINES = 50
/** Of what has no line of its own, so that the lines add up. */
export const OTHERS = '(others)'
const MOST_DAYS = 400

/** Rows of before both were marked tell that one of the two counts is an estimate. */
function estimateOf(count: string): string {
  return `coalesce(sum(CASE WHEN coalesce(${count}_estimated, tokens_estimated) = 1
    THEN ${count} END), 0)`
}

/** Of a record of before, nothing. */
export function atMostOf(db: Database): string {
  return columnOf(db, 'cost_at_most_micro_usd')
}

function columnOf(db: Database, name: string): string {
  const has = `SELECT 1 FROM pragma_table_info('exchanges') WHERE name = ?`
  return db.prepare(has).get(name) === undefined ? 'NULL' : name
}

/** `name`, or `name:value`, as clients and keys have them. */
const TAG = `json_each.key || CASE json_each.value WHEN '' THEN '' ELSE ':' || json_each.value END`

/** By name, in the order of a `UsageLine`. */
const sumsOf = (db: Database) => ({
  exchanges: 'count(*)',
  calls: 'coalesce(sum(is_call), 0)',
  errors: "sum(event_type = 'error')",
  blocks: "sum(event_type = 'block')",
  sessions: 'count(DISTINCT session_id)',
  promptTokens: 'coalesce(sum(prompt_tokens), 0)',
  responseTokens: 'coalesce(sum(response_tokens), 0)',
  cachedTokens: 'coalesce(sum(cached_tokens), 0)',
  cacheWriteTokens: 'coalesce(sum(cache_write_tokens), 0)',
  reasoningTokens: 'coalesce(sum(reasoning_tokens), 0)',
  promptEstimated: estimateOf('prompt_tokens'),
  responseEstimated: estimateOf('response_tokens'),
  costMicroUsd: 'sum(cost_micro_usd)',
  unpriced: `coalesce(sum(cost_micro_usd IS NULL
    AND (prompt_tokens IS NOT NULL OR response_tokens IS NOT NULL)), 0)`,
  atMostMicroUsd: `coalesce(sum(${atMostOf(db)}), 0)`,
})

const sumsText = (db: Database): string =>
  Object.entries(sumsOf(db))
    .map(([name, sql]) => `${sql} AS ${name}`)
    .join(', ')

const DEVICE = 'coalesce(device_hostname, device_ip)'

/** By which days are told; undefined is the system's zone. */
export interface UsageWall {
  readonly nowMs: number
  readonly zone: string | undefined
}

/** Each sum of `sumsOf`, over lines that have them already. */
const SUMS_OF_SUMS = `sum(exchanges) AS exchanges, sum(calls) AS calls, sum(errors) AS errors,
  sum(blocks) AS blocks, count(DISTINCT session) AS sessions,
  sum(promptTokens) AS promptTokens, sum(responseTokens) AS responseTokens,
  sum(cachedTokens) AS cachedTokens, sum(cacheWriteTokens) AS cacheWriteTokens,
  sum(reasoningTokens) AS reasoningTokens, sum(promptEstimated) AS promptEstimated,
  sum(responseEstimated) AS responseEstimated, sum(costMicroUsd) AS costMicroUsd,
  sum(unpriced) AS unpriced, sum(atMostMicroUsd) AS atMostMicroUsd`

/**
 * The record is read once: into lines by all that is told apart, in a table of this connection
 * alone, from which each list is made. Read for each list, it takes three times as long.
 */
export function readUsage(db: Database, filter: Filter, wall: UsageWall): Usage {
  db.exec('DROP TABLE IF EXISTS temp.used')
  try {
    gather(db, filter, wall)
    return usageIn(db, filter)
  } finally {
    db.exec('DROP TABLE IF EXISTS temp.used')
  }
}

function gather(db: Database, filter: Filter, { nowMs, zone }: UsageWall): void {
  const where = whereOf(filter)
  const { sessions: _sessions, ...sums } = sumsOf(db)
  const told = Object.entries(sums).map(([name, sql]) => `${sql} AS ${name}`)
  db.prepare(
    `CREATE TEMP TABLE used AS
     SELECT ${DEVICE} AS device, coalesce(provider, '(unknown)') AS provider,
       coalesce(model, '(unknown)') AS model, ${wallDay('timestamp', nowMs, zone)} AS day,
       ${columnOf(db, 'access_key')} AS accessKey, session_id AS session,
       max(tags IS NOT NULL) AS tagged, max(uninspectable IS NOT NULL) AS unread,
       ${told.join(', ')}
     FROM exchanges ${where.sql} GROUP BY 1, 2, 3, 4, 5, 6`,
  ).run(...where.values)
}

function usageIn(db: Database, filter: Filter): Usage {
  const lines = (
    name: string,
    { order = '2 DESC, 1', most = MOST_LINES, rest = true } = {},
  ): UsageLine[] => {
    const from = `temp.used WHERE ${name} IS NOT NULL`
    const shown = db
      .prepare<unknown[], UsageLine>(
        `SELECT ${name} AS name, ${SUMS_OF_SUMS} FROM ${from}
         GROUP BY 1 ORDER BY ${order} LIMIT ${most}`,
      )
      .all()
    if (!rest || shown.length < most) return shown
    const places = shown.map(() => '?').join(', ')
    const others = db
      .prepare<unknown[], UsageLine>(
        `SELECT '${OTHERS}' AS name, ${SUMS_OF_SUMS} FROM ${from}
         AND ${name} NOT IN (${places}) HAVING count(*) > 0`,
      )
      .all(...shown.map((line) => line.name))
    return [...shown, ...others]
  }
  const has = db
    .prepare<unknown[], { tagged: number | null; unread: number | null }>(
      'SELECT max(tagged) AS tagged, max(unread) AS unread FROM temp.used',
    )
    .get()
  const total = db
    .prepare<unknown[], UsageLine>(`SELECT 'all' AS name, ${SUMS_OF_SUMS} FROM temp.used`)
    .get()
  return {
    total: { ...nothing, ...withoutNull(total) },
    devices: lines('device'),
    providers: lines('provider'),
    models: lines('model'),
    keys: lines('accessKey', { rest: false }),
    tags: has?.tagged === 1 ? tagsOf(db, filter) : [],
    days: lines('day', { order: '1 DESC', most: MOST_DAYS }),
    unseen: has?.unread === 1 ? unseenOf(db, filter) : [],
  }
}

/** The sums alone, of all that fits. */
export function readTotal(db: Database, filter: Filter): UsageLine {
  const where = whereOf(filter)
  const total = db
    .prepare<unknown[], UsageLine>(
      `SELECT 'all' AS name, ${sumsText(db)} FROM exchanges ${where.sql}`,
    )
    .get(...where.values)
  return { ...nothing, ...withoutNull(total) }
}

function tagsOf(db: Database, filter: Filter): UsageLine[] {
  const where = whereOf(filter, [['tags IS NOT NULL']])
  return db
    .prepare<unknown[], UsageLine>(
      `SELECT ${TAG} AS name, ${sumsText(db)} FROM exchanges, json_each(exchanges.tags)
       ${where.sql} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_LINES}`,
    )
    .all(...where.values)
}

function unseenOf(db: Database, filter: Filter): Unseen[] {
  const where = whereOf(filter, [['uninspectable IS NOT NULL']])
  return db
    .prepare<unknown[], Unseen>(
      `SELECT endpoint_domain || http_path AS path, uninspectable AS reason,
         count(*) AS count
       FROM exchanges ${where.sql} GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT ${MOST_LINES}`,
    )
    .all(...where.values)
}

const nothing: UsageLine = {
  name: 'all',
  exchanges: 0,
  calls: 0,
  errors: 0,
  blocks: 0,
  sessions: 0,
  promptTokens: 0,
  responseTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  promptEstimated: 0,
  responseEstimated: 0,
  costMicroUsd: null,
  unpriced: 0,
  atMostMicroUsd: 0,
}

/** Sums over no row at all are null. */
function withoutNull(line: UsageLine | undefined): Partial<UsageLine> {
  const known = Object.entries(line ?? {}).filter(([, value]) => value !== null)
  return Object.fromEntries(known)
}

/** A session is one device's: the same id from two devices is two. */
export function readSessions(
  db: Database,
  filter: Filter,
  limit: number,
): readonly SessionLine[] {
  const where = whereOf(filter, [['session_id IS NOT NULL']])
  const sums = sumsText(db)
  return db
    .prepare<unknown[], Omit<SessionLine, 'fragmented'> & { fragmented: number | null }>(
      `SELECT session_id AS name, ${sums}, max(${DEVICE}) AS device,
         max(agent_id) AS agentId, min(timestamp) AS firstAt, max(timestamp) AS lastAt,
         coalesce(group_concat(DISTINCT model), '') AS models,
         max(fragmented) AS fragmented
       FROM exchanges ${where.sql}
       GROUP BY session_id, coalesce(device_mac, device_ip)
       ORDER BY lastAt DESC, 1 LIMIT ?`,
    )
    .all(...where.values, limit)
    .map((line) => ({ ...line, fragmented: line.fragmented === 1 }))
}

/** Ids are long: when none is exactly this, the newest that ends so is meant. */
export function readSession(db: Database, id: string, limit: number): readonly Listed[] {
  const turns = db.prepare<Value[], Listed>(
    `SELECT * FROM audit_events WHERE session_id = ?
     ORDER BY device_ip, timestamp, id LIMIT ?`,
  )
  const exact = turns.all(id, limit)
  if (exact.length > 0 || id.length < LEAST_END) return exact
  const ending = db
    .prepare<Value[], { session_id: string }>(
      `SELECT session_id FROM exchanges
       WHERE session_id IS NOT NULL AND substr(session_id, -length(?)) = ?
       ORDER BY timestamp DESC LIMIT 1`,
    )
    .get(id, id)
  return ending === undefined ? [] : turns.all(ending.session_id, limit)
}

/** Fewer characters of an id would name anything. */
const LEAST_END = 6

export interface TaggedSums {
  readonly exchanges: number
  readonly blocked: number
  readonly tokens: number
  /** Of what has a known price. */
  readonly microUsd: number
  /** The most that the rest can have cost, as far as anybody knows. */
  readonly atMostMicroUsd: number
  /** Calls to a model with tokens and no known price. */
  readonly unpriced: number
  /** Of them, those of which nobody knows what they can have cost either. */
  readonly uncounted: number
}

/** `key` holds letters, digits and `-` alone. */
export function readTagged(
  db: Database,
  { key, value, sinceMs }: { key: string; value: string; sinceMs: number },
): TaggedSums {
  const atMost = atMostOf(db)
  return db
    .prepare<unknown[], TaggedSums>(
      `SELECT count(*) AS exchanges, total(event_type = 'block') AS blocked,
         total(coalesce(prompt_tokens, 0) + coalesce(response_tokens, 0)) AS tokens,
         total(cost_micro_usd) AS microUsd, total(${atMost}) AS atMostMicroUsd,
         total(cost_micro_usd IS NULL AND prompt_tokens > 0) AS unpriced,
         total(cost_micro_usd IS NULL AND ${atMost} IS NULL AND prompt_tokens > 0) AS uncounted
       FROM exchanges WHERE timestamp >= ? AND tags ->> ? = ?`,
    )
    .get(timestampText(sinceMs), `$."${key}"`, value) as TaggedSums
}
