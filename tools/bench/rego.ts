// Usage: npm run bench:rego
// Measures the Rego evaluator in this process: a bedtime, a model and a quota policy on a 2 KB
// and a 100 KB input, loading 50 files, memory, and how long a runaway policy holds the loop.
// Each answer is proven right before it is timed. Exit 1 when one is wrong or a budget is missed.
import assert from 'node:assert/strict'
import { cpus, loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import { compileModules, toJson } from '@yori/rego'
import { inputOf, policies, runaway } from './rego-policies.js'
import type { Policy, SourceFile } from '@yori/rego'

const BUDGET_US = 5000
const LOOP_BUDGET_MS = 10
const WARM_UP = 3000
const ROUNDS = 5000
const BATCH = 50
const EXEMPT = { exempt_devices: [{ mac: '02:00:00:00:00:99' }] }

function load(files: readonly SourceFile[]): Policy {
  const compiled = compileModules(files)
  if (compiled.kind === 'invalid') throw new Error(compiled.errors[0]?.message)
  return compiled.policy
}

/** One decision: what the appliance asks of all three policies. */
function decision(policy: Policy): (input: unknown) => unknown[] {
  const queries = [
    'bedtime.deny',
    'bedtime.message',
    'models.deny',
    'quota.deny',
    'quota.alert',
  ]
  const prepared = queries.map((name) => policy.prepareQuery(`data.yori.${name}`, EXEMPT))
  return (input) =>
    prepared.map((ask) => {
      const result = ask(input)
      return result.kind === 'value' ? toJson(result.value) : result.kind
    })
}

function verify(decide: (input: unknown) => unknown[], input: unknown): void {
  assert.deepEqual(decide(input), [
    true,
    "tablet is after bedtime at 21 o'clock",
    ['model gpt-4o is not for children'],
    [],
    ['43 of 50 requests used'],
  ])
}

/** Parsing is not part of it: each round has an input of its own, freshly parsed. */
function timed(
  decide: (input: unknown) => unknown[],
  text: string,
  rounds: number,
): number[] {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const input: unknown = JSON.parse(text)
    const start = performance.now()
    decide(input)
    times.push((performance.now() - start) * 1000)
  }
  return times.sort((a, b) => a - b)
}

/**
 * CPU of one decision, microseconds: a mean that says the same when others are at work. Inputs
 * are parsed in batches beforehand.
 */
function cpuOf(
  decide: (input: unknown) => unknown[],
  text: string,
  rounds: number,
): number {
  let spent = 0
  for (let done = 0; done < rounds; done += BATCH) {
    const inputs = Array.from({ length: BATCH }, (): unknown => JSON.parse(text))
    const start = process.cpuUsage()
    for (const input of inputs) decide(input)
    const { user, system } = process.cpuUsage(start)
    spent += user + system
  }
  return spent / rounds
}

/** The value below which that share of a sorted list lies. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

function row(name: string, values: readonly (number | undefined)[], digits = 0): void {
  const cells = values.map((value) => (value ?? NaN).toFixed(digits).padStart(10))
  console.log(name.padEnd(44) + cells.join(''))
}

/** 50 files: the three policies under other names. */
function manyFiles(): SourceFile[] {
  return Array.from({ length: 50 }, (_, index) => {
    const { name, text } = policies[index % policies.length] as SourceFile
    const own = text.replace(/^package yori\.(\w+)/, `package yori.$1_${index}`)
    return { name: `${index}-${name}`, text: own }
  })
}

function memoryOf(make: () => unknown): number {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const kept = make()
  globalThis.gc?.()
  const after = process.memoryUsage().heapUsed
  assert.ok(kept !== undefined)
  return (after - before) / 1024
}

async function holdOfRunaway(): Promise<number> {
  const ask = load([runaway]).prepareQuery('data.yori.runaway.deny')
  let longest = 0
  for (let i = 0; i < 20; i++) {
    const start = performance.now()
    const result = ask({})
    longest = Math.max(longest, performance.now() - start)
    const ended = result.kind === 'error' ? result.code : result.kind
    assert.match(ended, /^eval_(budget|deadline)_error$/)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return longest
}

async function main(): Promise<void> {
  const load1 = (loadavg()[0] ?? 0).toFixed(1) // others at work make every figure worse
  console.log(
    `${cpus().length} x ${cpus()[0]?.model ?? '?'}, Node ${process.version}, load average ${load1}`,
  )
  const policy = load(policies)
  const decide = decision(policy)
  let missed = false
  row('one decision, 5 queries of 3 policies (us)', [])
  const titles = ['p50', 'p99', 'max', 'CPU']
  console.log(''.padEnd(44) + titles.map((t) => t.padStart(10)).join(''))
  for (const [name, bytes] of [
    ['  2 KB input', 2_000],
    ['  100 KB input', 100_000],
  ] as const) {
    const text = JSON.stringify(inputOf(bytes))
    verify(decide, JSON.parse(text))
    timed(decide, text, WARM_UP)
    const times = timed(decide, text, ROUNDS)
    const p99 = quantile(times, 0.99) ?? Infinity
    const cpu = cpuOf(decide, text, ROUNDS)
    row(name, [quantile(times, 0.5), p99, times.at(-1), cpu], 1)
    if (p99 > BUDGET_US) missed = true
  }
  const files = manyFiles()
  const first = performance.now()
  load(files)
  row('load 50 files, first time (ms)', [performance.now() - first], 1)
  const loads = Array.from({ length: 10 }, () => {
    const start = performance.now()
    load(files)
    return performance.now() - start
  }).sort((a, b) => a - b)
  row('load 50 files, median of 10 (ms)', [quantile(loads, 0.5)], 1)
  row('heap held by 50 loaded files (KB)', [memoryOf(() => load(files))])
  const held = await holdOfRunaway()
  row('a runaway policy holds the loop (ms, longest of 20)', [held], 1)
  if (held > LOOP_BUDGET_MS) missed = true
  if (missed) process.exitCode = 1
}

await main()
