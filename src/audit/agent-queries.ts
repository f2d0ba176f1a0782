/**
 * Agents and devices as the record knows them: how much each asked, by when, with which tools.
 * An agent is what `agent_id` names; exchanges without one are nobody's.
 */
import type { Database } from 'better-sqlite3'
import { timestampText } from './rows.js'
import type { Value } from './tables.js'

export interface AgentLine {
  readonly id: string
  readonly sessions: number
  readonly activeSessions: number
  readonly calls: number
  readonly exchanges: number
  readonly promptTokens: number
  readonly responseTokens: number
  readonly costMicroUsd: number | null
  readonly errors: number
  readonly averageLatencyMs: number | null
  readonly firstAt: string
  readonly lastAt: string
  readonly tools: number
  readonly uniqueTools: number
}

export interface NamedCount {
  readonly name: string
  readonly count: number
}

export interface ModelLine extends NamedCount {
  readonly promptTokens: number
  readonly responseTokens: number
  readonly costMicroUsd: number | null
  readonly errors: number
  readonly averageLatencyMs: number | null
}

export interface DayLine {
  readonly day: string
  readonly calls: number
  readonly tokens: number
  readonly errors: number
}

export interface AgentDetail {
  readonly line: AgentLine
  readonly averageSessionMinutes: number
  readonly models: readonly ModelLine[]
  readonly tools: readonly NamedCount[]
  readonly offered: readonly string[]
  readonly days: readonly DayLine[]
}

export interface DeviceLine {
  /** By MAC, or by address where there is none. */
  readonly id: string
  readonly ip: string
  readonly mac: string | null
  readonly hostname: string | null
  /** Of every kind, also those that passed untouched. */
  readonly connections: number
  readonly exchanges: number
  readonly calls: number
  readonly blocks: number
  readonly errors: number
  readonly tokens: number
  readonly costMicroUsd: number | null
  readonly firstAt: string
  readonly lastAt: string
}

type ToolCounts = Pick<AgentLine, 'id' | 'tools' | 'uniqueTools'>
const NO_TOOLS = { tools: 0, uniqueTools: 0 }

/** Of one list. */
export const MOST_AGENTS = 200
const MOST_NAMED = 100

export interface AgentsAsked {
  readonly sinceMs: number
  /** A session with an exchange since then is active. */
  readonly activeSinceMs: number
  /** That one alone. */
  readonly agent?: string
}

/** The ones that asked last first. */
export function readAgents(db: Database, asked: AgentsAsked): readonly AgentLine[] {
  const { sinceMs, activeSinceMs, agent } = asked
  const one = agent === undefined ? 'agent_id IS NOT NULL' : 'agent_id = ?'
  const values: Value[] = [timestampText(activeSinceMs), timestampText(sinceMs)]
  if (agent !== undefined) values.push(agent)
  const lines = db
    .prepare<Value[], Omit<AgentLine, 'tools' | 'uniqueTools'>>(
      `SELECT agent_id AS id, count(DISTINCT session_id) AS sessions,
         count(DISTINCT CASE WHEN timestamp >= ? THEN session_id END) AS activeSessions,
         coalesce(sum(is_call), 0) AS calls, count(*) AS exchanges,
         coalesce(sum(prompt_tokens), 0) AS promptTokens,
         coalesce(sum(response_tokens), 0) AS responseTokens,
         sum(cost_micro_usd) AS costMicroUsd, sum(event_type = 'error') AS errors,
         avg(latency_ms) AS averageLatencyMs,
         min(timestamp) AS firstAt, max(timestamp) AS lastAt
       FROM exchanges WHERE timestamp >= ? AND ${one}
       GROUP BY agent_id ORDER BY lastAt DESC LIMIT ${MOST_AGENTS}`,
    )
    .all(...values)
  const [, ...reach] = values
  const tools = db
    .prepare<Value[], ToolCounts>(
      `SELECT agent_id AS id, count(*) AS tools, count(DISTINCT value) AS uniqueTools
       FROM exchanges, json_each(tool_calls)
       WHERE timestamp >= ? AND ${one} AND json_valid(tool_calls) GROUP BY agent_id`,
    )
    .all(...reach)
  const byAgent = new Map(tools.map((counts) => [counts.id, counts]))
  return lines.map((line) => ({ ...line, ...(byAgent.get(line.id) ?? NO_TOOLS) }))
}

/** Undefined: no exchange of such an agent since then. */
export function readAgent(
  db: Database,
  asked: AgentsAsked & { readonly agent: string },
): AgentDetail | undefined {
  const [line] = readAgents(db, asked)
  if (line === undefined) return undefined
  const { agent, sinceMs } = asked
  const since = timestampText(sinceMs)
  return {
    line,
    // The pluses: by time. By its session, all of the record would be read.
    averageSessionMinutes: db
      .prepare<Value[], number | null>(
        `SELECT avg(minutes) FROM (
           SELECT (julianday(max(timestamp)) - julianday(min(timestamp))) * 1440 AS minutes
           FROM exchanges WHERE agent_id = ? AND timestamp >= ? AND +session_id IS NOT NULL
           GROUP BY +session_id)`,
      )
      .pluck()
      .get(agent, since) as number,
    models: db
      .prepare<Value[], ModelLine>(
        `SELECT coalesce(model, '(unknown)') AS name, count(*) AS count,
           coalesce(sum(prompt_tokens), 0) AS promptTokens,
           coalesce(sum(response_tokens), 0) AS responseTokens,
           sum(cost_micro_usd) AS costMicroUsd, sum(event_type = 'error') AS errors,
           avg(latency_ms) AS averageLatencyMs
         FROM exchanges WHERE agent_id = ? AND timestamp >= ?
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_NAMED}`,
      )
      .all(agent, since),
    tools: toolsOf(db, agent, sinceMs),
    offered: db
      .prepare<Value[], string>(
        `SELECT DISTINCT value FROM exchanges, json_each(tools_offered)
         WHERE agent_id = ? AND timestamp >= ? AND json_valid(tools_offered)
         ORDER BY 1 LIMIT ${MOST_NAMED}`,
      )
      .pluck()
      .all(agent, since),
    days: db
      .prepare<Value[], DayLine>(
        `SELECT date(timestamp) AS day, coalesce(sum(is_call), 0) AS calls,
           coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(response_tokens, 0)), 0) AS tokens,
           sum(event_type = 'error') AS errors
         FROM exchanges WHERE agent_id = ? AND timestamp >= ?
         GROUP BY 1 ORDER BY 1 DESC LIMIT ${MOST_NAMED}`,
      )
      .all(agent, since),
  }
}

