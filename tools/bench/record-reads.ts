// Usage: node dist/tools/bench/record-reads.js [--rows 100000,1000000] [--days N] [--folder DIR] [--only PART]
// What the control plane's questions to the record cost as it grows: CPU of one process in
// milliseconds for each, the least of 3 runs, for a record of each size, and what the largest
// costs as a ratio to the smallest. A record grows by 11,111 rows a day; with `--days` all are of
// so many days. In brackets: rows of a page; one with few matches ends after 100,000 rows or
// 250 ms, and says where the next goes on. A folder that is named is filled once.
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../src/audit/queries.js'
import { placeIn, placeText } from '../../src/audit/pages.js'
import { READS } from '../../src/control/reads.js'
import type { ReadName } from '../../src/control/reads.js'
import { fillRecord, RARE } from './filled-record.js'
import { machine } from './table.js'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000,1000000' },
    days: { type: 'string' },
    folder: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})
const sizes = values.rows.split(',').map(Number)
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'yori-reads-'))
const DAY_MS = 86_400_000
const RUNS = 3
const A_DAY = 11_111
const nowMs = Date.now()
const days = (count: number): number => nowMs - count * DAY_MS

type Question = readonly [says: string, name: ReadName, asked: (rows: number) => unknown]

const list = (filter: object, before?: string): Question[2] => {
  const place = before === undefined ? {} : { before: placeIn(before) }
  return () => ({ filter, rows: 50, ...place })
}
const middle = placeText({
  timestamp: new Date(days(4)).toISOString().replace('T', ' ').slice(0, -1),
  id: 1,
})
const last = (rows: number): string =>
  `00000000-0000-4000-8000-${String(rows - 7).padStart(12, '0')}`
const usage = (filter: object): Question[2] => {
  return () => ({ filter, wall: { nowMs, zone: 'Europe/Berlin' } })
}
const agents = { activeSinceMs: days(0.02) }

const QUESTIONS: readonly Question[] = [
  ['list', 'exchanges', list({})],
  ['list, four days back', 'exchanges', list({}, middle)],
  ['one device', 'exchanges', list({ device: 'desk-3' })],
  ['one model', 'exchanges', list({ model: 'gemini-2.5-flash' })],
  ['one agent', 'exchanges', list({ agent: 'agent-4' })],
  ['blocks', 'exchanges', list({ outcome: 'block' })],
  ['a code', 'exchanges', list({ code: 'YORI_UPSTREAM_RESET' })],
  ['a text, often', 'exchanges', list({ text: 'dragon' })],
  ['a text, rarely', 'exchanges', list({ text: RARE })],
  ['a text, nowhere', 'exchanges', list({ text: 'nowhere at all' })],
  ['a policy, nowhere', 'exchanges', list({ policy: 'other' })],
  ['one exchange', 'exchange', (rows) => ({ id: last(rows) })],
  ['sessions', 'sessions', list({})],
  ['sessions of a device', 'sessions', list({ device: 'desk-3' })],
  [
    'one session',
    'session',
    (rows) => ({ id: `session-${Math.floor((rows - 7) / 12)}`, most: 500 }),
  ],
  ['overview', 'overview', () => ({ nowMs })],
  ['dashboard, 7 days', 'dashboard', () => ({ nowMs, sinceMs: days(7), ...agents })],
  ['agents, 7 days', 'agents', () => ({ sinceMs: days(7), ...agents })],
  ['agents, 90 days', 'agents', () => ({ sinceMs: days(90), ...agents })],
  ['agent, 7 days', 'agent', () => ({ sinceMs: days(7), agent: 'agent-4', ...agents })],
  ['devices, 7 days', 'devices', () => ({ sinceMs: days(7) })],
  ['coverage, 7 days', 'coverage', () => ({ nowMs, days: 7 })],
  ['usage, a day', 'usage', usage({ sinceMs: days(1) })],
  ['usage, 7 days', 'usage', usage({ sinceMs: days(7) })],
  ['usage, all', 'usage', usage({})],
]

interface Cost {
  readonly ms: number
  readonly rows: number
}

function cost(file: string, rows: number, [, name, asked]: Question): Cost {
  const db = openDatabase(file, true)
  try {
    let least = Infinity
    let found: unknown
    for (let run = 0; run < RUNS; run++) {
      const before = process.cpuUsage()
      found = READS[name](db, asked(rows) as never)
      const { user, system } = process.cpuUsage(before)
      least = Math.min(least, (user + system) / 1000)
      if (least > 5_000) break
    }
    const page = (found as { rows?: unknown[] } | null)?.rows
    return { ms: least, rows: page?.length ?? NaN }
  } finally {
    db.close()
  }
}

function filled(rows: number): string {
  const span = values.days === undefined ? rows / A_DAY : Number(values.days)
  const file = join(folder, `record-${rows}-${Math.round(span)}.db`)
  if (existsSync(file)) return file
  fillRecord(`${file}.new`, { rows, days: span, nowMs })
  renameSync(`${file}.new`, file)
  return file
}

try {
  console.log(machine())
  const files = sizes.map((rows) => [rows, filled(rows)] as const)
  const asked = QUESTIONS.filter(([says]) => says.includes(values.only))
  console.log(
    `| ms of CPU | ${sizes.map((rows) => `${rows} rows`).join(' | ')} | ratio |`,
  )
  console.log(`| --- | ${sizes.map(() => '--:').join(' | ')} | --: |`)
  for (const question of asked) {
    const costs = files.map(([rows, file]) => cost(file, rows, question))
    const told = costs.map(({ ms, rows }) =>
      Number.isNaN(rows) ? ms.toFixed(1) : `${ms.toFixed(1)} (${rows})`,
    )
    const ratio = (costs.at(-1)?.ms ?? NaN) / (costs[0]?.ms ?? NaN)
    console.log(`| ${question[0]} | ${told.join(' | ')} | ${ratio.toFixed(2)} |`)
  }
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
}
