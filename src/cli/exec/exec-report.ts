/** What is said at the end of `yori exec`: what came through YORI, and what did not. Pure. */
import type { TaggedSums } from '../../audit/session-queries.js'
import { printable } from '../../audit/printable.js'
import { dollars } from '../print-table.js'
import type { RelayCounts } from './relay.js'

/** Names and addresses that are listed. */
const MOST_LISTED = 5

export interface ExecFacts {
  readonly relayed: RelayCounts
  /** Addresses that were dialled past it; undefined: this system does not tell. */
  readonly passedBy: ReadonlySet<string> | undefined
  /** Undefined: the record of the YORI that was used is not on this machine. */
  readonly recorded: TaggedSums | undefined
}

/** One line, with its end. */
export function execReport({ relayed, passedBy, recorded }: ExecFacts): string {
  const past = passedBy?.size ?? 0
  const { connections, failed, names } = relayed
  const total = connections + past
  if (total === 0) return 'yori: the program made no connection that was seen\n'
  const came =
    past === 0 && failed === 0
      ? `${connections} ${connections === 1 ? 'connection' : 'connections'} came through YORI`
      : `${connections - failed} of ${total} connections came through YORI`
  const parts = [`${came}${listed(names.keys())}`]
  if (failed > 0) parts.push(`${failed} were not taken by it`)
  if (past > 0)
    parts.push(
      `at least ${past} went past it, to ${[...first(passedBy ?? [])].join(', ')}`,
    )
  if (recorded !== undefined) parts.push(recordText(recorded))
  return `yori: ${parts.join('; ')}\n`
}

function recordText({
  exchanges,
  blocked,
  tokens,
  microUsd,
  atMostMicroUsd,
  unpriced,
}: TaggedSums): string {
  if (exchanges === 0) return 'nothing was recorded: no provider was asked'
  const requests = exchanges === 1 ? 'request' : 'requests'
  const sums = tokens === 0 ? '' : `, ${tokens} tokens, $${dollars(microUsd)}`
  const most = atMostMicroUsd > 0 ? `: at most $${dollars(atMostMicroUsd)} more` : ''
  const unknown = unpriced === 0 ? '' : ` (${unpriced} without a known price${most})`
  const stopped = blocked === 0 ? '' : `, ${blocked} blocked`
  return `${exchanges} ${requests} recorded${stopped}${sums}${unknown}`
}

function listed(names: Iterable<string>): string {
  const shown = [...first(names)]
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`
}

function* first(names: Iterable<string>): Iterable<string> {
  let count = 0
  for (const name of names) {
    if (count++ === MOST_LISTED) {
      yield '...'
      return
    }
    yield printable(name)
  }
}
