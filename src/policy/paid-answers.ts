/**
 * Which row an answer is paid in. Providers keep answers: they are fetched again by their id,
 * polled until they are ready, and told of by a batch. Whatever is told of one is counted once,
 * in the row of the request that began it, or else of the first that told; what is told later
 * changes that row. A call to a model always pays for itself: some servers use an id again.
 * Keeps digests and counts, no ids. Knows no database: what has changed is taken out as rows,
 * and what was kept is put back at a start.
 */
import { hash } from 'node:crypto'
import type { AnsweredRow, Device, ExchangeRecord } from '../core/record.js'

/** Answers that are known at once; the one that was told of longest ago is forgotten. */
export const MAX_ANSWERS = 8192
/** Providers keep an answer for 30 days (OpenAI's responses, Anthropic's batches: 29). */
export const ANSWER_DAYS = 31

/** One answer, as it is kept. */
export interface PaidAnswer {
  readonly key: string
  readonly requestId: string
  readonly device: Pick<Device, 'ip' | 'mac'>
  readonly policyName?: string
  readonly model?: string
  /** It began with a call to a model. */
  readonly isCall: boolean
  readonly at: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly microUsd?: number
  readonly atMostMicroUsd?: number
  readonly estimated: boolean
  /** Of the conversation that it counts in, as long as that lasts. Not kept. */
  readonly sessionKey?: string
}

/** What names an answer beside its path. */
export interface Named {
  readonly responseId?: string | undefined
  /** The file in which what it is about is fetched. */
  readonly resultsFile?: string | undefined
}

/** What a response said of the answer that it is about. */
export interface Told extends Named {
  /** Its status is no end. */
  readonly goesOn: boolean
  readonly failed: boolean
  /** It was told to its end. */
  readonly isWhole: boolean
}

export interface Telling {
  /** As it was asked for, with its query: it names what has no id. */
  readonly path: string
  /** The provider keeps it. */
  readonly isKept: boolean
  readonly sessionKey?: string | undefined
  readonly nowMs: number
}

/** What becomes of what a row tells of its answer. */
export interface Settled {
  /** It is told in another row, so that nothing of it is left in this one. */
  readonly clears: boolean
  /** That other row. */
  readonly countedIn?: string
  /** What that row has to say since. */
  readonly corrects?: AnsweredRow
}

export class PaidAnswers {
  readonly #max: number
  /** By key; an answer that has two names stands here twice. */
  readonly #answers = new Map<string, PaidAnswer>()
  readonly #changed = new Set<string>()
  readonly #forgot: (answer: PaidAnswer) => void

  /** `forgot` is told of each answer that made room, though its provider may still keep it. */
  constructor(forgot: (answer: PaidAnswer) => void = () => undefined, max = MAX_ANSWERS) {
    this.#forgot = forgot
    this.#max = max
  }

  get size(): number {
    return this.#answers.size
  }

