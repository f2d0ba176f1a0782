/**
 * What an exchange waits for in `held`, in order. A step is told the decision of those before
 * it and gives the one that holds from then on; undefined: nothing is against it. Another
 * thing that looks, or waits, before the provider hears is one more line in `HELD_STEPS`.
 */
import type { UpstreamBody } from '../../net/upstream-words.js'
import type { Decision } from '../../policy/engine.js'
import { overridden } from '../judging/blocking.js'
import { heldForWord, isHeld } from '../judging/holding.js'
import type { Judging } from '../judging/judging.js'
import type { Judgement } from '../words/exchange-about.js'
import type { RequestBody } from './request-body.js'

export interface Held {
  readonly judging: Judging
  /** As far as it has come, and how much of it there was. */
  readonly request: RequestBody
  /** What would go up. */
  readonly body: UpstreamBody
}

export interface HeldStep {
  readonly name: string
  take(held: Held, decision: Decision | undefined): Judgement
}

export const HELD_STEPS: readonly HeldStep[] = [
  {
    name: 'policies',
    take: ({ judging, request, body }) => judging.judge(request, body),
  },
  {
    name: 'password',
    take: ({ judging }, decision) =>
      decision?.enforce === true && decision.refusal === undefined
        ? overridden(judging.blocked, decision)
        : decision,
  },
  {
    name: 'adult',
    take: ({ judging }, decision) =>
      decision !== undefined && isHeld(decision)
        ? heldForWord(judging.blocked, decision)
        : decision,
  },
]

/**
 * Takes the steps one after the other, within the call while none of them waits. `over`: what
 * is held has ended, and nobody need be asked any more.
 * @throws and rejects with what a step does
 */
export function takeSteps(
  steps: readonly HeldStep[],
  held: Held,
  over: () => boolean,
): Judgement {
  let decision: Decision | undefined
  for (const [index, step] of steps.entries()) {
    const next = step.take(held, decision)
    if (next instanceof Promise)
      return next.then((made) => takeOthers(steps.slice(index + 1), held, over, made))
    decision = next
  }
  return decision
}

async function takeOthers(
  steps: readonly HeldStep[],
  held: Held,
  over: () => boolean,
  before: Decision | undefined,
): Promise<Decision | undefined> {
  let decision = before
  for (const step of steps) {
    if (over()) return decision
    decision = await step.take(held, decision)
  }
  return decision
}
