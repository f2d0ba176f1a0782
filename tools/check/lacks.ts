/**
 * Why tests were skipped: noted by the tests, told by the reporter at the end. Tests that run
 * side by side run in processes of their own, and note it in a file that the reporter names.
 */
import { appendFileSync, readFileSync } from 'node:fs'

export interface Lack {
  /** What is lacking, by its name. */
  readonly what: string
  /** What would bring it. */
  readonly brings: string
}

interface Runnable {
  readonly parent?: Runnable | undefined
  readonly type?: string
  fullTitle(): string
}

/** What the file for notes of other processes is called in their environment. */
export const LACKS_FILE = 'YORI_TEST_LACKS'

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
  if (owner === undefined) return
  lacks.set(owner, lack)
  const file = process.env[LACKS_FILE]
  if (file !== undefined && file !== '')
    appendFileSync(file, `${JSON.stringify([owner.fullTitle(), lack])}\n`)
}

/** What other processes have noted, by the whole title of a test or a suite. */
export function notedIn(file: string): ReadonlyMap<string, Lack> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map((line) => JSON.parse(line) as [string, Lack]))
}

export function lackOf(
  test: Runnable,
  noted: ReadonlyMap<string, Lack> = new Map(),
): Lack | undefined {
  for (let at: Runnable | undefined = test; at !== undefined; at = at.parent) {
    const lack = lacks.get(at)
    if (lack !== undefined) return lack
  }
  const title = test.fullTitle()
  if (noted.has(title)) return noted.get(title)
  const suite = [...noted.keys()].find((name) => title.startsWith(`${name} `))
  return suite === undefined ? undefined : noted.get(suite)
}

/** A line for each lack, the most frequent first; nothing when nothing was skipped. */
export function lackLines(
  skipped: readonly Runnable[],
  noted?: ReadonlyMap<string, Lack>,
): string[] {
  const counts = new Map<string, number>()
  for (const test of skipped) {
    const lack = lackOf(test, noted)
    const text = lack === undefined ? 'no reason named' : `${lack.what}: ${lack.brings}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const lines = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([text, count]) => `  ${String(count).padStart(4)}  ${text}`)
  return ['Skipped, by what is lacking here and what would bring it:', ...lines]
}
