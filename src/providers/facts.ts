/**
 * Gathers what a response says, event by event. The rules that hold for every provider live
 * here: bounds, the later word wins, parts of a count are counted in their whole, missing
 * counts are estimated and marked. Which field means what is each provider's.
 */
import { BoundedText } from './bounded-text.js'
import { GENERATING_APIS, READER_LIMITS } from './provider.js'
import type {
  Api,
  ProviderError,
  ReaderLimits,
  ResponseFacts,
  ToolCall,
  Usage,
} from './provider.js'

export const CHARS_PER_TOKEN = 4
const MAX_SERVER_TOOLS = 128

interface OpenToolCall {
  name: string
  id: string | undefined
  readonly argumentsText: BoundedText
}

const NO_CALLS: readonly OpenToolCall[] = []

/** What an estimate of tokens rests on. */
export interface Asked {
  readonly api: Api
  readonly promptChars: number
}

/**
 * One answer: shapes set its fields and call its methods as events come, `build` gives
 * what they come to. Fields mean what they mean in `ResponseFacts` and `Usage`, where no
 * more is said. Texts are kept up to `limits`, tool calls up to `maxToolCalls`, the
 * provider's tools up to 128; what is beyond is counted or left out, and never thrown
 * for.
 */
export class FactsBuilder {
  readonly limits: ReaderLimits
  readonly text: BoundedText
  model: string | undefined
  responseId: string | undefined
  finishReason: string | undefined
  tier: string | undefined
  /** The status that was told last is no end. */
  goesOn = false
  error: ProviderError | undefined
  refused: string | undefined
  /** As the provider counts; `build` adds what it counts beside. */
  inputTokens: number | undefined
  outputTokens: number | undefined
  cachedTokens: number | undefined
  cacheWriteTokens: number | undefined
  cacheWriteHourTokens: number | undefined
  reasoningTokens: number | undefined
  billedInputTokens: number | undefined
  billedOutputTokens: number | undefined
  costMicroUsd: number | undefined
  /** Cached and cache-written tokens are not in `inputTokens` (Anthropic, Bedrock). */
  cacheBeside = false
  /** Not in the two counts either: what tools of the provider put in, what a compaction took. */
  extraInputTokens: number | undefined
  extraOutputTokens: number | undefined
  /** Reasoning is not in `outputTokens` (Gemini). */
  reasoningBeside = false
  /** Some of the counts are ours. */
  estimated = false
  /** The output count so far is not final: the stream may still raise it. */
  outputProvisional = false
  /** What the model wrote and `text` does not hold: reasoning, other choices. */
  readonly #beside: BoundedText
  events = 0
  unread = 0
  streamed = false
  /** The file in which the answers of a batch are fetched, by its id. */
  resultsFile: string | undefined
  /** Told of each of several answers. */
  eachAnswer: ((one: ResponseFacts) => void) | undefined
  /** Tools that a server of MCP offers. */
  toolsTold: string[] | undefined
  /** The stream said its own end. */
  ended = false
  /** Undefined until there is one: most answers have none, and one is read for each request. */
  #toolCalls: Map<string | number, OpenToolCall> | undefined
  /** The key of the call that stands at a place now, where it is not the place itself. */
  #places: Map<string, string> | undefined
  readonly #serverTools: string[] = []

  constructor(limits: ReaderLimits) {
    this.limits = limits
    this.text = new BoundedText(limits.maxTextChars)
    this.#beside = new BoundedText(limits.maxTextChars)
  }

