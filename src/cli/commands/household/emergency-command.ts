/** `yori emergency`: ends all blocking for a while, in one step. */
import { Command, InvalidArgumentError } from 'commander'
import {
  activated,
  extended,
  isEmergency,
  MAX_EMERGENCY_MINUTES,
  MIN_EMERGENCY_MINUTES,
} from '../../../policy/emergency.js'
import { hashPassword, parsePasswordHash, verifyPassword } from '../../../net/password.js'
import {
  common,
  decline,
  wallText,
  openListing,
  openSession,
  printJson,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps, Session } from './household-database.js'
import { PASSWORD_FILE, readSecretFile } from '../../secret-file.js'

const PASSWORD_SETTING = 'emergency_password_hash'
const MIN_PASSWORD = 6
const DEFAULT_MINUTES = 60

interface PasswordFlags extends CommonFlags {
  readonly password?: string
  readonly passwordFile?: string
}

interface NewPasswordFlags extends PasswordFlags {
  readonly new?: string
  readonly newFile?: string
}

export function emergencyCommand(deps: PolicyStateDeps): Command {
  const command = new Command('emergency').description(
    'end all blocking for a while; it comes back by itself',
  )
  const withPassword = (sub: Command): Command =>
    common(sub)
      .option(
        '--password <password>',
        'others can see it in the list of processes; unless given, it is asked for',
      )
      .option(...PASSWORD_FILE)
  withPassword(command.command('activate'))
    .description('end all blocking now')
    .requiredOption('--reason <text>', 'why, for those who read the record')
    .option(
      '--minutes <number>',
      `for how long, ${MIN_EMERGENCY_MINUTES} to ${MAX_EMERGENCY_MINUTES}`,
      minutesOf,
      DEFAULT_MINUTES,
    )
    .action((flags: PasswordFlags & { reason: string; minutes: number }) =>
      activate(deps, flags),
    )
  withPassword(command.command('deactivate'))
    .description('let policies block again')
    .action((flags: PasswordFlags) => deactivate(deps, flags))
  withPassword(command.command('extend'))
    .description('add minutes to one that is active')
    .argument('<minutes>', 'how many', minutesOf)
    .action((minutes: number, flags: PasswordFlags) => extend(deps, minutes, flags))
  common(command.command('status'))
    .description('whether it is active, until when, and the last ones')
    .action((flags: CommonFlags) => status(deps, flags))
  withPassword(command.command('set-password'))
    .description('set the password; one that is set already is asked for first')
    .option('--new <password>', 'the new one; unless given, it is asked for')
    .option('--new-file <file>', 'its first line is the new one; - is standard input')
    .action((flags: NewPasswordFlags) => setPassword(deps, flags))
  return command
}

async function activate(
  deps: PolicyStateDeps,
  flags: PasswordFlags & { reason: string; minutes: number },
): Promise<void> {
  using session = openSession(deps, flags)
  if (!(await isAllowed(deps, session, flags))) return
  const { database, actor, nowMs } = session
  const { minutes, reason } = flags
  const change = activated(database.emergency(), { minutes, reason, by: actor }, nowMs)
  if (change.kind === 'refused') {
    decline(deps, change.why)
    return
  }
  database.activate(change.emergency)
  const details = {
    minutes,
    reason,
    until: wallText(change.emergency.expiresAt, session),
  }
  session.audit({ kind: 'emergency_activated', details })
  if (flags.json === true) printJson(deps, { active: true, ...details })
  else deps.print(`nothing is blocked until ${details.until}\n`)
}

async function deactivate(deps: PolicyStateDeps, flags: PasswordFlags): Promise<void> {
  using session = openSession(deps, flags)
  const { database, actor, nowMs } = session
  if (!isEmergency(database.emergency(), nowMs)) {
    decline(deps, 'it is not active')
    return
  }
  if (!(await isAllowed(deps, session, flags))) return
  database.deactivate(nowMs, actor)
  session.audit({ kind: 'emergency_deactivated', details: {} })
  if (flags.json === true) printJson(deps, { active: false })
  else deps.print('policies may block again\n')
}

async function extend(
  deps: PolicyStateDeps,
  minutes: number,
  flags: PasswordFlags,
): Promise<void> {
  using session = openSession(deps, flags)
  if (!(await isAllowed(deps, session, flags))) return
  const { database, nowMs } = session
  const change = extended(database.emergency(), minutes, nowMs)
  if (change.kind === 'refused') {
    decline(deps, change.why)
    return
  }
  database.extend(change.emergency.expiresAt)
  const details = { minutes, until: wallText(change.emergency.expiresAt, session) }
  session.audit({ kind: 'emergency_extended', details })
  if (flags.json === true) printJson(deps, { active: true, ...details })
  else deps.print(`nothing is blocked until ${details.until}\n`)
}

