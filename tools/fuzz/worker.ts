/** Tries texts in a thread of its own, telling each before it is tried. */
import { parentPort, workerData } from 'node:worker_threads'
import { generator, mutate } from './kind.js'
import { kinds } from './kinds.js'
import type { FuzzKind } from './kind.js'

export interface FuzzOrder {
  readonly name: string
  readonly durationMs: number
  readonly seed: number
}

export type FuzzMessage =
  | { readonly kind: 'trying'; readonly text: string }
  | { readonly kind: 'failed'; readonly wrong: string }
  | { readonly kind: 'done'; readonly failures: number; readonly summary: string }

/** Failures after which a run ends: the rest is mostly more of the same. */
const MAX_FAILURES = 10
/** Texts kept because they were taken; new ones are made from them too. */
const MAX_SEEDS = 5000

function tell(message: FuzzMessage): void {
  parentPort?.postMessage(message)
}

function run(target: FuzzKind, { durationMs, seed }: FuzzOrder): void {
  const random = generator(seed)
  const seeds = [...target.seeds(process.env['YORI_CASES'])]
  const started = performance.now()
  let tried = 0
  let failures = 0
  let slowest = 0
  const attempt = (text: string): void => {
    tell({ kind: 'trying', text })
    const before = performance.now()
    const wrong = target.attempt(text)
    slowest = Math.max(slowest, performance.now() - before)
    tried++
    if (wrong === undefined) return
    failures++
    tell({ kind: 'failed', wrong })
  }
  for (const text of seeds) attempt(text)
  while (performance.now() - started < durationMs && failures < MAX_FAILURES) {
    const base = seeds[Math.floor(random() * seeds.length)] as string
    const text = mutate(base, seeds, random)
    attempt(text)
    if (random() < 0.05) {
      if (seeds.length < MAX_SEEDS) seeds.push(text)
      else seeds[Math.floor(random() * seeds.length)] = text
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  const summary = `${tried} tried in ${seconds} s, ${failures} failed, slowest ${slowest.toFixed(0)} ms`
  tell({ kind: 'done', failures, summary })
}

const order = workerData as FuzzOrder
const kind = kinds.find(({ name }) => name === order.name)
if (kind !== undefined) run(kind, order)
