/**
 * The suite's property tests, round after round, each with the next seed. They run in a mocha
 * of their own, as in the suite; `test/support/property.ts` takes the seed from it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'

export const PROPERTIES = {
  name: 'properties',
  about: 'the property tests of the suite, with other seeds',
} as const

/** Inputs of a round, by those of a run of the suite. */
const TIMES = 10
const ROUND_MS = 10 * 60_000

export interface PropertyRounds {
  /** Of the first round; the next one's is one more. */
  readonly seed: number
  /** True: no other round. Asked after each. */
  readonly done: () => boolean
  /** Compiled test files; all that have properties unless given. */
  readonly files?: readonly string[]
  readonly print?: (text: string) => void
}

/** False when something did not hold: with which seed, and how, is printed. */
export function fuzzProperties(rounds: PropertyRounds): boolean {
  const files = rounds.files ?? propertyFiles()
  const print = rounds.print ?? ((text) => void process.stdout.write(text))
  for (let seed = rounds.seed; ; seed++) {
    const { status, stdout, stderr } = round(files, seed)
    if (status !== 0) {
      print(
        `${stdout}${stderr}broke: with seed ${seed}; name it in \`failed\` of its test\n`,
      )
      return false
    }
    const held = /^ *(\d+) passing/m.exec(stdout)?.[1] ?? '0'
    print(
      `seed ${seed}: ${held} properties held, ${TIMES} times the inputs of the suite\n`,
    )
    if (rounds.done()) return true
  }
}

function round(files: readonly string[], seed: number) {
  const mocha = packageFile('node_modules', 'mocha', 'bin', 'mocha.js')
  const words = ['--no-config', '--no-package', '--reporter', 'dot', '--timeout', '0']
  return spawnSync(process.execPath, [mocha, ...words, '--grep', '\\[seed ', ...files], {
    cwd: packageFile(),
    encoding: 'utf8',
    env: {
      ...process.env,
      YORI_PROPERTY_SEED: String(seed),
      YORI_PROPERTY_TIMES: String(TIMES),
    },
    timeout: ROUND_MS,
  })
}

function propertyFiles(): string[] {
  const tests = packageFile('dist', 'test')
  return readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(tests, name))
    .filter((path) => readFileSync(path, 'utf8').includes('/support/property.js'))
}
