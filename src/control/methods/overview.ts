/**
 * The first page at a glance: the last 24 hours, what was not seen, and what waits for somebody.
 * One question to the record, kept for a moment, since every open page asks again and again.
 */
import { describeReason, isCoverage, wayOut } from '../../core/coverage.js'
import { momentText } from '../../core/moment-text.js'
import { trustsNow } from '../../core/trust.js'
import type { UsageWall } from '../../audit/session-queries.js'
import { json } from '../answer.js'
import type { Handler, Surroundings } from '../method.js'
import type { FoundBy } from '../reads.js'
import { wallOf } from '../query.js'
import { stateOf } from './state.js'

/** So old may it be; what is counted live is told by events. */
const KEPT_MS = 2_000
const MOST_UNTRUSTING = 20

interface Kept {
  readonly at: number
  readonly found: Promise<FoundBy<'overview'>>
}

const kept = new WeakMap<Surroundings['reader'], Kept>()

export const overview: Handler = async ({ on }) => {
  const { port } = on
  const nowMs = port.clock.now()
  const { config, services, authority } = port.appliance.current
  const { usage, activity, coverage } = await foundBy(on, wallOf(port))
  const condition = authority.condition(nowMs, (ms) =>
    momentText(ms, config.enforcement.timezone),
  )
  return json({
    now: new Date(nowMs).toISOString(),
    status: stateOf(port),
    mode: config.mode,
    timezone: config.enforcement.timezone ?? null,
    usage,
    activity: {
      hours: activity.hours.map((ms) => new Date(ms).toISOString()),
      devices: activity.devices,
    },
    coverage:
      coverage === null
        ? null
        : {
            since: coverage.since,
            timezone: coverage.timezone,
            all: coverage.all,
            uncounted: coverage.uncounted,
            reasons: coverage.reasons.map((line) => ({
              ...line,
              ...saidOf(line.reason),
            })),
          },
    dropped_rows: Object.values(port.appliance.audit.counts.dropped).reduce(
      (a, b) => a + b,
    ),
    waiting: {
      untrusting: untrusting(on),
      rotation: condition.kind === 'good' ? null : condition.reason,
      concerns: services.concerns().map(({ says }) => says),
      emergency: port.appliance.policyState.current.emergency !== undefined,
    },
  })
}

function foundBy({ reader }: Surroundings, wall: UsageWall): Kept['found'] {
  const before = kept.get(reader)
  if (before !== undefined && Math.abs(wall.nowMs - before.at) < KEPT_MS)
    return before.found
  const found = reader.ask('overview', wall)
  kept.set(reader, { at: wall.nowMs, found })
  found.catch(() => kept.delete(reader))
  return found
}

function saidOf(reason: string): { says: string | null; way_out: string | null } {
  const way = isCoverage(reason) ? wayOut(reason) : undefined
  return { says: describeReason(reason) ?? null, way_out: way ?? null }
}

/** Devices that turned our certificate away, the newest first. */
function untrusting({ port: { appliance } }: Surroundings): unknown[] {
  const { rootFingerprint } = appliance.current.services.roots
  return appliance.trust
    .entries()
    .filter((entry) => entry.root === rootFingerprint && !trustsNow(entry))
    .slice(0, MOST_UNTRUSTING)
    .map(({ device, ip, hostname, refusedAt, refusedName, refusedCause }) => ({
      device,
      ip,
      hostname: hostname ?? null,
      at: refusedAt === undefined ? null : new Date(refusedAt).toISOString(),
      name: refusedName ?? null,
      cause: refusedCause ?? null,
    }))
}
