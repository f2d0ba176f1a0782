/**
 * A Rego module as a policy. Its package is `yori.<name>`; read are `deny`, `ask`, `hold`,
 * `redact`, `alert` and `allow` (true, or a set of messages that is not empty), `message`, `redactions`,
 * which says what `redact` takes out (`redactions.ts`), and `modify`, the body that goes on in
 * the place of the one that came. `ask` is a denial that a person may allow, `hold` one for
 * whose word the request waits. The strongest that
 * holds is its opinion; all undefined or false is none, but for `allow`: an explicit false is
 * a denial. Modules of `yori.lib` are shared; `data.params` holds the parameters.
 */
import { compileModules, fromJson, toJson } from '@yori/rego'
import type { Module, PreparedQuery, RegoError, SourceFile, Value } from '@yori/rego'
import type { Clock } from '../core/clock.js'
import { AnswerCache } from './answer-cache.js'
import type { CacheLimits } from './answer-cache.js'
import { filledParams, parametersOf } from './params.js'
import type { Parameters, Params } from './params.js'
import type { Opinion, Policy, PolicyContext, PolicyInput, Redaction } from './policy.js'
import { redactionsOf } from './redactions.js'
import {
  allReads,
  judgesCallsOf,
  judgesByNameOf,
  judgesUnseenOf,
  looksAt,
  readsContentOf,
  readsStructureOf,
} from './rego-reads.js'
import type { Reads } from './rego-reads.js'

export interface EvaluationLimits {
  /** What one policy may spend on one request. */
  readonly maxSteps: number
  readonly deadlineMs: number
}

/** Together with the interpreter's own look at the clock: under 5 ms of the event loop. */
export const EVALUATION_LIMITS: EvaluationLimits = { maxSteps: 50_000, deadlineMs: 4 }

export interface PolicySource extends SourceFile {
  /** Of the file, without `.rego`; the package must bear it. */
  readonly stem: string
}

export interface RegoOptions {
  /** What the policy is called: the stem, or `default`. */
  readonly name: string
  readonly source: PolicySource
  /** Modules of `yori.lib`. */
  readonly lib: readonly SourceFile[]
  readonly params: Params
  /** For `data`, beside `data.params`. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limits?: EvaluationLimits
  readonly cache?: CacheLimits
}

export type RegoLoaded =
  | { readonly kind: 'ok'; readonly policy: RegoPolicy }
  | { readonly kind: 'invalid'; readonly errors: readonly RegoError[] }

const OUTPUTS = [
  'allow',
  'deny',
  'ask',
  'hold',
  'modify',
  'alert',
  'redact',
  'redactions',
  'message',
  'parameters',
] as const
/** Longest reason that goes on a block page and into the record. */
const MAX_MESSAGE = 500

/** Reads and checks one policy. @throws BadParams for params that do not fit */
export function loadRegoPolicy(options: RegoOptions): RegoLoaded {
  const { source, lib } = options
  const answers = { name: 'answers', text: answersText(source.stem) }
  const compiled = compileModules([source, ...lib, answers])
  if (compiled.kind === 'invalid') return { kind: 'invalid', errors: compiled.errors }
  const { modules } = compiled.policy
  const own = modules.find(({ file }) => file === source.name)
  if (own === undefined) throw new Error('a module that was compiled is not there')
  const misplaced = packageProblem(own, source)
  if (misplaced !== undefined) return { kind: 'invalid', errors: [misplaced] }
  const path = `data.yori_answers.${source.stem}`
  const declared = compiled.policy.evaluate(`${path}.parameters`, {}, {}, UNBOUNDED)
  const parameters =
    declared.kind === 'value' ? parametersOf(toJson(declared.value)) : undefined
  const data = { ...options.data, params: filledParams(options.params, parameters) }
  const reads = allReads(
    own,
    modules.filter((module) => module.package[1] === 'lib'),
  )
  const ask = compiled.policy.prepareQuery(`${path}.said`, data)
  return { kind: 'ok', policy: new RegoPolicy(options, { ask, reads, parameters, own }) }
}

const UNBOUNDED = { deadlineMs: Infinity } as const

interface Compiled {
  readonly ask: PreparedQuery
  readonly reads: Reads
  readonly parameters: Parameters | undefined
  readonly own: Module
}

/** What has been used so far. */
const COUNTERS = [
  'counters',
  'context.request_count_today',
  'context.request_count_this_hour',
  'session.requests',
  'session.tool_calls',
  'session.tokens',
  'session.cost_usd',
]

/** Rules by which a policy asks for something to be taken out of a request. */
const REDACTING: ReadonlySet<string> = new Set(['redact', 'redactions', 'modify'])

export class RegoPolicy implements Policy {
  readonly name: string
  readonly readsContent: boolean
  readonly readsFindings: boolean
  readonly readsText: boolean
  readonly readsPrompt: boolean
  readonly readsStructure: boolean
  readonly judgesByName: boolean
  readonly judgesCalls: boolean
  readonly readsCalls: boolean
  readonly readsCounters: boolean
  readonly judgesUnseen: boolean
  readonly redacts: boolean
  readonly reads: Reads
  readonly parameters: Parameters | undefined
  /** The first paragraph of the comment at its top. */
  readonly description: string
  readonly #ask: PreparedQuery
  readonly #cache: AnswerCache | undefined
  readonly #limits: EvaluationLimits

