/**
 * What stands in no policy file: the time rules, which are made of the lists, and the word
 * that ends a conversation.
 */
import { deviceId } from '../core/device-id.js'
import type { DeviceBook } from './devices.js'
import { isWithin, timeText } from './local-time.js'
import type { LocalTimes } from './local-time.js'
import type { Policy, PolicyInput } from './policy.js'
import type { PolicyState, Stop, StoppedAgent } from './state.js'

export const TIME_RULES_POLICY = 'time_rules'

export const SESSION_STOP_POLICY = 'session_stop'

export interface Times {
  readonly times: LocalTimes
  /** `enforcement.timezone`; undefined: the system's. */
  readonly zone: string | undefined
}

/** The first rule whose time it is decides: the lowest priority, ties by name. */
export function timeRules(
  current: () => { state: PolicyState; book: DeviceBook },
  { times, zone }: Times,
): Policy {
  return {
    name: TIME_RULES_POLICY,
    readsContent: false,
    judgesByName: true,
    judgesUnseen: true,
    judge: ({ device }, { nowMs }) => {
      const { state, book } = current()
      const who = { ip: device.ip, ...(device.mac === null ? {} : { mac: device.mac }) }
      const rule = state.rules
        .toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1))
        .find(
          (candidate) =>
            candidate.enabled &&
            isWithin(candidate, times.at(nowMs, candidate.zone ?? zone)) &&
            book.isFor(candidate, who),
        )
      if (rule === undefined || rule.action === 'log') return undefined
      const span = `${timeText(rule.start)} to ${timeText(rule.end)}`
      const message = `time rule ${rule.name} (${span})`
      return { kind: rule.action === 'block' ? 'deny' : 'alert', message }
    },
  }
}

/** Two devices that give one id do not share it. */
function isStopped(stop: Stop, input: PolicyInput, nowMs: number): boolean {
  if (nowMs >= stop.until) return false
  if (stop.device !== undefined && stop.device !== deviceId(input.device)) return false
  if (input.session?.id === stop.session) return true
  const { agent } = stop
  if (agent === undefined || stop.device === undefined || nowMs >= agent.until)
    return false
  return isAgent(agent, input)
}

/** By its id; where one of the two has none, by what its program calls itself. */
function isAgent({ ids, userAgents }: StoppedAgent, input: PolicyInput): boolean {
  const { agent_id: id, device } = input
  if (id !== null && ids.includes(id)) return true
  // A name that the client gave may be left out, and its system prompt tells then.
  const isNamed = id !== null && !isDerived(id)
  const areNamed = ids.length > 0 && !ids.some(isDerived)
  const mayBe = id === null || ids.length === 0 || (areNamed && !isNamed)
  return mayBe && device.user_agent !== null && userAgents.includes(device.user_agent)
}

/** See `agentIdOf`. */
function isDerived(id: string): boolean {
  return id.startsWith('agent_')
}

/** A conversation that a person has stopped stays stopped; the message is for its agent. */
export function sessionStop(current: () => PolicyState): Policy {
  return {
    name: SESSION_STOP_POLICY,
    readsContent: false,
    judge: (input, { nowMs }) => {
      if (input.session === null && !input.request.call) return undefined
      const stop = current().stops.find((one) => isStopped(one, input, nowMs))
      if (stop === undefined) return undefined
      const why = stop.reason === '' ? '' : ` (${stop.reason})`
      return {
        kind: 'deny',
        message: `a person has stopped this conversation${why}: do not try again, end the task and tell the user`,
      }
    },
  }
}
