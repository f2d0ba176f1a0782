/** The lab's table, as Markdown, and read back: rows with the same answers are one. Pure. */
import { MODES } from './run.js'
import type { Outcome } from './run.js'
import type { Row } from './rows.js'

const BEGIN =
  '<!-- made by `npm run lab -- --write` -->\n\n<!-- prettier-ignore-start -->\n'
const END = '<!-- prettier-ignore-end -->'
const BETWEEN = '<br>'

export function tableText(outcomes: readonly Outcome[]): string {
  const byTarget = new Map<string, { outcome: Outcome; families: number[] }>()
  for (const outcome of outcomes) {
    const key = [outcome.row.from, outcome.row.to, ...outcome.words].join(' | ')
    const line = byTarget.get(key) ?? { outcome, families: [] }
    line.families.push(outcome.row.family)
    byTarget.set(key, line)
  }
  const lines = new Map<string, { cells: string[]; targets: string[] }>()
  for (const { outcome, families } of byTarget.values()) {
    const { row, words } = outcome
    const cells = [families.join(', '), ...words]
    const key = [row.from, ...cells].join(' | ')
    const found = lines.get(key) ?? { cells: [row.from, ...cells], targets: [] }
    found.targets.push(row.to)
    lines.set(key, found)
  }
  return [
    line(['from', 'to', 'IP', ...MODES]),
    line(['---', '---', ...Array<string>(MODES.length + 1).fill('---')]),
    ...[...lines.values()].map(({ cells: [from = '', ...rest], targets }) =>
      line([from, targets.join(BETWEEN), ...rest]),
    ),
  ].join('\n')
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** The page with this table in the place of the one it has. */
export function withTable(page: string, table: string): string {
  const [before, , after] = around(page)
  return `${before}${BEGIN}\n${table}\n\n${END}${after}`
}

export function keyOf({
  from,
  to,
  family,
}: Pick<Row, 'from' | 'to'> & { readonly family: number | string }): string {
  return `${from} | ${to} | IPv${family}`
}

/** What the page says for each row: its words, by `keyOf`. */
export function wordsIn(page: string): Map<string, string[]> {
  const [, table] = around(page)
  const found = new Map<string, string[]>()
  for (const text of table.trim().split('\n').slice(2)) {
    const cells = text.split('|').map((cell) => cell.trim())
    const [, from = '', targets = '', families = '', ...words] = cells
    for (const to of targets.split(BETWEEN))
      for (const family of families.split(', '))
        found.set(keyOf({ from, to, family }), words.slice(0, MODES.length))
  }
  return found
}

function around(page: string): [string, string, string] {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error('the page has no place for the table')
  return [
    page.slice(0, begin),
    page.slice(begin + BEGIN.length, end),
    page.slice(end + END.length),
  ]
}
