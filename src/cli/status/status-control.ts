/** The door to the running YORI: where its control plane is, and whether this was asked there. */
import { askRunning } from '../../control/ask.js'
import { printable } from '../../audit/printable.js'
import { bundleLines } from './bundle-lines.js'
import { countersLines } from './counters-lines.js'
import { poolLines } from './pool-lines.js'
import { shipLines } from './ship-lines.js'
import type { Finding, StatusSection } from './status-section.js'

interface Told {
  readonly pid?: unknown
  readonly control?: { readonly url?: unknown; readonly problem?: unknown }
  readonly pools?: unknown
  readonly ship?: unknown
  readonly counters?: unknown
  readonly sinks?: unknown
  readonly bundle?: unknown
}

export const controlSection: StatusSection = {
  name: 'control',
  async read({ config }): Promise<Finding> {
    const asked = await askRunning(config.state_dir, { path: '/api/status' })
    if (asked.kind === 'unreachable' || asked.status !== 200) {
      const reason =
        asked.kind === 'unreachable' ? asked.reason : `it answered ${asked.status}`
      const lines = [`told from the files alone: ${printable(reason)}`]
      return { level: 'good', facts: { asked: 'files', reason }, lines }
    }
    const { pid, control, pools, ship, sinks, counters, bundle } = asked.body as Told
    const { lines, isWhole } = poolLines(pools)
    const more: readonly unknown[] = Array.isArray(sinks) ? sinks : []
    const shipped = [ship, ...more].map(shipLines)
    const fleet = [...shipped, countersLines(counters), bundleLines(bundle)]
    const isFleetWhole = fleet.every((part) => part.isWhole)
    const url = typeof control?.url === 'string' ? control.url : undefined
    const problem = typeof control?.problem === 'string' ? control.problem : undefined
    return {
      level: problem === undefined && isWhole && isFleetWhole ? 'good' : 'notice',
      facts: { asked: 'daemon', ...(asked.body as object) },
      lines: [
        `asked the running YORI, process ${String(pid)}`,
        ...(url === undefined
          ? []
          : [`${printable(url)}/ (\`yori dashboard\` opens it)`]),
        ...(problem === undefined ? [] : [`could not listen on ${printable(problem)}`]),
        ...lines,
        ...fleet.flatMap((part) => part.lines),
      ],
    }
  },
}