  constructor(options: RegoOptions, { ask, reads, parameters, own }: Compiled) {
    this.name = options.name
    this.reads = reads
    this.readsContent = readsContentOf(reads)
    this.readsFindings = looksAt(reads, 'findings')
    this.readsText = ['text', 'said', 'said_chars'].some((path) => looksAt(reads, path))
    this.readsPrompt = looksAt(reads, 'prompt')
    this.readsStructure = readsStructureOf(reads)
    this.judgesCalls = judgesCallsOf(reads)
    this.readsCalls = looksAt(reads, 'calls')
    this.judgesByName = judgesByNameOf(reads)
    this.readsCounters = COUNTERS.some((path) => looksAt(reads, path))
    this.judgesUnseen = judgesUnseenOf(reads)
    this.redacts = own.rules.some(({ head }) => REDACTING.has(head.name.name))
    this.parameters = parameters
    this.description = descriptionOf(own)
    this.#ask = ask
    this.#limits = options.limits ?? EVALUATION_LIMITS
    this.#cache = AnswerCache.for(reads, options.clock, options.cache)
  }

  /** @throws Error for a policy that fails: what follows is its `fail_mode` */
  judge(input: PolicyInput, context: PolicyContext): Opinion | undefined {
    const cache = this.#cache
    if (cache === undefined) return this.#judge(input, context)
    const key = cache.keyOf(input)
    const kept = cache.get(key)
    if (kept !== undefined) return kept.opinion
    const opinion = this.#judge(input, context)
    if (opinion?.kind !== 'exhausted') cache.set(key, opinion)
    return opinion
  }

  #judge(input: PolicyInput, { nowMs }: PolicyContext): Opinion | undefined {
    const result = this.#ask(valueOf(input), {
      ...this.#limits,
      nowNs: BigInt(Math.trunc(nowMs)) * 1_000_000n,
    })
    switch (result.kind) {
      case 'undefined':
        return undefined
      case 'value':
        return opinionOf(
          this.name,
          toJson(result.value),
          this.readsFindings ? input : NO_FINDINGS,
        )
      case 'error': {
        const spent =
          result.code === 'eval_budget_error' || result.code === 'eval_deadline_error'
        if (spent) return { kind: 'exhausted' }
        const { place, message } = result
        const where = place === undefined ? '' : `${place.file}:${place.line}: `
        throw new Error(`${where}${message}`)
      }
    }
  }
}

