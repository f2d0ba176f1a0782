/**
 * `yori alert list | ack | snooze | test`: the inbox of the running YORI, and whether a sink
 * takes a message. `test` sends from here: it needs no running YORI, only its configuration.
 */
import type { Config } from '../../../../config/schema.js'
import { printable } from '../../../audit/printable.js'
import { sinkOf } from '../../../alerts/settings.js'
import { send } from '../../../alerts/sinks/send.js'
import { testDelivery } from '../../../alerts/test-delivery.js'
import { askRunning } from '../../../control/ask.js'
import type { Question } from '../../../control/ask.js'
import type { Clock } from '../../../core/clock.js'
import { Command } from '../../commander.js'
import { usage, usageError } from '../../usage.js'
import { tableText } from './household-database.js'

export interface AlertCommandDeps {
  readonly config: (path: string | undefined) => Pick<Config, 'state_dir' | 'alerts'>
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly json?: true
}

const SPAN = /^(\d{1,6})([smhd])$/
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export function alertCommand(deps: AlertCommandDeps): Command {
  const command = new Command('alert').description('the inbox of alerts, and their sinks')
  const common = (one: Command): Command =>
    one.option('-c, --config <file>', 'configuration file').option('--json', 'as JSON')
  common(command.command('list'))
    .description('what was told, newest first')
    .option('--all', 'also what is acknowledged or asleep')
    .action((flags: Flags & { all?: true }) => list(deps, flags))
  common(command.command('ack'))
    .description('say that you know')
    .argument('<id>', 'its id, or the end of it')
    .action((id: string, flags: Flags) => change(deps, flags, { id, what: 'ack' }))
  common(command.command('snooze'))
    .description('let it be silent for a while')
    .argument('<id>', 'its id, or the end of it')
    .option('--for <span>', 'how long, such as 30m or 7d', '24h')
    .action((id: string, flags: Flags & { for: string }) =>
      change(deps, flags, {
        id,
        what: 'snooze',
        body: { seconds: secondsOf(flags.for) },
      }),
    )
  common(command.command('test'))
    .description('send a message that says that it is a test')
    .argument('<sink>', 'its name under alerts.sinks')
    .action((name: string, flags: Flags) => test(deps, flags, name))
  return command
}

function secondsOf(span: string): number {
  const found = SPAN.exec(span)
  if (found === null) usage(`${span} is no span such as 30m, 24h or 7d.`)
  return Number(found[1]) * (UNIT_SECONDS[found[2] ?? ''] ?? 1)
}

interface Listed {
  readonly id: string
  readonly rule: string
  readonly last_at: string
  readonly count: number
  readonly state: string
  readonly user: string | null
  readonly device: { readonly ip: string; readonly hostname?: string } | null
  readonly reason: string
  readonly deliveries: readonly { readonly sink: string; readonly state: string }[]
}

async function list(
  deps: AlertCommandDeps,
  flags: Flags & { all?: true },
): Promise<void> {
  const path = `/api/alerts${flags.all === true ? '?all=yes' : ''}`
  const body = (await asked(deps, flags, { path })) as {
    alerts: readonly Listed[]
    answer_url: string | null
  }
  if (flags.json === true) return deps.print(`${JSON.stringify(body, null, 2)}\n`)
  if (body.alerts.length === 0) return deps.print('no alerts\n')
  const rows = body.alerts.map((alert) => [
    alert.id.slice(-8),
    `${alert.last_at.slice(0, 16).replace('T', ' ')}Z`,
    alert.rule,
    printable(alert.user ?? alert.device?.hostname ?? alert.device?.ip ?? ''),
    String(alert.count),
    alert.deliveries.map(({ sink, state }) => `${printable(sink)} ${state}`).join(', '),
    printable(alert.reason),
  ])
  deps.print(
    tableText([['ID', 'LAST', 'RULE', 'WHO', 'TIMES', 'SINKS', 'WHAT'], ...rows]),
  )
  const isAsked = body.alerts.some(({ rule }) => rule === 'ask')
  if (isAsked && body.answer_url === null)
    deps.print(
      'Asks cannot be answered from their messages: set alerts.answer_url, or let ' +
        'control.listen be reached by phones.\n',
    )
}

async function change(
  deps: AlertCommandDeps,
  flags: Flags,
  { id, what, body }: { id: string; what: 'ack' | 'snooze'; body?: object },
): Promise<void> {
  const path = `/api/alerts/${encodeURIComponent(id)}/${what}`
  const said = await asked(deps, flags, { verb: 'POST', path, body: body ?? {} })
  if (flags.json === true) deps.print(`${JSON.stringify(said)}\n`)
  else deps.print(`${what === 'ack' ? 'acknowledged' : 'snoozed'} ${printable(id)}\n`)
}

async function test(deps: AlertCommandDeps, flags: Flags, name: string): Promise<void> {
  const { sinks } = deps.config(flags.config).alerts
  const sink = Object.hasOwn(sinks, name) ? sinks[name] : undefined
  if (sink === undefined) {
    const names = Object.keys(sinks)
    const there =
      names.length === 0 ? 'none is configured' : `there is ${names.join(', ')}`
    usage(`There is no sink ${printable(name)}: ${there}.`)
  }
  const sent = await send(sinkOf(name, sink), testDelivery(deps.clock.now()))
  const taken = sent.kind === 'taken'
  const reason = sent.kind === 'taken' ? null : sent.reason
  if (flags.json === true)
    deps.print(`${JSON.stringify({ sink: name, taken, reason })}\n`)
  else deps.print(`${printable(name)}: ${taken ? 'taken' : `refused: ${reason ?? ''}`}\n`)
  if (!taken) deps.exit(1)
}

async function asked(
  deps: AlertCommandDeps,
  flags: Flags,
  question: Question,
): Promise<unknown> {
  const { state_dir: stateDir } = deps.config(flags.config)
  const found = await askRunning(stateDir, question)
  if (found.kind === 'unreachable') throw usageError(`${found.reason} (${stateDir})`, 1)
  const { status, body } = found
  if (status === 200) return body
  const { message } = body as { message?: unknown }
  throw usageError(typeof message === 'string' ? message : `it answered ${status}`, 1)
}
