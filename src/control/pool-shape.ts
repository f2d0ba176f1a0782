/** A pool as the API tells it: times in seconds. */
import type { Pool, TargetSeen } from '../pools/pool.js'

export function poolShape(pool: Pool): Record<string, unknown> {
  const { settings, counts, active, line } = pool
  return {
    name: settings.name,
    balance: settings.balance,
    active,
    waiting: line.length,
    waiting_most: settings.limits.waiting,
    wait_seconds: settings.limits.waitMs / 1000,
    waits: { ...line.counts },
    retries: counts.retries,
    retries_refused: counts.retriesRefused,
    fallbacks: counts.fallbacks,
    no_target: counts.noTarget,
    targets: pool.seen().map(targetShape),
  }
}

function targetShape(target: TargetSeen): Record<string, unknown> {
  const { id, weight, priority, standing, active, ejections, ended, latencyMs } = target
  return {
    id,
    weight,
    priority,
    standing,
    share: Math.round(target.share * 100) / 100,
    active,
    max_requests: target.maxRequests,
    max_connections: target.maxConnections,
    ...ended,
    ejections,
    out_for_seconds: Math.round(target.outForMs / 1000),
    rests_for_seconds: Math.round(target.restsForMs / 1000),
    latency_ms: latencyMs === undefined ? null : Math.round(latencyMs),
  }
}
