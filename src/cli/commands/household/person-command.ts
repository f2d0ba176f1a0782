/** `yori person`: who is in the household, when AI services are closed for them, and how much they have. */
import { Command } from 'commander'
import { removePerson, setPerson } from '../../../household/people.js'
import type { PersonChange } from '../../../household/people.js'
import { peopleOf } from '../../../household/roll.js'
import type { PersonLine } from '../../../household/roll.js'
import { untilText } from '../../../core/moment-text.js'
import { windowOf } from '../../../policy/local-time.js'
import type { DailyWindow } from '../../../policy/local-time.js'
import { usage } from '../../usage.js'
import {
  common,
  commaList,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'
import { addRecordCommands } from './person-record.js'
import { authorOf, orDecline } from './target.js'

export function personCommand(deps: PolicyStateDeps): Command {
  const command = new Command('person').description(
    'who has which devices, when, and how much',
  )
  common(command.command('list'))
    .description('everybody, with their devices and limits')
    .action((flags: CommonFlags) => list(deps, flags))
  common(command.command('set'))
    .description('make a person or change one; what is not named stays as it is')
    .argument('<name>', 'what the household calls them')
    .option('--group <group>', 'their devices are in it too; none: no group')
    .option(
      '--closed <times...>',
      'when AI services are closed: 21:00-07:00, or sun,mon@20:00-07:00; none: never',
    )
    .option('--messages <number>', 'calls to models a day; none: no limit')
    .option('--minutes <number>', 'minutes a day; none: no limit')
    .option('--usd <number>', 'US dollars a month; none: no limit')
    .action((name: string, flags: SetFlags) =>
      orDecline(deps, () => set(deps, name, flags)),
    )
  common(command.command('remove'))
    .description('no such person any more; their devices and what is recorded stay')
    .argument('<name>', 'who')
    .action((name: string, flags: CommonFlags) =>
      orDecline(deps, () => remove(deps, name, flags)),
    )
  addRecordCommands(command, deps)
  return command
}

interface SetFlags extends CommonFlags {
  readonly group?: string
  readonly closed?: readonly string[]
  readonly messages?: string
  readonly minutes?: string
  readonly usd?: string
}

const NONE = 'none'
const MOST = { messages: 100_000, minutes: 1440, usd: 1_000_000 } as const

function set(deps: PolicyStateDeps, name: string, flags: SetFlags): void {
  const { group } = flags
  const change: PersonChange = {
    ...(group === undefined ? {} : { group: group === NONE ? null : group }),
    ...(flags.closed === undefined ? {} : { closed: closedOf(flags.closed) }),
    ...amount('messages', flags.messages),
    ...amount('minutes', flags.minutes),
    ...amount('usd', flags.usd),
  }
  using session = openSession(deps, flags)
  const person = setPerson(session.database, name, change, authorOf(session))
  session.audit({ kind: 'person_set', details: { ...person } })
  const { mode, enforcement } = session.loaded.config
  if (flags.json === true) printJson(deps, person)
  else
    deps.print(
      `${person.name}: ${limitsText(lineFor(session, person.name)) || 'no limits'}\n`,
    )
  if (mode !== 'enforce' || !enforcement.enabled)
    deps.note('yori: limits block once mode is enforce with enforcement.enabled\n')
}

function remove(deps: PolicyStateDeps, name: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  const gone = removePerson(session.database, name, authorOf(session))
  session.audit({ kind: 'person_removed', details: { name: gone.name } })
  if (flags.json === true) printJson(deps, { removed: gone.name })
  else deps.print(`removed ${gone.name}\n`)
}

function list(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const { database, nowMs, loaded } = session
  const lines = peopleOf(database.state(nowMs), nowMs)
  if (flags.json === true) {
    printJson(deps, lines)
    return
  }
  const zone = loaded.config.enforcement.timezone
  const rows = lines.map((line) => [
    line.name,
    line.group ?? '',
    line.devices.map(({ id, name }) => name ?? id).join(', '),
    limitsText(line),
    line.pausedUntil !== null
      ? `paused until ${untilText(line.pausedUntil, nowMs, zone)}`
      : line.allowedUntil !== null
        ? `allowed until ${untilText(line.allowedUntil, nowMs, zone)}`
        : '',
  ])
  const head = ['PERSON', 'GROUP', 'DEVICES', 'LIMITS', 'NOW']
  deps.print(rows.length === 0 ? 'nobody yet\n' : tableText([head, ...rows]))
}

function lineFor(
  { database, nowMs }: ReturnType<typeof openSession>,
  name: string,
): PersonLine {
  const line = peopleOf(database.state(nowMs), nowMs).find((one) => one.name === name)
  if (line === undefined) throw new RangeError(name)
  return line
}

function limitsText({ closed, messages, minutes, usd }: PersonLine): string {
  return [
    ...closed.map(({ days, start, end }) => {
      const on = days.map((day) => day.slice(0, 3)).join(',')
      return `closed ${start} to ${end}${on === '' ? '' : ` (${on})`}`
    }),
    ...(messages === null ? [] : [`${messages} messages a day`]),
    ...(minutes === null ? [] : [`${minutes} minutes a day`]),
    ...(usd === null ? [] : [`$${usd.toFixed(2)} a month`]),
  ].join(', ')
}

function closedOf(texts: readonly string[]): readonly DailyWindow[] {
  if (texts.length === 1 && texts[0] === NONE) return []
  return texts.map((text) => {
    const [first = '', second] = text.split('@', 2)
    const days = second === undefined ? [] : commaList(first)
    const [start = '', end = ''] = (second ?? first).split('-', 2)
    return (
      windowOf(days, start, end) ??
      usage(`${text} is no time such as 21:00-07:00 or sun,mon@20:00-07:00.`)
    )
  })
}

function amount<Key extends keyof typeof MOST>(
  key: Key,
  text: string | undefined,
): Partial<Record<Key, number | null>> {
  if (text === undefined) return {}
  if (text === NONE) return { [key]: null } as Record<Key, null>
  const value = Number(text)
  const form = key === 'usd' ? /^\d{1,7}(\.\d{1,4})?$/ : /^\d{1,6}$/
  if (!form.test(text) || value > MOST[key])
    usage(`--${key} is a number from 0 to ${MOST[key]}, or none.`)
  return { [key]: value } as Record<Key, number>
}
