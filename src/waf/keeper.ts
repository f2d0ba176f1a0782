/**
 * Keeps the process of the firewall alive: starts it, looks whether it answers, ends it where it
 * hangs, and starts it again, later each time. Traffic never waits for any of that: to the proxy
 * it is a processor, with its `fail_mode`.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type { WafCounts } from './agent.js'
import { keepRules, keptFolder, rulesInUse } from './kept-rules.js'
import { findRuleSet } from './rule-set.js'
import type { WafSettings } from './settings.js'
import { StateFile } from './state-file.js'
import type { WafState } from './state-file.js'
import type { FromWaf, ToWaf } from './told.js'

const HEAP_MB = 128
const TICK_MS = 1_000
/** So long it may say nothing: a check of all that is looked at takes a tenth of that. */
export const SILENT_MS = 5_000
/** Rules are read within a second or two. */
const START_MS = 30_000
/** Between an end and the next start. */
export const RESTART_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Who lives that long begins anew with the first of these. */
const STEADY_MS = 60_000
/** One that cannot look is started again. */
const AGAIN_MS = 60_000
/** Of a start: whoever waits for it goes on after that. */
const WAIT_MS = 10_000

const NO_COUNTS: WafCounts = {
  ...{ judged: 0, objected: 0, matched: 0, scoredLater: 0, leftOut: 0 },
}

export interface WafKeeperOptions {
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Log
  /** What is to stand in the record. */
  readonly event: (kind: string, details: Readonly<Record<string, unknown>>) => void
}

interface Child {
  readonly process: ChildProcess
  readonly settings: WafSettings
  readonly startedAt: number
  heardAt: number
  isReady: boolean
  /** What counts of it is no longer of interest: another has its place. */
  isReplaced: boolean
}

export class WafKeeper {
  readonly #options: WafKeeperOptions
  readonly #file: StateFile
  /** Without the choice of a version. */
  #wanted: WafSettings | undefined
  #child: Child | undefined
  #state: WafState = { state: 'off', since: 0, restarts: 0 }
  #counts: WafCounts = NO_COUNTS
  /** Of those that have ended. */
  #before: WafCounts = NO_COUNTS
  #timer: NodeJS.Timeout | undefined
  #restart: NodeJS.Timeout | undefined
  #failures = 0
  #lastGood: string | undefined
  #fallback: string | undefined
  #settled: (() => void)[] = []

  constructor(options: WafKeeperOptions) {
    this.#options = options
    this.#file = new StateFile(options.stateDir)
  }

