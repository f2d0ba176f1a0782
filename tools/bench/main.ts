// Usage: npm run bench -- [--minutes N] [--rounds N] [--only NAME,...] [--peers NAME,...]
//          [--json FILE]
// Measures YORI beside a direct connection and http-mitm-proxy, in one run on one machine:
// the proxy alone on the last core, load generator and origin on the others. Each answer is
// proven right before it is timed. Rounds interleave the peers; the tables hold medians.
// Exit 1 when a peer fails or YORI misses a budget.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { medians } from './bench.js'
import type { Bench, Figures } from './bench.js'
import { benches } from './benches/index.js'
import type { Target } from './jobs.js'
import { peers } from './peers.js'
import type { Peer } from './peers.js'
import { pinned, startProgram } from './programs.js'
import { budgets, machine, tableOf } from './table.js'

const DEFAULT_MINUTES = 2
/** Starting programs, proving answers and warming up, a measurement. */
const OVERHEAD_SECONDS = 2.5
const MIN_SECONDS = 1

interface Named {
  readonly name: string
}

function chosen<T extends Named>(all: readonly T[], names: string | undefined): T[] {
  if (names === undefined) return [...all]
  return names.split(',').map((name) => {
    const found = all.find((each) => each.name === name)
    if (found !== undefined) return found
    throw new Error(`${name} is none of ${all.map((each) => each.name).join(', ')}`)
  })
}

async function measure(
  bench: Bench,
  peer: Peer,
  origin: Target,
  seconds: number,
): Promise<Figures> {
  await using running = await peer.start(origin)
  await bench.verify(running)
  await bench.setup(running)
  return await bench.run(running, seconds) // awaited here, before the peer goes
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
      rounds: { type: 'string', default: '1' },
      only: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const toRun = chosen(benches, values.only)
  const toMeasure = chosen(peers, values.peers)
  const rounds = Math.max(1, Math.floor(Number(values.rounds)))
  const runs = toRun.length * toMeasure.length * rounds
  const weights = toRun.reduce((sum, bench) => sum + bench.weight, 0) / toRun.length
  const share = (Number(values.minutes) * 60) / runs - OVERHEAD_SECONDS
  if (Number.isNaN(share)) throw new Error('--minutes and --rounds take numbers')

  console.log(`${machine()}\n${pinned('proxy').join(' ') || 'not pinned to cores'}\n`)
  await using program = startProgram('load', 'origin.js')
  const ports = (await program.line()) as Omit<Target, 'host'>
  const origin: Target = { ...ports, host: 'api.openai.com' }

  const results = new Map<string, Map<string, Figures>>()
  for (const bench of toRun) {
    const seconds = Math.max(MIN_SECONDS, (share * bench.weight) / weights)
    const samples = new Map<string, Figures[]>()
    for (const peer of Array.from({ length: rounds }, () => toMeasure).flat()) {
      try {
        const figures = await measure(bench, peer, origin, seconds)
        samples.set(peer.name, [...(samples.get(peer.name) ?? []), figures])
      } catch (cause) {
        console.log(`${bench.name} with ${peer.name} failed: ${String(cause)}`)
        process.exitCode = 1
      }
    }
    const figures = new Map([...samples].map(([name, list]) => [name, medians(list)]))
    results.set(bench.name, figures)
    console.log(tableOf(bench, figures))
  }
  const verdicts = budgets(results)
  if (verdicts !== '') console.log(verdicts)
  if (verdicts.includes('MISS')) process.exitCode = 1
  if (values.json !== undefined) {
    const plain = Object.fromEntries(
      [...results].map(([name, figures]) => [name, Object.fromEntries(figures)]),
    )
    const text = JSON.stringify({ machine: machine(), results: plain }, undefined, 2)
    writeFileSync(values.json, `${text}\n`)
  }
}

main().catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exitCode = 1
})
