// Usage: node dist/tools/replay/policy-diff.js [--rows N] [--main FILE]...
// `yori policy diff` over a made-up record, all shipped policies configured, one change a run: CPU
// seconds and wall of each command line (`--main` names those of other builds; the same record
// and the same answer for all, else exit 1).
import { spawnSync } from 'node:child_process'
import { readdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SHIPPED_POLICIES } from '../../config/policy-files.js'
import { packageFile } from '../../src/core/package-root.js'
import { writeMadeRecord } from './made-record.js'

const CHANGES = [
  ['bedtime.action=block'],
  ['privacy.action=block'],
  ['daily_allowance.action=block', 'homework_helper.action=block'],
  ['everything'],
]
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    main: { type: 'string', multiple: true, default: [] },
  },
})
const mains = [...values.main, packageFile('dist', 'src', 'cli', 'main.js')]
const folder = mkdtempSync(join(tmpdir(), 'yori-policy-diff-'))
const names = readdirSync(SHIPPED_POLICIES)
  .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
  .map((name) => name.slice(0, -'.rego'.length))
/** What has no default. */
const PARAMS: Readonly<Record<string, object>> = {
  model_allowlist: { models: ['gpt-4o-mini'] },
}
const files = Object.fromEntries(
  names.map((name) => [name, { action: 'alert', params: PARAMS[name] ?? {} }]),
)

interface Took {
  readonly cpu: number
  readonly wall: number
  readonly answer: string
}

function run(main: string, change: readonly string[]): Took {
  const sets =
    change[0] === 'everything' ? names.map((name) => `${name}.action=block`) : change
  const args = ['policy', 'diff', '--json', '--config', join(folder, 'yori.conf')]
  for (const set of sets) args.push('--set', set)
  const startedAt = process.hrtime.bigint()
  // The shell tells what its child used.
  const ran = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', process.execPath, main, ...args],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  )
  const wall = Number(process.hrtime.bigint() - startedAt) / 1e9
  const [user = NaN, system = NaN] = (ran.stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number)
  if (ran.status !== 0) throw new Error(`${main}: ${ran.stderr}`)
  const { milliseconds: _, ...answer } = JSON.parse(ran.stdout) as Record<string, unknown>
  return { cpu: user + system, wall, answer: JSON.stringify(answer) }
}

try {
  writeFileSync(
    join(folder, 'yori.conf'),
    JSON.stringify({
      state_dir: join(folder, 'state'),
      enforcement: { timezone: 'Europe/Berlin' },
      policies: { files },
    }),
  )
  const rows = Number(values.rows)
  writeMadeRecord(join(folder, 'state', 'audit.db'), {
    rows,
    days: 29,
    endMs: Date.now(),
  })
  let differ = 0
  for (const change of CHANGES) {
    const took = mains.map((main) => run(main, change))
    const [first] = took
    took.forEach(({ cpu, wall, answer }, i) => {
      const isSame = answer === first?.answer
      if (!isSame) differ++
      const times = ((first?.cpu ?? 0) / cpu).toFixed(1)
      process.stdout.write(
        `${change.join(' ')}  ${mains[i]}  ${cpu.toFixed(2)} s CPU  ${wall.toFixed(2)} s` +
          `  ${times}x  ${isSame ? 'same answer' : 'ANOTHER ANSWER'}\n`,
      )
    })
    const {
      rows: asked,
      same,
      flipped,
      unknown,
    } = JSON.parse(first?.answer ?? '{}') as Record<string, number>
    process.stdout.write(
      `  ${asked} rows: ${flipped} otherwise, ${same} same, ${unknown} unknown\n`,
    )
  }
  process.exitCode = differ === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
