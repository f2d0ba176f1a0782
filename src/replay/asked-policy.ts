/**
 * A policy that is asked about a great many requests: it is shown what it looks at, and nothing
 * beside, and what it said of the very same is said again. `reads` names every path of the input
 * that its modules can look at, so it cannot tell the difference.
 */
import { Recent } from '../core/recent.js'
import type { Opinion, PolicyContext, PolicyInput } from '../policy/policy.js'
import type { Reads } from '../policy/rego-reads.js'
import { wholeInput } from './recorded-document.js'

export interface AskedPolicy {
  readonly name: string
  readonly reads: Reads
  readonly readsContent: boolean
  judge(input: PolicyInput, context: PolicyContext): Opinion | undefined
}

/** Answers of one policy that are kept. */
const MOST_ANSWERS = 4096
/** Characters of what it looks at; beyond, no two are likely to be the same. */
const MOST_KEY_CHARS = 2048
/** After so many questions it shows whether answers come again. */
const TRIED = 1000
/** Fewer than one in so many: looking for them is dearer than asking. */
const SELDOM = 10

/** Of all paths; undefined is a path that the input does not have. */
type Values = readonly unknown[]

export function askedOften(policy: AskedPolicy): AskedPolicy {
  const { name, reads, readsContent } = policy
  const paths = [...reads.input].sort().map((path) => path.split('.'))
  // It looks at everything, or asks the clock: it is asked anew each time.
  if (reads.unsteady || reads.input.has('')) {
    const ask = (input: PolicyInput, context: PolicyContext): Opinion | undefined =>
      policy.judge(wholeInput(input), context)
    return { name, reads, readsContent, judge: ask }
  }
  const answers = new Recent<string, { readonly opinion: Opinion | undefined }>({
    max: MOST_ANSWERS,
  })
  let [asked, again] = [0, 0]
  const judge = (input: PolicyInput, context: PolicyContext): Opinion | undefined => {
    const values = paths.map((path) => at(input, path))
    const isWorth = asked < TRIED || again * SELDOM >= asked
    const key = isWorth ? JSON.stringify(values) : undefined
    if (key === undefined || key.length > MOST_KEY_CHARS)
      return policy.judge(shown(input, paths, values), context)
    asked++
    const known = answers.get(key)
    if (known !== undefined) {
      again++
      return known.opinion
    }
    const opinion = policy.judge(shown(input, paths, values), context)
    if (opinion?.kind !== 'exhausted') answers.set(key, { opinion })
    return opinion
  }
  return { name, reads, readsContent, judge }
}

function at(input: PolicyInput, path: readonly string[]): unknown {
  let value: unknown = input
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** The input with those paths alone, and whose request it is. */
function shown(
  input: PolicyInput,
  paths: readonly (readonly string[])[],
  values: Values,
): PolicyInput {
  const made: Record<string, unknown> = { device: input.device }
  paths.forEach((path, i) => {
    const value = values[i]
    if (path[0] === 'device' || value === undefined) return
    let inner = made
    path.forEach((name, depth) => {
      if (depth === path.length - 1) inner[name] = value
      else inner = (inner[name] ??= {}) as Record<string, unknown>
    })
  })
  return made as unknown as PolicyInput
}