  /** The answer that a response is about, when it was told of before; by its request, or a poll. */
  find(
    record: Readonly<ExchangeRecord>,
    named: Named,
    path: string,
  ): PaidAnswer | undefined {
    if (this.#answers.size === 0) return undefined
    const known = keysOf(record, named, path).flatMap((key) => {
      const answer = this.#answers.get(key)
      return answer === undefined ? [] : [answer]
    })
    // A file of results and the batch that it is of: what was told of either is told of both.
    const found = known.find((answer) => tokensOf(answer) > 0) ?? known[0]
    if (record.call !== true || found === undefined) return found
    // A poll that began later may end before the stream that it asks about.
    return !found.isCall && found.at >= record.startedAt ? found : undefined
  }

  /**
   * A response has been read into its record; gives what that has to say since. `known`: what
   * `find` gave.
   */
  settle(
    record: Readonly<ExchangeRecord>,
    told: Told,
    known: PaidAnswer | undefined,
    telling: Telling,
  ): Settled {
    if (known === undefined) {
      if (record.call !== true && told.goesOn) return { clears: true }
      // Most answers are told of once: of these nothing is kept, and no key is made.
      if (pays(record, told, telling)) this.#begin(record, told, telling)
      return { clears: false }
    }
    const [key, ...others] = keysOf(record, told, telling.path)
    const file = fileKeyOf(record, told)
    const now = told.goesOn ? known : nowTold(known, record, told, telling)
    const corrects = now === known ? undefined : correction(known, now, record)
    if (now !== known) this.#keep(now)
    // xAI names what it defers by the request, and answers by another id.
    if (key !== undefined && key !== known.key && others.includes(known.key))
      this.#keep({ ...now, key })
    if (file !== undefined && file !== known.key) this.#keep({ ...now, key: file })
    const settled = { countedIn: known.requestId, clears: true }
    return corrects === undefined ? settled : { ...settled, corrects }
  }

  /** What has changed since the last time, in whole values. */
  take(max = 1000): PaidAnswer[] {
    const rows: PaidAnswer[] = []
    for (const key of this.#changed) {
      if (rows.length >= max) break
      this.#changed.delete(key)
      const answer = this.#answers.get(key)
      if (answer !== undefined) rows.push(answer)
    }
    return rows
  }

  /** What was taken did not arrive, or what had arrived is gone. */
  lost(): void {
    for (const key of this.#answers.keys()) this.#changed.add(key)
  }

  /** What an earlier run kept, the oldest first. */
  restore(rows: Iterable<PaidAnswer>): void {
    for (const row of rows) {
      this.#keep(row)
      this.#changed.delete(row.key)
    }
  }

  #begin(record: Readonly<ExchangeRecord>, told: Told, telling: Telling): void {
    const [key] = keysOf(record, told, telling.path)
    const file = fileKeyOf(record, told)
    if (key === undefined) return
    this.#keep(answerOf(key, record, telling))
    if (file !== undefined) this.#keep(answerOf(file, record, telling))
  }

  #keep(answer: PaidAnswer): void {
    // Set again, so that the one that was told of longest ago goes first.
    this.#answers.delete(answer.key)
    this.#answers.set(answer.key, answer)
    this.#changed.add(answer.key)
    if (this.#answers.size <= this.#max) return
    const [oldest] = this.#answers.values()
    if (oldest === undefined) return
    this.#answers.delete(oldest.key)
    this.#changed.delete(oldest.key)
    if (answer.at - oldest.at < ANSWER_DAYS * DAY_MS) this.#forgot(oldest)
  }
}

const DAY_MS = 86_400_000

/** By its own id, by the end of the path, and where it has none by all of the path. */
function keysOf(record: Readonly<ExchangeRecord>, named: Named, path: string): string[] {
  const { responseId } = named
  const keyOf = (...parts: string[]): string => keyIn(record, ...parts)
  const file = fileKeyOf(record, named)
  const files = file === undefined ? [] : [file]
  const ids = responseId === undefined ? [] : [responseId]
  if (record.method !== 'GET') return [...ids.map((id) => keyOf(id)), ...files]
  const query = path.indexOf('?')
  const bare = query < 0 ? path : path.slice(0, query)
  const tail = TAIL.exec(bare)?.[1] ?? ''
  const byId = [...ids, ...(tail === '' ? [] : [tail])].map((id) => keyOf(id))
  if (responseId !== undefined) return [...byId, ...files]
  // The file that it gives has the name of the answer.
  const byPath = keyOf('GET', path)
  return GIVEN.test(bare) ? [...byId, byPath] : [byPath, ...byId, ...files]
}

/** A file, or what a batch came to, as it is. */
const GIVEN = /(?:\/(?:results|content)|:download)$/
/** The last part of a path that names something. */
const TAIL = /([^/]+?)(?:\/(?:results|content)|:download)?$/

/** Files are fetched by the last part of their names. */
function fileKeyOf(
  record: Readonly<ExchangeRecord>,
  { resultsFile }: Named,
): string | undefined {
  if (resultsFile === undefined) return undefined
  return keyIn(record, resultsFile.slice(resultsFile.lastIndexOf('/') + 1))
}

function keyIn({ endpointDomain }: Readonly<ExchangeRecord>, ...parts: string[]): string {
  return hash('sha256', [endpointDomain, ...parts].join('\n'), 'base64url')
}

/** Is it to be known when it is told of again? */
function pays(
  record: ExchangeRecord,
  { responseId }: Told,
  { isKept }: Telling,
): boolean {
  if (record.call === true) return isKept && responseId !== undefined
  return tells(record)
}

function tells({ inputTokens, outputTokens, costMicroUsd }: ExchangeRecord): boolean {
  return (
    inputTokens !== undefined || outputTokens !== undefined || costMicroUsd !== undefined
  )
}

function answerOf(
  key: string,
  record: ExchangeRecord,
  { sessionKey, nowMs }: Telling,
): PaidAnswer {
  const { requestId, device, policyName, model, call } = record
  const { ip, mac } = device
  return {
    key,
    requestId,
    device: { ip, ...(mac === undefined ? {} : { mac }) },
    ...(policyName === undefined ? {} : { policyName }),
    ...(model === undefined ? {} : { model }),
    ...(sessionKey === undefined ? {} : { sessionKey }),
    isCall: call === true,
    at: nowMs,
    ...countsOf(record),
  }
}

type Counts = Pick<
  PaidAnswer,
  'inputTokens' | 'outputTokens' | 'microUsd' | 'atMostMicroUsd' | 'estimated'
>

function countsOf(record: ExchangeRecord): Counts {
  const { inputTokens, outputTokens, costMicroUsd: microUsd } = record
  const { costAtMostMicroUsd: atMostMicroUsd } = record
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(microUsd === undefined ? {} : { microUsd }),
    ...(atMostMicroUsd === undefined ? {} : { atMostMicroUsd }),
    estimated: record.inputEstimated === true || record.outputEstimated === true,
  }
}

