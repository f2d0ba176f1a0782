/**
 * `yori pause` and `yori allow`: what is said of a device, or of all devices of a person, for a
 * while. It holds at once, and ends by itself or by `--end`.
 */
import { Command } from 'commander'
import { untilText } from '../../../core/moment-text.js'
import { act, endActs, MAX_ACT_MINUTES } from '../../../household/people.js'
import type { Target } from '../../../household/people.js'
import type { Act } from '../../../policy/state.js'
import { usage } from '../../usage.js'
import { common, decline, openSession, printJson } from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'
import { authorOf, orDecline, targetFor } from './target.js'

interface ActFlags extends CommonFlags {
  readonly end?: boolean
}

export function pauseCommand(deps: PolicyStateDeps): Command {
  return actCommand(deps, 'pause').description(
    'no AI service for a device or a person, for a while, in every mode',
  )
}

export function allowCommand(deps: PolicyStateDeps): Command {
  return actCommand(deps, 'allow').description(
    'past every limit for a person or a device, for a while',
  )
}

function actCommand(deps: PolicyStateDeps, kind: Act['kind']): Command {
  return common(new Command(kind))
    .argument('<who>', 'a person, or a device by name, MAC or address')
    .argument('[span]', 'how long, such as 10m or 2h')
    .option('--end', 'end it now')
    .action((who: string, span: string | undefined, flags: ActFlags) =>
      orDecline(deps, async () => {
        if ((span === undefined) !== (flags.end === true))
          usage('Say how long, such as 30m, or --end.')
        if (flags.end === true) await end(deps, { kind, who }, flags)
        else await begin(deps, { kind, who, minutes: minutesOf(span ?? '') }, flags)
      }),
    )
}

async function begin(
  deps: PolicyStateDeps,
  asked: { kind: Act['kind']; who: string; minutes: number },
  flags: ActFlags,
): Promise<void> {
  const { kind, who, minutes } = asked
  using session = openSession(deps, flags)
  const target = await targetFor(deps, session, who)
  const { database, nowMs, loaded } = session
  const done = act(database, target, { kind, minutes }, authorOf(session))
  const until = new Date(done.until).toISOString()
  const details = { target: target.name, minutes, until }
  session.audit({ kind: kind === 'pause' ? 'paused' : 'allowed', details })
  if (flags.json === true) {
    printJson(deps, { kind, ...details })
    return
  }
  const clock = untilText(done.until, nowMs, loaded.config.enforcement.timezone)
  const says = kind === 'pause' ? 'no AI service' : 'nothing is blocked'
  deps.print(`${target.name}: ${says} until ${clock}${devicesText(target, database)}\n`)
}

async function end(
  deps: PolicyStateDeps,
  { kind, who }: { kind: Act['kind']; who: string },
  flags: ActFlags,
): Promise<void> {
  using session = openSession(deps, flags)
  const target = await targetFor(deps, session, who)
  const ended = endActs(session.database, target, kind)
  if (ended.length === 0) {
    decline(deps, `${target.name} is not ${kind === 'pause' ? 'paused' : 'allowed'} now`)
    return
  }
  const kinds = ended.map((one) => one.kind)
  session.audit({ kind: 'act_ended', details: { target: target.name, ended: kinds } })
  if (flags.json === true) printJson(deps, { target: target.name, ended: kinds })
  else deps.print(`${target.name}: as before\n`)
}

function devicesText(
  target: Target,
  database: ReturnType<typeof openSession>['database'],
): string {
  if (target.kind !== 'person') return ''
  const devices = database
    .list('known')
    .filter(({ value }) => value.person === target.name)
    .map(({ key, value }) => value.name ?? key)
  if (devices.length === 0) return ' (no device yet: yori device person DEVICE NAME)'
  return ` (${devices.join(', ')})`
}

const UNITS: Readonly<Record<string, number>> = { m: 1, h: 60, d: 24 * 60 }

function minutesOf(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const minutes = Number(number) * (UNITS[unit] ?? Number.NaN)
  if (minutes >= 1 && minutes <= MAX_ACT_MINUTES) return minutes
  return usage(`${text} is no span such as 10m, 2h or 1d, of at most 7 days.`)
}
