/** How things stand at the moment of the question: what parts of YORI count themselves. */
import { memoryUsage, cpuUsage } from 'node:process'
import type { Appliance } from '../assembly/appliance.js'
import type { Clock } from '../core/clock.js'
import { WORDS } from '../household/holds.js'
import { unfolding, windows } from '../http/unfolding.js'
import type { SteeringStands } from '../../pf/steering-keeper.js'
import type { Family } from './instruments.js'
import { looked, timed } from './instruments.js'
import { answerFamilies } from './answer-families.js'
import { poolFamilies } from './pool-families.js'
import type { LoopDelay } from './loop-delay.js'
import { processorFamilies } from './processors.js'
import type { TrafficMetrics } from './traffic.js'

export interface StateSources {
  readonly appliance: Pick<
    Appliance,
    | 'audit'
    | 'connections'
    | 'conversations'
    | 'current'
    | 'holds'
    | 'reloads'
    | 'steering'
  >
  readonly traffic: Pick<TrafficMetrics, 'open'>
  readonly delay: LoopDelay | undefined
  readonly clock: Clock
  readonly version: string
  readonly startedAt: number
}

export function stateFamilies(sources: StateSources): Family[] {
  const { answers, pools, processors } = sources.appliance.current.services
  return [
    ...aboutYori(sources),
    ...aboutTraffic(sources),
    ...aboutSteering(sources.appliance.steering),
    ...poolFamilies(pools.all),
    ...answerFamilies(answers),
    ...processorFamilies(processors),
    ...aboutStore(sources),
  ]
}

function aboutYori({
  appliance,
  delay,
  clock,
  version,
  startedAt,
}: StateSources): Family[] {
  const { services, config } = appliance.current
  const { rss, heapUsed, external } = memoryUsage()
  const { user, system } = cpuUsage()
  const concerns = services.concerns()
  const isUsable = services.roots.condition(clock.now()).kind !== 'unusable'
  const kinds = ['clock', 'descriptors', 'store', 'ship', 'counters'] as const
  return [
    looked('gauge', 'yori_info', 'Which YORI this is.', [
      [{ version, node: process.versions.node, mode: config.mode }, 1],
    ]),
    looked(
      'gauge',
      'yori_start_time_seconds',
      'When it started, Unix time.',
      startedAt / 1000,
    ),
    looked(
      'counter',
      'yori_reloads_total',
      'Configurations taken since.',
      appliance.reloads,
    ),
    looked(
      'gauge',
      'yori_enforcement_enabled',
      '1 while policies may block.',
      config.enforcement.enabled ? 1 : 0,
    ),
    looked('gauge', 'yori_ca_usable', '1 while the CA can sign.', isUsable ? 1 : 0),
    looked(
      'gauge',
      'yori_concern',
      '1 while something is wrong with the machine or its surroundings.',
      kinds.map((kind) => [{ kind }, concerns.some((one) => one.kind === kind) ? 1 : 0]),
    ),
    looked('gauge', 'yori_memory_bytes', 'Memory of the process.', [
      [{ kind: 'resident' }, rss],
      [{ kind: 'heap' }, heapUsed],
      [{ kind: 'external' }, external],
    ]),
    looked('counter', 'yori_cpu_seconds_total', 'CPU time of the process.', [
      [{ mode: 'user' }, user / 1e6],
      [{ mode: 'system' }, system / 1e6],
    ]),
    looked(
      'gauge',
      'yori_event_loop_delay_seconds',
      'How long work waited for the event loop since the last question.',
      delay === undefined
        ? []
        : [
            [{ stat: 'mean' }, delay.mean],
            [{ stat: 'p99' }, delay.p99],
            [{ stat: 'max' }, delay.max],
          ],
    ),
  ]
}

