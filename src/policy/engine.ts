/**
 * One question, one decision. All enabled policies are asked; the strongest opinion wins; what
 * would block is then weighed against mode and consent, and against what lets the device past:
 * emergency override, allowlist, time exception, grant, in this order. A grant is for one
 * policy: each other that blocks must be let past too. Redactions are no blocks, so that of
 * these only the emergency override, which ends all enforcement, stops them. Pure: state, time
 * and input are arguments; a slow policy may answer with a promise.
 */
import type { AccessRefusal } from './access-gate.js'
import type { Clock } from '../core/clock.js'
import type { PolicyDecision } from '../core/record.js'
import type { Bypass } from './bypass.js'
import { combine, voiceOf } from './combine.js'
import type { Effect, Voice } from './combine.js'
import type { Mode } from './consent.js'
import { addDefaultVoice } from './default-voice.js'
import { DEFAULT_POLICY, UNCONFIGURED } from './policy.js'
import type { Opinion, Policy, PolicyInput, PolicySetting, Redaction } from './policy.js'

/** Speaks for requests that a policy which may block cannot read. */
export const UNINSPECTABLE_POLICY = 'uninspectable'

/** Judging may hold the event loop so long before it pauses; one policy adds 4 ms at most. */
const TURN_MS = 1

export interface EngineOptions {
  readonly policies: readonly Policy[]
  readonly settings: ReadonlyMap<string, PolicySetting>
  readonly mode: Mode
  /** Mode, switch and consent together: see `mayBlock`. */
  readonly mayBlock: boolean
  /** Undefined: block where blocking is possible and a policy that may block reads content. */
  readonly onUninspectable: 'allow' | 'block' | undefined
  readonly clock: Clock
}

export interface Question {
  readonly input: PolicyInput
  /** Further pieces of a long text: who looks at text is asked about each. */
  readonly more?: readonly PolicyInput[]
  readonly deviceName: string | undefined
  /** Why the request could not be read as a whole; undefined when it could. */
  readonly uninspectable: string | undefined
  /** Why its text is all there is of it: of no concern to who looks at nothing else. */
  readonly unstructured?: string | undefined
  /** Why `input.prompt` is not all of it: of concern to who looks at that. */
  readonly promptCut?: string | undefined
  /** Asked only when something would block. */
  readonly bypass: (policy: string) => Bypass | undefined
  /** Is all enforcement off for a while? Asked only when something would be redacted. */
  readonly emergency: () => Bypass | undefined
  /**
   * Takes all of these out of the body that goes on and of what is kept of it: how many
   * passages, or undefined when one of them is not to be had out. Asked at most once, and
   * also of a request that is blocked, for the sake of the record.
   */
  readonly redact: (redactions: readonly Redaction[]) => number | undefined
}

export interface Decision {
  /** Answer 403 and send nothing on. */
  readonly enforce: boolean
  /** The strongest opinion, whatever became of it. */
  readonly effect: Effect
  /** For the record. A denial that was not enforced is `deny` in observe, `alert` in advisory. */
  readonly verdict: PolicyDecision
  /** Undefined: no policy had an opinion. */
  readonly policy: string | undefined
  readonly reason: string | undefined
  /** What the household tells people whom this policy blocks. */
  readonly message: string | undefined
  readonly bypass: Bypass | undefined
  /** Policies that block and that nothing lets past, the winner first. */
  readonly blockers: readonly Voice[]
  /** Grants for one request that this one uses up. */
  readonly spent: readonly string[]
  /** A policy wants something taken out, whatever became of it. */
  readonly wantsRedaction: boolean
  /** Of what it wants out, some is other words than personal data that was found. */
  readonly redactsWords: boolean
  /** Passages that were taken out of the body; undefined: it goes on as it came. */
  readonly redacted: number | undefined
  readonly deviceName: string | undefined
  readonly durationMs: number
  readonly others: readonly Voice[]
  /** Policies that could not be evaluated. */
  readonly failed: readonly string[]
  /** No policy refuses it, but what its key is good for: it is answered so, in every mode. */
  readonly refusal?: AccessRefusal
  /** Of a refusal for money: what policies say of the same request. */
  readonly instead?: Decision
  /** Money was all that stood against it: it goes to who takes none, and to nobody else. */
  readonly isSpent?: true
  /** What others who looked want to stand in the record beside it, a line each. */
  readonly notes?: readonly string[]
}

