/**
 * The policies that come with YORI in its own language. Their `params` are the operator's and
 * unchecked: a value of the wrong kind is an error that names it, at load and not at night.
 */
import type { DeviceBook } from './devices.js'
import { isWithin, timeText, weekdayOf } from './local-time.js'
import type { DailyWindow, LocalTimes, Weekday } from './local-time.js'
import type { Opinion, Policy, PolicyInput } from './policy.js'
import type { PolicyState } from './state.js'
import { macText } from '../core/mac.js'
import { canonicalAddress } from '../core/address.js'

export type Params = Readonly<Record<string, unknown>>

/** Params that do not fit; `message` says which and what is expected. */
export class BadParams extends Error {}

/** By name; the time rules are made of the state instead. */
export const BUILT_IN: ReadonlyMap<string, (params: Params, times: Times) => Policy> =
  new Map([
    ['bedtime', bedtime],
    ['model_allowlist', modelAllowlist],
  ])

export interface Times {
  readonly times: LocalTimes
  /** `enforcement.timezone`; undefined: the system's. */
  readonly zone: string | undefined
}

/**
 * Denies from `start_hour` (21) to `end_hour` (6), over midnight when the end is before the
 * start, on `days` (all). `exempt_devices` (address or MAC) and `exempt_groups` (admin,
 * parent, parents, adult) are left alone. A night belongs to the day on which it began.
 */
function bedtime(params: Params, { times, zone }: Times): Policy {
  const window: DailyWindow = {
    days: daysParam(params, 'days'),
    start: hourParam(params, 'start_hour', 21) * 60,
    end: hourParam(params, 'end_hour', 6) * 60,
  }
  const exemptGroups = textsParam(params, 'exempt_groups', [
    'admin',
    'parent',
    'parents',
    'adult',
  ])
  const exemptDevices = textsParam(params, 'exempt_devices', []).map(
    (text) => canonicalAddress(text) ?? macText(text) ?? text,
  )
  const message =
    textParam(params, 'message') ??
    `it is bedtime (${timeText(window.start)} to ${timeText(window.end)})`
  return {
    name: 'bedtime',
    readsContent: false,
    judge: ({ device }, { nowMs }) => {
      if (!isWithin(window, times.at(nowMs, zone))) return undefined
      const exempt =
        exemptGroups.some((group) => device.groups.includes(group)) ||
        exemptDevices.includes(device.ip) ||
        (device.mac !== null && exemptDevices.includes(device.mac))
      return exempt ? undefined : { kind: 'deny', message }
    },
  }
}

/**
 * Denies models that `models` does not name; a name may end in `*`. Allows the others
 * explicitly, so that with a default that blocks they are all that is allowed. Requests that
 * name no model are none of its business.
 */
function modelAllowlist(params: Params): Policy {
  const models = textsParam(params, 'models', undefined).map((name) => name.toLowerCase())
  return {
    name: 'model_allowlist',
    readsContent: true,
    judge: ({ model }: PolicyInput): Opinion | undefined => {
      if (model === null) return undefined
      const asked = model.toLowerCase()
      const listed = models.some((name) =>
        name.endsWith('*') ? asked.startsWith(name.slice(0, -1)) : asked === name,
      )
      if (listed) return { kind: 'allow' }
      const shown = model.slice(0, 100)
      return { kind: 'deny', message: `model ${shown} is not among those allowed` }
    },
  }
}

/** The first rule whose time it is decides: the lowest priority, ties by name. */
export function timeRules(
  current: () => { state: PolicyState; book: DeviceBook },
  { times, zone }: Times,
): Policy {
  return {
    name: 'time_rules',
    readsContent: false,
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

function hourParam(params: Params, name: string, otherwise: number): number {
  const value = params[name] ?? otherwise
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 24) {
    return value
  }
  throw new BadParams(`${name} is a whole hour from 0 to 24`)
}

function textParam(params: Params, name: string): string | undefined {
  const value = params[name]
  if (value === undefined || typeof value === 'string') return value
  throw new BadParams(`${name} is a text`)
}

function textsParam(
  params: Params,
  name: string,
  otherwise: readonly string[] | undefined,
): readonly string[] {
  const value = params[name] ?? otherwise
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value
  }
  throw new BadParams(`${name} is a list of texts`)
}

function daysParam(params: Params, name: string): readonly Weekday[] {
  return textsParam(params, name, []).map((text) => {
    const day = weekdayOf(text)
    if (day === undefined) throw new BadParams(`${name}: ${text} is not a day`)
    return day
  })
}
