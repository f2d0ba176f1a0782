/**
 * When policies may block: in mode `enforce`, with enforcement switched on, and with the
 * operator's consent. All three, or nothing is blocked. Codes are public.
 */
export type Mode = 'observe' | 'advisory' | 'enforce'

export interface EnforcementSwitches {
  readonly mode: Mode
  readonly enabled: boolean
  readonly consentAccepted: boolean
}

export type ConsentCode =
  | 'consent_not_accepted'
  | 'enforcement_enabled_without_consent'
  | 'mode_enforce_without_consent'

/** What whoever consents is to know. */
export const CONSENT_RISK =
  'Blocking can break applications and automation that rely on an LLM, without a word of ' +
  'theirs about why. YORI fails open: whoever makes it fail gets through.'

export const CONSENT_TEXT = `${CONSENT_RISK} To consent, set enforcement.consent_accepted to true.`

export function mayBlock({
  mode,
  enabled,
  consentAccepted,
}: EnforcementSwitches): boolean {
  return mode === 'enforce' && enabled && consentAccepted
}

/** What lacks consent; undefined when it is given, or when nothing asks for it. */
export function consentProblem(switches: EnforcementSwitches): ConsentCode | undefined {
  const { mode, enabled, consentAccepted } = switches
  if (consentAccepted) return undefined
  if (mode === 'enforce' && enabled) return 'consent_not_accepted'
  if (enabled) return 'enforcement_enabled_without_consent'
  return mode === 'enforce' ? 'mode_enforce_without_consent' : undefined
}
