/**
 * `yori status`: how things stand, section by section. Reads what is on disk and asks the
 * running YORI over its own port, so it works whether YORI runs or not. A new section is a
 * file in `cli/status/` and one line in `SECTIONS`; `status-section.ts` says what it is.
 */
import { Command, InvalidArgumentError } from '../../commander.js'
import type { Config } from '../../../../config/schema.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import type { Clock } from '../../../core/clock.js'
import { caSection } from '../../status/status-ca.js'
import { controlSection } from '../../status/status-control.js'
import { wafSection } from '../../status/status-waf.js'
import { coverageSection } from '../../status/status-coverage.js'
import { runningSection } from '../../status/status-running.js'
import type {
  Finding,
  Level,
  StatusSection,
  StatusSources,
} from '../../status/status-section.js'
import { steeringSection } from '../../status/status-steering.js'
import { storeSection } from '../../status/status-store.js'
import { trustSection } from '../../status/status-trust.js'
import { EXIT } from '../../exit.js'

/** In the order in which they are shown. */
export const SECTIONS: readonly StatusSection[] = [
  runningSection,
  controlSection,
  wafSection,
  caSection,
  coverageSection,
  steeringSection,
  storeSection,
  trustSection,
]

const MOST_DAYS = 3650
const DEFAULT_DAYS = 7

export interface StatusDeps {
  readonly config: (path: string | undefined) => Config
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly json?: true
  readonly days: number
}

export function statusCommand(
  deps: StatusDeps,
  sections: readonly StatusSection[] = SECTIONS,
): Command {
  return new Command('status')
    .description(
      'how things stand: what is seen, what is not, and what is wrong; exit 1 then',
    )
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'for programs')
    .option('--days <number>', 'count this many days back', daysOf, DEFAULT_DAYS)
    .action((flags: Flags) => status(deps, sections, flags))
}

async function status(
  deps: StatusDeps,
  sections: readonly StatusSection[],
  flags: Flags,
): Promise<void> {
  const config = deps.config(flags.config)
  const sources = { config, clock: deps.clock, days: flags.days }
  const found: [string, Finding][] = []
  for (const section of sections) found.push([section.name, await read(section, sources)])
  const level = worst(found.map(([, finding]) => finding.level))
  if (flags.json === true) {
    const sections: Record<string, Pick<Finding, 'level' | 'facts'>> = {}
    for (const [name, { level, facts }] of found) sections[name] = { level, facts }
    deps.print(`${jsonLine({ level, sections })}\n`)
  } else {
    deps.print(found.map(([name, finding]) => textOf(name, finding)).join('\n'))
  }
  if (level === 'bad') deps.exit(EXIT.no)
}

/** A section that fails is a finding too. */
async function read(section: StatusSection, sources: StatusSources): Promise<Finding> {
  try {
    return await section.read(sources)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const lines = [`cannot be told: ${printable(reason)}`]
    return { level: 'bad', facts: { error: reason }, lines }
  }
}

const RANK: Readonly<Record<Level, number>> = { good: 0, notice: 1, bad: 2 }

function worst(levels: readonly Level[]): Level {
  return levels.reduce((a, b) => (RANK[b] > RANK[a] ? b : a), 'good')
}

const MARK: Readonly<Record<Level, string>> = { good: '', notice: '  (!)', bad: '  (!!)' }

function textOf(name: string, { level, lines }: Finding): string {
  const indented = lines.map((line) => (line === '' ? '\n' : `  ${line}\n`))
  return `${name}${MARK[level]}\n${indented.join('')}`
}

function daysOf(text: string): number {
  const days = Number(text)
  if (!/^\d{1,4}$/.test(text) || days < 1 || days > MOST_DAYS)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${MOST_DAYS}.`)
  return days
}
