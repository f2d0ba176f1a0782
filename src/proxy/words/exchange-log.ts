/**
 * The one writer of an exchange's row: what happens to an exchange is told here, by a verb each,
 * and everybody else only reads. The row is one object from its opening to its end, so that
 * whoever was shown it sees what is told later. Which of two tellings counts is
 * `precedence.ts`'s.
 */
import type { ErrorCode } from '../../core/errors.js'
import type { Phase } from '../../core/phases.js'
import type {
  AnswerCounts,
  ExchangeOutcome,
  ExchangeRecord,
  Program,
  RefusedFor,
  RepeatedRow,
  Ungoverned,
  Uninspectable,
  WritableRow,
} from '../../core/record.js'
import type { Placed } from '../../conversations/conversations.js'
import type { Settled } from '../../policy/paid-answers.js'
import type { AnsweredFields, AskedFields } from '../../providers/into-record.js'
import type { SeenExchange } from './observer.js'
import { newRow } from './exchange-row.js'
import type { ExchangeOpened } from './exchange-row.js'
import { DECISION_RANK, Ranked, REASON_RANK, UNSEEN_RANK } from './precedence.js'

export type { ExchangeOpened } from './exchange-row.js'

/** One after the other. */
function joined(before: string | undefined, text: string): string {
  return before === undefined || before === '' ? text : `${before}; ${text}`
}

/** Characters of what is noted of one exchange. */
const MAX_NOTES = 2000

/** What policies made of it, as the row has it. */
export type DecidedFields = Pick<
  ExchangeRecord,
  'policyName' | 'policyMessage' | 'bypass' | 'redacted' | 'reason'
> &
  Required<Pick<ExchangeRecord, 'policyDecision'>>

export type SpokenFields = Required<
  Pick<
    ExchangeRecord,
    'clientFrames' | 'serverFrames' | 'clientMessages' | 'serverMessages' | 'closeCode'
  >
>

export interface Ended {
  readonly outcome: ExchangeOutcome
  readonly latencyMs: number
  readonly requestBytes?: number | undefined
  readonly responseBytes?: number | undefined
  /** Request trailer fields that were dropped. */
  readonly trailersDropped?: number | undefined
}

export class ExchangeLog {
  /** What was noted of its answer. */
  #answerNotes: string | undefined
  readonly #record: WritableRow<ExchangeRecord>
  readonly #reason = new Ranked<string>()
  readonly #unseen = new Ranked<Uninspectable>()
  /** Whom it was sent to before another was asked. */
  #meant: { provider: string | undefined; model: string | undefined } | undefined
  #servedModel: string | undefined

