/**
 * The child process that asks policies about what was recorded: compiling and judging is work
 * for seconds or minutes, which neither the loop nor the daemon's memory is to bear. Told what
 * to ask by one message, it tells how far it is, then the answer, and ends.
 */
import { systemClock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { openReader } from '../audit/queries.js'
import { diffPolicies } from '../replay/policy-diff.js'
import { policyEffects } from '../replay/policy-effects.js'
import { MONTH_MS } from '../replay/recorded-input.js'
import type { FromChild, ToChild } from './what-if-jobs.js'

const TELL_MS = 250

process.once('message', (asked: ToChild) => {
  void answer(asked)
    .then((report) => tell({ kind: 'done', report }))
    .catch((cause: unknown) => {
      const isOurs = cause instanceof YoriError
      const why = cause instanceof Error ? cause.message : String(cause)
      return tell({
        kind: 'failed',
        why,
        wrong: isOurs && cause.code === 'YORI_CONFIG_INVALID',
      })
    })
    .finally(() => process.disconnect())
})

async function answer({ config, changed, sinceMs, mostRows }: ToChild): Promise<object> {
  const clock = systemClock
  let toldAt = -TELL_MS
  const total = rowsSince(config.audit.database, sinceMs - MONTH_MS)
  const progress = (seen: number): void => {
    if (clock.monotonic() - toldAt < TELL_MS) return
    toldAt = clock.monotonic()
    void tell({ kind: 'progress', seen, total })
  }
  progress(0)
  if (changed === undefined)
    return await policyEffects({ config, sinceMs, clock, mostRows, progress })
  let seen = 0
  const {
    interrupted: truncated,
    milliseconds: _ms,
    ...report
  } = await diffPolicies({
    ...{ config, changed, clock, since: new Date(sinceMs).toISOString() },
    progress: (rows) => progress((seen = rows)),
    interrupted: () => seen > mostRows,
  })
  return { ...report, truncated }
}

function rowsSince(database: string, sinceMs: number): number {
  using reader = openReader(database)
  return reader.count({ sinceMs })
}

function tell(message: FromChild): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve()
    process.send(message, () => resolve())
  })
}
