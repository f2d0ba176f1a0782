/**
 * `yori report`: what a household wants to know on Sunday evening, and an office each month. Told
 * by the running YORI, which reads beside its traffic, else from the files; shown as text, JSON,
 * one HTML file, or sent through a sink of mail.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Config } from '../../../../config/schema.js'
import { sinkOf } from '../../../alerts/settings.js'
import { listsOf } from '../../../assembly/from-config/policies.js'
import { printable } from '../../../audit/printable.js'
import { openDatabase } from '../../../audit/queries.js'
import { parseSince } from '../../../audit/since.js'
import type { Asked, Question } from '../../../control/ask.js'
import type { Clock } from '../../../core/clock.js'
import { PolicyDatabase, policyDatabasePath } from '../../../household/policy-database.js'
import { gatherReport } from '../../../report/gather.js'
import { reportHousehold } from '../../../report/household.js'
import { titleOf } from '../../../report/lines.js'
import { reportPage } from '../../../report/page.js'
import { plainReport } from '../../../report/plain-report.js'
import type { Report } from '../../../report/report.js'
import { REPORT_LANGUAGES, ReportWords } from '../../../report/words.js'
import { Command } from '../../commander.js'
import { usage } from '../../usage.js'

export interface ReportDeps {
  readonly config: (path: string | undefined) => Config
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly exit: (code: number) => void
  readonly ask: (config: Config, question: Question) => Promise<Asked>
}

interface Flags {
  readonly config?: string
  readonly since: string
  readonly until?: string
  readonly person?: string
  readonly html?: true
  readonly json?: true
  readonly mail?: string | true
}

export function reportCommand(deps: ReportDeps): Command {
  return new Command('report')
    .description('who asked for how long, at what cost, and what was not seen')
    .option('-c, --config <file>', 'configuration file')
    .option(
      '--since <when>',
      'a span such as 7d, or a date in enforcement.timezone',
      '7d',
    )
    .option('--until <when>', 'a span such as 1d, or a date; now unless given')
    .option('--person <name>', 'only theirs')
    .option('--html', 'as one HTML file that prints well')
    .option('--json', 'as JSON')
    .option('--mail [sink]', 'send it through a sink of type email')
    .action((flags: Flags) => report(deps, flags))
}

async function report(deps: ReportDeps, flags: Flags): Promise<void> {
  const forms = [flags.html, flags.json, flags.mail].filter((one) => one !== undefined)
  if (forms.length > 1) usage('One of --html, --json and --mail.')
  const config = deps.config(flags.config)
  const sink = flags.mail === undefined ? undefined : mailSink(config, flags.mail)
  const found = (await told(deps, config, flags)) ?? fromFiles(deps, config, flags)
  if (flags.json === true) return deps.print(`${JSON.stringify(found, null, 2)}\n`)
  const words = new ReportWords(languageOf(config, deps.env), found)
  if (flags.html === true) return deps.print(reportPage(found, words))
  if (sink === undefined) return deps.print(plainReport(found, words))
  const { sendMail } = await import('../../../alerts/sinks/email.js')
  const sent = await sendMail(sinkOf(sink.name, sink.settings), {
    subject: `YORI: ${titleOf(found, words)}, ${words.range(found)}`,
    text: plainReport(found, words),
    html: reportPage(found, words),
    id: `report_${randomBytes(16).toString('hex')}`,
    at: deps.clock.now(),
  })
  const isTaken = sent.kind === 'taken'
  const said = isTaken ? 'sent' : `refused: ${sent.reason}`
  deps.print(`${printable(sink.name)}: ${said}\n`)
  if (!isTaken) deps.exit(1)
}

function mailSink({ alerts }: Config, named: string | true) {
  const mails = Object.entries(alerts.sinks).filter(([, { type }]) => type === 'email')
  const names = mails.map(([name]) => name).join(', ')
  const there = names === '' ? 'none is configured' : `there is ${names}`
  const [only, ...more] =
    named === true ? mails : mails.filter(([name]) => name === named)
  if (only === undefined)
    return usage(`There is no such sink of type email under alerts.sinks: ${there}.`)
  if (more.length > 0) return usage(`Which sink is it? --mail NAME: ${there}.`)
  return { name: only[0], settings: only[1] }
}

/** Undefined: nobody runs there, or it is more than is told at once. */
async function told(
  deps: ReportDeps,
  config: Config,
  flags: Flags,
): Promise<Report | undefined> {
  const query = new URLSearchParams({ since: flags.since })
  if (flags.until !== undefined) query.set('until', flags.until)
  if (flags.person !== undefined) query.set('person', flags.person)
  const asked = await deps.ask(config, { path: `/api/report?${query.toString()}` })
  if (asked.kind === 'unreachable') {
    deps.note(`yori: told from the files: ${printable(asked.reason)}\n`)
    return undefined
  }
  if (asked.status === 200) {
    deps.note('yori: told by the running YORI\n')
    return asked.body as Report
  }
  const { message } = (asked.body ?? {}) as { message?: unknown }
  if (asked.status === 400 || asked.status === 404) return usage(`${String(message)}.`)
  deps.note(`yori: told from the files: the running YORI answered ${asked.status}\n`)
  return undefined
}

function fromFiles({ clock }: ReportDeps, config: Config, flags: Flags): Report {
  const nowMs = clock.now()
  const { timezone } = config.enforcement
  const moment = (text: string): number =>
    parseSince(text, nowMs, timezone) ??
    usage(`${text} is no span such as 7d, and no date.`)
  const sinceMs = moment(flags.since)
  const untilMs = flags.until === undefined ? nowMs : moment(flags.until)
  if (untilMs <= sinceMs) usage('--since is to be before --until.')
  const lists = listsOf(config)
  const state = householdIn(config, nowMs) ?? { devices: [], known: [], people: [] }
  const { person } = flags
  if (person !== undefined && !state.people.some(({ name }) => name === person))
    usage(`There is no person ${person}: \`yori person list\` tells who is.`)
  const db = openDatabase(config.audit.database, true)
  try {
    return gatherReport(db, {
      ...{ sinceMs, untilMs },
      ...reportHousehold(config, {
        ...state,
        devices: [...lists.devices, ...state.devices],
      }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(person === undefined ? {} : { person }),
    })
  } finally {
    db.close()
  }
}

function householdIn(config: Config, nowMs: number) {
  const file = policyDatabasePath(config.state_dir)
  if (!existsSync(file)) return undefined
  using database = new PolicyDatabase(file)
  return database.state(nowMs)
}

/** `control.language`, else the one of this terminal. */
function languageOf({ control }: Config, env: ReportDeps['env']): string {
  if (control.language !== 'auto') return control.language
  const set = env['LC_ALL'] ?? env['LC_MESSAGES'] ?? env['LANG'] ?? 'en'
  return REPORT_LANGUAGES.find((one) => set.toLowerCase().startsWith(one)) ?? 'en'
}
