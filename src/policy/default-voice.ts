/**
 * The word of the default policy: its action is its opinion, unless its own rules alert or
 * deny. Pure.
 */
import { voiceOf } from './combine.js'
import type { Voice } from './combine.js'
import { DEFAULT_POLICY } from './policy.js'
import type { PolicySetting } from './policy.js'

const REASON = {
  allow: 'the default policy allows every request',
  alert: 'the default policy alerts on every request',
  block: 'the default policy blocks every request',
} as const

/** `setting` is that of the default policy when it is configured and on. */
export function addDefaultVoice(
  voices: Voice[],
  setting: PolicySetting | undefined,
): void {
  const own = voices.findIndex(({ policy }) => policy === DEFAULT_POLICY)
  if (setting === undefined) return
  if (own >= 0) {
    if (voices[own]?.explicitAllow !== true) return
    voices.splice(own, 1)
  }
  const kind = setting.action === 'block' ? 'deny' : setting.action
  voices.push(voiceOf(DEFAULT_POLICY, { kind, message: REASON[setting.action] }, setting))
}
