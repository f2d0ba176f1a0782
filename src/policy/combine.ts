/**
 * From what each policy says to the one effect that counts: block > redact > alert > allow,
 * ties by order, then by name. The default policy is heard only when it would make the effect
 * stronger, and an explicit `allow` of any other policy silences it; so an alert of one policy
 * never opens what the default keeps shut.
 */
import { unreachable } from '../core/unreachable.js'
import { DEFAULT_POLICY } from './policy.js'
import type { Opinion, PolicySetting, Redaction } from './policy.js'

export type Effect = 'allow' | 'alert' | 'redact' | 'block'

export interface Voice {
  readonly policy: string
  readonly effect: Effect
  readonly reason: string
  readonly order: number
  /** It said `allow` itself; an opinion that its action cut down to `allow` does not count. */
  readonly explicitAllow: boolean
  /** What it wants taken out, where its action lets it. */
  readonly redactions?: readonly Redaction[]
  /** Of one that blocks: how the client is to be told, where that is not as usual. */
  readonly answer?: VoiceAnswer
  /** Of one that blocks: a person may allow it. */
  readonly asks?: true
  /** Of one that asks: the request waits for the answer. */
  readonly holds?: true
}

export interface VoiceAnswer {
  readonly status?: number | undefined
  /** Whoever was to be asked could not be. */
  readonly isOutage?: boolean
  /** Where the client is sent in place of an error. */
  readonly location?: string | undefined
  /** Fields of the answer beside those that it has, flat. */
  readonly fields?: readonly string[] | undefined
}

const STRENGTH: Readonly<Record<Effect, number>> = {
  allow: 0,
  alert: 1,
  redact: 2,
  block: 3,
}

export interface Combined {
  readonly winner: Voice | undefined
  readonly others: readonly Voice[]
  /** Each voice that blocks by itself, the strongest first: all of them must be let past. */
  readonly blocks: readonly Voice[]
}

export function combine(voices: readonly Voice[]): Combined {
  const sorted = voices
    .filter(({ policy }) => policy !== DEFAULT_POLICY)
    .toSorted(compareVoices)
  const [best] = sorted
  const fallback = voices.find(({ policy }) => policy === DEFAULT_POLICY)
  const silenced = sorted.some(({ explicitAllow }) => explicitAllow)
  const heard =
    fallback !== undefined &&
    !silenced &&
    (best === undefined || STRENGTH[fallback.effect] > STRENGTH[best.effect])
  const blocks = [
    ...sorted,
    ...(fallback === undefined || silenced ? [] : [fallback]),
  ].filter(({ effect }) => effect === 'block')
  return heard
    ? { winner: fallback, others: sorted, blocks }
    : { winner: best, others: sorted.slice(1), blocks }
}

/** The strongest first; ties by order, then by name. */
export function compareVoices(a: Voice, b: Voice): number {
  const byStrength = STRENGTH[b.effect] - STRENGTH[a.effect]
  if (byStrength !== 0) return byStrength
  if (a.order !== b.order) return a.order - b.order
  return a.policy < b.policy ? -1 : 1
}

/** What an opinion comes to under the policy's action. */
export function voiceOf(
  policy: string,
  opinion: Exclude<Opinion, { kind: 'exhausted' }>,
  setting: PolicySetting,
): Voice {
  const effect = weaker(effectOf(opinion), setting.action)
  return {
    policy,
    effect,
    reason: opinion.message ?? `policy ${policy}`,
    order: setting.order,
    explicitAllow: opinion.kind === 'allow',
    ...(opinion.kind === 'deny' && opinion.asks === true ? { asks: true } : {}),
    ...(opinion.kind === 'deny' && opinion.holds === true ? { holds: true } : {}),
    ...(STRENGTH[effect] >= STRENGTH.redact && 'redactions' in opinion
      ? { redactions: opinion.redactions }
      : {}),
  }
}

function effectOf(opinion: Exclude<Opinion, { kind: 'exhausted' }>): Effect {
  switch (opinion.kind) {
    case 'allow':
    case 'alert':
    case 'redact':
      return opinion.kind
    case 'deny':
      return 'block'
    default:
      return unreachable(opinion)
  }
}

function weaker(effect: Effect, most: Effect): Effect {
  return STRENGTH[effect] <= STRENGTH[most] ? effect : most
}
