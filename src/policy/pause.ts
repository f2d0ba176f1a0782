/**
 * A device that somebody of the household has paused. It is no policy but access: whoever says
 * so means it, whatever the mode, and needs no consent beside. What ends all blocking ends this
 * too, and who was shown a code or knows the password may be let past it. Pure.
 */
import type { Bypass } from './bypass.js'
import type { Decision } from './engine.js'

export const PAUSE_POLICY = 'pause'

/** `past`: what lets the device through all the same. */
export function pausedDecision(
  reason: string,
  past: Bypass | undefined,
  deviceName: string | undefined,
): Decision {
  const voice = {
    policy: PAUSE_POLICY,
    effect: 'block',
    reason,
    order: 0,
    explicitAllow: false,
  } as const
  return {
    enforce: past === undefined,
    effect: 'block',
    verdict: 'deny',
    policy: PAUSE_POLICY,
    reason,
    message: undefined,
    bypass: past,
    blockers: past === undefined ? [voice] : [],
    spent: past?.spent === undefined ? [] : [past.spent],
    wantsRedaction: false,
    redactsWords: false,
    redacted: undefined,
    deviceName,
    durationMs: 0,
    others: [],
    failed: [],
  }
}
