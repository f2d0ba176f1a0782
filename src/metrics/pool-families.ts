/** How the targets of pools stand, and what became of requests at them. */
import type { Pool, TargetSeen } from '../pools/pool.js'
import { looked } from './instruments.js'
import type { Family } from './instruments.js'

type Labels = Readonly<Record<string, string>>

/** Of each, none where there are no pools. */
export function poolFamilies(pools: readonly Pool[]): Family[] {
  const each = (
    values: (target: TargetSeen) => readonly (readonly [Labels, number])[],
  ): (readonly [Labels, number])[] =>
    pools.flatMap((pool) =>
      pool
        .seen()
        .flatMap((target) =>
          values(target).map(([labels, value]): [Labels, number] => [
            { pool: pool.settings.name, target: target.id, ...labels },
            value,
          ]),
        ),
    )
  const all = (value: (pool: Pool) => number): [Labels, number][] =>
    pools.map((pool) => [{ pool: pool.settings.name }, value(pool)])
  return [
    looked(
      'gauge',
      'yori_upstream_target_up',
      '1 while a target of a pool is asked.',
      each(({ standing }) => [[{}, standing === 'up' ? 1 : 0]]),
    ),
    looked(
      'gauge',
      'yori_upstream_target_active',
      'Requests that a target of a pool is answering.',
      each(({ active }) => [[{}, active]]),
    ),
    looked(
      'counter',
      'yori_upstream_target_requests_total',
      'Requests at a target of a pool, by how they ended.',
      each(({ ended }) =>
        Object.entries(ended).map(([outcome, count]) => [{ outcome }, count]),
      ),
    ),
    looked(
      'counter',
      'yori_upstream_ejections_total',
      'Times that a target of a pool was left out.',
      each(({ ejections }) => [[{}, ejections]]),
    ),
    looked(
      'counter',
      'yori_upstream_pool_retries_total',
      'Requests that went to a further target of their pool.',
      all(({ counts }) => counts.retries),
    ),
    looked(
      'counter',
      'yori_upstream_pool_retries_refused_total',
      'Retries for which there was no room.',
      all(({ counts }) => counts.retriesRefused),
    ),
    looked(
      'counter',
      'yori_upstream_fallbacks_total',
      'Requests that came to a pool from another provider.',
      all(({ counts }) => counts.fallbacks),
    ),
    looked(
      'gauge',
      'yori_upstream_target_max_requests',
      'Requests that a target of a pool may have at once.',
      each(({ maxRequests }) => [[{}, maxRequests]]),
    ),
    looked(
      'gauge',
      'yori_upstream_target_max_connections',
      'Connections to a target of a pool that there may be at once.',
      each(({ maxConnections }) => [[{}, maxConnections]]),
    ),
    looked(
      'gauge',
      'yori_upstream_pool_waiting',
      'Requests that wait for room at a target of a pool.',
      all(({ line }) => line.length),
    ),
    looked(
      'gauge',
      'yori_upstream_pool_waiting_max',
      'Requests that may wait so.',
      all(({ settings }) => settings.limits.waiting),
    ),
    looked(
      'gauge',
      'yori_upstream_pool_wait_max_seconds',
      'How long one waits so at most.',
      all(({ settings }) => settings.limits.waitMs / 1000),
    ),
    looked(
      'counter',
      'yori_upstream_pool_waits_total',
      'Requests that waited for room at a target of a pool, by how that ended.',
      pools.flatMap(({ settings: { name: pool }, line: { counts } }) =>
        (['served', 'late', 'left'] as const).map((outcome): [Labels, number] => [
          { pool, outcome },
          counts[outcome],
        ]),
      ),
    ),
    looked(
      'counter',
      'yori_upstream_no_target_total',
      'Requests for which a pool had no target.',
      all(({ counts }) => counts.noTarget),
    ),
  ]
}
