/** What an evaluation may be told, and what it begins with. */
import { Meter } from './limits.js'
import type { QueryState } from './context.js'
import type { RegexEngine } from './regex.js'

/** What an evaluation may spend, and what it gets from outside. All have defaults. */
export interface EvaluateOptions {
  /** Steps that an evaluation may take. Default 100,000: under 10 ms of the event loop. */
  readonly maxSteps?: number
  /** Milliseconds by `monotonic`, looked at after the first 4,096 steps. Default 5; Infinity for none. */
  readonly deadlineMs?: number
  /** A clock in milliseconds that never goes back. Default `performance.now`. */
  readonly monotonic?: () => number
  /** Errors of built-ins end the evaluation, where they otherwise are undefined. */
  readonly strict?: boolean
  /** Nanoseconds since the Unix epoch. Default: the wall clock's. */
  readonly nowNs?: bigint
  /** A double in `[0, 1)`; without it a generator seeded by `seed`. */
  readonly random?: () => number
  /** For the generator that `rand.intn` and `uuid.rfc4122` draw from. Default 1: repeatable. */
  readonly seed?: number
  /** Where `print` goes, a line a call. Default: nowhere. */
  readonly print?: (message: string) => void
  /** Where `trace` goes. Default: nowhere. */
  readonly trace?: (message: string) => void
  /** Told of each rule (by the line of its body) that held. */
  readonly covered?: (file: string, line: number) => void
}

const DEFAULT_MAX_STEPS = 100_000
const DEFAULT_DEADLINE_MS = 5

export function queryState(options: EvaluateOptions, regex: RegexEngine): QueryState {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
  const meter = new Meter({
    maxSteps: options.maxSteps ?? DEFAULT_MAX_STEPS,
    deadlineMs: deadlineMs === Infinity ? undefined : deadlineMs,
    monotonic: options.monotonic ?? (() => performance.now()),
  })
  return {
    meter,
    strict: options.strict ?? false,
    builtins: {
      nowNs: options.nowNs ?? BigInt(Date.now()) * 1_000_000n,
      random: options.random ?? seeded(options.seed ?? 1),
      step: (count) => meter.step(count),
      regex,
      print: options.print ?? ignore,
      trace: options.trace ?? ignore,
      cache: new Map(),
    },
    nondeterministic: new Map(),
    covered: options.covered,
  }
}

const ignore = (): void => undefined

/** A small generator (mulberry32): repeatable, not secret. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
