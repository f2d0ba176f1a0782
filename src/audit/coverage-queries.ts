/**
 * What was seen and what was not, over a number of days: every connection that ended is in
 * exactly one of four groups, and each list here adds up to all of them.
 */
import type { Database } from 'better-sqlite3'
import { coverageGroup, isCoverage } from '../core/coverage.js'
import type { CoverageGroup } from '../core/coverage.js'
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
  /** Day of UTC from which on it counts. */
  readonly since: string
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
/** Lines of one list; what lies beyond is one line together. */
const MOST_LINES = 50
export const REST = '(rest)'

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

/** `days` of UTC, the one of `nowMs` included. */
export function readCoverage(db: Database, nowMs: number, days: number): CoverageReport {
  const since = timestampText(nowMs - (days - 1) * DAY_MS).slice(0, 10)
  const reasons = db
    .prepare<[string], { coverage: string; code: string; count: number }>(
      `SELECT coverage, code, sum(connections) AS count FROM coverage WHERE day >= ?
       GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
    )
    .all(since)
  const by = (name: 'device' | 'name_class'): readonly CoverageLine[] =>
    linesOf(
      db
        .prepare<[string], Raw>(
          `SELECT ${name} AS name, ${name === 'device' ? 'max(hostname)' : 'NULL'} AS hostname,
             coverage, sum(connections) AS count
           FROM coverage WHERE day >= ? GROUP BY ${name}, coverage`,
        )
        .iterate(since),
    )
  return {
    since,
    all: countsOf(reasons),
    reasons: reasons.map(({ coverage, code, count }) => ({
      group: groupOf(coverage),
      reason: code === '' ? coverage : code,
      count,
    })),
    devices: by('device'),
    names: by('name_class'),
    uncounted: droppedSince(db, since),
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

function droppedSince(db: Database, since: string): number {
  const sum = db
    .prepare<[string], number | null>(
      `SELECT sum(details ->> 'connections') FROM events
       WHERE event_type = 'audit.dropped' AND timestamp >= ?`,
    )
    .pluck()
    .get(since)
  return sum ?? 0
}
