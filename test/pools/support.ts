/** Pools of made-up targets on a clock that stands still. */
import { Pool } from '../../src/pools/pool.js'
import type { Asking, Lease } from '../../src/pools/pool.js'
import type { Failure } from '../../src/pools/failures.js'
import type { PoolLimits, PoolSettings } from '../../src/pools/settings.js'
import { ManualClock } from '../support/manual-clock.js'

export const LIMITS: PoolLimits = {
  ejectAfter: 5,
  breakerShare: 0.5,
  breakerRequests: 20,
  breakerWindowMs: 10_000,
  ejectMs: 30_000,
  ejectMostMs: 300_000,
  slowStartMs: 30_000,
  healthEveryMs: 0,
  healthFailures: 3,
  retries: 2,
  retryShare: 0.2,
  retriesAtLeast: 3,
  retryAfterMostMs: 10_000,
  waitMs: 5_000,
  waiting: 100,
}

export const UNSENT: Failure = { kind: 'unsent' }

export interface MadePool {
  readonly pool: Pool
  readonly clock: ManualClock
  take(asking?: Partial<Asking>): Lease | undefined
  /** Asks whoever comes next, `times` times, and ends each so. Gives who was asked. */
  ask(times: number, end: (lease: Lease) => void): string[]
}

export function makePool(
  targets: readonly (string | Partial<PoolSettings['targets'][number]>)[],
  settings: Partial<Omit<PoolSettings, 'targets' | 'limits'>> & {
    limits?: Partial<PoolLimits>
  } = {},
): MadePool {
  const clock = new ManualClock(1_000_000)
  const pool = new Pool(
    {
      name: 'made',
      balance: 'round_robin',
      ...settings,
      limits: { ...LIMITS, ...settings.limits },
      targets: targets.map((one, i) => ({
        ...{ id: `t${i}`, weight: 1, priority: 0, maxRequests: 1000 },
        ...{ maxConnections: 1000, perConnection: 1 },
        ...(typeof one === 'string' ? { id: one } : one),
      })),
    },
    () => clock.monotonic(),
  )
  const take: MadePool['take'] = (asking = {}) =>
    pool.take({ without: new Set(), key: '', mayTry: true, ...asking })
  return {
    pool,
    clock,
    take,
    ask: (times, end) =>
      Array.from({ length: times }, () => {
        const lease = take()
        if (lease === undefined) return 'nobody'
        end(lease)
        return lease.id
      }),
  }
}

export const ok = (lease: Lease): void => lease.end({ kind: 'answered' })
export const fails = (lease: Lease): void =>
  lease.end({ kind: 'failed', failure: UNSENT })

export function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
