/** What the readers found, in the fields of an exchange's row. */
import type { AnswerCounts, AttachmentNote, ExchangeRecord } from '../core/record.js'
import { cutAt, endOfText } from './bounded-text.js'
import type { Catalogue } from './catalogue.js'
import { costOf } from './cost.js'
import { mostTokens } from './most-tokens.js'
import type { Bounding } from './most-tokens.js'
import type { Attachment, RequestFacts, ResponseFacts } from './provider.js'

/** Attachments and tool calls that a record names. */
const MAX_NOTED = 64

function noteOf({ kind, mediaType, bytes }: Attachment): AttachmentNote {
  return {
    kind,
    ...(mediaType === undefined ? {} : { mediaType: cutAt(mediaType, MAX_NOTED) }),
    ...(bytes === undefined ? {} : { bytes }),
  }
}

/** What a request says, as its row has it. */
export type AskedFields = Told<'model' | 'stream' | 'promptPreview' | 'attachments'>

/** Fields of a row, of which some are not told. */
type Told<Field extends keyof ExchangeRecord> = {
  readonly [Name in Field]?: ExchangeRecord[Name] | undefined
}

/**
 * The end of the newest words of a person is kept, as far as `previewChars` (UTF-16
 * units); of attachments the first 64 (`MAX_NOTED`), without content.
 */
export function askedFields(facts: RequestFacts, previewChars: number): AskedFields {
  const { model, stream, attachments } = facts
  const preview = endOfText(facts.newestWords ?? facts.lastUserText, previewChars)
  return {
    model,
    stream,
    promptPreview: preview === '' ? undefined : preview,
    attachments:
      attachments.length === 0 ? undefined : attachments.slice(0, MAX_NOTED).map(noteOf),
  }
}

/** What an answer says, as its row has it. */
export interface AnsweredFields extends Told<
  keyof AnswerCounts | 'model' | 'stream' | 'toolCalls' | 'toolsOffered' | 'responseId'
> {
  /** It says no in words of its own; `isError`: whatever its status says. */
  readonly failure?: { readonly reason: string; readonly isError: boolean } | undefined
  /** Not all of it could be read. */
  readonly unread: boolean
  readonly complete: boolean
}

/** The request that is answered. */
export interface AskedOf extends Bounding {
  readonly provider: string | undefined
  /** Where it went: a canonical name, or an address. */
  readonly host: string
  readonly model: string | undefined
  readonly tier?: string | undefined
}

/**
 * A price under the name of the model that answered counts before one under the name that was
 * asked for, since it is the one that is paid. `asked.tier`: where the answer does not say,
 * what was asked for may have been served. `several`: what it costs, where it tells of more
 * than one answer.
 */
export function answeredFields(
  facts: ResponseFacts,
  catalogue: Catalogue | undefined,
  asked: AskedOf,
  several?: Pick<PaidSum, 'paid'>,
): AnsweredFields {
  const { usage, toolCalls } = facts
  const paid = several?.paid ?? (catalogue && paidOf(facts, catalogue, asked))
  const isInTold = usage.inputTokens !== undefined
  const isOutTold = usage.outputTokens !== undefined
  return {
    model: facts.model,
    stream: facts.streamed ? true : undefined,
    inputTokens: usage.inputTokens,
    inputEstimated: isInTold ? usage.inputEstimated : undefined,
    outputTokens: usage.outputTokens,
    outputEstimated: isOutTold ? usage.outputEstimated : undefined,
    cachedTokens: usage.cachedTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    cacheWriteHourTokens: usage.cacheWriteHourTokens,
    reasoningTokens: usage.reasoningTokens,
    serviceTier: facts.tier,
    costMicroUsd: paid?.costMicroUsd,
    costAtMostMicroUsd: paid?.costAtMostMicroUsd,
    finishReason: facts.finishReason,
    toolCalls:
      toolCalls.length === 0
        ? undefined
        : toolCalls.slice(0, MAX_NOTED).map(({ name }) => name),
    toolsOffered: facts.toolsTold?.slice(0, MAX_NOTED),
    responseId: facts.responseId,
    failure: failureOf(facts),
    unread: facts.unread > 0,
    complete: facts.complete,
  }
}

