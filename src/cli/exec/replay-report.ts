/** What is said at the end of a replay: what was served, and what was asked and not recorded. Pure. */
import { printable } from '../../audit/printable.js'
import type { ReadRecordings } from '../../replay/recording-files.js'
import type { ReplayedProvider } from '../../replay/replayed-provider.js'

type Served = Pick<ReplayedProvider, 'counts' | 'unasked'>

/** Something was asked that no recording answers. */
export function replayFailed({ counts }: Served): boolean {
  return counts.missed > 0
}

/** A line for the counts, and one for each miss that is named; with their ends. */
export function replayReport({ counts, unasked }: Served, read: ReadRecordings): string {
  const { served, again, missed, misses } = counts
  const parts = [`${served} ${served === 1 ? 'answer' : 'answers'} from recordings`]
  if (again > 0) parts.push(`${again} of them once more`)
  if (unasked.length > 0) parts.push(`not asked for: ${unasked.length}`)
  if (read.unread.length > 0)
    parts.push(`files that could not be read: ${read.unread.length}`)
  if (missed > 0) parts.push(`${missed} missed`)
  const lines = misses.map(
    ({ asked, why }) => `yori: not recorded: ${printable(asked)}: ${printable(why)}`,
  )
  if (missed > misses.length) lines.push(`yori: and ${missed - misses.length} more`)
  return `${[...lines, `yori: ${parts.join('; ')}`].join('\n')}\n`
}
