/** The ways that one request may take to somebody who answers it, in the order of asking. Pure. */
import type { UpstreamBody } from '../../net/upstream-words.js'
import type { FallbackWay, PooledWay, Taken } from './pooled-way.js'

/** Another provider, and the model that it is asked for. */
export interface ServedBy {
  readonly provider: string
  readonly model: string | undefined
}

/** A way with what goes by it, where that is another than the provider's own. */
export interface Course {
  readonly way: PooledWay
  readonly taken?: Taken
  readonly other?: ServedBy
}

export interface Sending {
  readonly body: UpstreamBody
  /** The money for it is spent. */
  readonly isSpent?: boolean
}

/**
 * In the order in which they are asked; those that are not for this request are left out. Where
 * the money for it is spent there may be none.
 */
export function coursesOf(own: PooledWay, { body, isSpent = false }: Sending): Course[] {
  if (isSpent) return sparesOf(own, body)
  const first: Course[] = []
  const then: Course[] = []
  for (const way of own.fallbacks ?? []) {
    const course = courseBy(way, body)
    if (course === undefined) continue
    if (isAskedFirst(way, own)) first.push(course)
    else if (way.isForErrors) then.push(course)
  }
  return [...first, { way: own }, ...then]
}

/** Those that are there for when the money is spent, and cost none. */
export function sparesOf({ fallbacks = [] }: PooledWay, body: UpstreamBody): Course[] {
  return fallbacks.flatMap((way) => {
    const course = way.isForBudgets ? courseBy(way, body) : undefined
    return course !== undefined && way.isFree(course.other?.model) ? [course] : []
  })
}

function courseBy(way: FallbackWay, body: UpstreamBody): Course | undefined {
  const taken = way.takes(body)
  if (taken === undefined) return undefined
  return { way, taken, other: { provider: way.provider, model: taken.model } }
}

function isAskedFirst(
  { isPreferred, slowerThanMs, pool }: FallbackWay,
  own: PooledWay,
): boolean {
  if (!isPreferred && slowerThanMs === undefined) return false
  const isSlow = slowerThanMs !== undefined && (own.pool.latencyMs ?? 0) > slowerThanMs
  return (isPreferred || isSlow) && pool.isUp
}