function aboutTraffic({ appliance, traffic }: StateSources): Family[] {
  const { services } = appliance.current
  const sessions = appliance.conversations.counts()
  return [
    looked(
      'gauge',
      'yori_open_connections',
      'Connections of clients that are open.',
      appliance.connections,
    ),
    looked('gauge', 'yori_open_requests', 'Exchanges under way.', traffic.open),
    looked(
      'gauge',
      'yori_undecided_connections',
      'Connections of which nothing is known yet.',
      services.undecided.waiting,
    ),
    looked(
      'gauge',
      'yori_held_for_approval',
      'Requests that wait for the word of an adult.',
      appliance.holds.size,
    ),
    looked(
      'counter',
      'yori_holds_total',
      'Requests that waited for the word of an adult, by what became of them.',
      WORDS.map((word) => [{ word }, appliance.holds.told[word]]),
    ),
    looked(
      'gauge',
      'yori_held_body_bytes',
      'Bytes of bodies that are held to be looked at.',
      services.held.held,
    ),
    looked(
      'gauge',
      'yori_decoder_window_bytes',
      'Bytes of windows of compressed bodies that are undone as they come.',
      windows.taken,
    ),
    looked(
      'counter',
      'yori_decoder_waits_total',
      'Compressed bodies that waited for room to be undone.',
      windows.waits + unfolding.waits,
    ),
    looked(
      'gauge',
      'yori_upstream_connections',
      'Connections to providers, open or opening.',
      services.upstream.connections,
    ),
    looked(
      'gauge',
      'yori_upstream_waiting_for_connection',
      'Requests that have a target and wait for one of its connections.',
      services.upstream.waiting ?? 0,
    ),
    looked(
      'gauge',
      'yori_sessions_active',
      'Conversations that are remembered.',
      sessions.active,
    ),
    looked(
      'counter',
      'yori_sessions_created_total',
      'Conversations that began.',
      sessions.created,
    ),
    looked('counter', 'yori_sessions_ended_total', 'Conversations that ended, by why.', [
      [{ why: 'idle' }, sessions.expired],
      [{ why: 'room' }, sessions.evicted],
    ]),
    looked(
      'counter',
      'yori_sessions_fragmented_total',
      'Conversations that began with history that nobody here has seen.',
      sessions.fragmented,
    ),
    looked(
      'counter',
      'yori_session_lookups_total',
      'Requests that went on with a conversation (hit), by signs alone (fuzzy), or began one.',
      [
        [{ result: 'hit' }, sessions.hits - sessions.fuzzyMatches],
        [{ result: 'fuzzy' }, sessions.fuzzyMatches],
        [{ result: 'miss' }, sessions.misses],
      ],
    ),
  ]
}

function aboutSteering({ wished, led, offSeconds }: SteeringStands): Family[] {
  return [
    looked(
      'gauge',
      'yori_steering_wished',
      '1 while packets are to be led here (`yori pf apply`).',
      wished ? 1 : 0,
    ),
    looked(
      'gauge',
      'yori_steering_up',
      '1 while packets of a family are led here, looked at every 30 s.',
      (['inet', 'inet6'] as const).map((family) => [
        { family },
        led.includes(family) ? 1 : 0,
      ]),
    ),
    looked(
      'counter',
      'yori_steering_off_seconds_total',
      'Time in which packets were to be led here and could not be.',
      offSeconds,
    ),
  ]
}

function aboutStore({ appliance }: StateSources): Family[] {
  const { counts, health } = appliance.audit
  const kinds = ['connections', 'exchanges', 'events'] as const
  const by = (of: Readonly<Record<(typeof kinds)[number], number>>) =>
    kinds.map((kind) => [{ kind }, of[kind]] as const)
  return [
    looked(
      'gauge',
      'yori_store_writable',
      '1 while the record can be written.',
      health.kind === 'ok' ? 1 : 0,
    ),
    looked(
      'counter',
      'yori_store_rows_written_total',
      'Rows of the record that were written.',
      by(counts.written),
    ),
    looked(
      'counter',
      'yori_store_rows_dropped_total',
      'Rows of the record that are missing.',
      by(counts.dropped),
    ),
    looked(
      'counter',
      'yori_store_bodies_dropped_total',
      'Bodies that were left out for want of room.',
      counts.bodiesDropped,
    ),
    looked('gauge', 'yori_store_queue_rows', 'Rows that hold a place.', counts.held),
    looked(
      'counter',
      'yori_store_batches_total',
      'Transactions handed to the writer.',
      counts.batches,
    ),
    timed(
      'yori_store_write_duration_seconds',
      'Transactions of the record, in its writer.',
      counts.writing,
    ),
    looked(
      'counter',
      'yori_store_worker_restarts_total',
      'Times that the writer had to be started again.',
      counts.workerRestarts,
    ),
  ]
}
