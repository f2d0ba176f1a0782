/** The emergency override: one switch that ends all blocking, for a while. Values only. */
import type { Emergency } from './state.js'

export const MIN_EMERGENCY_MINUTES = 1
export const MAX_EMERGENCY_MINUTES = 24 * 60
const MINUTE_MS = 60_000
const MAX_REASON_LENGTH = 500

export type EmergencyChange =
  | { readonly kind: 'ok'; readonly emergency: Emergency }
  | { readonly kind: 'refused'; readonly why: string }

export interface EmergencyRequest {
  readonly minutes: number
  readonly reason: string
  readonly by: string
}

/** It ends by itself: `[activatedAt, expiresAt)`. */
export function isEmergency(emergency: Emergency | undefined, nowMs: number): boolean {
  return (
    emergency !== undefined &&
    nowMs >= emergency.activatedAt &&
    nowMs < emergency.expiresAt
  )
}

/** One at a time; the reason is for those who read the record later. */
export function activated(
  current: Emergency | undefined,
  request: EmergencyRequest,
  nowMs: number,
): EmergencyChange {
  if (isEmergency(current, nowMs)) return refused('it is active already: extend it')
  const reason = request.reason.trim()
  if (reason === '') return refused('it needs a reason')
  if (reason.length > MAX_REASON_LENGTH) {
    return refused(`the reason is over ${MAX_REASON_LENGTH} characters`)
  }
  if (!isDuration(request.minutes)) return refused(DURATION)
  const expiresAt = nowMs + request.minutes * MINUTE_MS
  const { by } = request
  return { kind: 'ok', emergency: { activatedAt: nowMs, expiresAt, by, reason } }
}

/** Adds to the end; from now, no more than the longest duration may remain. */
export function extended(
  current: Emergency | undefined,
  minutes: number,
  nowMs: number,
): EmergencyChange {
  if (current === undefined || !isEmergency(current, nowMs)) {
    return refused('it is not active')
  }
  if (!isDuration(minutes)) return refused(DURATION)
  const expiresAt = current.expiresAt + minutes * MINUTE_MS
  if (expiresAt - nowMs > MAX_EMERGENCY_MINUTES * MINUTE_MS) {
    return refused(`more than ${MAX_EMERGENCY_MINUTES} minutes would remain`)
  }
  return { kind: 'ok', emergency: { ...current, expiresAt } }
}

const DURATION = `a duration is ${MIN_EMERGENCY_MINUTES} to ${MAX_EMERGENCY_MINUTES} whole minutes`

function isDuration(minutes: number): boolean {
  return (
    Number.isInteger(minutes) &&
    minutes >= MIN_EMERGENCY_MINUTES &&
    minutes <= MAX_EMERGENCY_MINUTES
  )
}

function refused(why: string): EmergencyChange {
  return { kind: 'refused', why }
}