  /** Of a row that was begun before, all that it says. */
  constructor(opened: ExchangeOpened | SeenExchange) {
    this.#record = newRow(opened) as WritableRow<ExchangeRecord>
    if ('responseBytes' in opened) Object.assign(this.#record, opened)
    const { uninspectable } = opened
    if (uninspectable !== undefined) this.#unseen.tell(uninspectable, UNSEEN_RANK.seen)
  }

  get record(): SeenExchange {
    return this.#record
  }

  /** Another of the same, whose row nobody gets: what is told to it can be taken back. */
  aside(): ExchangeLog {
    return new ExchangeLog(this.#record)
  }

  // The request.

  /** What its body shows it to be, on a path that nobody knows. */
  shapedAs(api: string): void {
    this.#record.api = api
    this.#record.call = this.#record.method === 'POST'
  }

  /** Whether it asks a model for work, where its head does not say. */
  isCall(call: boolean): void {
    this.#record.call = call
  }

  /** A program of this machine. */
  sentBy(program: Program): void {
    this.#record.program = program
  }

  asked(fields: AskedFields): void {
    const row = this.#record
    if (fields.model !== undefined) {
      if (this.#meant !== undefined) this.#meant.model = fields.model
      row.model = this.#servedModel ?? fields.model
    }
    if (fields.stream !== undefined) row.stream = fields.stream
    if (fields.promptPreview !== undefined) row.promptPreview = fields.promptPreview
    if (fields.attachments !== undefined) row.attachments = fields.attachments
  }

  /** How long its prompt is, and which tools it offers. */
  says(promptChars: number, toolsOffered: readonly string[] | undefined): void {
    this.#record.promptChars = promptChars
    if (toolsOffered !== undefined) this.#record.toolsOffered = toolsOffered
  }

  /** Tools that it calls itself. */
  calls(tools: readonly string[]): void {
    if (tools.length > 0) this.#record.toolCalls = tools
  }

  placed(fields: Placed['row']): void {
    const row = this.#record
    if (fields.sessionId !== undefined) row.sessionId = fields.sessionId
    if (fields.agentId !== undefined) row.agentId = fields.agentId
    if (fields.fragmented !== undefined) row.fragmented = fields.fragmented
    // What a key is tagged with is the operator's word.
    if (fields.tags !== undefined) row.tags = { ...fields.tags, ...row.tags }
  }

  keptRequest(text: string): void {
    this.#record.requestBody = text
  }

  /** It, or what answers it, is not read, or not to its end; the first reason counts. */
  unseen(why: Uninspectable): void {
    this.#notSeen(why, UNSEEN_RANK.seen)
  }

  /** A bound cut it: by its name in the configuration. */
  cutBy(bound: string): void {
    this.#record.unseenBy ??= bound
  }

  /** A reader of ours failed: nothing of what it said before can be relied on. */
  readingFailed(): void {
    this.#notSeen('failed', UNSEEN_RANK.failed)
  }

  // What policies make of it.

  /** Nobody is asked about it. */
  ungoverned(why: Ungoverned): void {
    this.#record.ungoverned = why
  }

  /** Personal data in it. */
  found(findings: NonNullable<ExchangeRecord['findings']>): void {
    this.#record.findings = findings
  }

  /** Of what came back; the first few are kept. */
  answerNoted(text: string): void {
    const all = joined(this.#answerNotes, text)
    if (all.length > MAX_NOTES) return
    this.#answerNotes = all
    this.#record.policyMessage = joined(this.#record.policyMessage, text)
  }

  decided(fields: DecidedFields): void {
    const { reason, ...told } = fields
    keepKnown(this.#record, told)
    // It may be decided on after some of its answer has come.
    if (told.policyMessage !== undefined && this.#answerNotes !== undefined)
      this.#record.policyMessage = joined(told.policyMessage, this.#answerNotes)
    if (reason !== undefined) this.#because(reason, REASON_RANK.policy)
  }

  /** Of what was decided on parts of it, the strongest counts, and who was let past. */
  decidedBeside({ record: judged }: ExchangeLog): void {
    const { policyDecision = 'allow', policyName, policyMessage } = judged
    const { reason, bypass, findings } = judged
    const before = this.#record.policyDecision ?? 'allow'
    const isStronger = DECISION_RANK[policyDecision] > DECISION_RANK[before]
    const isFirstPast = bypass !== undefined && this.#record.bypass === undefined
    if (!isStronger && !isFirstPast) return
    keepKnown(this.#record, {
      policyDecision,
      policyName,
      policyMessage,
      bypass,
      findings,
    })
    if (reason !== undefined) this.#because(reason, REASON_RANK.policy)
  }

  /** It blocks once what blocked first was let past. */
  blockedNext({ policyName, reason }: { policyName: string; reason: string }): void {
    this.#record.policyName = policyName
    this.#because(reason, REASON_RANK.policy)
  }

  /** An override came along: what became of that, in a word. */
  overrideTried(result: string): void {
    this.#record.policyMessage = `override: ${result}`
  }

  letPast(bypass: string): void {
    this.#record.bypass = bypass
  }

  /** Passages that were taken out of it. */
  redacted(passages: number): void {
    this.#record.redacted = passages
  }

  /** A placeholder may have stayed in its answer. */
  unrestored(why: 'held-too-long' | 'not-readable'): void {
    this.#record.unrestored = why
  }

  /** What it was blocked for, by digest, for whoever approves it. */
  blockedFor(foundMarks: readonly string[]): void {
    this.#record.foundMarks = foundMarks
  }

  /** What it was blocked for: the same for who says it again. */
  refusedAs(refusedFor: RefusedFor): void {
    this.#record.refusedFor = refusedFor
  }

  /** `row` counts it, or its own where there is none; gives that one's id. */
  countedAs(row: RepeatedRow | undefined): string {
    if (row !== undefined) this.#record.repeated ??= row
    return row?.requestId ?? this.#record.requestId
  }

  /** Answered by us, in place of the provider. */
  refused(code: ErrorCode, status: number): void {
    this.#record.code = code
    this.#record.status = status
  }

  // The response.

  /** It was sent to one of several targets, and what came of it. */
  attempted({ target, outcome }: { target: string; outcome: string }): void {
    const row = this.#record
    const before = row.attempts ?? []
    row.upstream = target
    row.attempts = [...before, `${target} ${outcome}`]
    row.retries = before.length
  }

  /** By another provider than was asked, and another model; undefined: by that one after all. */
  servedBy(other: { provider: string; model: string | undefined } | undefined): void {
    if (other === undefined && this.#meant === undefined) return
    const row = this.#record
    this.#meant ??= { provider: row.provider, model: row.model }
    const provider = other?.provider ?? this.#meant.provider
    if (provider !== undefined) row.provider = provider
    row.fallback = other?.provider
    this.#servedModel = other?.model
    const model = other?.model ?? this.#meant.model
    if (model !== undefined) row.model = model
  }

  /** Its answer is one that was kept: nobody is asked, and nothing is paid. */
  fromCache(): void {
    this.#record.cache = 'hit'
  }

  /** It is sent a second time. */
  retried(): void {
    this.#record.retried = true
  }

  status(status: number): void {
    this.#record.status = status
  }

  /** Of its body; the first counts. */
  firstByte(ms: number): void {
    this.#record.firstByteMs ??= ms
  }

  /** The model's first words; the first counts. */
  firstToken(ms: number): void {
    this.#record.firstTokenMs ??= ms
  }

  streams(): void {
    this.#record.stream = true
  }

  responseBytes(more: number): void {
    this.#record.responseBytes += more
  }

  keptResponse(text: string): void {
    this.#record.responseBody = text
  }

  /** The model that was asked for stays. */
  ofModel(model: string): void {
    this.#record.model ??= model
  }

  /** What it says of itself. */
  answered(told: AnsweredFields): void {
    const record = this.#record
    const { model, failure, unread, complete } = told
    if (model !== undefined) this.ofModel(model)
    this.#counted(told)
    if (told.stream !== undefined) record.stream = told.stream
    if (told.toolCalls !== undefined) record.toolCalls = told.toolCalls
    if (told.toolsOffered !== undefined) record.toolsOffered = told.toolsOffered
    if (told.responseId !== undefined) record.responseId = told.responseId
    if (failure !== undefined) this.failedThere(failure.reason)
    // A stream begins before anybody knows how it ends: its status says nothing of it.
    const saysYes = record.outcome === 'response' && (record.status ?? 0) < 400
    if (failure?.isError === true && saysYes) record.outcome = 'error'
    if (unread) this.unseen('response')
    if (!complete) record.truncated = true
  }

  /** Field by field: a loop over names costs ten times as much, and each answer comes here. */
  #counted(told: AnsweredFields): void {
    const record = this.#record
    if (told.finishReason !== undefined) record.finishReason = told.finishReason
    if (record.cache !== undefined) return
    if (told.inputTokens !== undefined) record.inputTokens = told.inputTokens
    if (told.inputEstimated !== undefined) record.inputEstimated = told.inputEstimated
    if (told.outputTokens !== undefined) record.outputTokens = told.outputTokens
    if (told.outputEstimated !== undefined) record.outputEstimated = told.outputEstimated
    if (told.cachedTokens !== undefined) record.cachedTokens = told.cachedTokens
    if (told.cacheWriteTokens !== undefined)
      record.cacheWriteTokens = told.cacheWriteTokens
    if (told.cacheWriteHourTokens !== undefined)
      record.cacheWriteHourTokens = told.cacheWriteHourTokens
    if (told.reasoningTokens !== undefined) record.reasoningTokens = told.reasoningTokens
    if (told.costMicroUsd !== undefined) record.costMicroUsd = told.costMicroUsd
    if (told.costAtMostMicroUsd !== undefined)
      record.costAtMostMicroUsd = told.costAtMostMicroUsd
    if (told.serviceTier !== undefined) record.serviceTier = told.serviceTier
  }

  /** The provider says why. */
  failedThere(reason: string): void {
    this.#because(reason, REASON_RANK.provider)
  }

  tokensPerSecond(pace: number): void {
    this.#record.tokensPerSecond = pace
  }

  /** What it told is paid for in another row, which may have something to say since. */
  paid({ countedIn, corrects, clears }: Settled): void {
    const record = this.#record
    if (countedIn !== undefined) record.countedIn = countedIn
    if (corrects !== undefined) record.corrects = corrects
    if (!clears) return
    clear(record)
  }

  // A WebSocket.

  /** RFC 6455 §5, §7.4. */
  spoken(fields: SpokenFields): void {
    keepKnown(this.#record, fields)
  }

  unreadMessages(count: number): void {
    this.#record.unreadMessages = count
  }

  /** We closed it with this code, RFC 6455 §7.4. */
  closedWith(closeCode: number): void {
    this.#record.closeCode = closeCode
  }

  wentIdle(): void {
    this.#record.code = 'YORI_WEBSOCKET_IDLE'
  }

  // Its end.

  /** It did not become what it was to be; `phase`: where it stood. */
  failed({
    code,
    reason,
    phase,
  }: {
    code: ErrorCode
    reason: string
    phase: Phase
  }): void {
    this.#record.phase = phase
    this.#record.code = code
    this.#because(reason, REASON_RANK.failure)
  }

  /** Had the response begun? */
  brokenOff(begun: boolean): void {
    this.#record.truncated = begun
  }

  ended(told: Ended): void {
    const record = this.#record
    const { requestBytes, responseBytes, trailersDropped } = told
    record.outcome = told.outcome
    record.latencyMs = told.latencyMs
    if (requestBytes !== undefined) record.requestBytes = requestBytes
    if (responseBytes !== undefined) record.responseBytes = responseBytes
    if (trailersDropped !== undefined) record.trailersDropped = trailersDropped
  }

  /** Nobody objected. */
  undisputed(): void {
    this.#record.policyDecision ??= 'allow'
  }

  #because(reason: string, rank: number): void {
    if (rank === REASON_RANK.policy) this.#reason.retell(reason, rank)
    else this.#reason.tell(reason, rank)
    this.#record.reason = this.#reason.value as string
  }

  #notSeen(why: Uninspectable, rank: number): void {
    this.#unseen.tell(why, rank)
    this.#record.uninspectable = this.#unseen.value as Uninspectable
  }
}

type Counts = { -readonly [Field in keyof AnswerCounts]: AnswerCounts[Field] | undefined }

/** Undefined again: without its place, a field would take the row's shape along. */
function clear(counts: Counts): void {
  counts.inputTokens = undefined
  counts.outputTokens = undefined
  counts.cachedTokens = undefined
  counts.cacheWriteTokens = undefined
  counts.cacheWriteHourTokens = undefined
  counts.reasoningTokens = undefined
  counts.inputEstimated = undefined
  counts.outputEstimated = undefined
  counts.costMicroUsd = undefined
  counts.costAtMostMicroUsd = undefined
}

/** What is not known says nothing against what was. */
function keepKnown(
  record: WritableRow<ExchangeRecord>,
  told: { readonly [Field in keyof ExchangeRecord]?: ExchangeRecord[Field] | undefined },
): void {
  const row = record as unknown as Record<string, unknown>
  for (const field in told) {
    const value = told[field as keyof ExchangeRecord]
    if (value !== undefined) row[field] = value
  }
}
