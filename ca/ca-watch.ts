/**
 * Tells when the CA cannot be used, when somebody has to renew it, and when all is well again:
 * in the log, and as an event. Looks once a second, repeats itself once an hour.
 */
import type { CaCondition } from './condition.js'
import type { Clock } from '../src/core/clock.js'
import type { Log } from '../src/core/log.js'
import { unreachable } from '../src/core/unreachable.js'
import type { Watched } from '../src/core/watched.js'

const REPEAT_MS = 3_600_000

export interface CaWatchOptions {
  readonly condition: (nowMs: number) => CaCondition
  readonly clock: Clock
  readonly log: Log
  readonly event: (kind: string, details: Readonly<Record<string, unknown>>) => void
}

export class CaWatch implements Watched {
  readonly #options: CaWatchOptions
  #told: CaCondition['kind'] = 'good'
  #toldAt = -Infinity

  constructor(options: CaWatchOptions) {
    this.#options = options
  }

  tick(now: number): void {
    const { condition, clock, event } = this.#options
    const found = condition(clock.now())
    const isNew = found.kind !== this.#told
    if (!isNew && (found.kind === 'good' || now - this.#toldAt < REPEAT_MS)) return
    this.#told = found.kind
    this.#toldAt = now
    this.#say(found)
    if (isNew)
      event(EVENTS[found.kind], found.kind === 'good' ? {} : { reason: found.reason })
  }

  #say(found: CaCondition): void {
    const { log } = this.#options
    switch (found.kind) {
      case 'good':
        return log.info({}, 'the CA can be used again')
      case 'renewal-due':
        return log.warn({ reason: found.reason }, 'the CA is due for renewal')
      case 'unusable': {
        const says = 'the CA cannot be used: everything passes untouched'
        return log.error({ code: 'YORI_CA_UNUSABLE', reason: found.reason }, says)
      }
      default:
        return unreachable(found)
    }
  }
}

const EVENTS = {
  good: 'ca-usable',
  'renewal-due': 'ca-renewal-due',
  unusable: 'ca-unusable',
} as const satisfies Record<CaCondition['kind'], string>
