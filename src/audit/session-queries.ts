/**
 * Questions about conversations and about use: who asked whom how much, and at what cost. A
 * cost that is not known is counted apart and never taken for zero.
 */
import type { Database } from 'better-sqlite3'
import { timestampText } from './rows.js'
import type { Value } from './tables.js'
import { wallDay } from './wall-days.js'
import { whereOf } from './where.js'
import type { Where } from './where.js'
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

const sumsOf = (db: Database): string => `count(*) AS exchanges,
  coalesce(sum(is_call), 0) AS calls,
  sum(event_type = 'error') AS errors,
  sum(event_type = 'block') AS blocks,
  count(DISTINCT session_id) AS sessions,
  coalesce(sum(prompt_tokens), 0) AS promptTokens,
  coalesce(sum(response_tokens), 0) AS responseTokens,
  coalesce(sum(cached_tokens), 0) AS cachedTokens,
  coalesce(sum(cache_write_tokens), 0) AS cacheWriteTokens,
  coalesce(sum(reasoning_tokens), 0) AS reasoningTokens,
  ${estimateOf('prompt_tokens')} AS promptEstimated,
  ${estimateOf('response_tokens')} AS responseEstimated,
  sum(cost_micro_usd) AS costMicroUsd,
  coalesce(sum(cost_micro_usd IS NULL
    AND (prompt_tokens IS NOT NULL OR response_tokens IS NOT NULL)), 0) AS unpriced,
  coalesce(sum(${atMostOf(db)}), 0) AS atMostMicroUsd`

const DEVICE = 'coalesce(device_hostname, device_ip)'

/** By which days are told; undefined is the system's zone. */
export interface UsageWall {
  readonly nowMs: number
  readonly zone: string | undefined
}

export function readUsage(db: Database, filter: Filter, wall: UsageWall): Usage {
  const where = whereOf(filter)
  const sums = sumsOf(db)
  const lines = (name: string, order = '2 DESC, 1', most = MOST_LINES): UsageLine[] => {
    const shown = db
      .prepare<unknown[], UsageLine>(
        `SELECT ${name} AS name, ${sums} FROM exchanges ${where.sql}
         GROUP BY 1 ORDER BY ${order} LIMIT ${most}`,
      )
      .all(...where.values)
    if (shown.length < most) return shown
    const places = shown.map(() => '?').join(', ')
    const names = shown.map((line) => line.name)
    const rest = whereOf(filter, [[`${name} NOT IN (${places})`, ...names]])
    const others = db
      .prepare<unknown[], UsageLine>(
        `SELECT '${OTHERS}' AS name, ${sums} FROM exchanges ${rest.sql} HAVING count(*) > 0`,
      )
      .all(...rest.values)
    return [...shown, ...others]
  }
  const total = db
    .prepare<unknown[], UsageLine>(
      `SELECT 'all' AS name, ${sums} FROM exchanges ${where.sql}`,
    )
    .get(...where.values)
  const key = columnOf(db, 'access_key')
  const byKey = whereOf(filter, [[`${key} IS NOT NULL`]])
  const byTag = whereOf(filter, [['tags IS NOT NULL']])
  const some = (name: string, from: string, chosen: Where): UsageLine[] =>
    db
      .prepare<unknown[], UsageLine>(
        `SELECT ${name} AS name, ${sums} FROM ${from} ${chosen.sql}
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_LINES}`,
      )
      .all(...chosen.values)
  const unseen = whereOf(filter, [['uninspectable IS NOT NULL']])
  return {
    total: { ...nothing, ...withoutNull(total) },
    devices: lines(DEVICE),
    providers: lines(`coalesce(provider, '(unknown)')`),
    models: lines(`coalesce(model, '(unknown)')`),
    keys: some(key, 'exchanges', byKey),
    tags: some(TAG, 'exchanges, json_each(exchanges.tags)', byTag),
    days: lines(wallDay('timestamp', wall.nowMs, wall.zone), '1 DESC', MOST_DAYS),
    unseen: db
      .prepare<unknown[], Unseen>(
        `SELECT endpoint_domain || http_path AS path, uninspectable AS reason,
           count(*) AS count
         FROM exchanges ${unseen.sql} GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT ${MOST_LINES}`,
      )
      .all(...unseen.values),
  }
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
  const sums = sumsOf(db)
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
