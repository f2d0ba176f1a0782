/**
 * Answers that a policy gave a moment ago to the very same question: the same device, minute,
 * counters and words. The key holds every value that the policy looks at, and the device
 * always; a policy belongs to one load of the policies, and so does its cache. What was looked
 * at by hash has its length in the key as well.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import { Recent } from '../core/recent.js'
import type { Opinion, PolicyInput } from './policy.js'
import type { Reads } from './rego-reads.js'

export interface CacheLimits {
  readonly maxAnswers: number
  readonly ttlMs: number
}

export const CACHE_LIMITS: CacheLimits = { maxAnswers: 1000, ttlMs: 60_000 }

/** `undefined` is an answer too. */
interface Kept {
  readonly opinion: Opinion | undefined
  readonly until: number
}

/** Paths whose values are never the same twice, or cost more to compare than to judge. */
const NEVER: readonly string[] = [
  '',
  'request',
  'request.id',
  'request.timestamp',
  'request.body',
  'request.headers',
]
/** A text longer than this stands in the key as its hash. */
const SHORT_TEXT = 64

export class AnswerCache {
  readonly #answers: Recent<string, Kept>
  readonly #paths: readonly (readonly string[])[]
  readonly #ttlMs: number
  readonly #clock: Pick<Clock, 'monotonic'>

  private constructor(
    paths: readonly string[],
    clock: Pick<Clock, 'monotonic'>,
    limits: CacheLimits,
  ) {
    this.#paths = paths.map((path) => path.split('.'))
    this.#answers = new Recent({ max: limits.maxAnswers })
    this.#ttlMs = limits.ttlMs
    this.#clock = clock
  }

  /** Undefined for a policy whose answers cannot be kept, or need not be. */
  static for(
    reads: Reads,
    clock: Pick<Clock, 'monotonic'>,
    limits: CacheLimits = CACHE_LIMITS,
  ): AnswerCache | undefined {
    const paths = [...reads.input].sort()
    const never = (path: string): boolean =>
      NEVER.some((one) => path === one || (one !== '' && path.startsWith(`${one}.`)))
    if (reads.unsteady || paths.some(never)) return undefined
    // A few look-ups are cheaper judged than remembered; a prompt is not.
    if (!paths.includes('prompt') && !paths.includes('prompt_end')) return undefined
    return new AnswerCache(paths, clock, limits)
  }

  keyOf(input: PolicyInput): string {
    const { ip, mac, name, groups } = input.device
    const values = this.#paths.map((path) => shown(at(input, path)))
    return JSON.stringify([ip, mac, name, groups, values])
  }

  get(key: string): { readonly opinion: Opinion | undefined } | undefined {
    const kept = this.#answers.get(key)
    if (kept === undefined || this.#clock.monotonic() < kept.until) return kept
    this.#answers.delete(key)
    return undefined
  }

  set(key: string, opinion: Opinion | undefined): void {
    this.#answers.set(key, { opinion, until: this.#clock.monotonic() + this.#ttlMs })
  }
}

function at(input: PolicyInput, path: readonly string[]): unknown {
  let value: unknown = input
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

function shown(value: unknown): unknown {
  if (value === undefined) return []
  if (typeof value !== 'string' || value.length <= SHORT_TEXT) return value
  return [value.length, createHash('sha256').update(value).digest('base64')]
}