/** Several policies are asked about one request: it is made a value once. */
const values = new WeakMap<PolicyInput, Value>()

function valueOf(input: PolicyInput): Value {
  let value = values.get(input)
  if (value === undefined) {
    value = fromJson(input)
    values.set(input, value)
  }
  return value
}

type Said = Readonly<Partial<Record<(typeof OUTPUTS)[number], unknown>>>

function opinionOf(
  policy: string,
  said: unknown,
  input: Pick<PolicyInput, 'findings'>,
): Opinion | undefined {
  const { deny, ask, hold, modify, redact, redactions, alert, allow, message } =
    said as Said
  const general = typeof message === 'string' ? message : undefined
  const one = <K extends 'deny' | 'ask' | 'hold' | 'redact' | 'alert' | 'allow'>(
    kind: K,
    value: unknown,
  ): { kind: K; message?: string } | undefined => {
    const messages = messagesOf(policy, kind, value)
    if (messages === undefined) return undefined
    const text = messages.length === 0 ? general : messages.join('; ')
    return text === undefined ? { kind } : { kind, message: text.slice(0, MAX_MESSAGE) }
  }
  const body = bodyOf(policy, modify)
  const changed = body === undefined ? undefined : one('redact', true)
  const redacted = one('redact', redact) ?? changed
  const taken = one('redact', redact) && redactionsOf(policy, redactions, input)
  const wanted = [...(body ?? []), ...(taken ?? [])]
  const some = wanted.length === 0 ? {} : { redactions: wanted }
  const asked = one('ask', ask)
  const asking = asked && ({ ...asked, asks: true } as const)
  const held = one('hold', hold)
  const holding = held && ({ ...held, asks: true, holds: true } as const)
  const denied =
    one('deny', deny) ??
    asking ??
    holding ??
    (allow === false ? one('deny', true) : undefined)
  // What is denied may be let past: then it is redacted all the same.
  if (denied !== undefined) return { ...denied, kind: 'deny', ...some }
  if (redacted !== undefined) return { ...redacted, kind: 'redact', ...some }
  return one('alert', alert) ?? one('allow', allow)
}

/** @throws Error for what is no object: what follows is the policy's `fail_mode` */
function bodyOf(policy: string, said: unknown): [Redaction] | undefined {
  if (said === undefined || said === false) return undefined
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw new Error(`${policy}: modify is no object`)
  return [{ kind: 'body', text: JSON.stringify(said) }]
}

const NO_FINDINGS = { findings: [] } as const

/** Undefined: it does not hold. Sets come as sorted lists. */
function messagesOf(policy: string, rule: string, value: unknown): string[] | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.length === 0 ? undefined : value
  }
  throw new Error(`${policy}: ${rule} is neither true or false nor a set of messages`)
}

/** One document with what is read, so that the policy's rules are worked out once. */
function answersText(stem: string): string {
  const at = `data.yori.${stem}`
  const said = OUTPUTS.filter((name) => name !== 'parameters').map(
    (name) => `said["${name}"] := ${at}.${name}`,
  )
  return [`package yori_answers.${stem}`, ...said, `parameters := ${at}.parameters`].join(
    '\n',
  )
}

function packageProblem(
  own: Module,
  { name, stem }: PolicySource,
): RegoError | undefined {
  const found = own.package.join('.')
  if (found === `yori.${stem}`) return undefined
  return {
    file: name,
    ...own.packageAt,
    code: 'rego_compile_error',
    message: `package ${found} must be yori.${stem}, as the file is named`,
  }
}

function descriptionOf({ comments, packageAt }: Module): string {
  const lines: string[] = []
  for (const { text, at } of comments) {
    const line = text.replace(/^#+/, '').trim()
    if (at.line >= packageAt.line || (line === '' && lines.length > 0)) break
    if (line !== '') lines.push(line)
  }
  return lines.join(' ')
}
