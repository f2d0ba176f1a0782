/** Feeds mutated inputs to a target until the time is over or something breaks. */
import { mutate, randomFrom } from './mutate.js'
import type { FuzzTarget } from './target.js'

export interface FuzzOptions {
  readonly seed: number
  /** True: stop. Asked before each input. */
  readonly done: (inputs: number) => boolean
  /** Milliseconds; a slower input is a hang. */
  readonly maxInputMs: number
}

export type FuzzOutcome =
  | { readonly kind: 'held'; readonly inputs: number; readonly slowestMs: number }
  | { readonly kind: 'broke'; readonly input: Buffer; readonly why: string }

/** Inputs that reach far are kept as starting points; so many at most. */
const MAX_POOL = 500

export function fuzz(target: FuzzTarget, options: FuzzOptions): FuzzOutcome {
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
  }
  return { kind: 'held', inputs, slowestMs }
}
