/**
 * The process of the firewall: an engine, a rule set, a socket, and whoever started it. Where it
 * cannot look it says so to everybody who asks, in a sentence.
 */
import { chmodSync } from 'node:fs'
import { serveProcessor } from '../processors/sdk.js'
import type { ProcessorHandlers, ServedProcessor } from '../processors/sdk.js'
import { WafAgent } from './agent.js'
import type { LaterScore, WafCounts } from './agent.js'
import { Engine, EngineMissing } from './libmodsecurity.js'
import { openJudge } from './open-judge.js'
import { endOf } from './settings.js'
import type { WafSettings } from './settings.js'
import type { FromWaf } from './told.js'

const CHECK_MS = 1_000
const NO_COUNTS: WafCounts = {
  ...{ judged: 0, objected: 0, matched: 0, scoredLater: 0, leftOut: 0 },
}

/** It has more memory than it may have: whoever started it starts another. */
export const TOO_LARGE = 70

export interface WafProcess {
  readonly counts: WafCounts
  close(): Promise<void>
}

/** Never rejects: what went wrong is told. */
export async function serveWaf(
  settings: WafSettings,
  tell: (message: FromWaf) => void,
): Promise<WafProcess> {
  let agent: WafAgent | undefined
  let engine: Engine | undefined
  let ready: FromWaf
  let handlers: ProcessorHandlers
  const onLater = (score: LaterScore): void => tell({ kind: 'later', ...score })
  try {
    engine = Engine.open()
    const judge = openJudge(engine, settings, Date.now())
    agent = new WafAgent(judge, settings, onLater)
    handlers = agent.handlers
    const { version, folder } = judge.set
    ready = {
      ...{ kind: 'ready', engine: engine.version, version, folder },
      rules: judge.ruleCount,
    }
  } catch (cause) {
    const why = (cause as Error).message
    const what = cause instanceof EngineMissing ? 'engine' : 'rules'
    handlers = { name: 'waf', unable: why }
    ready = { kind: 'unable', what, why }
  }
  let served: ServedProcessor | undefined
  try {
    served = await serveProcessor(settings.socket, handlers)
    chmodSync(settings.socket, 0o600)
  } catch (cause) {
    const why = `nothing can listen at ${settings.socket}: ${(cause as Error).message}`
    ready = { kind: 'unable', what: 'socket', why }
  }
  tell(ready)
  const checking = setInterval(() => {
    if (process.memoryUsage.rss() > settings.memoryBytes) process.exit(TOO_LARGE)
  }, CHECK_MS).unref()
  const ending = whenNextEnds(settings, () => {
    if (agent === undefined || engine === undefined) return
    agent.use(openJudge(engine, settings, Date.now()))
  })
  return {
    get counts() {
      return agent?.counts ?? NO_COUNTS
    },
    async close() {
      clearInterval(checking)
      ending?.()
      await served?.close()
    },
  }
}

/** Exclusions end at midnight: then the rules are read again. */
function whenNextEnds(
  settings: WafSettings,
  renew: () => void,
): (() => void) | undefined {
  let timer: NodeJS.Timeout | undefined
  const wait = (): void => {
    const now = Date.now()
    const ends = settings.exclusions
      .map(({ until }) => endOf(until))
      .filter((at) => at > now)
    if (ends.length === 0) return
    // A timer knows no more than 24 days.
    const ms = Math.min(Math.min(...ends) - now, 2 ** 31 - 1)
    timer = setTimeout(() => {
      try {
        renew()
      } catch {
        // The rules were there a while ago: those that are loaded stay.
      }
      wait()
    }, ms).unref()
  }
  wait()
  return () => clearTimeout(timer)
}
