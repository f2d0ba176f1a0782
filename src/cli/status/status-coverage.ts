/** What was seen and what was not: every connection that ended, counted in exactly one place. */
import type { CoverageLine, CoverageReport } from '../../audit/coverage-queries.js'
import { printable } from '../../audit/printable.js'
import { openReader } from '../../audit/queries.js'
import {
  COVERAGE_GROUPS,
  describeReason,
  isCoverage,
  wayOut,
} from '../../core/coverage.js'
import { cell, table } from '../print-table.js'
import { householdNames } from './household-names.js'
import type { Finding, StatusSection } from './status-section.js'

export const coverageSection: StatusSection = {
  name: 'coverage',
  read({ config, clock, days }): Finding {
    using reader = openReader(config.audit.database)
    const wall = { nowMs: clock.now(), zone: config.enforcement.timezone }
    const report = reader.coverage(wall, days)
    const names = householdNames(config, clock.now())
    const level = report.uncounted > 0 ? 'notice' : 'good'
    return { level, facts: report, lines: [...linesOf(report, names)] }
  },
}

function* linesOf(
  report: CoverageReport,
  names: ReadonlyMap<string, string>,
): Iterable<string> {
  const { all, since, timezone, otherZones, uncounted } = report
  const shares = COVERAGE_GROUPS.map((group) => `${all[group]} ${group}`)
  yield `since ${since} (${timezone}): ${all.total} connections = ${shares.join(' + ')}`
  if (otherZones.length > 0)
    yield `some of it was counted by days of ${otherZones.map(printable).join(', ')}`
  if (uncounted > 0)
    yield `${uncounted} more could not be written down and are in none of these counts`
  if (all.total === 0) return
  const why = report.reasons
    .filter(({ reason }) => reason !== 'inspected')
    .map(({ group, reason, count }) => [String(count), group, says(reason)])
  if (why.length > 0) yield* titled(['', 'how', 'why'], why)
  for (const { reason } of report.reasons) {
    const remedy = isCoverage(reason) ? wayOut(reason) : undefined
    if (remedy !== undefined) yield `${says(reason)}: ${remedy}`
  }
  yield* titled(
    ['device', ...HEAD],
    report.devices.map((line) => cells(named(line, names))),
  )
  yield* titled(['name', ...HEAD], report.names.map(cells))
}

const HEAD = ['all', ...COVERAGE_GROUPS]

function named(line: CoverageLine, names: ReadonlyMap<string, string>): CoverageLine {
  const hostname = names.get(line.name) ?? line.hostname
  return hostname === undefined ? line : { ...line, hostname }
}

function cells(line: CoverageLine): string[] {
  const name = line.hostname === undefined ? line.name : `${line.hostname} (${line.name})`
  return [cell(name), ...[line.total, ...COVERAGE_GROUPS.map((g) => line[g])].map(String)]
}

function* titled(head: string[], rows: string[][]): Iterable<string> {
  yield ''
  for (const line of table(head, rows)) yield line.trimEnd()
}

/** A later version may have written what this one has no words for. */
function says(reason: string): string {
  return describeReason(reason) ?? printable(reason)
}
