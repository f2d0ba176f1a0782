/**
 * A report out of the record. Reads alone, streams what may be long, and keeps of each list so
 * much; a limit that was met stands in `cut`. Synchronous: the daemon runs it in its reader.
 */
import type { Database } from 'better-sqlite3'
import { hasCoverage, readCoverage } from '../audit/coverage-queries.js'
import { timestampText } from '../audit/rows.js'
import { atMostOf } from '../audit/session-queries.js'
import { describeReason } from '../core/coverage.js'
import { dateText } from '../core/moment-text.js'
import { LocalTimes } from '../policy/local-time.js'
import { Owners } from './owners.js'
import type { Asked, Blocked, Counted, NotSeen, Report, ReportAsked } from './report.js'
import { topicsOf } from './topics.js'
import type { Topic } from './topics.js'
import { Tally } from './tally.js'

/** Minutes of all devices together: 100 people at work for three months. */
export const MOST_MINUTES = 3_000_000
/** Prompts that are looked at for topics, the newest. */
export const MOST_PROMPTS = 20_000
const MOST_LINES = 40
const DAY_MS = 86_400_000
const LONGEST_REASON = 300

const DEVICE = 'coalesce(device_mac, device_ip)'

export function gatherReport(db: Database, asked: ReportAsked): Report {
  const { sinceMs, untilMs, timezone, person } = asked
  const cut: string[] = []
  const range = [timestampText(sinceMs), timestampText(untilMs)] as const
  const owners = Owners.of(db, asked, range)
  const times = new LocalTimes()
  const tally = new Tally(owners)
  readSums(db, asked, { tally, owners, range })
  readMinutes(db, { tally, owners, range, cut, at: (ms) => times.at(ms, timezone) })
  const topics = readTopics(db, { owners, range, cut })
  const month = `${times.at(untilMs - 1, timezone).date.slice(0, 7)}-01`
  readMonth(db, {
    tally,
    owners,
    since: monthStart(month, timezone, times),
    until: range[1],
  })
  return {
    sinceMs,
    untilMs,
    timezone: timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    person: person ?? null,
    ...tally.told(asked.budget, topics),
    blocked: blockedIn(db, { owners, range, cut }),
    asked: askedIn(db, { owners, range, cut }),
    notSeen: notSeenIn(db, asked, range),
    cut,
  }
}

type Range = readonly [since: string, until: string]

interface Reading {
  readonly owners: Owners
  readonly range: Range
}

function readSums(
  db: Database,
  _asked: ReportAsked,
  { tally, owners, range }: Reading & { tally: Tally },
): void {
  const rows = db
    .prepare<[string, string], Record<string, string | number | null>>(
      `SELECT ${DEVICE} AS device, coalesce(provider, endpoint_domain) AS service,
         coalesce(sum(is_call), 0) AS messages, sum(event_type = 'block') AS blocked,
         coalesce(sum(cost_micro_usd), 0) AS cost, coalesce(sum(${atMostOf(db)}), 0) AS atMost,
         coalesce(sum(event_type <> 'block' AND cost_micro_usd IS NULL
           AND (prompt_tokens IS NOT NULL OR response_tokens IS NOT NULL)), 0) AS unpriced
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? GROUP BY 1, 2`,
    )
    .iterate(...range)
  for (const row of rows) {
    const owner = owners.ofDevice(String(row['device']))
    if (owner !== undefined) tally.sums(owner, row)
  }
}

function readMinutes(
  db: Database,
  {
    tally,
    owners,
    range,
    cut,
    at,
  }: Reading & {
    tally: Tally
    cut: string[]
    at: (ms: number) => { readonly date: string; readonly hour: number }
  },
): void {
  const rows = db
    .prepare<[string, string], { minute: string; device: string; messages: number }>(
      `SELECT substr(timestamp, 1, 16) AS minute, ${DEVICE} AS device, count(*) AS messages
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? AND is_call = 1
       GROUP BY 1, 2 ORDER BY 1 LIMIT ${MOST_MINUTES + 1}`,
    )
    .iterate(...range)
  let count = 0
  for (const { minute, device, messages } of rows) {
    if (++count > MOST_MINUTES) {
      cut.push('minutes')
      break
    }
    const owner = owners.ofDevice(device)
    if (owner === undefined) continue
    const ms = Date.parse(`${minute.replace(' ', 'T')}:00Z`)
    tally.minute(owner, { minute, messages, local: at(ms) })
  }
}

function readTopics(
  db: Database,
  { owners, range, cut }: Reading & { cut: string[] },
): Map<string, Map<Topic, Set<string>>> {
  const found = new Map<string, Map<Topic, Set<string>>>()
  const rows = db
    .prepare<[string, string], { device: string; talk: string; preview: string }>(
      `SELECT ${DEVICE} AS device, coalesce(session_id, request_id) AS talk,
         prompt_preview AS preview
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? AND is_call = 1
         AND prompt_preview IS NOT NULL
       ORDER BY timestamp DESC LIMIT ${MOST_PROMPTS + 1}`,
    )
    .iterate(...range)
  let count = 0
  for (const { device, talk, preview } of rows) {
    if (++count > MOST_PROMPTS) {
      cut.push('topics')
      break
    }
    const owner = owners.ofDevice(device)
    if (owner === undefined) continue
    const own = found.get(owner) ?? new Map<Topic, Set<string>>()
    found.set(owner, own)
    for (const topic of topicsOf(preview))
      own.set(topic, (own.get(topic) ?? new Set()).add(talk))
  }
  return found
}

