/**
 * What another set of policies would have decided, beside what this one would: both are asked
 * about the same recorded request, as if blocking were on. What a policy looks at and the
 * record does not hold makes its opinion unknown; the answer is then sought for all that it
 * could have said, and is known only where that makes no difference. Pure.
 */
import { combine, voiceOf } from '../policy/combine.js'
import type { Effect, Voice } from '../policy/combine.js'
import { addDefaultVoice } from '../policy/default-voice.js'
import { UNINSPECTABLE_POLICY } from '../policy/engine.js'
import { DEFAULT_POLICY, UNCONFIGURED } from '../policy/policy.js'
import type {
  Opinion,
  PolicyContext,
  PolicyInput,
  PolicySetting,
} from '../policy/policy.js'
import { looksAt } from '../policy/rego-reads.js'
import type { Reads } from '../policy/rego-reads.js'

/** A policy that says what it looks at. */
export interface ReadingPolicy {
  readonly name: string
  readonly reads: Reads
  readonly readsContent: boolean
  judge(input: PolicyInput, context: PolicyContext): Opinion | undefined
}

export interface Side {
  readonly policies: readonly ReadingPolicy[]
  readonly settings: ReadonlyMap<string, PolicySetting>
  readonly onUninspectable: 'allow' | 'block' | undefined
}

export interface RecordedRequest {
  readonly input: PolicyInput
  readonly nowMs: number
  /** Paths of `input` whose values the record does not hold. */
  readonly lacks: ReadonlySet<string>
  readonly uninspectable: boolean
  /** Opinions that stand in no file, such as that of the time rules. */
  readonly fixed: readonly Voice[]
  /** Is the device let past a block by this policy? */
  readonly isPast: (policy: string) => boolean
}

export type Comparison =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'flip'
      readonly from: Effect
      readonly to: Effect
      /** Whose word makes the difference. */
      readonly policy: string
      readonly reason: string
    }
  | { readonly kind: 'unknown'; readonly policies: readonly string[] }

interface Heard {
  readonly voices: readonly Voice[]
  readonly unknown: readonly Unknown[]
}

interface Unknown {
  readonly name: string
  readonly setting: PolicySetting
  /** The other side has the very same policy: it would have said the same. */
  readonly shared: boolean
}

/** What an opinion that is not known could have been: the extremes, and what silences. */
const COULD_SAY: readonly (Exclude<Opinion['kind'], 'exhausted'> | 'nothing')[] = [
  'nothing',
  'allow',
  'alert',
  'redact',
  'deny',
]

export class WhatIf {
  readonly #old: Side
  readonly #new: Side
  readonly #shared: ReadonlySet<ReadingPolicy>
  /** Both sides with the policies alone that differ; undefined: everything may differ. */
  readonly #differing: readonly [Side, Side] | undefined
  readonly #blocks: ReadonlyMap<Side['settings'], boolean>
  readonly #lacking = new Map<ReadingPolicy, Map<string, boolean>>()

