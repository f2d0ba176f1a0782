// Usage: node dist/tools/fuzz/main.js TARGET [--minutes N] [--seed N]
// Feeds mutated inputs to the code that reads what strangers send; `properties` runs the suite's
// property tests with seeds that it draws. Exit code 0 when all held, 1 with the input in
// hexadecimal, or the seed, when something broke, 2 on bad usage.
import { parseArgs } from 'node:util'
import { fuzzProperties, PROPERTIES } from './properties.js'
import { fuzz } from './run.js'
import type { FuzzTarget } from './target.js'
import { targets } from './targets.js'

const MAX_INPUT_MS = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
})
const target = targets.find((each) => each.name === positionals[0])
const minutes = Number(values.minutes ?? 1)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const isProperties = positionals[0] === PROPERTIES.name

if (
  (target === undefined && !isProperties) ||
  !(minutes > 0) ||
  !Number.isInteger(seed)
) {
  const known = [...targets, PROPERTIES]
    .map((each) => `  ${each.name.padEnd(12)}${each.about}`)
    .join('\n')
  process.stderr.write(`usage: fuzz TARGET [--minutes N] [--seed N]\n${known}\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${positionals[0]}: ${minutes} min, seed ${seed}\n`)
  const end = performance.now() + minutes * 60_000
  const done = (): boolean => performance.now() >= end
  if (target === undefined) process.exitCode = fuzzProperties({ seed, done }) ? 0 : 1
  else await fuzzTarget(target, done)
}

async function fuzzTarget(target: FuzzTarget, done: () => boolean): Promise<void> {
  const outcome = await fuzz(target, { seed, done, maxInputMs: MAX_INPUT_MS })
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