function toolsOf(db: Database, agent: string, sinceMs: number): readonly NamedCount[] {
  return db
    .prepare<Value[], NamedCount>(
      `SELECT value AS name, count(*) AS count FROM exchanges, json_each(tool_calls)
       WHERE agent_id = ? AND timestamp >= ? AND json_valid(tool_calls)
       GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_NAMED}`,
    )
    .all(agent, timestampText(sinceMs))
}

type Seen = Pick<DeviceLine, 'id' | 'ip' | 'mac' | 'hostname' | 'firstAt' | 'lastAt'> & {
  readonly connections: number
}

/** Those of which something was seen last come first, whether anything of it was read or not. */
export function readDevices(db: Database, sinceMs: number): readonly DeviceLine[] {
  const since = timestampText(sinceMs)
  const lines = new Map<string, DeviceLine>()
  for (const line of seenIn(db, 'exchanges', since))
    lines.set(line.id, { ...line, ...NOTHING_ASKED, connections: 0 })
  for (const line of seenIn(db, 'connections', since)) {
    const { connections } = line
    const known = lines.get(line.id)
    const newer = known === undefined || known.lastAt < line.lastAt ? line : known
    const first = known === undefined || known.firstAt > line.firstAt ? line : known
    const { id, ip, mac, hostname, lastAt } = newer
    const { firstAt } = first
    const names = { id, ip, mac, hostname: hostname ?? known?.hostname ?? null }
    lines.set(id, { ...NOTHING_ASKED, ...names, connections, firstAt, lastAt })
  }
  for (const { id, ...asked } of askedBy(db, since)) {
    const line = lines.get(id)
    if (line !== undefined) lines.set(id, { ...line, ...asked })
  }
  return [...lines.values()]
    .sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1))
    .slice(0, MOST_AGENTS)
}

const NOTHING_ASKED = {
  exchanges: 0,
  calls: 0,
  blocks: 0,
  errors: 0,
  tokens: 0,
  costMicroUsd: null,
} as const

/** A column beside `max` is that of the row which has it, so that the address is the newest. */
function seenIn(
  db: Database,
  table: 'connections' | 'exchanges',
  since: string,
): readonly Seen[] {
  return db
    .prepare<Value[], Seen>(
      `SELECT newest.*, firstAt, connections FROM (
         SELECT coalesce(device_mac, device_ip) AS id, device_ip AS ip, device_mac AS mac,
           device_hostname AS hostname, max(timestamp) AS lastAt
         FROM ${table} WHERE timestamp >= ? GROUP BY 1
         ORDER BY lastAt DESC LIMIT ${MOST_AGENTS}) AS newest
       JOIN (
         SELECT coalesce(device_mac, device_ip) AS id, min(timestamp) AS firstAt,
           count(*) AS connections
         FROM ${table} WHERE timestamp >= ? GROUP BY 1) AS counted USING (id)`,
    )
    .all(since, since)
}

type Asked = Pick<DeviceLine, 'id' | keyof typeof NOTHING_ASKED>

function askedBy(db: Database, since: string): readonly Asked[] {
  return db
    .prepare<Value[], Asked>(
      `SELECT coalesce(device_mac, device_ip) AS id,
         count(*) AS exchanges, coalesce(sum(is_call), 0) AS calls,
         sum(event_type = 'block') AS blocks, sum(event_type = 'error') AS errors,
         coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(response_tokens, 0)), 0) AS tokens,
         sum(cost_micro_usd) AS costMicroUsd
       FROM exchanges WHERE timestamp >= ? GROUP BY 1`,
    )
    .all(since)
}

export interface EventLine {
  readonly timestamp: string
  readonly event_type: string
  readonly actor: string | null
  readonly client_ip: string | null
  readonly details: string
}

/** Which requests events of that kind are about (`requestId` of their details): 10,000 at most. */
export function readRequestsOf(
  db: Database,
  { kind, sinceMs }: { readonly kind: string; readonly sinceMs: number },
): readonly string[] {
  return db
    .prepare<Value[], string>(
      `SELECT details ->> 'requestId' FROM events
       WHERE event_type = ? AND timestamp >= ? AND details ->> 'requestId' IS NOT NULL
       ORDER BY timestamp DESC LIMIT 10000`,
    )
    .pluck()
    .all(kind, timestampText(sinceMs))
}

/** Events whose kind begins so, the newest first. `prefix` holds no `%` and no `_`. */
export function readEvents(
  db: Database,
  prefix: string,
  limit: number,
): readonly EventLine[] {
  return db
    .prepare<Value[], EventLine>(
      `SELECT timestamp, event_type, actor, client_ip, details FROM events
       WHERE event_type LIKE ? ORDER BY timestamp DESC, id DESC LIMIT ?`,
    )
    .all(`${prefix}%`, limit)
}