  /** Policies that are the same on both sides are the same objects. */
  constructor(old: Side, changed: Side) {
    this.#old = old
    this.#new = changed
    const before = new Set(old.policies)
    this.#shared = new Set(changed.policies.filter((policy) => before.has(policy)))
    this.#blocks = new Map(
      [old, changed].map((side) => [side.settings, blocksUninspectable(side)]),
    )
    const isEqual = (name: string): boolean =>
      JSON.stringify(old.settings.get(name)) ===
      JSON.stringify(changed.settings.get(name))
    const differs = (policy: ReadingPolicy): boolean =>
      !this.#shared.has(policy) || !isEqual(policy.name)
    const alike =
      isEqual(DEFAULT_POLICY) && blocksUninspectable(old) === blocksUninspectable(changed)
    this.#differing = alike
      ? [
          { ...old, policies: old.policies.filter(differs) },
          { ...changed, policies: changed.policies.filter(differs) },
        ]
      : undefined
  }

  compare(request: RecordedRequest): Comparison {
    const opinions = new Map<ReadingPolicy, Opinion | undefined | 'failed'>()
    const floor = this.#floor(request, opinions)
    if (floor === 'same') return { kind: 'same' }
    const before = this.#heard(this.#old, request, opinions, floor)
    const after = this.#heard(this.#new, request, opinions, floor)
    if (before.unknown.length + after.unknown.length === 0) {
      return this.#compared(request, before.voices, after.voices)
    }
    return this.#sought(request, before, after)
  }

  /**
   * Asks what differs alone. Where it says the same, the others need not be asked; else those
   * need not that may do no more than both sides do anyway. -1: all must be.
   */
  #floor(
    request: RecordedRequest,
    opinions: Map<ReadingPolicy, Opinion | undefined | 'failed'>,
  ): number | 'same' {
    if (this.#differing === undefined) return -1
    const [old, fresh] = this.#differing.map((side) =>
      this.#heard(side, request, opinions),
    )
    if (old === undefined || fresh === undefined) return -1
    if (old.unknown.length + fresh.unknown.length > 0) return -1
    if (shownVoices(old.voices) === shownVoices(fresh.voices)) return 'same'
    const least = Math.min(...[old, fresh].map(({ voices }) => strongest(voices)))
    const fallback = this.#old.settings.get(DEFAULT_POLICY)
    // An explicit word of allowance might silence a default that is stronger.
    const isLoud = fallback?.enabled === true && STRENGTH[fallback.action] > least
    return isLoud ? -1 : least
  }

  #lacks(policy: ReadingPolicy, lacks: ReadonlySet<string>): boolean {
    const key = [...lacks].join(' ')
    let known = this.#lacking.get(policy)
    if (known === undefined) {
      known = new Map<string, boolean>()
      this.#lacking.set(policy, known)
    }
    let answer = known.get(key)
    if (answer === undefined) {
      answer = [...lacks].some((path) => looksAt(policy.reads, path))
      known.set(key, answer)
    }
    return answer
  }

  #heard(
    side: Side,
    request: RecordedRequest,
    opinions: Map<ReadingPolicy, Opinion | undefined | 'failed'>,
    floor = -1,
  ): Heard {
    const voices = [...request.fixed]
    const unknown: Unknown[] = []
    let { uninspectable } = request
    for (const policy of side.policies) {
      const { name } = policy
      const setting = settingOf(side, name)
      if (!setting.enabled) continue
      if (STRENGTH[setting.action] <= floor && !opinions.has(policy)) continue
      if (this.#lacks(policy, request.lacks)) {
        unknown.push({ name, setting, shared: this.#shared.has(policy) })
        continue
      }
      if (!opinions.has(policy)) opinions.set(policy, judged(policy, request))
      const opinion = opinions.get(policy)
      if (opinion === 'failed') {
        if (setting.failMode === 'closed')
          voices.push(voiceOf(name, { kind: 'deny' }, setting))
      } else if (opinion?.kind === 'exhausted') uninspectable = true
      else if (opinion !== undefined) voices.push(voiceOf(name, opinion, setting))
    }
    if (uninspectable && this.#blocks.get(side.settings) === true) voices.push(UNREAD)
    return { voices, unknown }
  }

  /** Tries all that the unknown ones could have said, those of one kind as one. */
  #sought(request: RecordedRequest, before: Heard, after: Heard): Comparison {
    const isShared = ({ shared }: Unknown): boolean => shared
    const anyShared = before.unknown.some(isShared)
    const anyOld = before.unknown.some(({ shared }) => !shared)
    const anyNew = after.unknown.some(({ shared }) => !shared)
    let found: Comparison | undefined
    for (const both of anyShared ? COULD_SAY : NOTHING) {
      for (const old of anyOld ? COULD_SAY : NOTHING) {
        for (const fresh of anyNew ? COULD_SAY : NOTHING) {
          const compared = this.#compared(
            request,
            [...before.voices, ...supposed(before.unknown, both, old)],
            [...after.voices, ...supposed(after.unknown, both, fresh)],
          )
          if (found !== undefined && !isAlike(found, compared)) {
            const names = [...before.unknown, ...after.unknown].map(({ name }) => name)
            return { kind: 'unknown', policies: [...new Set(names)].sort() }
          }
          found ??= compared
        }
      }
    }
    return found ?? { kind: 'unknown', policies: [] }
  }

  #compared(
    request: RecordedRequest,
    before: readonly Voice[],
    after: readonly Voice[],
  ): Comparison {
    const old = outcomeOf(this.#old, request, before)
    const fresh = outcomeOf(this.#new, request, after)
    if (old.effect === fresh.effect) return { kind: 'same' }
    const stronger = STRENGTH[fresh.effect] > STRENGTH[old.effect] ? fresh : old
    const { policy = '', reason = '' } = stronger.voice ?? {}
    return { kind: 'flip', from: old.effect, to: fresh.effect, policy, reason }
  }
}

const NOTHING = ['nothing'] as const
const STRENGTH: Readonly<Record<Effect, number>> = {
  allow: 0,
  alert: 1,
  redact: 2,
  block: 3,
}

const UNREAD: Voice = {
  policy: UNINSPECTABLE_POLICY,
  effect: 'block',
  reason: 'the request could not be inspected',
  order: Number.MAX_SAFE_INTEGER,
  explicitAllow: false,
}

function strongest(voices: readonly Voice[]): number {
  return Math.max(0, ...voices.map(({ effect }) => STRENGTH[effect]))
}

function shownVoices(voices: readonly Voice[]): string {
  return JSON.stringify(
    voices.map(({ policy, effect, order, explicitAllow }) => [
      policy,
      effect,
      order,
      explicitAllow,
    ]),
  )
}

function judged(
  policy: ReadingPolicy,
  { input, nowMs }: RecordedRequest,
): Opinion | undefined | 'failed' {
  try {
    return policy.judge(input, { nowMs })
  } catch {
    return 'failed'
  }
}

function supposed(
  unknown: readonly Unknown[],
  both: (typeof COULD_SAY)[number],
  own: (typeof COULD_SAY)[number],
): Voice[] {
  return unknown.flatMap(({ name, setting, shared }) => {
    const kind = shared ? both : own
    return kind === 'nothing' ? [] : [voiceOf(name, { kind }, setting)]
  })
}

function outcomeOf(
  side: Side,
  { isPast }: RecordedRequest,
  voices: readonly Voice[],
): { effect: Effect; voice: Voice | undefined } {
  const all = [...voices]
  const setting = side.settings.get(DEFAULT_POLICY)
  addDefaultVoice(all, setting?.enabled === true ? setting : undefined)
  const { winner } = combine(all)
  if (winner?.effect === 'block' && isPast(winner.policy)) {
    return { effect: 'allow', voice: winner }
  }
  return { effect: winner?.effect ?? 'allow', voice: winner }
}

function blocksUninspectable(side: Side): boolean {
  if (side.onUninspectable !== undefined) return side.onUninspectable === 'block'
  return side.policies.some(({ name, readsContent }) => {
    const { enabled, action } = settingOf(side, name)
    return readsContent && enabled && action === 'block'
  })
}

function settingOf(side: Side, name: string): PolicySetting {
  return side.settings.get(name) ?? UNCONFIGURED
}

function isAlike(a: Comparison, b: Comparison): boolean {
  if (a.kind === 'flip' && b.kind === 'flip') return a.from === b.from && a.to === b.to
  return a.kind === b.kind && a.kind === 'same'
}