function readMonth(
  db: Database,
  {
    tally,
    owners,
    since,
    until,
  }: { tally: Tally; owners: Owners; since: string; until: string },
): void {
  const rows = db
    .prepare<[string, string], { device: string; micro: number }>(
      `SELECT ${DEVICE} AS device,
         coalesce(sum(cost_micro_usd), 0) + coalesce(sum(${atMostOf(db)}), 0) AS micro
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? GROUP BY 1`,
    )
    .iterate(since, until)
  for (const { device, micro } of rows) {
    const owner = owners.ofDevice(device)
    if (owner !== undefined) tally.month(owner, micro)
  }
}

/** When a local day begins, as text of the record: by a look at the hours around it. */
function monthStart(
  date: string,
  timezone: string | undefined,
  times: LocalTimes,
): string {
  const noon = Date.parse(`${date}T00:00:00Z`)
  for (let ms = noon - DAY_MS; ms <= noon + DAY_MS; ms += 900_000)
    if (times.at(ms, timezone).date === date) return timestampText(ms)
  return timestampText(noon)
}

function blockedIn(
  db: Database,
  { owners, range, cut }: Reading & { cut: string[] },
): readonly Blocked[] {
  const lines = new Map<string, Blocked>()
  const rows = db
    .prepare<[string, string], Record<string, string | number | null>>(
      `SELECT ${DEVICE} AS device, policy_name AS policy, substr(reason, 1, ${LONGEST_REASON})
         AS reason, count(*) AS count, max(timestamp) AS last
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? AND event_type = 'block'
       GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 1000`,
    )
    .iterate(...range)
  for (const row of rows) {
    const owner = owners.ofDevice(String(row['device']))
    if (owner === undefined) continue
    const [who, policy] = [owners.nameOf(owner), String(row['policy'] ?? '')]
    const reason = String(row['reason'] ?? '')
    const key = JSON.stringify([who, policy, reason])
    const before = lines.get(key)
    const lastMs = Date.parse(`${String(row['last']).replace(' ', 'T')}Z`)
    const count = (before?.count ?? 0) + Number(row['count'])
    const last = Math.max(lastMs, before?.lastMs ?? 0)
    lines.set(key, { who, policy, reason, count, lastMs: last })
  }
  return most(
    [...lines.values()].sort((a, b) => b.count - a.count || b.lastMs - a.lastMs),
    'blocked',
    cut,
  )
}

const SAID = { grant_approved: 'yes', approval_denied: 'no' } as const

function askedIn(
  db: Database,
  { owners, range, cut }: Reading & { cut: string[] },
): readonly Asked[] {
  const rows = db
    .prepare<[string, string], Record<string, string | null>>(
      `SELECT e.timestamp AS at, e.event_type AS kind, e.actor AS actor, x.policy_name AS policy,
         coalesce(x.device_mac, x.device_ip) AS device
       FROM events e LEFT JOIN exchanges x ON x.request_id = e.details ->> 'requestId'
       WHERE e.timestamp >= ? AND e.timestamp < ?
         AND e.event_type IN ('grant_approved', 'approval_denied')
       ORDER BY e.timestamp DESC LIMIT 1000`,
    )
    .all(...range)
  const lines = rows.flatMap(({ at, kind, actor, policy, device }): Asked[] => {
    const owner = device === null ? undefined : owners.ofDevice(String(device))
    if (owner === undefined && (device !== null || owners.isForOne)) return []
    return [
      {
        atMs: Date.parse(`${String(at).replace(' ', 'T')}Z`),
        who: owner === undefined ? '?' : owners.nameOf(owner),
        policy: policy ?? '?',
        said: SAID[kind as keyof typeof SAID],
        by: actor ?? '?',
      },
    ]
  })
  return most(lines, 'asked', cut)
}

function dayAfter(date: string): string {
  return new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10)
}

function most<Line>(
  lines: readonly Line[],
  what: string,
  cut: string[],
): readonly Line[] {
  if (lines.length > MOST_LINES) cut.push(what)
  return lines.slice(0, MOST_LINES)
}

/** Of all devices: what was not seen may have been anybody's. */
function notSeenIn(
  db: Database,
  { sinceMs, untilMs, timezone }: ReportAsked,
  range: Range,
): NotSeen {
  const unread = db
    .prepare<[string, string], Counted>(
      `SELECT endpoint_domain || ': ' || uninspectable AS name, count(*) AS count
       FROM exchanges WHERE timestamp >= ? AND timestamp < ? AND uninspectable IS NOT NULL
       GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`,
    )
    .all(...range)
  if (!hasCoverage(db))
    return {
      since: null,
      ...{ connections: 0, seen: 0, reasons: [] },
      unread,
      dropped: 0,
    }
  // Whole days: that of the beginning, when some of it lies before, is none of them.
  const until = dateText(untilMs - 1, timezone)
  const first = dateText(sinceMs, timezone)
  const isWhole = first === until || first !== dateText(sinceMs - 1, timezone)
  const since = isWhole ? first : dayAfter(first)
  const { all, reasons, uncounted } = readCoverage(db, { since, until, zone: timezone })
  return {
    since,
    connections: all.total,
    seen: all.inspected,
    reasons: reasons
      .filter(({ group }) => group !== 'inspected')
      .slice(0, MOST_LINES)
      .map((line) => ({
        ...line,
        says: describeReason(line.reason) ?? line.reason,
      })),
    unread,
    dropped: uncounted,
  }
}