/** The same object: nothing new was told. */
function nowTold(
  known: PaidAnswer,
  record: ExchangeRecord,
  { failed, isWhole }: Told,
  { nowMs }: Telling,
): PaidAnswer {
  const { inputTokens, outputTokens, microUsd, atMostMicroUsd, estimated, ...rest } =
    known
  if (!tells(record)) {
    // A call that failed used nothing that could be guessed.
    return failed && estimated ? { ...rest, at: nowMs, estimated: false } : known
  }
  const told = countsOf(record)
  // A guess is no news of what was told, nor is a part of it.
  if (told.estimated && !estimated) return known
  if (!isWhole && !estimated && tokensOf(told) < tokensOf(known)) return known
  // Nor is the same answer without its details: what was cached would cost as if it were not.
  const isLess = !estimated && tokensOf(told) <= tokensOf(known) && !hasDetails(record)
  if (isLess && told.atMostMicroUsd === undefined && atMostMicroUsd === undefined)
    return known
  // A cost and a bound of it are never both.
  const isPriced = told.microUsd !== undefined || told.atMostMicroUsd !== undefined
  const paid = isPriced ? {} : { microUsd, atMostMicroUsd }
  const before = { inputTokens, outputTokens, ...paid }
  const now: PaidAnswer = { ...rest, at: nowMs, ...defined(before), ...told }
  const isSame =
    now.inputTokens === inputTokens &&
    now.outputTokens === outputTokens &&
    now.microUsd === microUsd &&
    now.atMostMicroUsd === atMostMicroUsd &&
    now.estimated === estimated
  return isSame ? known : now
}

function hasDetails(record: ExchangeRecord): boolean {
  const { cachedTokens, cacheWriteTokens, reasoningTokens } = record
  const details = [cachedTokens, cacheWriteTokens, reasoningTokens]
  return details.some((tokens) => tokens !== undefined)
}

function defined(counts: {
  readonly [Name in keyof Counts]?: Counts[Name] | undefined
}): Partial<Counts> {
  return Object.fromEntries(
    Object.entries(counts).filter(([, value]) => value !== undefined),
  )
}

function correction(
  before: PaidAnswer,
  now: PaidAnswer,
  record: ExchangeRecord,
): AnsweredRow {
  const { requestId, device, policyName } = before
  const { inputTokens, outputTokens, microUsd, atMostMicroUsd } = now
  const { finishReason, serviceTier, cachedTokens, cacheWriteTokens } = record
  const { cacheWriteHourTokens, reasoningTokens } = record
  const { inputEstimated, outputEstimated } = record
  return {
    requestId,
    device,
    ...(policyName === undefined ? {} : { policyName }),
    told: {
      ...(inputTokens === undefined ? {} : { inputTokens }),
      ...(outputTokens === undefined ? {} : { outputTokens }),
      ...(microUsd === undefined ? {} : { costMicroUsd: microUsd }),
      ...(atMostMicroUsd === undefined ? {} : { costAtMostMicroUsd: atMostMicroUsd }),
      ...(finishReason === undefined ? {} : { finishReason }),
      ...(serviceTier === undefined ? {} : { serviceTier }),
      ...(cachedTokens === undefined ? {} : { cachedTokens }),
      ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
      ...(cacheWriteHourTokens === undefined ? {} : { cacheWriteHourTokens }),
      ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
      ...(inputEstimated === undefined ? {} : { inputEstimated }),
      ...(outputEstimated === undefined ? {} : { outputEstimated }),
    },
    more: {
      tokens: tokensOf(now) - tokensOf(before),
      microUsd: (microUsd ?? 0) - (before.microUsd ?? 0),
      atMostMicroUsd: (atMostMicroUsd ?? 0) - (before.atMostMicroUsd ?? 0),
    },
  }
}

function tokensOf({
  inputTokens = 0,
  outputTokens = 0,
}: Pick<PaidAnswer, 'inputTokens' | 'outputTokens'>): number {
  return inputTokens + outputTokens
}
