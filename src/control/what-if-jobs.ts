/**
 * Questions what policies would have done, each in a child process: one at a time, bounded in
 * time, memory and rows, and at a lower priority than what serves connections. Who asks the
 * same again meanwhile is told how far it is, and afterwards, for a while, the same answer.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import { Refusal } from './answer.js'

/** Rows that are gone through for one question. */
const MOST_ROWS = 500_000
/** A question that takes longer is given up. */
const MOST_MS = 10 * 60_000
/** So long an answer is given again. */
const KEPT_MS = 5 * 60_000
const MOST_KEPT = 8
/** Who asks waits for so long, and is told how far it is then. */
const PATIENCE_MS = 2_000
const HEAP_MB = 160
/** A process that is asked for by hand gives way to what serves. */
const NICENESS = 10

export interface WhatIfQuestion {
  readonly config: Config
  /** Undefined: what each policy alone would have done. */
  readonly changed: Config['policies'] | undefined
  readonly days: number
}

/** `config` without what is secret: it is no JSON. */
export interface ToChild {
  readonly config: Config
  readonly changed?: Config['policies']
  readonly sinceMs: number
  readonly mostRows: number
}

export type FromChild =
  | { readonly kind: 'progress'; readonly seen: number; readonly total: number }
  | { readonly kind: 'done'; readonly report: object }
  /** `wrong`: what was asked for cannot be; else the record cannot be read. */
  | { readonly kind: 'failed'; readonly why: string; readonly wrong: boolean }

interface Job {
  readonly sinceMs: number
  readonly startedAt: number
  readonly ended: Promise<void>
  child: ChildProcess | undefined
  seen: number
  total: number | null
  outcome: Exclude<FromChild, { kind: 'progress' }> | undefined
  endedAt: number
}

export type WhatIfAnswer =
  | { readonly kind: 'running'; readonly seen: number; readonly total: number | null }
  | {
      readonly kind: 'done'
      readonly sinceMs: number
      readonly milliseconds: number
      readonly report: object
    }

export interface WhatIfJobsOptions {
  readonly clock: Clock
  /** For tests. */
  readonly patienceMs?: number
  readonly mostRows?: number
}

export class WhatIfJobs {
  readonly #options: WhatIfJobsOptions
  readonly #jobs = new Map<string, Job>()

  constructor(options: WhatIfJobsOptions) {
    this.#options = options
  }

  /** @throws Refusal 422 for policies that cannot be, 503 when another is asked or it failed */
  async ask(question: WhatIfQuestion): Promise<WhatIfAnswer> {
    const key = keyOf(question)
    this.#forget()
    const job = this.#jobs.get(key) ?? this.#start(key, question)
    const { patienceMs = PATIENCE_MS } = this.#options
    await Promise.race([job.ended, after(patienceMs)])
    const { outcome, seen, total, sinceMs } = job
    if (outcome === undefined) return { kind: 'running', seen, total }
    if (outcome.kind === 'done') {
      const milliseconds = Math.round(job.endedAt - job.startedAt)
      return { kind: 'done', sinceMs, milliseconds, report: outcome.report }
    }
    // The next one tries again.
    this.#jobs.delete(key)
    if (outcome.wrong) throw new Refusal(422, 'invalid', outcome.why)
    throw new Refusal(503, 'unavailable', outcome.why)
  }

  stop(): void {
    for (const { child } of this.#jobs.values()) child?.kill('SIGKILL')
    this.#jobs.clear()
  }

  /** What is over for a while, and the oldest of too many. */
  #forget(): void {
    const now = this.#options.clock.monotonic()
    for (const [key, { outcome, endedAt }] of this.#jobs)
      if (outcome !== undefined && now - endedAt >= KEPT_MS) this.#jobs.delete(key)
    for (const [key, { outcome }] of this.#jobs)
      if (this.#jobs.size >= MOST_KEPT && outcome !== undefined) this.#jobs.delete(key)
  }

  #start(key: string, { config, changed, days }: WhatIfQuestion): Job {
    const isBusy = [...this.#jobs.values()].some(({ outcome }) => outcome === undefined)
    if (isBusy) throw new Refusal(503, 'unavailable', 'another question is under way')
    const { clock, mostRows = MOST_ROWS } = this.#options
    const { TZ } = process.env
    const child = fork(fileURLToPath(new URL('./what-if-child.js', import.meta.url)), {
      // What is secret is in the environment, at times: none of it is needed there.
      env: TZ === undefined ? {} : { TZ },
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=4'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    giveWay(child)
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const job: Job = {
      ...{ child, ended, seen: 0, total: null, outcome: undefined, endedAt: 0 },
      sinceMs: clock.now() - days * DAY_MS,
      startedAt: clock.monotonic(),
    }
    this.#jobs.set(key, job)
    const late = setTimeout(() => child.kill('SIGKILL'), MOST_MS).unref()
    child.on('message', (message: FromChild) => {
      if (message.kind === 'progress')
        [job.seen, job.total] = [message.seen, message.total]
      else {
        job.outcome ??= message
        job.endedAt = clock.monotonic()
      }
    })
    child.on('error', () => undefined)
    child.once('exit', () => {
      clearTimeout(late)
      job.child = undefined
      if (job.outcome !== undefined) return
      job.outcome = { kind: 'failed', why: GIVEN_UP, wrong: false }
      job.endedAt = clock.monotonic()
    })
    const { sinceMs } = job
    const told: ToChild = {
      ...{ config: withoutSecrets(config), sinceMs, mostRows },
      ...(changed === undefined ? {} : { changed }),
    }
    child.send(told, () => undefined)
    return job
  }
}

const DAY_MS = 86_400_000
const GIVEN_UP = 'the question took too much time or memory: ask about fewer days'

function keyOf({ config, changed, days }: WhatIfQuestion): string {
  const { policies, enforcement, inspect } = config
  const asked = [policies, enforcement, inspect, changed ?? null, days]
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url')
}

/** As it serialises: secrets read `[redacted]`. */
function withoutSecrets(config: Config): Config {
  return JSON.parse(JSON.stringify(config)) as Config
}

function giveWay({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, NICENESS)
  } catch {
    // It has gone already, or this system knows no priorities.
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
