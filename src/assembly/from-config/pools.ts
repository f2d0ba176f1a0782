/** The pools behind doors: their targets by base URL, and what holds for all of them. */
import type { Config } from '../../../config/schema.js'
import { formatSocketAddress } from '../../core/address.js'
import type { DoorPool, DoorTarget, Fallback, PooledTarget } from '../../policy/door.js'
import type { PoolLimits, TargetSettings } from '../../pools/settings.js'
import { milliseconds } from './milliseconds.js'
import { targetOf, withIdentity } from './door-target.js'

type Settings = Config['gateway']['providers'][string]

/** Requests that one connection of HTTP/2 carries at most. */
const STREAMS = 100

export interface PoolParts {
  /** Of each target, in order: the certificate of ours that is shown there. */
  readonly identities: readonly (string | undefined)[]
  /** It is asked over HTTP/2. */
  readonly isH2: (target: DoorTarget) => boolean
}

/** Undefined: it has none. */
export function poolOf(
  name: string,
  { pool, balance }: Pick<Settings, 'pool' | 'balance'>,
  limits: Config['gateway']['pools'],
  { identities, isH2 }: PoolParts,
): DoorPool | undefined {
  if (pool.length === 0) return undefined
  const targets: PooledTarget[] = []
  const settings: TargetSettings[] = []
  const ids = new Set<string>()
  for (const [index, one] of pool.entries()) {
    const target = withIdentity(targetOf(new URL(one.base_url)), identities[index])
    const id = unique(one.name ?? addressOf(target), ids)
    targets.push({ target, key: one.key && keyOf(one.key) })
    settings.push({
      id,
      weight: one.weight,
      priority: one.priority,
      maxRequests: one.max_requests,
      maxConnections: one.max_connections,
      perConnection: isH2(target) ? STREAMS : 1,
    })
  }
  return {
    settings: { name, balance, targets: settings, limits: limitsOf(limits) },
    targets,
  }
}

/** One target as a pool, for who may be asked in the place of another. */
export function poolOfOne(
  name: string,
  target: DoorTarget,
  limits: Config['gateway']['pools'],
  isH2: PoolParts['isH2'],
): DoorPool {
  const one = {
    ...{ id: addressOf(target), weight: 1, priority: 0 },
    ...{ maxRequests: 1000, maxConnections: 1000 },
    perConnection: isH2(target) ? STREAMS : 1,
  }
  return {
    settings: {
      name,
      balance: 'round_robin',
      targets: [one],
      limits: limitsOf(limits),
    },
    targets: [{ target, key: undefined }],
  }
}

export function fallbacksOf({ fallback }: Pick<Settings, 'fallback'>): Fallback[] {
  return fallback.map(({ provider, match, model, prefer, slower_than: slower, on }) => ({
    provider,
    match,
    model,
    isPreferred: prefer,
    isForErrors: on.includes('error'),
    isForBudgets: on.includes('budget'),
    slowerThanMs:
      slower === undefined || !on.includes('latency') ? undefined : milliseconds(slower),
  }))
}

function keyOf(key: { reveal(): string }): () => string {
  return () => key.reveal()
}

function addressOf({ host, port }: PooledTarget['target']): string {
  return formatSocketAddress({ address: host, port })
}

function unique(name: string, taken: Set<string>): string {
  let id = name
  for (let n = 2; taken.has(id); n++) id = `${name}#${n}`
  taken.add(id)
  return id
}

function limitsOf(pools: Config['gateway']['pools']): PoolLimits {
  return {
    ejectAfter: pools.eject_after,
    breakerShare: pools.breaker_share,
    breakerRequests: pools.breaker_requests,
    breakerWindowMs: milliseconds(pools.breaker_window),
    ejectMs: milliseconds(pools.eject_time),
    ejectMostMs: milliseconds(pools.eject_time_most),
    slowStartMs: milliseconds(pools.slow_start),
    healthEveryMs: milliseconds(pools.health_interval),
    healthFailures: pools.health_failures,
    retries: pools.retries,
    retryShare: pools.retry_share,
    retriesAtLeast: pools.retries_at_least,
    waitMs: milliseconds(pools.wait),
    waiting: pools.waiting,
    retryAfterMostMs: milliseconds(pools.retry_after),
  }
}