type Paid = Pick<AnswerCounts, 'costMicroUsd' | 'costAtMostMicroUsd'>

/** Of several answers, each at the price of its own model and length. */
export class PaidSum {
  #known = 0
  #atMost = 0
  #count = 0
  #unknown = 0

  add(one: ResponseFacts, catalogue: Catalogue, asked: AskedOf): void {
    const { costMicroUsd, costAtMostMicroUsd = 0 } = paidOf(one, catalogue, asked)
    this.#count++
    if (costMicroUsd === undefined) this.#unknown++
    this.#known += costMicroUsd ?? 0
    this.#atMost += costAtMostMicroUsd
  }

  /** Undefined: there were none. */
  get paid(): Paid | undefined {
    if (this.#count === 0) return undefined
    if (this.#unknown === 0) return { costMicroUsd: this.#known }
    const most = this.#known + this.#atMost
    return most === 0 ? {} : { costAtMostMicroUsd: most }
  }
}

/** Micro-dollars: the cost, or where it is not known the most that it may be. */
function paidOf(facts: ResponseFacts, catalogue: Catalogue, asked: AskedOf): Paid {
  const { provider = '', host } = asked
  const { model } = facts
  const { model: askedModel = model } = asked
  const usage = withNoneWritten(facts)
  const paid = facts.tier ?? asked.tier
  const cost =
    catalogue.costOf(provider, model, usage, paid) ??
    catalogue.costOf(provider, askedModel, usage, paid)
  if (cost !== undefined) return { costMicroUsd: cost }
  const { inputTokens, outputTokens } = usage
  // It tells of no answer, or of one that used nothing.
  if (inputTokens === undefined && outputTokens === undefined) return {}
  const price = catalogue.most({ provider, host, model: model ?? askedModel, tier: paid })
  const most = mostTokens(asked)
  const counted = {
    ...usage,
    inputTokens: inputTokens ?? most.inputTokens,
    outputTokens: outputTokens ?? most.outputTokens,
  }
  const atMost = costOf(counted, price)
  return atMost === undefined ? {} : { costAtMostMicroUsd: atMost }
}

/** Who tells what went in, and to its end neither words nor a count of them, wrote none. */
function withNoneWritten(facts: ResponseFacts): ResponseFacts['usage'] {
  const { usage, complete, textChars, besideText, toolCalls } = facts
  const isTold = usage.inputTokens !== undefined && !usage.inputEstimated
  const wrote = textChars > 0 || besideText !== '' || toolCalls.length > 0
  if (usage.outputTokens !== undefined || !isTold || !complete || wrote) return usage
  return { ...usage, outputTokens: 0 }
}

function failureOf({ error, refused }: ResponseFacts): AnsweredFields['failure'] {
  if (error !== undefined) return { reason: error.message, isError: true }
  if (refused === undefined) return undefined
  const reason = `the provider refused the prompt: ${cutAt(refused, MAX_NOTED)}`
  return { reason, isError: false }
}

/** Shorter than this, a stream came in one piece, and its pace says nothing. */
const LEAST_STREAM_MS = 20

/** Of a stream: tokens in a second from the model's first words to the end, to a tenth. */
export function paceOf(
  record: Pick<ExchangeRecord, 'firstTokenMs' | 'latencyMs' | 'outputTokens'>,
): number | undefined {
  const { firstTokenMs, latencyMs, outputTokens } = record
  if (firstTokenMs === undefined || latencyMs === undefined) return undefined
  const ms = latencyMs - firstTokenMs
  if (ms < LEAST_STREAM_MS || outputTokens === undefined || outputTokens < 2)
    return undefined
  return Math.round((outputTokens * 10_000) / ms) / 10
}
