/** What a live session has said so far: both sides' texts, and the usage of all its turns. */
import { asCount } from './json.js'
import { CHARS_PER_TOKEN, FactsBuilder } from './facts.js'
import type { ReaderLimits } from './provider.js'
import { RequestBuilder } from './request.js'

/** Turns that are estimated; more are answered by nobody. */
const MAX_UNCOUNTED = 1024

/**
 * One session, filled by the readers of frames; what it keeps of texts and calls has the
 * bounds of its two builders. Usage is summed over the turns.
 */
export class LiveSession {
  readonly request = new RequestBuilder()
  readonly answer: FactsBuilder
  turns = 0
  clientFrames = 0
  serverFrames = 0
  /** Text for the model in the frame at hand. */
  said = ''
  /** Turns whose usage has not come, and what of the answer they are, in characters. */
  readonly #uncounted: { readonly asked: number; readonly said: number }[] = []
  /** Usage came before its turn ended. */
  #countedAhead = false
  #saidBefore = 0
  /** Turns that have told their usage. */
  readonly #told = new Set<string>()

  constructor(limits: ReaderLimits) {
    this.answer = new FactsBuilder(limits)
    this.request.stream = true
  }

  /** What the client, or its person heard by the provider, says to the model. */
  userText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.message('user', text)
  }

  /** What the client tells the model to be, at the beginning or later. */
  systemText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.system(text)
  }

  /** The model has ended an answer. `failed`: what it used cannot be guessed. */
  endTurn(failed = false): void {
    this.turns++
    const { written } = this.answer
    const turn = { asked: this.request.promptChars, said: written - this.#saidBefore }
    this.#saidBefore = written
    if (this.#countedAhead) this.#countedAhead = false
    else if (!failed && this.#uncounted.length < MAX_UNCOUNTED) this.#uncounted.push(turn)
  }

  /** A turn that is told of again has been counted. */
  isFirst(turn: string): boolean {
    const isFirst = !this.#told.has(turn)
    if (this.#told.size < MAX_UNCOUNTED) this.#told.add(turn)
    return isFirst
  }

  /** Token counts of one turn are added to those of the turns before. */
  addUsage(turn: TurnUsage): void {
    if (asCount(turn.input) === undefined && asCount(turn.output) === undefined) return
    if (this.#uncounted.pop() === undefined) this.#countedAhead = true
    const answer = this.answer
    answer.inputTokens = sum(answer.inputTokens, turn.input)
    answer.outputTokens = sum(answer.outputTokens, turn.output)
    answer.cachedTokens = sum(answer.cachedTokens, turn.cached)
    answer.reasoningTokens = sum(answer.reasoningTokens, turn.reasoning)
    answer.extraInputTokens = sum(answer.extraInputTokens, turn.toolInput)
  }

  /** Nothing more comes: turns without usage, and one that broke off, are estimated. */
  estimate(): void {
    const { answer, request } = this
    const broken = answer.written - this.#saidBefore
    const open = { asked: request.promptChars, said: broken }
    const turns = [
      ...this.#uncounted,
      ...(broken > 0 && !this.#countedAhead ? [open] : []),
    ]
    for (const { asked, said } of turns) {
      if (asked + said === 0) continue
      answer.inputTokens = (answer.inputTokens ?? 0) + Math.ceil(asked / CHARS_PER_TOKEN)
      answer.outputTokens = (answer.outputTokens ?? 0) + Math.ceil(said / CHARS_PER_TOKEN)
      answer.estimated = true
    }
  }
}

/** Tokens of one turn, as the frame has them: what is no count is left out. */
export interface TurnUsage {
  readonly input: unknown
  readonly output: unknown
  readonly cached: unknown
  readonly reasoning: unknown
  readonly toolInput?: unknown
}

function sum(before: number | undefined, more: unknown): number | undefined {
  if (typeof more !== 'number' || !Number.isSafeInteger(more) || more < 0) return before
  return (before ?? 0) + more
}
