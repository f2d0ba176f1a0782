/**
 * The periods in which steering was wished for and could not be: lines that the supervisor
 * writes, `NUMBER FROM TO CAUSE STATE`, seconds since 1970, TO `-` while it lasts. Pure.
 */

export interface OffPeriod {
  /** Grows; the end of a period is a line of its own. */
  readonly number: number
  readonly fromMs: number
  /** Undefined: it had not ended when this was written. */
  readonly toMs: number | undefined
  /** `ended`, `no-answer`, `no-handshake`, `starting`, `stopped`, `not-loaded`. */
  readonly cause: string
  /** Meanwhile LLM traffic went direct, or was refused. */
  readonly state: 'open' | 'closed_llm'
}

const LINE = /^(\d{1,15}) (\d{1,12}) (-|\d{1,12}) ([a-z][a-z-]{0,31}) (open|closed_llm)$/

/** Lines of another form are left out. */
export function parseOffPeriods(text: string): OffPeriod[] {
  return text.split('\n').flatMap((line) => {
    const [, number, from, to, cause, state] = LINE.exec(line) ?? []
    if (number === undefined || cause === undefined) return []
    return [
      {
        number: Number(number),
        fromMs: Number(from) * 1000,
        toMs: to === '-' ? undefined : Number(to) * 1000,
        cause,
        state: state === 'closed_llm' ? 'closed_llm' : 'open',
      },
    ]
  })
}

/** Those that were not recorded yet; all of them when the count began anew. */
export function unseenOffPeriods(
  periods: readonly OffPeriod[],
  seen: number,
): OffPeriod[] {
  const last = periods.at(-1)?.number ?? 0
  return periods.filter(({ number }) => last < seen || number > seen)
}

/** Each period once, without those that had ended before; the last may still go on. */
export function offPeriodsSince(
  periods: readonly OffPeriod[],
  sinceMs: number,
): OffPeriod[] {
  const ended = new Set(
    periods.flatMap(({ fromMs, toMs }) => (toMs === undefined ? [] : [fromMs])),
  )
  return periods.filter(({ fromMs, toMs }) =>
    toMs === undefined ? !ended.has(fromMs) : toMs >= sinceMs,
  )
}

/** Milliseconds of the span in which nothing was steered. */
export function offMs(
  periods: readonly OffPeriod[],
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): number {
  return offPeriodsSince(periods, sinceMs).reduce((sum, { fromMs, toMs }) => {
    const from = Math.max(fromMs, sinceMs)
    return sum + Math.max(0, Math.min(toMs ?? nowMs, nowMs) - from)
  }, 0)
}
