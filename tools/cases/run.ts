/** Plays the rows of files one after the other and reports as it goes. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { CaseKind, Difference, Outcome, Row } from './kind.js'

/** The command cannot run: no such file, or a line that is no JSON object. */
export class UsageError extends Error {}

export interface Tally {
  right: number
  wrong: number
  skipped: number
}

/** Longest text of a value in the report, in characters. */
const MAX_SHOWN = 400

export async function runFiles(
  kind: CaseKind,
  files: readonly string[],
  say: (line: string) => void,
): Promise<Tally> {
  const categories = new Map<string, Tally>()
  const reasons = new Map<string, number>()
  const total: Tally = { right: 0, wrong: 0, skipped: 0 }
  await using runner = await kind.open(files)
  for (const file of files) {
    for await (const { row, line } of rowsOf(file)) {
      const outcome = await settled(runner.run(row))
      const category = runner.categoryOf(row)
      const tally = categories.get(category) ?? { right: 0, wrong: 0, skipped: 0 }
      categories.set(category, tally)
      total[outcome.kind]++
      tally[outcome.kind]++
      if (outcome.kind === 'wrong')
        sayWrong(outcome.differences, say, nameOf(row, file, line))
      if (outcome.kind === 'skipped')
        reasons.set(outcome.why, (reasons.get(outcome.why) ?? 0) + 1)
    }
  }
  for (const [why, count] of reasons) say(`skipped ${count}: ${why}`)
  sayTable(categories, say)
  for (const line of runner.table?.() ?? []) say(line)
  say(
    `${total.right} right, ${total.wrong} wrong, ${total.skipped} skipped of ${sum(total)}`,
  )
  return total
}

async function settled(running: Promise<Outcome>): Promise<Outcome> {
  try {
    return await running
  } catch (error) {
    const got = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { kind: 'wrong', differences: [{ what: 'thrown', expected: 'nothing', got }] }
  }
}

async function* rowsOf(file: string): AsyncGenerator<{ row: Row; line: number }> {
  const input = createReadStream(file, 'utf8')
  const lines = createInterface({ input, crlfDelay: Infinity })
  let number = 0
  try {
    for await (const line of lines) {
      number++
      if (line.trim() !== '')
        yield { row: parseRow(line, `${file}:${number}`), line: number }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  } finally {
    input.destroy()
  }
}

function parseRow(line: string, place: string): Row {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Row
  } catch {
    // Said below, with the place.
  }
  throw new UsageError(`${place}: not a JSON object`)
}

function nameOf(row: Row, file: string, line: number): string {
  return typeof row['id'] === 'string'
    ? `${row['id']} (${file}:${line})`
    : `${file}:${line}`
}

function sayWrong(
  differences: readonly Difference[],
  say: (line: string) => void,
  name: string,
): void {
  say(`wrong ${name}`)
  for (const { what, expected, got } of differences) {
    say(`  ${what}`)
    say(`    expected ${shown(expected)}`)
    say(`    got      ${shown(got)}`)
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length <= MAX_SHOWN
    ? text
    : `${text.slice(0, MAX_SHOWN)}... (${text.length})`
}

function sayTable(
  categories: ReadonlyMap<string, Tally>,
  say: (line: string) => void,
): void {
  const width = Math.max(8, ...Array.from(categories.keys(), (name) => name.length))
  say(`${'category'.padEnd(width)}  right  wrong  skipped`)
  for (const [name, tally] of [...categories].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const cells = [tally.right, tally.wrong, tally.skipped]
    const widths = [5, 5, 7]
    const numbers = cells.map((cell, index) => String(cell).padStart(widths[index] ?? 0))
    say(`${name.padEnd(width)}  ${numbers.join('  ')}`)
  }
}

function sum(tally: Tally): number {
  return tally.right + tally.wrong + tally.skipped
}
