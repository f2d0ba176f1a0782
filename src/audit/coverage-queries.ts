/**
 * What was seen and what was not, over a number of days: every connection that ended is in
 * exactly one of four groups, and each list here adds up to all of them. Days are those of the
 * household's zone.
 */
import type { Database } from 'better-sqlite3'
import { coverageGroup, isCoverage } from '../core/coverage.js'
import type { CoverageGroup } from '../core/coverage.js'
import { dateText, momentOnWall, zoneText } from '../core/moment-text.js'
import { timestampText } from './rows.js'

export type GroupCounts = Readonly<Record<CoverageGroup, number>> & {
  readonly total: number
}

export interface CoverageReason {
  readonly group: CoverageGroup
  /** The kind of coverage; of what was refused or failed, the code. */
  readonly reason: string
  readonly count: number
}

export interface CoverageLine extends GroupCounts {
  readonly name: string
  readonly hostname?: string
}

export interface CoverageReport {
  /** First and last day that are counted, of the household, as `2026-03-04`. */
  readonly since: string
  readonly until: string
  readonly timezone: string
  /** Zones by whose days some of it was counted before the household had this one. */
  readonly otherZones: readonly string[]
  readonly all: GroupCounts
  /** The most frequent first. */
  readonly reasons: readonly CoverageReason[]
  /** By MAC, or by IP where there is none; the last line may be the sum of all others. */
  readonly devices: readonly CoverageLine[]
  readonly names: readonly CoverageLine[]
  /** Connections that the store had to drop: they are in none of the counts. */
  readonly uncounted: number
}

const DAY_MS = 86_400_000

interface Within {
  readonly since: string
  readonly until: string
}

/** Days of a zone, both included; undefined is the system's. */
export interface Days extends Within {
  readonly zone: string | undefined
}

/** So many days, the one of `nowMs` included. */
export function daysUntil(nowMs: number, days: number, zone: string | undefined): Days {
  const until = dateText(nowMs, zone)
  // Dates are counted, not hours: a day may have 23 of them, or 25.
  const first = new Date(Date.parse(until) - (days - 1) * DAY_MS)
  return { since: first.toISOString().slice(0, 10), until, zone }
}
/** Lines of one list; what lies beyond is one line together. */
const MOST_LINES = 50
export const REST = '(rest)'
const MOST_ZONES = 8
const WITHIN = 'day BETWEEN @since AND @until'

interface Raw {
  readonly name: string
  readonly hostname: string | null
  readonly coverage: string
  readonly count: number
}

/** A file of an earlier version has no counts until a run brings it up to date. */
export function hasCoverage(db: Database): boolean {
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'coverage'"
  return db.prepare(table).get() !== undefined
}

/** @throws RangeError for a zone that Intl does not know */
export function readCoverage(db: Database, days: Days): CoverageReport {
  const { since, until, zone } = days
  const within = { since, until }
  const timezone = zone ?? zoneText(zone)
  const reasons = db
    .prepare<[Within], { coverage: string; code: string; count: number }>(
      `SELECT coverage, code, sum(connections) AS count FROM coverage WHERE ${WITHIN}
       GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
    )
    .all(within)
  const by = (name: 'device' | 'name_class'): readonly CoverageLine[] =>
    linesOf(
      db
        .prepare<[Within], Raw>(
          `SELECT ${name} AS name, ${name === 'device' ? 'max(hostname)' : 'NULL'} AS hostname,
             coverage, sum(connections) AS count
           FROM coverage WHERE ${WITHIN} GROUP BY ${name}, coverage`,
        )
        .iterate(within),
    )
  return {
    ...{ since, until, timezone },
    otherZones: zonesOf(db, within).filter((other) => other !== timezone),
    all: countsOf(reasons),
    reasons: reasons.map(({ coverage, code, count }) => ({
      group: groupOf(coverage),
      reason: code === '' ? coverage : code,
      count,
    })),
    devices: by('device'),
    names: by('name_class'),
    uncounted: droppedIn(db, days),
  }
}

/** A kind that this version does not know was not inspected, whatever it was. */
function groupOf(coverage: string): CoverageGroup {
  return (isCoverage(coverage) ? coverageGroup(coverage) : undefined) ?? 'tunnelled'
}

type Open = { -readonly [Group in keyof GroupCounts]: number }
const none = (): Open => ({ total: 0, inspected: 0, tunnelled: 0, refused: 0, failed: 0 })

function countsOf(parts: Iterable<{ coverage: string; count: number }>): GroupCounts {
  const counts = none()
  for (const { coverage, count } of parts) add(counts, groupOf(coverage), count)
  return counts
}

function add(counts: Open, group: CoverageGroup, count: number): void {
  counts[group] += count
  counts.total += count
}

function linesOf(rows: Iterable<Raw>): readonly CoverageLine[] {
  const lines = new Map<string, Open & { name: string; hostname?: string }>()
  for (const { name, hostname, coverage, count } of rows) {
    const line = lines.get(name) ?? { name, ...none() }
    if (hostname !== null) line.hostname = hostname
    add(line, groupOf(coverage), count)
    lines.set(name, line)
  }
  const sorted = [...lines.values()].sort(
    (a, b) => b.total - a.total || (a.name < b.name ? -1 : 1),
  )
  if (sorted.length <= MOST_LINES) return sorted
  const rest = { name: REST, ...none() }
  for (const line of sorted.slice(MOST_LINES - 1)) {
    for (const group of ['inspected', 'tunnelled', 'refused', 'failed'] as const)
      add(rest, group, line[group])
  }
  return [...sorted.slice(0, MOST_LINES - 1), rest]
}

/** In a file that no run has brought up to date yet, all are days of UTC. */
function zonesOf(db: Database, within: Within): readonly string[] {
  const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('coverage')")
  if (!columns.pluck().all().includes('zone')) return ['UTC']
  return db
    .prepare<[Within], string>(
      `SELECT DISTINCT zone FROM coverage WHERE ${WITHIN} ORDER BY 1 LIMIT ${MOST_ZONES}`,
    )
    .pluck()
    .all(within)
}

function droppedIn(db: Database, { since, until, zone }: Days): number {
  const beginning = (day: string, after: number): string =>
    timestampText(momentOnWall(Date.parse(day) + after, zone))
  const sum = db
    .prepare<[string, string], number | null>(
      `SELECT sum(details ->> 'connections') FROM events
       WHERE event_type = 'audit.dropped' AND timestamp >= ? AND timestamp < ?`,
    )
    .pluck()
    .get(beginning(since, 0), beginning(until, DAY_MS))
  return sum ?? 0
}
