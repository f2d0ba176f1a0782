/** Feeds mutated inputs to a target until the time is over or something breaks. */
import { mutate, randomFrom } from './mutate.js'
import type { Broken, FuzzTarget } from './target.js'

export interface FuzzOptions {
  readonly seed: number
  /** True: stop. Asked before each input. */
  readonly done: (inputs: number) => boolean
  /** Milliseconds; a slower input is a hang. */
  readonly maxInputMs: number
}

export type FuzzOutcome =
  | { readonly kind: 'held'; readonly inputs: number; readonly slowestMs: number }
  | ({ readonly kind: 'broke' } & Broken)

/** Inputs that reach far are kept as starting points; so many at most. */
const MAX_POOL = 500
/** Inputs between two times that what is pending is settled. */
const SETTLE_AFTER = 1_000

export async function fuzz(
  target: FuzzTarget,
  options: FuzzOptions,
): Promise<FuzzOutcome> {
  const random = randomFrom(options.seed)
  const pool = [...target.seeds()]
  let inputs = 0
  let slowestMs = 0
  for (; !options.done(inputs); inputs++) {
    const start = pool[Math.floor(random() * pool.length)] ?? Buffer.alloc(0)
    const input =
      inputs < pool.length ? (pool[inputs] ?? start) : mutate(start, pool, random)
    const began = performance.now()
    try {
      target.check(input, random)
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { kind: 'broke', input, why }
    }
    const tookMs = performance.now() - began
    slowestMs = Math.max(slowestMs, tookMs)
    if (tookMs > options.maxInputMs)
      return { kind: 'broke', input, why: `took ${tookMs.toFixed(0)} ms` }
    // A mutant of a mutant goes further from what is valid than one step does.
    if (pool.length < MAX_POOL && random() < 0.01) pool.push(input)
    const broken =
      inputs % SETTLE_AFTER === SETTLE_AFTER - 1 ? await target.settle?.() : undefined
    if (broken !== undefined) return { kind: 'broke', ...broken }
  }
  const broken = await target.settle?.()
  if (broken !== undefined) return { kind: 'broke', ...broken }
  return { kind: 'held', inputs, slowestMs }
}