interface Asked {
  readonly policy: Policy
  readonly setting: PolicySetting
}

/** One policy about one piece. */
interface Asking extends Asked {
  readonly input: PolicyInput
}

type Answer =
  | { readonly kind: 'opinion'; readonly opinion: Opinion | undefined }
  | { readonly kind: 'failed' }

export class Engine {
  readonly #options: EngineOptions
  readonly #asked: readonly Asked[]
  readonly #default: PolicySetting | undefined
  readonly #blocksUninspectable: boolean
  readonly #blocksUnstructured: boolean
  readonly #blocksPromptCut: boolean

  constructor(options: EngineOptions) {
    this.#options = options
    const { settings, policies, mayBlock, onUninspectable } = options
    this.#asked = policies
      .map((policy) => ({ policy, setting: settings.get(policy.name) ?? UNCONFIGURED }))
      .filter(({ setting }) => setting.enabled)
    const fallback = settings.get(DEFAULT_POLICY)
    this.#default = fallback?.enabled === true ? fallback : undefined
    const reads = this.#asked.some(
      ({ policy, setting }) => policy.readsContent && setting.action === 'block',
    )
    this.#blocksUninspectable =
      mayBlock && (onUninspectable === undefined ? reads : onUninspectable === 'block')
    const blocks = (of: (policy: Policy) => boolean | undefined): boolean =>
      this.#blocksUninspectable &&
      this.#asked.some(
        ({ policy, setting }) => of(policy) === true && setting.action === 'block',
      )
    this.#blocksUnstructured = blocks(({ readsStructure }) => readsStructure)
    this.#blocksPromptCut = blocks(({ readsPrompt }) => readsPrompt)
  }

  /** Nothing can come of asking: no policy, and no default with an action. */
  get idle(): boolean {
    return this.#asked.length === 0 && this.#default === undefined
  }

  /** Must the decision be known before the first byte goes on? */
  get holds(): boolean {
    return this.#options.mayBlock && !this.idle
  }

  /** A policy that may block looks at more of a request than its text: see `unstructured`. */
  get mindsStructure(): boolean {
    return this.#blocksUnstructured
  }

  decide(question: Question): Decision | Promise<Decision> {
    const startedAt = this.#options.clock.monotonic()
    const askings = this.#askings(question)
    const answers: (Answer | Promise<Answer>)[] = []
    for (const asking of askings) {
      answers.push(this.#ask(asking))
      const spentMs = this.#options.clock.monotonic() - startedAt
      if (spentMs < TURN_MS || answers.length === askings.length) continue
      return this.#askRest(question, { askings, answers }, startedAt)
    }
    const settle = (all: readonly Answer[]): Decision =>
      this.#settle(question, this.#heard(question, askings, all), startedAt)
    if (answers.every(isHere)) return settle(answers)
    return Promise.all(answers.map((answer) => Promise.resolve(answer))).then(settle)
  }

  #askings({ input, more = [] }: Question): Asking[] {
    return this.#asked.flatMap((asked) => {
      const inputs = asked.policy.readsText === true ? [input, ...more] : [input]
      return inputs.map((piece) => ({ ...asked, input: piece }))
    })
  }

  /** Policies that take long let others have the thread between two of them. */
  async #askRest(
    question: Question,
    begun: {
      readonly askings: readonly Asking[]
      readonly answers: (Answer | Promise<Answer>)[]
    },
    startedAt: number,
  ): Promise<Decision> {
    const { askings, answers } = begun
    for (const asking of askings.slice(answers.length)) {
      await nextTurn()
      answers.push(this.#ask(asking))
    }
    const all = await Promise.all(answers.map((answer) => Promise.resolve(answer)))
    return this.#settle(question, this.#heard(question, askings, all), startedAt)
  }

  #ask({ policy, input }: Asking): Answer | Promise<Answer> {
    try {
      const said = policy.judge(input, { nowMs: this.#options.clock.now() })
      if (!(said instanceof Promise)) return { kind: 'opinion', opinion: said }
      return said.then(
        (opinion) => ({ kind: 'opinion', opinion }),
        () => ({ kind: 'failed' }),
      )
    } catch {
      return { kind: 'failed' }
    }
  }

  #settle(
    question: Question,
    { voices, failed, uninspectable }: Heard,
    startedAt: number,
  ): Decision {
    if (uninspectable !== undefined) this.#addUninspectable(voices, uninspectable)
    let weighed = this.#weigh(question, voices)
    const { wanted } = weighed
    const redacted = wanted.length === 0 ? undefined : question.redact(wanted)
    if (wanted.length > 0 && redacted === undefined) {
      this.#addUninspectable(voices, 'what is to be taken out of it cannot be')
      weighed = this.#weigh(question, voices)
    }
    const durationMs = this.#options.clock.monotonic() - startedAt
    const { wanted: _wanted, ...decision } = weighed
    return {
      ...decision,
      failed,
      durationMs,
      redacted: decision.enforce ? undefined : redacted,
    }
  }

  #heard(
    question: Question,
    askings: readonly Asking[],
    answers: readonly Answer[],
  ): Heard {
    const failed = new Set<string>()
    const opinions = new Map<string, { setting: PolicySetting; said: Said[] }>()
    let { uninspectable } = question
    if (this.#blocksUnstructured) uninspectable ??= question.unstructured
    if (this.#blocksPromptCut) uninspectable ??= question.promptCut
    const says = ({ policy, setting }: Asking, opinion: Said): void => {
      const known = opinions.get(policy.name)
      if (known === undefined) opinions.set(policy.name, { setting, said: [opinion] })
      else known.said.push(opinion)
    }
    answers.forEach((answer, index) => {
      const asking = askings[index] as Asking
      const { name } = asking.policy
      if (answer.kind === 'failed') {
        failed.add(name)
        const message = `policy ${name} could not be evaluated`
        if (asking.setting.failMode !== 'open') says(asking, { kind: 'deny', message })
      } else if (answer.opinion?.kind === 'exhausted') {
        uninspectable ??= `it is more than policy ${name} can read`
      } else if (answer.opinion !== undefined) says(asking, answer.opinion)
    })
    const voices = [...opinions].map(([name, { setting, said }]) =>
      voiceOf(name, strongest(said), setting),
    )
    addDefaultVoice(voices, this.#default)
    return { voices, failed: [...failed], uninspectable }
  }

  /** What the voices come to, and what is to be taken out of the request if it goes on. */
  #weigh(
    question: Question,
    voices: readonly Voice[],
  ): Omit<Decision, 'failed' | 'durationMs' | 'redacted'> & {
    readonly wanted: readonly Redaction[]
  } {
    const { mayBlock } = this.#options
    const combined = combine(voices)
    const { blockers, bypass, spent } = letPast(combined.blocks, question)
    const [blocker] = blockers
    const winner = blocker ?? combined.winner
    const all = [combined.winner, ...combined.others].filter(isVoice)
    const enforce = blocker !== undefined && mayBlock
    const wanted = mayBlock ? all.flatMap(({ redactions }) => redactions ?? []) : []
    const emergency = wanted.length > 0 ? question.emergency() : undefined
    const past = bypass ?? emergency
    return {
      enforce,
      effect: winner?.effect ?? 'allow',
      verdict: verdictOf(winner, past, this.#options),
      policy: winner?.policy,
      reason: winner?.reason,
      message: this.#options.settings.get(winner?.policy ?? '')?.message,
      bypass: past,
      spent,
      blockers,
      deviceName: past?.deviceName ?? question.deviceName,
      others: all.filter((voice) => voice !== winner),
      wantsRedaction: all.some(
        ({ effect, redactions }) => effect === 'redact' || redactions !== undefined,
      ),
      redactsWords: all.some(({ redactions }) =>
        redactions?.some(({ kind }) => kind !== 'finding'),
      ),
      wanted: emergency === undefined ? wanted : [],
    }
  }

  #addUninspectable(voices: Voice[], why: string): void {
    if (!this.#blocksUninspectable) return
    voices.push({
      policy: UNINSPECTABLE_POLICY,
      effect: 'block',
      reason: `the request could not be inspected: ${why}`,
      order: Number.MAX_SAFE_INTEGER,
      explicitAllow: false,
    })
  }
}

/** For the record. */
export function verdictOf(
  winner: Voice | undefined,
  bypass: Bypass | undefined,
  { mayBlock, mode }: Pick<EngineOptions, 'mayBlock' | 'mode'>,
): PolicyDecision {
  switch (winner?.effect) {
    case undefined:
    case 'allow':
      return 'allow'
    case 'alert':
    case 'redact':
      return 'alert'
    case 'block':
      if (bypass !== undefined || mayBlock) return 'deny'
      return mode === 'observe' ? 'deny' : 'alert'
  }
}

interface Heard {
  readonly voices: Voice[]
  readonly failed: readonly string[]
  readonly uninspectable: string | undefined
}

type Said = Exclude<Opinion, { kind: 'exhausted' }>

const BY_STRENGTH = ['allow', 'alert', 'redact', 'deny'] as const

/** What one policy says of all pieces: its strongest words, and all that is to be taken out. */
function strongest(said: readonly Said[]): Said {
  const [only] = said
  if (said.length === 1 && only !== undefined) return only
  const strength = Math.max(...said.map(({ kind }) => BY_STRENGTH.indexOf(kind)))
  const kind = BY_STRENGTH[strength] ?? 'allow'
  const messages = new Set(
    said.flatMap((one) => (one.kind === kind && one.message ? [one.message] : [])),
  )
  const redactions = said.flatMap((one) =>
    'redactions' in one ? (one.redactions ?? []) : [],
  )
  const message = [...messages].join('; ').slice(0, MAX_MESSAGE)
  return {
    kind,
    ...(message === '' ? {} : { message }),
    ...(redactions.length === 0 || strength < BY_STRENGTH.indexOf('redact')
      ? {}
      : { redactions }),
  }
}

/** Of one policy about a text in several pieces. */
const MAX_MESSAGE = 500

/** Those that are not let past; without any, what let the strongest past. */
export function letPast(
  blocks: readonly Voice[],
  question: Pick<Question, 'bypass'>,
): { blockers: readonly Voice[]; bypass?: Bypass; spent: readonly string[] } {
  const blockers: Voice[] = []
  const passes: Bypass[] = []
  for (const voice of blocks) {
    const bypass = question.bypass(voice.policy)
    if (bypass === undefined) blockers.push(voice)
    else passes.push(bypass)
  }
  const [bypass] = passes
  if (blockers.length > 0 || bypass === undefined) return { blockers, spent: [] }
  const spent = passes.flatMap((pass) => (pass.spent === undefined ? [] : [pass.spent]))
  return { blockers, bypass, spent }
}

function isVoice(voice: Voice | undefined): voice is Voice {
  return voice !== undefined
}

function isHere(answer: Answer | Promise<Answer>): answer is Answer {
  return !(answer instanceof Promise)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
