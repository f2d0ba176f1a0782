/** Why tests were skipped: noted by the tests, told by the reporter at the end. */

export interface Lack {
  /** What is lacking, by its name. */
  readonly what: string
  /** What would bring it. */
  readonly brings: string
}

interface Runnable {
  readonly parent?: Runnable | undefined
  readonly type?: string
}

/** One for all copies of this module: a test may run from its source, the reporter compiled. */
const KEY = Symbol.for('yori.tests.lacks')
const shared = globalThis as unknown as Record<symbol, WeakMap<object, Lack>>
const lacks = (shared[KEY] ??= new WeakMap<object, Lack>())

/** Of the test that is running, or of the suite whose hook is. */
export function noteLack(
  context: { readonly test?: Runnable | undefined },
  lack: Lack,
): void {
  const { test } = context
  const owner = test?.type === 'hook' ? test.parent : test
  if (owner !== undefined) lacks.set(owner, lack)
}

export function lackOf(test: Runnable): Lack | undefined {
  for (let at: Runnable | undefined = test; at !== undefined; at = at.parent) {
    const lack = lacks.get(at)
    if (lack !== undefined) return lack
  }
  return undefined
}

/** A line for each lack, the most frequent first; nothing when nothing was skipped. */
export function lackLines(skipped: readonly Runnable[]): string[] {
  const counts = new Map<string, number>()
  for (const test of skipped) {
    const lack = lackOf(test)
    const text = lack === undefined ? 'no reason named' : `${lack.what}: ${lack.brings}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const lines = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([text, count]) => `  ${String(count).padStart(4)}  ${text}`)
  return ['Skipped, by what is lacking here and what would bring it:', ...lines]
}
