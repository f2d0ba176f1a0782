// Usage: npm run fuzz -- KIND [--minutes N] [--seed N]
// Feeds mutated inputs to the code that reads what strangers send and what operators write.
// Recorded cases are seeds too when YORI_CASES names their folder. Exit code 0 when all held,
// 1 with the input when something broke, 2 on bad usage.
import { parseArgs } from 'node:util'
import { fuzzInThread } from './in-thread.js'
import { kinds } from './kinds.js'
import { fuzz } from './run.js'
import type { Target } from './target.js'
import { targets } from './targets.js'

const MAX_INPUT_MS = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
})
const [name] = positionals
const target = targets.find((each) => each.name === name)
const minutes = Number(values.minutes ?? 1)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const isText = kinds.some((kind) => kind.name === name)

if (name === undefined || (target === undefined && !isText)) usage()
else if (!(minutes > 0) || !Number.isInteger(seed)) usage()
else {
  process.stdout.write(`${name}: ${minutes} min, seed ${seed}\n`)
  const held =
    target === undefined
      ? await fuzzInThread({ name, durationMs: minutes * 60_000, seed })
      : fuzzBytes(target)
  process.exitCode = held ? 0 : 1
}

function fuzzBytes(of: Target): boolean {
  const end = performance.now() + minutes * 60_000
  const done = (): boolean => performance.now() >= end
  const outcome = fuzz(of, { seed, done, maxInputMs: MAX_INPUT_MS })
  if (outcome.kind === 'held') {
    const { inputs, slowestMs } = outcome
    process.stdout.write(
      `${inputs} inputs held, the slowest ${slowestMs.toFixed(1)} ms\n`,
    )
    return true
  }
  process.stdout.write(`broke: ${outcome.why}\n${outcome.input.toString('hex')}\n`)
  return false
}

function usage(): void {
  const known = [...targets, ...kinds].map(
    (each) => `  ${each.name.padEnd(8)}${each.about}`,
  )
  process.stderr.write(
    `usage: npm run fuzz -- KIND [--minutes N] [--seed N]\n${known.join('\n')}\n`,
  )
  process.exitCode = 2
}
