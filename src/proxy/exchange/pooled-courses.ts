/** The ways that one request may take to somebody who answers it, in the order of asking. Pure. */
import type { UpstreamBody } from '../../net/upstream-words.js'
import type { FallbackWay, PooledWay, Taken } from '../words/pooled-way.js'

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

/** In the order in which they are asked; those that are not for this request are left out. */
export function coursesOf(own: PooledWay, body: UpstreamBody): [Course, ...Course[]] {
  const first: Course[] = []
  const then: Course[] = []
  for (const way of own.fallbacks ?? []) {
    const course = courseBy(way, body)
    if (course === undefined) continue
    if (isAskedFirst(way, own)) first.push(course)
    else then.push(course)
  }
  const [one, ...others] = [...first, { way: own }, ...then]
  return [one ?? { way: own }, ...others]
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
