// Usage: node dist/tools/fuzz/main.js TARGET [--minutes N] [--seed N]
// Feeds mutated inputs to the code that reads what strangers send. Exit code 0 when all held,
// 1 with the input in hexadecimal when something broke, 2 on bad usage.
import { parseArgs } from 'node:util'
import { fuzz } from './run.js'
import { targets } from './targets.js'

const MAX_INPUT_MS = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
})
const target = targets.find((each) => each.name === positionals[0])
const minutes = Number(values.minutes ?? 1)
const seed = Number(values.seed ?? Date.now() % 1_000_000)

if (target === undefined || !(minutes > 0) || !Number.isInteger(seed)) {
  const known = targets.map((each) => `  ${each.name.padEnd(8)}${each.about}`).join('\n')
  process.stderr.write(`usage: fuzz TARGET [--minutes N] [--seed N]\n${known}\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${target.name}: ${minutes} min, seed ${seed}\n`)
  const end = performance.now() + minutes * 60_000
  const done = (): boolean => performance.now() >= end
  const outcome = fuzz(target, { seed, done, maxInputMs: MAX_INPUT_MS })
  if (outcome.kind === 'held') {
    const { inputs, slowestMs } = outcome
    process.stdout.write(
      `${inputs} inputs held, the slowest ${slowestMs.toFixed(1)} ms\n`,
    )
  } else {
    process.stdout.write(`broke: ${outcome.why}\n${outcome.input.toString('hex')}\n`)
    process.exitCode = 1
  }
}