  get state(): WafState {
    return { ...this.#state, counts: sum(this.#before, this.#counts) }
  }

  /** From now on by those settings; undefined: there is to be none. Resolves once it serves, or cannot. */
  async use(settings: WafSettings | undefined): Promise<void> {
    if (JSON.stringify(settings) === JSON.stringify(this.#wanted)) return
    this.#wanted = settings
    this.#failures = 0
    this.#fallback = undefined
    if (settings === undefined) {
      await this.#end()
      this.#became({ state: 'off' })
      return
    }
    this.#timer ??= setInterval(() => void this.#tick(), TICK_MS).unref()
    const settled = new Promise<void>((resolve) => {
      this.#settled.push(resolve)
      setTimeout(resolve, WAIT_MS).unref()
    })
    await this.#start()
    await settled
  }

  async stop(): Promise<void> {
    this.#wanted = undefined
    await this.#end()
    await this.#file.remove()
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#restart)
    this.#timer = undefined
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    child.isReplaced = true
    const ended = new Promise((resolve) => child.process.once('exit', resolve))
    child.process.kill('SIGKILL')
    await ended
    await rm(child.settings.socket, { force: true })
  }

  /** `folder`: rules in the place of those that are wanted. */
  async #start(folder?: string): Promise<void> {
    const wanted = this.#wanted
    if (wanted === undefined) return
    clearTimeout(this.#restart)
    const { stateDir, clock } = this.#options
    const rules = folder ?? (await rulesInUse(stateDir, wanted.rules))
    if (this.#wanted !== wanted) return
    const settings = { ...wanted, rules }
    const process = fork(fileURLToPath(new URL('./waf-child.js', import.meta.url)), {
      // What is secret is in the environment, at times: none of it is needed there.
      env: {},
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=4'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const now = clock.monotonic()
    const child: Child = {
      ...{ process, settings, startedAt: now, heardAt: now },
      ...{ isReady: false, isReplaced: false },
    }
    const former = this.#child
    this.#child = child
    if (former === undefined) this.#became({ state: 'starting', pid: process.pid })
    process.on('message', (message: FromWaf) => this.#heard(child, former, message))
    process.on('error', () => undefined)
    process.once('exit', (code, signal) => this.#ended(child, code, signal))
    send(process, { kind: 'start', settings })
  }

  #heard(child: Child, former: Child | undefined, message: FromWaf): void {
    child.heardAt = this.#options.clock.monotonic()
    if (child.isReplaced) return
    const { log, event } = this.#options
    const { pid } = child.process
    switch (message.kind) {
      case 'ready': {
        const { engine, version, rules, folder } = message
        child.isReady = true
        replace(former)
        const fallback = this.#fallback
        this.#became({ state: 'running', pid, engine, version, rules, folder, fallback })
        log.info({ version, rules, engine, folder }, 'the firewall looks')
        event('waf_ready', { version, rules, engine, folder, fallback })
        void this.#keep(version, folder)
        return
      }
      case 'unable': {
        const { what, why } = message
        replace(former)
        log.warn({ what, reason: why }, 'the firewall cannot look')
        if (what === 'rules' && this.#wayBack(child, why)) return
        this.#became({ state: 'unable', pid, why })
        event('waf_unable', { what, why })
        return
      }
      case 'pong':
        this.#counts = message.counts
        this.#state = { ...this.#state, rssBytes: message.rssBytes }
        return
      case 'later': {
        const { requestId, score, rules } = message
        if (rules.length > 0) event('waf_scored', { requestId, score, rules })
      }
    }
  }

  /** Rules that are not understood: those of before go on. */
  #wayBack(child: Child, why: string): boolean {
    const { stateDir } = this.#options
    const good = this.#lastGood
    if (good === undefined || this.#fallback !== undefined) return false
    const folder = keptFolder(stateDir, good)
    if (folder === child.settings.rules) return false
    this.#fallback = why
    child.isReplaced = true
    child.process.kill('SIGKILL')
    this.#child = undefined
    void this.#start(folder)
    return true
  }

  async #keep(version: string, folder: string): Promise<void> {
    const { stateDir, log } = this.#options
    try {
      await keepRules(stateDir, findRuleSet(folder))
      this.#lastGood = version
    } catch (cause) {
      log.warn({ reason: (cause as Error).message }, 'a rule set could not be kept')
    }
  }

  #ended(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    if (child.isReplaced || this.#child !== child) return
    const { clock, log, event } = this.#options
    this.#child = undefined
    this.#before = sum(this.#before, this.#counts)
    this.#counts = NO_COUNTS
    if (clock.monotonic() - child.startedAt >= STEADY_MS) this.#failures = 0
    const afterMs = RESTART_MS[Math.min(this.#failures, RESTART_MS.length - 1)] as number
    this.#failures++
    const why = signal === null ? `it ended with ${code}` : `it was ended by ${signal}`
    const restarts = this.#state.restarts + 1
    this.#became({ state: 'down', why, restarts })
    log.warn({ reason: why, afterMs }, 'the firewall has ended, and is started again')
    event('waf_down', { why, restarts })
    this.#restart = setTimeout(() => void this.#start(), afterMs)
  }

  async #tick(): Promise<void> {
    const child = this.#child
    const wanted = this.#wanted
    if (wanted === undefined) return
    this.#file.write(this.state)
    if (child === undefined) return
    const quiet = this.#options.clock.monotonic() - child.heardAt
    const isUp = child.isReady || this.#state.state === 'unable'
    if (quiet > (isUp ? SILENT_MS : START_MS)) {
      this.#options.log.warn({ quietMs: Math.round(quiet) }, 'the firewall hangs')
      child.process.kill('SIGKILL')
      return
    }
    // What it lacks may have been installed meanwhile.
    const isUnable = this.#state.state === 'unable'
    if (isUnable && this.#options.clock.now() - this.#state.since >= AGAIN_MS) {
      child.process.kill('SIGKILL')
      return
    }
    send(child.process, { kind: 'ping' })
    const rules = await rulesInUse(this.#options.stateDir, wanted.rules)
    const isOther = this.#fallback === undefined && rules !== child.settings.rules
    if (isOther && this.#child === child && child.isReady) await this.#start()
  }

  #became(state: Partial<WafState> & Pick<WafState, 'state'>): void {
    const { clock } = this.#options
    const { restarts } = this.#state
    this.#state = { restarts, ...state, since: clock.now() }
    if (state.state !== 'starting') {
      for (const resolve of this.#settled.splice(0)) resolve()
    }
    if (this.#wanted !== undefined) this.#file.write(this.state)
  }
}

function send(child: ChildProcess, message: ToWaf): void {
  if (child.connected) child.send(message, () => undefined)
}

function replace(former: Child | undefined): void {
  if (former === undefined || former.isReplaced) return
  former.isReplaced = true
  send(former.process, { kind: 'end' })
}

function sum(a: WafCounts, b: WafCounts): WafCounts {
  return {
    judged: a.judged + b.judged,
    objected: a.objected + b.objected,
    matched: a.matched + b.matched,
    scoredLater: a.scoredLater + b.scoredLater,
    leftOut: a.leftOut + b.leftOut,
  }
}
