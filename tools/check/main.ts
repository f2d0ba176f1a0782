// Usage: npm run check [-- NAME...]   (tsx tools/check/main.ts)
// Everything that guards the code, one line each, and what it said when it failed.
// NAMES: types lint format floors licences secrets paths tests. Exit 1 when one fails.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { packageFile, packageRoot } from '../../src/core/package-root.js'

interface Step {
  readonly name: string
  readonly says: string
  /** A package's program under node_modules, or a file of this folder. */
  readonly run: readonly [program: string, ...args: string[]]
  /** The line of its output worth showing when all is well. */
  readonly summary?: RegExp
}

const STEP_TIMEOUT_MS = 15 * 60_000
const MAX_OUTPUT_CHARACTERS = 200_000
const MAX_LINES_SHOWN = 120

function existing(...folders: string[]): string[] {
  return folders.filter((folder) => existsSync(packageFile(folder)))
}

const STEPS: readonly Step[] = [
  {
    name: 'types',
    says: 'TypeScript, strict',
    run: ['typescript7/bin/tsc', '-p', '.', '--noEmit', '--incremental', 'false'],
  },
  {
    name: 'lint',
    says: 'eslint',
    run: [
      'eslint/bin/eslint.js',
      ...['--config', 'tools/check/eslint.config.js', '--cache'],
      ...[
        '--cache-location',
        'node_modules/.cache/eslint',
        '--cache-strategy',
        'content',
        '.',
      ],
    ],
  },
  {
    name: 'format',
    says: 'prettier',
    run: ['prettier/bin/prettier.cjs', '--check', '.'],
  },
  {
    name: 'floors',
    says: 'every file in a room, no import climbs',
    run: [
      'dependency-cruiser/bin/dependency-cruise.mjs',
      ...['--config', 'tools/check/floors.cjs', ...existing('src', 'ca', 'pf', 'config')],
    ],
    summary: /\d+ modules, \d+ dependencies/,
  },
  {
    name: 'licences',
    says: 'of every package',
    run: ['dist/tools/check/licences.js'],
    summary: /of \d+ packages/,
  },
  {
    name: 'secrets',
    says: 'in no file',
    run: ['dist/tools/check/secrets.js'],
    summary: /in \d+ files/,
  },
  {
    name: 'paths',
    says: 'of no machine',
    run: ['dist/tools/check/machine-paths.js'],
    summary: /in \d+ files/,
  },
  {
    name: 'tests',
    says: 'with coverage',
    run: ['dist/tools/check/coverage.js'],
    summary: /\d+ passed, \d+ failed, \d+ skipped|Lines\s*:.*/g,
  },
]

interface Outcome {
  readonly ok: boolean
  readonly output: string
  readonly seconds: number
}

async function run(step: Step): Promise<Outcome> {
  const [program, ...args] = step.run
  const file = program.startsWith('dist/')
    ? packageFile(program)
    : packageFile('node_modules', program)
  const started = performance.now()
  const child = spawn(process.execPath, [file, ...args], {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_TIMEOUT_MS,
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-MAX_OUTPUT_CHARACTERS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { ok: code === 0, output, seconds: (performance.now() - started) / 1000 }
}

function summaryOf(step: Step, output: string): string {
  const found = step.summary === undefined ? null : output.match(step.summary)
  return found === null ? step.says : found.map((line) => line.trim()).join('; ')
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name))
  if (unknown.length > 0) throw new Error(`no check is called ${unknown.join(', ')}`)
  const failed: string[] = []
  for (const step of STEPS) {
    if (names.length > 0 && !names.includes(step.name)) continue
    const { ok, output, seconds } = await run(step)
    const mark = ok ? 'ok  ' : 'FAIL'
    const text = ok ? summaryOf(step, output) : 'see below'
    console.log(
      `${mark} ${step.name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${text}`,
    )
    if (!ok) {
      failed.push(step.name)
      const lines = output.trimEnd().split('\n').slice(-MAX_LINES_SHOWN)
      console.log(lines.map((line) => `     | ${line}`).join('\n'))
    }
  }
  console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}`)
  if (failed.length > 0) process.exitCode = 1
}

await main(process.argv.slice(2))