  /**
   * A call, or a piece of one: pieces with the same key belong together. A name or id that
   * comes again replaces the former; arguments are joined.
   */
  toolCall(key: string | number, piece: ToolCallPiece): void {
    const calls = (this.#toolCalls ??= new Map<string | number, OpenToolCall>())
    let call = calls.get(key)
    if (call === undefined) {
      if (calls.size >= this.limits.maxToolCalls) return
      const argumentsText = new BoundedText(this.limits.maxArgumentChars)
      call = { name: '', id: undefined, argumentsText }
      calls.set(key, call)
    }
    if (piece.name !== undefined && piece.name !== '') call.name = piece.name
    if (piece.id !== undefined && piece.id !== '') call.id = piece.id
    if (piece.replace === true) call.argumentsText.clear()
    if (piece.argumentsText !== undefined) call.argumentsText.append(piece.argumentsText)
  }

  /**
   * A piece for a place in a list. Some servers give several calls of one answer the same
   * place: a piece with a name and another id begins a call of its own.
   */
  toolCallAt(place: string, piece: ToolCallPiece): void {
    const named = piece.name !== undefined && piece.name !== ''
    const key = this.#places?.get(place) ?? place
    const id = this.#toolCalls?.get(key)?.id
    if (!named || id === undefined || piece.id === undefined || piece.id === id) {
      this.toolCall(key, piece)
      return
    }
    const own = `${place} ${this.toolCallCount}`
    this.#places ??= new Map()
    this.#places.set(place, own)
    this.toolCall(own, piece)
  }

  /** More of the arguments of a call that has begun; pieces of other blocks are dropped. */
  toolCallMore(key: string | number, piece: string): void {
    this.#toolCalls?.get(key)?.argumentsText.append(piece)
  }

  /** Something of the model has come, kept or not. */
  get wrote(): boolean {
    return this.text.chars + this.#beside.chars > 0 || this.toolCallCount > 0
  }

  get toolCallCount(): number {
    return this.#toolCalls?.size ?? 0
  }

  /** Written by the model beside its answer; what comes in pieces is joined. */
  beside(text: string | undefined): void {
    if (text !== undefined) this.#beside.append(text)
  }

  /** The next that is written beside is no more of the last. */
  nextBeside(): void {
    if (this.#beside.chars > 0) this.#beside.append('\n')
  }

  /** A tool that the provider ran itself, once for each time. */
  serverTool(name: string): void {
    if (this.#serverTools.length < MAX_SERVER_TOOLS) this.#serverTools.push(name)
  }

  /** One of several answers that are told together, of a batch: what it used is added up. */
  addAnswer(one: FactsBuilder): void {
    one.model ??= this.model
    one.tier ??= 'batch'
    const facts = one.build(undefined, true)
    const { usage, model, tier } = facts
    if (usage.inputTokens === undefined && usage.outputTokens === undefined) return
    this.eachAnswer?.(facts)
    this.model = model
    this.tier ??= tier
    this.inputTokens = sum(this.inputTokens, usage.inputTokens)
    this.outputTokens = sum(this.outputTokens, usage.outputTokens)
    this.cachedTokens = sum(this.cachedTokens, usage.cachedTokens)
    this.cacheWriteTokens = sum(this.cacheWriteTokens, usage.cacheWriteTokens)
    this.cacheWriteHourTokens = sum(this.cacheWriteHourTokens, usage.cacheWriteHourTokens)
    this.reasoningTokens = sum(this.reasoningTokens, usage.reasoningTokens)
  }

  /** Forgets text and tool calls: the final event says all of them again. */
  restart(): void {
    this.text.clear()
    this.#beside.clear()
    this.#toolCalls = undefined
    this.#places = undefined
    this.#serverTools.length = 0
  }

  /**
   * `whole`: the answer reached its end, by its own word or the transport's. Without `asked`
   * nothing is estimated.
   */
  build(asked: Asked | undefined, whole: boolean): ResponseFacts {
    const toolCalls: ToolCall[] = []
    for (const { name, id, argumentsText } of this.#toolCalls?.values() ?? NO_CALLS)
      // Some servers put an empty call into every answer.
      if (name !== '' || id !== undefined || argumentsText.chars > 0)
        toolCalls.push({ name, id, argumentsText: argumentsText.text })
    return {
      model: this.model,
      responseId: this.responseId,
      text: this.text.text,
      textChars: this.text.chars,
      besideText: this.#beside.text,
      toolCalls,
      serverTools: this.#serverTools,
      ...(this.toolsTold === undefined ? {} : { toolsTold: this.toolsTold }),
      usage: this.#usage(asked, whole),
      finishReason: this.finishReason,
      tier: this.tier,
      goesOn: this.goesOn,
      resultsFile: this.resultsFile,
      refused: this.refused,
      error: this.error,
      streamed: this.streamed,
      events: this.events,
      complete: whole,
      unread: this.unread,
    }
  }

  #usage(asked: Asked | undefined, whole: boolean): Usage {
    let inputTokens = plus(this.inputTokens, this.#besideInput())
    let outputTokens = plus(this.outputTokens, this.#besideOutput())
    let inputEstimated = this.estimated
    let outputEstimated = this.estimated
    if (
      asked !== undefined &&
      GENERATING_APIS.has(asked.api) &&
      this.error === undefined
    ) {
      if (inputTokens === undefined && asked.promptChars > 0) {
        inputTokens = Math.ceil(asked.promptChars / CHARS_PER_TOKEN)
        inputEstimated = true
      }
      const { written } = this
      const guess = Math.ceil(written / CHARS_PER_TOKEN)
      const unfinished = this.outputProvisional && !whole
      if (outputTokens === undefined ? written > 0 : unfinished && guess > outputTokens) {
        outputTokens = guess
        outputEstimated = true
      }
    }
    return {
      inputTokens,
      outputTokens,
      cachedTokens: this.cachedTokens,
      cacheWriteTokens: this.cacheWriteTokens,
      cacheWriteHourTokens: this.cacheWriteHourTokens,
      reasoningTokens: this.reasoningTokens,
      billedInputTokens:
        this.billedInputTokens && plus(this.billedInputTokens, this.#besideInput()),
      billedOutputTokens:
        this.billedOutputTokens && plus(this.billedOutputTokens, this.#besideOutput()),
      costMicroUsd: this.costMicroUsd,
      inputEstimated,
      outputEstimated,
    }
  }

  #besideInput(): number {
    const cache = (this.cachedTokens ?? 0) + (this.cacheWriteTokens ?? 0)
    return (this.cacheBeside ? cache : 0) + (this.extraInputTokens ?? 0)
  }

  #besideOutput(): number {
    const reasoning = this.reasoningBeside ? (this.reasoningTokens ?? 0) : 0
    return reasoning + (this.extraOutputTokens ?? 0)
  }

  /** UTF-16 units of all that the model wrote, kept or not. */
  get written(): number {
    let chars = this.text.chars + this.#beside.chars
    for (const call of this.#toolCalls?.values() ?? NO_CALLS)
      chars += call.name.length + call.argumentsText.chars
    return chars
  }
}

/** Of a request that nobody has answered: what it sent is estimated, and nothing was written. */
export function unansweredFacts(asked: Asked): ResponseFacts {
  const facts = new FactsBuilder(READER_LIMITS)
  facts.outputTokens = 0
  facts.estimated = true
  return facts.build(asked, true)
}

function sum(before: number | undefined, more: number | undefined): number | undefined {
  return more === undefined ? before : (before ?? 0) + more
}

/** A count that was not told stays so, unless a part of it was. */
function plus(tokens: number | undefined, beside: number): number | undefined {
  return tokens === undefined && beside === 0 ? undefined : (tokens ?? 0) + beside
}

/**
 * What an event tells of a tool call. An empty name or id changes nothing that was told
 * before.
 */
export interface ToolCallPiece {
  readonly name?: string | undefined
  readonly id?: string | undefined
  readonly argumentsText?: string | undefined
  /** The arguments are whole, not one more piece. */
  readonly replace?: boolean
}
