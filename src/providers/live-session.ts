/** What a live session has said so far: both sides' texts, and the usage of all its turns. */
import { FactsBuilder } from './facts.js'
import type { ReaderLimits } from './provider.js'
import { RequestBuilder } from './request.js'

export class LiveSession {
  readonly request = new RequestBuilder()
  readonly answer: FactsBuilder
  turns = 0
  clientFrames = 0
  serverFrames = 0
  /** Text for the model in the frame at hand. */
  said = ''

  constructor(limits: ReaderLimits) {
    this.answer = new FactsBuilder(limits)
    this.request.stream = true
  }

  userText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.message('user', text)
  }

  systemText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.system(text)
  }

  /** Token counts of one turn are added to those of the turns before. */
  addUsage(input: unknown, output: unknown, cached: unknown, reasoning: unknown): void {
    const answer = this.answer
    answer.inputTokens = sum(answer.inputTokens, input)
    answer.outputTokens = sum(answer.outputTokens, output)
    answer.cachedTokens = sum(answer.cachedTokens, cached)
    answer.reasoningTokens = sum(answer.reasoningTokens, reasoning)
  }
}

function sum(before: number | undefined, more: unknown): number | undefined {
  if (typeof more !== 'number' || !Number.isSafeInteger(more) || more < 0) return before
  return (before ?? 0) + more
}
