/** Conversations that ask a model more often than a person could follow. Bounded. */
import { Recent } from '../../core/recent.js'
import type { SeenExchange } from '../../proxy/words/observer.js'
import { alertDevice, known } from './rule.js'
import type { Happened } from './rule.js'

const MOST_SESSIONS = 1_024

interface Pace {
  /** Of the window under way. */
  from: number
  calls: number
  /** Of the one before it. */
  before: number
}

export interface RunawayLimits {
  readonly calls: number
  readonly withinMs: number
}

export class RunawayWatch {
  readonly #paces = new Recent<string, Pace>({ max: MOST_SESSIONS })

  /** A sliding window of two halves: never more than a window late. */
  ended(seen: SeenExchange, nowMs: number, limits: RunawayLimits): Happened | undefined {
    const { sessionId, agentId, device, program } = seen
    if (seen.call !== true || sessionId === undefined) return undefined
    const halfMs = limits.withinMs / 2
    const pace = this.#paces.get(sessionId) ?? { from: nowMs, calls: 0, before: 0 }
    const passed = nowMs - pace.from
    if (passed >= halfMs || passed < 0) {
      pace.before = passed < 2 * halfMs ? pace.calls : 0
      pace.calls = 0
      pace.from = nowMs
    }
    pace.calls++
    this.#paces.set(sessionId, pace)
    if (pace.calls + pace.before < limits.calls) return undefined
    const who = agentId ?? program?.name ?? 'A conversation'
    return {
      rule: 'runaway',
      device: alertDevice(device),
      reason: `${who} has asked ${pace.calls + pace.before} times within ${minutes(limits.withinMs)}; \`yori sessions stop ${sessionId.slice(-8)}\` ends it`,
      metadata: known({
        session: sessionId,
        agent: agentId,
        calls: pace.calls + pace.before,
        endpoint: seen.endpointDomain,
        model: seen.model,
      }),
    }
  }
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}
