/**
 * What lets a device past a block, in this order: emergency override, allowlist, time
 * exception, grant. The first that holds is the one that the record names. Pure.
 */
import { isBoundTo } from '../core/device-id.js'
import { untilText } from '../core/moment-text.js'
import type { Device } from '../core/record.js'
import type { DeviceBook } from './devices.js'
import { isEmergency } from './emergency.js'
import { isWithin } from './local-time.js'
import type { LocalTimes } from './local-time.js'
import type { Grant, PolicyState } from './state.js'

export type BypassType =
  'emergency_override' | 'allowlist' | 'time_exception' | 'grant' | 'approval'

export interface Bypass {
  readonly type: BypassType
  readonly reason: string
  /** As the entry calls it. */
  readonly deviceName?: string
  /** A grant that is used up by this. */
  readonly spent?: string
}

export interface BypassRules {
  readonly state: PolicyState
  readonly book: DeviceBook
  readonly times: LocalTimes
  /** For times that name none; undefined: the system's. */
  readonly zone: string | undefined
  /** `blocklist`: policies hold for listed devices only. */
  readonly listMode: 'allowlist' | 'blocklist'
  /** `emergency_override.enabled`. */
  readonly emergencyAllowed: boolean
}

export interface Blocked {
  readonly device: Device
  readonly policy: string
  readonly endpoint: string
}

export function bypassOf(
  rules: BypassRules,
  blocked: Blocked,
  nowMs: number,
): Bypass | undefined {
  return (
    byEmergency(rules, nowMs) ??
    byList(rules, blocked, nowMs) ??
    byTime(rules, blocked, nowMs) ??
    byGrant(rules, blocked, nowMs)
  )
}

export function byEmergency(
  { state, emergencyAllowed }: Pick<BypassRules, 'state' | 'emergencyAllowed'>,
  nowMs: number,
): Bypass | undefined {
  const { emergency } = state
  if (!emergencyAllowed || emergency === undefined) return undefined
  if (!isEmergency(emergency, nowMs)) return undefined
  return {
    type: 'emergency_override',
    reason: `emergency override by ${emergency.by}: ${emergency.reason}`,
  }
}

function byList(
  { book, listMode }: BypassRules,
  { device }: Blocked,
  nowMs: number,
): Bypass | undefined {
  const allowance = book.allowance(device, nowMs)
  if (listMode === 'blocklist') {
    if (allowance.kind !== 'unlisted') return undefined
    return { type: 'allowlist', reason: 'not on the blocklist' }
  }
  if (allowance.kind !== 'listed') return undefined
  return {
    type: 'allowlist',
    reason: `on the allowlist as ${allowance.name}`,
    deviceName: allowance.name,
  }
}

function byTime(
  rules: BypassRules,
  { device }: Blocked,
  nowMs: number,
): Bypass | undefined {
  const { state, book, times, zone } = rules
  const act = book.act(device, nowMs)
  if (act?.kind === 'allow') {
    const whom = act.person === undefined ? '' : ` for ${act.person}`
    const until = untilText(act.until, nowMs, zone)
    return { type: 'time_exception', reason: `allowed${whom} until ${until}` }
  }
  const exception = state.exceptions.find(
    (candidate) =>
      candidate.enabled &&
      isWithin(candidate, times.at(nowMs, candidate.zone ?? zone)) &&
      book.isFor(candidate, device),
  )
  if (exception === undefined) return undefined
  return { type: 'time_exception', reason: `time exception ${exception.name}` }
}

export function byGrant(
  { state }: Pick<BypassRules, 'state'>,
  blocked: Blocked,
  nowMs: number,
): Bypass | undefined {
  const grant = state.grants.find(
    (candidate) => nowMs < candidate.until && isGranted(candidate, blocked),
  )
  if (grant === undefined) return undefined
  return {
    type: 'grant',
    reason: grant.once ? 'granted once' : 'granted for a while',
    ...(grant.once ? { spent: grant.id } : {}),
  }
}

/** To the device that asked: by its MAC where it has one. */
function isGranted(grant: Grant, { device, policy, endpoint }: Blocked): boolean {
  // What was approved is taken out of the question instead: see `Decider.approved`.
  if (grant.policy !== policy || grant.found !== undefined) return false
  return isFor(grant, device, endpoint)
}

/** The approvals of this device that are for what a request said, by policy. */
export function approvedFor(
  grants: readonly Grant[],
  { device, policy, endpoint }: Blocked,
  nowMs: number,
): Grant[] {
  return grants.filter(
    (grant) =>
      grant.found !== undefined &&
      grant.policy === policy &&
      nowMs < grant.until &&
      isFor(grant, device, endpoint),
  )
}

function isFor(grant: Grant, device: Device, endpoint: string): boolean {
  if (grant.endpoint !== undefined && grant.endpoint !== endpoint) return false
  return isBoundTo(grant, device)
}