function status(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const { database, nowMs, loaded } = session
  const { require_password } = loaded.config.enforcement.emergency_override
  const enabled = isEnabled(session)
  const emergency = database.emergency()
  const active = enabled && isEmergency(emergency, nowMs)
  const history = database.history()
  if (flags.json === true) {
    const until = active ? wallText(emergency?.expiresAt ?? 0, session) : null
    const password = passwordHash(session) !== undefined
    printJson(deps, { active, until, enabled, require_password, password, history })
    return
  }
  deps.print(
    active && emergency !== undefined
      ? `active until ${wallText(emergency.expiresAt, session)}, by ${emergency.by}: ${emergency.reason}\n`
      : `not active${enabled ? '' : ` (${whyNot(session)})`}\n`,
  )
  for (const past of history) {
    const end = Math.min(past.endedAt ?? past.expiresAt, past.expiresAt)
    deps.print(
      `  ${wallText(past.activatedAt, session)} to ${wallText(end, session)}, ${past.by}: ${past.reason}\n`,
    )
  }
}

async function setPassword(
  deps: PolicyStateDeps,
  flags: NewPasswordFlags,
): Promise<void> {
  using session = openSession(deps, flags)
  const isSet = passwordHash(session) !== undefined
  if (isSet && !(await isRight(deps, session, passwordOf(flags)))) return
  const given = flags.newFile === undefined ? flags.new : readSecretFile(flags.newFile)
  const wanted = given ?? (await deps.askSecret('New emergency password: '))
  if (wanted === undefined || wanted.length < MIN_PASSWORD) {
    decline(deps, `a password has at least ${MIN_PASSWORD} characters`)
    return
  }
  session.database.set(PASSWORD_SETTING, await hashPassword(wanted))
  session.audit({ kind: 'emergency_password_set', details: {} })
  if (flags.json === true) printJson(deps, { set: true })
  else deps.print('the emergency password is set\n')
}

async function isAllowed(
  deps: PolicyStateDeps,
  session: Session,
  flags: PasswordFlags,
): Promise<boolean> {
  const { require_password } = session.loaded.config.enforcement.emergency_override
  const hasPassword = passwordHash(session) !== undefined
  if (!isEnabled(session) || (require_password && !hasPassword)) {
    decline(deps, whyNot(session))
    return false
  }
  if (!require_password) return true
  return isRight(deps, session, passwordOf(flags))
}

const passwordOf = ({ password, passwordFile }: PasswordFlags): string | undefined =>
  passwordFile === undefined ? password : readSecretFile(passwordFile)

/** Set in the configuration, else by a password that is asked for. */
function isEnabled(session: Session): boolean {
  const { enabled, require_password } =
    session.loaded.config.enforcement.emergency_override
  return enabled ?? (!require_password || passwordHash(session) !== undefined)
}

function whyNot({ loaded }: Session): string {
  return loaded.config.enforcement.emergency_override.enabled === false
    ? 'enforcement.emergency_override.enabled is false: take it away or set it to true first'
    : 'there is no password yet: yori emergency set-password'
}

/** One that was set here stands over the configuration's. */
function passwordHash({ database, loaded }: Session): string | undefined {
  const { password_hash } = loaded.config.enforcement.emergency_override
  return database.setting(PASSWORD_SETTING) ?? password_hash?.reveal()
}

async function isRight(
  deps: PolicyStateDeps,
  session: Session,
  given: string | undefined,
): Promise<boolean> {
  const hash = parsePasswordHash(passwordHash(session) ?? '')
  const password = given ?? (await deps.askSecret('Emergency password: '))
  const right =
    hash !== undefined && password !== undefined && (await verifyPassword(hash, password))
  if (right) return true
  session.audit({ kind: 'emergency_attempt_failed', details: {} })
  decline(
    deps,
    hash === undefined ? 'the password hash cannot be read' : 'wrong password',
  )
  return false
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  const fits = minutes >= MIN_EMERGENCY_MINUTES && minutes <= MAX_EMERGENCY_MINUTES
  if (/^\d{1,4}$/.test(text) && fits) return minutes
  throw new InvalidArgumentError(
    `It is a whole number from ${MIN_EMERGENCY_MINUTES} to ${MAX_EMERGENCY_MINUTES}.`,
  )
}
