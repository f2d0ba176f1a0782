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
import type { Opinion, PolicyInput, PolicySetting } from '../policy/policy.js'
import { looksAt } from '../policy/rego-reads.js'
import type { AskedPolicy } from './asked-policy.js'
import { MAY_LACK } from './recorded-content.js'

export interface Side {
  readonly policies: readonly AskedPolicy[]
  readonly settings: ReadonlyMap<string, PolicySetting>
  readonly onUninspectable: 'allow' | 'block' | undefined
}

export interface RecordedRequest {
  readonly input: PolicyInput
  readonly nowMs: number
  /** Paths of `input` whose values the record does not hold; one object for the same paths. */
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
  /** One of them had no end within its budget: the request counts as not inspected. */
  readonly isSpent: boolean
}

/** The policies that can make a difference, on either side; the others say the same on both. */
interface Part {
  readonly old: Side
  readonly new: Side
  readonly others: readonly AskedPolicy[]
  /** The most that one of the others may do. */
  readonly mostOfOthers: number
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
  readonly #shared: ReadonlySet<AskedPolicy>
  readonly #part: Part | undefined
  /** Where what could not be inspected is not treated alike: also what may run out of budget. */
  readonly #partOfUnlike: Part | undefined
  readonly #hasDefault: boolean
  readonly #blocks: ReadonlyMap<Side['settings'], boolean>
  readonly #mayLack: ReadonlySet<AskedPolicy>
  readonly #lacking = new Map<AskedPolicy, Map<ReadonlySet<string>, boolean>>()

