/**
 * What a person of the household may use, over all their devices together: when AI services
 * are closed for them, and how much a day or a month they have. By name alone, so that it holds
 * for what passes unread, too. Pure.
 */
import type { DeviceBook } from './devices.js'
import type { Times } from './built-in.js'
import { isWithin, timeText } from './local-time.js'
import type { Policy, PolicyInput } from './policy.js'
import type { Person } from './state.js'

export const PERSON_POLICY = 'person_limits'

/** Nothing that could come to a block. */
export function isUnlimited({ closed, messages, minutes, usd }: Person): boolean {
  return (
    closed.length === 0 &&
    messages === undefined &&
    minutes === undefined &&
    usd === undefined
  )
}

export function personLimits(
  current: () => { readonly book: DeviceBook },
  { times, zone }: Times,
): Policy {
  return {
    name: PERSON_POLICY,
    readsContent: false,
    judgesByName: true,
    judgesUnseen: true,
    readsCounters: true,
    judge: (input, { nowMs }) => {
      const { ip, mac } = input.device
      const person = current().book.person({ ip, ...(mac === null ? {} : { mac }) })
      if (person === undefined) return undefined
      const time = times.at(nowMs, zone)
      const window = person.closed.find((one) => isWithin(one, time))
      if (window !== undefined) {
        const span = `${timeText(window.start)} to ${timeText(window.end)}`
        return { kind: 'deny', message: `closed for ${person.name} from ${span}` }
      }
      const spent = usedUp(person, input)
      return spent === undefined ? undefined : { kind: 'deny', message: spent }
    },
  }
}

/** Of calls alone: whoever looks at a list of conversations uses nothing. */
function usedUp(person: Person, { request, counters }: PolicyInput): string | undefined {
  const { name, messages, minutes, usd } = person
  const used = counters.groups[name]
  if (!request.call || used === undefined) return undefined
  if (messages !== undefined && used.today.requests > messages)
    return `today's ${messages} messages of ${name} are used up`
  if (minutes !== undefined && used.today.minutes > minutes)
    return `today's ${minutes} minutes of ${name} are used up`
  if (usd !== undefined && used.month.cost_usd >= usd)
    return `the month's $${usd.toFixed(2)} of ${name} are spent`
  return undefined
}
