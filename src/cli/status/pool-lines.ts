/** The pools of the running YORI for people: a line a pool, and one for each target that is not up. */
import { printable } from '../../audit/printable.js'

interface Target {
  readonly id?: unknown
  readonly standing?: unknown
  readonly share?: unknown
  readonly active?: unknown
  readonly max_requests?: unknown
  readonly out_for_seconds?: unknown
  readonly rests_for_seconds?: unknown
}

/** Of what `/api/status` says; nothing where there are none. `isWhole`: each is up. */
export function poolLines(pools: unknown): { lines: string[]; isWhole: boolean } {
  if (!Array.isArray(pools)) return { lines: [], isWhole: true }
  let isWhole = true
  const lines = pools.flatMap((pool: unknown) => {
    const { name, targets, active, waiting, waits } = pool as Record<string, unknown>
    const all = Array.isArray(targets) ? (targets as Target[]) : []
    const up = all.filter(({ standing }) => standing === 'up').length
    if (up < all.length) isWhole = false
    const head = `pool ${text(name)}: ${up} of ${all.length} targets up, ${text(active)} requests`
    return [head, ...waitLines(waiting, waits), ...all.flatMap(about)]
  })
  return { lines, isWhole }
}

function waitLines(waiting: unknown, waits: unknown): string[] {
  const { late } = (waits ?? {}) as { late?: unknown }
  const now = Number(waiting) > 0 ? [`  ${text(waiting)} requests wait for room`] : []
  return Number(late) > 0
    ? [...now, `  ${text(late)} requests waited for room and had none in time`]
    : now
}

function about(target: Target): string[] {
  const { active, max_requests: most } = target
  const isFull = most !== undefined && Number(active) >= Number(most)
  const full = `  ${text(target.id)} has all the ${text(most)} requests that it may have`
  return [...(isFull ? [full] : []), ...standingOf(target)]
}

function standingOf({ id, standing, share, ...waits }: Target): string[] {
  const rests = Number(waits.rests_for_seconds)
  if (standing === 'up' && rests > 0)
    return [`  ${text(id)} asks to be left alone for ${rests} s`]
  if (standing === 'up')
    return Number(share) < 1
      ? [`  ${text(id)} is back, with ${Math.round(Number(share) * 100)} % of its weight`]
      : []
  const seconds = Number(waits.out_for_seconds)
  const when = seconds > 0 ? `for ${seconds} s` : 'until it answers one request'
  return [`  ${text(id)} is left out ${when}`]
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? printable(String(value))
    : '?'
}
