/** Tables for people, and the words in which they tell amounts. Pure. */
import { printable } from '../audit/printable.js'

const MOST_WIDE = 40

export const cell = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? '-' : printable(String(value))

/** Columns as wide as their widest cell, within reason; the last one is left as it is. */
export function* table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Iterable<string> {
  const cut = (text: string, column: number): string =>
    column === head.length - 1 || text.length <= MOST_WIDE
      ? text
      : `${text.slice(0, MOST_WIDE - 1)}…`
  const all = [head, ...rows].map((row) => row.map(cut))
  const widths = head.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  )
  for (const row of all)
    yield `${row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`
}

/** Micro-dollars as dollars, never rounded to nothing. */
export function dollars(microUsd: string | number | null | undefined): string {
  if (microUsd === null || microUsd === undefined) return '-'
  const value = Number(microUsd) / 1e6
  return value === 0 || value >= 0.01 ? value.toFixed(4) : value.toFixed(6)
}

type Count = string | number | null | undefined

/** `12+34`; `~` before each that is an estimate, or holds one. */
export function tokens(
  counts: { readonly input: Count; readonly output: Count },
  estimated: { readonly input: Count; readonly output: Count },
): string {
  const { input, output } = counts
  if ((input ?? null) === null && (output ?? null) === null) return '-'
  const shown = (count: Count, estimate: Count): string =>
    `${Number(estimate ?? 0) > 0 ? '~' : ''}${count ?? '?'}`
  return `${shown(input, estimated.input)}+${shown(output, estimated.output)}`
}

/** The same of a row of the record. */
export function rowTokens(row: Readonly<Record<string, Count>>): string {
  const either = row['tokens_estimated']
  return tokens(
    { input: row['prompt_tokens'], output: row['response_tokens'] },
    {
      input: row['prompt_tokens_estimated'] ?? either,
      output: row['response_tokens_estimated'] ?? either,
    },
  )
}
