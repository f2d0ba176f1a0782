/** Every question that the control plane puts to the record, by name: what the worker can do. */
import type { Database } from 'better-sqlite3'
import {
  readAgent,
  readAgents,
  readDevices,
  readEvents,
  readRequestsOf,
} from '../audit/agent-queries.js'
import type { AgentsAsked } from '../audit/agent-queries.js'
import { readRiskFacts } from '../audit/risk-queries.js'
import { assess } from '../risks/assess.js'
import { readActivity } from '../audit/activity-queries.js'
import { daysUntil, hasCoverage, readCoverage } from '../audit/coverage-queries.js'
import { placeText, readExchange, readPage, readSessionPage } from '../audit/pages.js'
import type { PageAsked } from '../audit/pages.js'
import { readSession, readTotal, readUsage } from '../audit/session-queries.js'
import type { Usage, UsageWall } from '../audit/session-queries.js'
import type { Filter } from '../audit/where.js'
import { readBlockByCode } from './block-by-code.js'
import { gatherReport } from '../report/gather.js'
import type { ReportAsked } from '../report/report.js'
import { readRecord } from './record-rows.js'
import { exchangeShape } from './shapes.js'
import type { RecordAsked } from './record-rows.js'

const now = (): number => performance.now()
const DAY_MS = 86_400_000

/** Columns of a list: all but bodies, digests, and what a row is called twice. */
function listColumns(db: Database): readonly string[] {
  const left = new Set(['request_body', 'response_body', 'found_marks', 'client_ip'])
  left.add('endpoint').add('tokens_estimated').add('tokens_meaning')
  const names = db
    .prepare(`SELECT name FROM pragma_table_info('audit_events')`)
    .pluck()
    .all() as string[]
  return names.filter((name) => !left.has(name))
}

export const READS = {
  exchanges: (db: Database, asked: PageAsked) =>
    readPage(db, asked, listColumns(db), now),
  /** The answer of a list, made to text here, so that the loop handles none of it. */
  exchangesText: (db: Database, asked: PageAsked) => {
    const page = readPage(db, asked, listColumns(db), now)
    const next = page.next === undefined ? null : placeText(page.next)
    return JSON.stringify({ exchanges: page.rows.map(exchangeShape), next })
  },
  exchange: (db: Database, { id }: { id: string }) => readExchange(db, id) ?? null,
  record: (db: Database, asked: RecordAsked) => readRecord(db, asked),
  blockByCode: (db: Database, asked: { code: string; sinceMs: number }) =>
    readBlockByCode(db, asked) ?? null,
  requestsOf: (db: Database, asked: { kind: string; sinceMs: number }) =>
    readRequestsOf(db, asked),
  sessions: (db: Database, asked: PageAsked) => readSessionPage(db, asked, now),
  /** Its exchanges, oldest first, by its whole id. */
  session: (db: Database, { id, most }: { id: string; most: number }) =>
    readSession(db, id, most).filter((row) => row['session_id'] === id),
  agents: (db: Database, asked: AgentsAsked) => assessed(db, asked),
  agent: (db: Database, asked: AgentsAsked & { agent: string }) => {
    const found = readAgent(db, asked)
    if (found === undefined) return null
    const risk = assess(readRiskFacts(db, [asked.agent], asked.sinceMs)(asked.agent))
    return { ...found, risk }
  },
  devices: (db: Database, { sinceMs }: { sinceMs: number }) => readDevices(db, sinceMs),
  coverage: (db: Database, { nowMs, zone, days }: UsageWall & { days: number }) =>
    hasCoverage(db) ? readCoverage(db, daysUntil(nowMs, days, zone)) : null,
  usage: (db: Database, { filter, wall }: { filter: Filter; wall: UsageWall }) =>
    readUsage(db, filter, wall),
  report: (db: Database, asked: ReportAsked) => gatherReport(db, asked),
  events: (db: Database, { prefix, most }: { prefix: string; most: number }) =>
    readEvents(db, prefix, most),
  /** The last 24 hours, and what was seen of the household's day. */
  overview: (db: Database, { nowMs, zone }: UsageWall) => ({
    usage: lastDay(db, nowMs),
    activity: readActivity(db, nowMs),
    coverage: hasCoverage(db) ? readCoverage(db, daysUntil(nowMs, 1, zone)) : null,
  }),
  dashboard: (db: Database, asked: AgentsAsked & { nowMs: number }) => ({
    agents: assessed(db, asked),
    newest: readSessionPage(db, { filter: {}, rows: 1 }, now).rows[0] ?? null,
    sessions: db
      .prepare(
        // The plus: by time. By its session, all of the record would be read.
        `SELECT count(DISTINCT +session_id) FROM exchanges WHERE timestamp >= ?
         AND +session_id IS NOT NULL`,
      )
      .pluck()
      .get(
        new Date(asked.sinceMs).toISOString().replace('T', ' ').slice(0, -1),
      ) as number,
    day: readTotal(db, { sinceMs: asked.nowMs - DAY_MS }),
  }),
} as const

/** Each with how it stands. */
function assessed(db: Database, asked: AgentsAsked) {
  const lines = readAgents(db, asked)
  const ids = lines.map(({ id }) => id)
  const factsOf = readRiskFacts(db, ids, asked.sinceMs)
  return lines.map((line) => ({ ...line, risk: assess(factsOf(line.id)).status }))
}

/** The last 24 hours: nobody looks at their days. */
function lastDay(db: Database, nowMs: number): Usage {
  return readUsage(db, { sinceMs: nowMs - DAY_MS }, { nowMs, zone: 'UTC' })
}

export type Reads = typeof READS
export type ReadName = keyof Reads
export type AskedOf<N extends ReadName> = Parameters<Reads[N]>[1]
export type FoundBy<N extends ReadName> = ReturnType<Reads[N]>

export interface ToReader {
  readonly id: number
  /** `stop` closes the file and ends the worker. */
  readonly name: ReadName | 'stop'
  readonly asked: unknown
}

export interface FromReader {
  readonly id: number
  readonly found?: unknown
  /** Why there is no answer. */
  readonly failed?: string
}