  /** Policies that are the same on both sides are the same objects. */
  constructor(old: Side, changed: Side) {
    this.#old = old
    this.#new = changed
    const before = new Set(old.policies)
    this.#mayLack = new Set(
      [...old.policies, ...changed.policies].filter(({ reads }) =>
        MAY_LACK.some((path) => looksAt(reads, path)),
      ),
    )
    this.#shared = new Set(changed.policies.filter((policy) => before.has(policy)))
    this.#blocks = new Map(
      [old, changed].map((side) => [side.settings, blocksUninspectable(side)]),
    )
    const isEqual = (name: string): boolean =>
      JSON.stringify(old.settings.get(name)) ===
      JSON.stringify(changed.settings.get(name))
    const differs = (policy: AskedPolicy): boolean =>
      !this.#shared.has(policy) || !isEqual(policy.name)
    const isLike = blocksUninspectable(old) === blocksUninspectable(changed)
    const setting = old.settings.get(DEFAULT_POLICY)
    this.#hasDefault = setting?.enabled === true
    if (!isEqual(DEFAULT_POLICY)) return
    const isLoud = ({ name }: AskedPolicy): boolean => settingOf(old, name).enabled
    const partOf = (isIn: (policy: AskedPolicy) => boolean): Part => {
      const others = old.policies.filter((policy) => !isIn(policy) && isLoud(policy))
      const most = others.map(({ name }) => STRENGTH[settingOf(old, name).action])
      return {
        old: { ...old, policies: old.policies.filter(isIn) },
        new: { ...changed, policies: changed.policies.filter(isIn) },
        others,
        mostOfOthers: Math.max(0, ...most),
      }
    }
    this.#part = isLike ? partOf(differs) : undefined
    // What reads no content has little to look at, and does not run out.
    if (!isLike) this.#partOfUnlike = partOf((one) => one.readsContent || differs(one))
  }

  compare(request: RecordedRequest): Comparison {
    const opinions = new Map<AskedPolicy, Opinion | undefined | 'failed'>()
    const floor = this.#floor(request, opinions)
    if (typeof floor === 'object') return floor
    const before = this.#heard(this.#old, request, opinions, floor)
    const after = this.#heard(this.#new, request, opinions, floor)
    if (before.unknown.length + after.unknown.length === 0) {
      return this.#compared(request, before.voices, after.voices)
    }
    return this.#sought(request, before, after)
  }

  /**
   * Asks what differs alone. Where that decides, the others need not be asked; else those
   * need not that may do no more than both sides do anyway. -1: all must be.
   */
  #floor(
    request: RecordedRequest,
    opinions: Map<AskedPolicy, Opinion | undefined | 'failed'>,
  ): number | Comparison {
    const part = this.#part ?? (request.uninspectable ? undefined : this.#partOfUnlike)
    if (part === undefined) return -1
    const [old, fresh] = [part.old, part.new].map((side) =>
      this.#heard(side, request, opinions),
    ) as [Heard, Heard]
    if ((old.isSpent || fresh.isSpent) && this.#part === undefined) return -1
    if (old.unknown.length + fresh.unknown.length > 0)
      return this.#decided(part, request, old, fresh) ?? -1
    if (shownVoices(old.voices) === shownVoices(fresh.voices)) return SAME
    // A block that lets the device past does less than any word of the others.
    const isLet = ({ policy, effect }: Voice): boolean =>
      effect === 'block' && request.isPast(policy)
    if ([...old.voices, ...fresh.voices].some(isLet)) return -1
    const least = Math.min(...[old, fresh].map(({ voices }) => strongest(voices)))
    const fallback = this.#old.settings.get(DEFAULT_POLICY)
    // An explicit word of allowance might silence a default that is stronger.
    const isLoud = fallback?.enabled === true && STRENGTH[fallback.action] > least
    return isLoud ? -1 : least
  }

  /**
   * With opinions that are not known: what no word of the others could change. They say the
   * same on both sides, so what is the same stays so; and what differs by more than they may
   * do stays different. Undefined: they have to be asked.
   */
  #decided(
    { others, mostOfOthers }: Part,
    request: RecordedRequest,
    old: Heard,
    fresh: Heard,
  ): Comparison | undefined {
    if (this.#hasDefault) return undefined
    let [isPast, isSame, isOther] = [false, false, false]
    const asked = (policy: string): boolean => {
      const is = request.isPast(policy)
      isPast ||= is
      return is
    }
    for (const compared of this.#supposed({ ...request, isPast: asked }, old, fresh)) {
      if (compared.kind === 'same') isSame = true
      else if (compared.kind === 'flip') {
        const { from, to } = compared
        if (Math.max(STRENGTH[from], STRENGTH[to]) > mostOfOthers) isOther = true
        else return undefined
      }
      if (isSame && isOther) break
    }
    if (isPast || !isSame) return undefined
    if (!isOther) return SAME
    const lacking = others.filter((policy) => this.#lacks(policy, request))
    return unknownOf([...old.unknown, ...fresh.unknown, ...lacking])
  }

  /** Most policies look at nothing that a row can lack. */
  #lacks(policy: AskedPolicy, request: RecordedRequest): boolean {
    if (!this.#mayLack.has(policy)) return false
    const { lacks } = request
    let known = this.#lacking.get(policy)
    if (known === undefined) {
      known = new Map<ReadonlySet<string>, boolean>()
      this.#lacking.set(policy, known)
    }
    let answer = known.get(lacks)
    if (answer === undefined) {
      answer = [...lacks].some((path) => looksAt(policy.reads, path))
      known.set(lacks, answer)
    }
    return answer
  }

  #heard(
    side: Side,
    request: RecordedRequest,
    opinions: Map<AskedPolicy, Opinion | undefined | 'failed'>,
    floor = -1,
  ): Heard {
    const voices = [...request.fixed]
    const unknown: Unknown[] = []
    let isSpent = false
    for (const policy of side.policies) {
      const { name } = policy
      const setting = settingOf(side, name)
      if (!setting.enabled) continue
      if (STRENGTH[setting.action] <= floor && !opinions.has(policy)) continue
      if (this.#lacks(policy, request)) {
        unknown.push({ name, setting, shared: this.#shared.has(policy) })
        continue
      }
      if (!opinions.has(policy)) opinions.set(policy, judged(policy, request))
      const opinion = opinions.get(policy)
      if (opinion === 'failed') {
        if (setting.failMode === 'closed')
          voices.push(voiceOf(name, { kind: 'deny' }, setting))
      } else if (opinion?.kind === 'exhausted') isSpent = true
      else if (opinion !== undefined) voices.push(voiceOf(name, opinion, setting))
    }
    const isUnread = request.uninspectable || isSpent
    if (isUnread && this.#blocks.get(side.settings) === true) voices.push(UNREAD)
    return { voices, unknown, isSpent }
  }

  #sought(request: RecordedRequest, before: Heard, after: Heard): Comparison {
    let found: Comparison | undefined
    for (const compared of this.#supposed(request, before, after)) {
      if (found !== undefined && !isAlike(found, compared))
        return unknownOf([...before.unknown, ...after.unknown])
      found ??= compared
    }
    return found ?? unknownOf([])
  }

  /** Tries all that the unknown ones could have said, those of one kind as one. */
  *#supposed(
    request: RecordedRequest,
    before: Heard,
    after: Heard,
  ): Generator<Comparison, void, undefined> {
    const isShared = ({ shared }: Unknown): boolean => shared
    const anyShared = before.unknown.some(isShared)
    const anyOld = before.unknown.some(({ shared }) => !shared)
    const anyNew = after.unknown.some(({ shared }) => !shared)
    for (const both of anyShared ? COULD_SAY : NOTHING) {
      for (const old of anyOld ? COULD_SAY : NOTHING) {
        for (const fresh of anyNew ? COULD_SAY : NOTHING) {
          yield this.#compared(
            request,
            [...before.voices, ...supposed(before.unknown, both, old)],
            [...after.voices, ...supposed(after.unknown, both, fresh)],
          )
        }
      }
    }
  }

  #compared(
    request: RecordedRequest,
    before: readonly Voice[],
    after: readonly Voice[],
  ): Comparison {
    const old = outcomeOf(this.#old, request, before)
    const fresh = outcomeOf(this.#new, request, after)
    if (old.effect === fresh.effect) return SAME
    const stronger = STRENGTH[fresh.effect] > STRENGTH[old.effect] ? fresh : old
    const { policy = '', reason = '' } = stronger.voice ?? {}
    return { kind: 'flip', from: old.effect, to: fresh.effect, policy, reason }
  }
}

const SAME: Comparison = { kind: 'same' }

function unknownOf(all: readonly { readonly name: string }[]): Comparison {
  return { kind: 'unknown', policies: [...new Set(all.map(({ name }) => name))].sort() }
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
  policy: AskedPolicy,
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
