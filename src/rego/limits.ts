/**
 * What one evaluation may spend. A step is one turn of a loop, one call or one rule; built-ins
 * add steps for work that grows with their operands. The clock is looked at once in 128
 * steps, and its verdict counts only after `minDeadlineSteps`: a process that was held up by
 * others is no runaway policy.
 */
import { EvalError } from './errors.js'
import { comparing } from './value.js'

export interface Limits {
  readonly maxSteps: number
  /** Undefined: no deadline. */
  readonly deadlineMs: number | undefined
  /** Milliseconds from any start; never goes back. */
  readonly monotonic: () => number
}

/** Steps between two looks at the clock. */
const SLICE = 128
const MIN_DEADLINE_STEPS = 4096
/** Members compared for the price of a step. */
const COMPARED_PER_STEP = 8

export class Meter {
  /** Steps left of this slice; code counts down here. */
  left: number
  readonly #limits: Limits
  readonly #startedMs: number
  /** Steps given out so far, the running slice included. */
  #given: number

  constructor(limits: Limits) {
    this.#limits = limits
    this.#startedMs = limits.deadlineMs === undefined ? 0 : limits.monotonic()
    this.left = Math.min(SLICE, limits.maxSteps)
    comparing.units = 0
    this.#given = this.left
  }

  get spent(): number {
    return this.#given - this.left
  }

  /** Charges for values that were compared since the last time. */
  compared(): void {
    const { units } = comparing
    if (units < COMPARED_PER_STEP) return
    comparing.units = 0
    this.step(Math.floor(units / COMPARED_PER_STEP))
  }

  step(count: number): void {
    this.left -= count
    if (this.left < 0) this.refill()
  }

  /** Called when `left` has gone below zero. Throws EvalError when all is spent. */
  refill(): void {
    const { maxSteps, deadlineMs, monotonic } = this.#limits
    const spent = this.#given - this.left
    if (spent > maxSteps) {
      throw new EvalError(
        'eval_budget_error',
        `the policy needs more than ${maxSteps} steps`,
      )
    }
    if (deadlineMs !== undefined && spent >= MIN_DEADLINE_STEPS) {
      if (monotonic() - this.#startedMs > deadlineMs) {
        throw new EvalError(
          'eval_deadline_error',
          `the policy needs more than ${deadlineMs} ms`,
        )
      }
    }
    this.left = Math.min(SLICE, maxSteps - spent)
    this.#given = spent + this.left
  }
}
