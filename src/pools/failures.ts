/**
 * What went wrong at a target, and whether another may be asked instead. Never once an answer
 * has begun to go to the client: that is seen to by whoever asks. Pure.
 */

export type Failure =
  /** Nothing of the request has gone, or the target says that it has not acted on it. */
  | { readonly kind: 'unsent' }
  /** There was no room for it in time, and nothing of it has gone. */
  | { readonly kind: 'full' }
  /** It has gone, and no answer has begun: the target may have acted on it. */
  | { readonly kind: 'unanswered' }
  /** The answer ended before its end. */
  | { readonly kind: 'cut' }
  | {
      readonly kind: 'status'
      readonly status: number
      /** What `Retry-After` says; undefined: nothing that can be read. */
      readonly retryAfterMs: number | undefined
    }

/** Gateways say so of what stands behind them; RFC 9110 §15.6.3 to §15.6.5. */
const ELSEWHERE: ReadonlySet<number> = new Set([502, 503, 504])
/** Too many requests, RFC 6585 §4. */
const TOO_MANY = 429
/** Anthropic's "overloaded". */
const OVERLOADED = 529

/**
 * May the same request go to another target? `isTrial`: this one is known to have failed and is
 * tried again with one request, which then is not that client's loss, however it failed.
 */
export function mayGoElsewhere(
  failure: Failure,
  { isTrial, retryAfterMostMs }: { isTrial: boolean; retryAfterMostMs: number },
): boolean {
  switch (failure.kind) {
    case 'unsent':
    case 'full':
      return true
    case 'unanswered':
      return isTrial
    case 'cut':
      return false
    case 'status': {
      const { status, retryAfterMs } = failure
      if (status === TOO_MANY && !isTrial)
        return retryAfterMs !== undefined && retryAfterMs <= retryAfterMostMs
      return isTrial || ELSEWHERE.has(status)
    }
  }
}

/** May another provider be asked? It has limits of its own: how long to wait here is no matter. */
export function mayFallBack(failure: Failure): boolean {
  switch (failure.kind) {
    case 'unsent':
    case 'full':
      return true
    case 'unanswered':
    case 'cut':
      return false
    case 'status': {
      const { status } = failure
      return status === TOO_MANY || status === OVERLOADED || ELSEWHERE.has(status)
    }
  }
}

/** Does it count against its target? */
export function isTargetsFault(failure: Failure): boolean {
  if (failure.kind === 'full') return false
  return failure.kind !== 'status' || failure.status >= 500
}

/**
 * How long a target wants to be left alone, in milliseconds; undefined: it does not say, or not so
 * that it can be read. A number of seconds or a date, RFC 9110 §10.2.3; `retry-after-ms` counts
 * before, as libraries of OpenAI and Anthropic read it.
 */
export function retryAfterMs(
  rawHeaders: readonly string[],
  nowMs: number,
): number | undefined {
  let found: number | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    const value = (rawHeaders[i + 1] as string).trim()
    if (name === 'retry-after-ms' && /^\d{1,12}(\.\d{1,6})?$/.test(value))
      return Number(value)
    if (name === 'retry-after') found = secondsOrDate(value, nowMs)
  }
  return found
}

function secondsOrDate(value: string, nowMs: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  // `Date.parse` takes more than RFC 9110 §5.6.7 has: a date of it begins with a day's name.
  const at = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value) ? Date.parse(value) : NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
