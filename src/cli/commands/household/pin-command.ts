/** `yori pin`: a number to give away, which lets one blocked request pass, once and soon. */
import { randomInt, randomUUID } from 'node:crypto'
import { Command, InvalidArgumentError } from 'commander'
import { hashPassword } from '../../../net/password.js'
import { readApprovalCode } from '../../../policy/approval.js'
import {
  DEFAULT_PIN_MINUTES,
  MAX_PIN_DIGITS,
  MAX_PIN_MINUTES,
  MIN_PIN_DIGITS,
} from '../../../policy/pin.js'
import { usage } from '../../usage.js'
import type { Pin } from '../../../policy/pin.js'
import { deviceOf } from '../../../household/approvals.js'
import { blockOf } from './blocks.js'
import {
  common,
  decline,
  wallText,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'

interface MakeFlags extends CommonFlags {
  readonly minutes: number
  readonly digits: number
}

export function pinCommand(deps: PolicyStateDeps): Command {
  const command = new Command('pin').description(
    'numbers to give away: each lets one blocked request pass, once and soon',
  )
  common(command.command('make'))
    .description('make one, for the form of the block page or X-YORI-Override')
    .argument('<code>', 'as the block page or the error shows it')
    .option(
      '--minutes <number>',
      `how long it is good for, 1 to ${MAX_PIN_MINUTES}`,
      wholeNumber(1, MAX_PIN_MINUTES),
      DEFAULT_PIN_MINUTES,
    )
    .option(
      '--digits <number>',
      `how long it is, ${MIN_PIN_DIGITS} to ${MAX_PIN_DIGITS}`,
      wholeNumber(MIN_PIN_DIGITS, MAX_PIN_DIGITS),
      MIN_PIN_DIGITS,
    )
    .action((code: string, flags: MakeFlags) => make(deps, code, flags))
  common(command.command('list'))
    .description('those that are good now; the numbers themselves are kept nowhere')
    .action((flags: CommonFlags) => list(deps, flags))
  common(command.command('revoke'))
    .description('take one back')
    .argument('<id>', 'as `list` shows it')
    .action((id: string, flags: CommonFlags) => revoke(deps, id, flags))
  return command
}

async function make(
  deps: PolicyStateDeps,
  text: string,
  flags: MakeFlags,
): Promise<void> {
  const code = readApprovalCode(text) ?? usage(`${text} is no code such as 7F3-K2M.`)
  using session = openSession(deps, flags)
  if (!session.loaded.config.enforcement.override_enabled) {
    decline(deps, 'enforcement.override_enabled is false: set it to true first')
    return
  }
  const block = blockOf(session, code)
  if (block === undefined) {
    decline(deps, `nothing with the code ${code} was blocked in the last 24 hours`)
    return
  }
  const number = String(randomInt(10 ** flags.digits)).padStart(flags.digits, '0')
  const { nowMs, actor, database } = session
  const about = {
    id: randomUUID().slice(0, 8),
    requestId: String(block['request_id']),
    policy: String(block['policy_name']),
    endpoint: String(block['endpoint_domain']),
    expiresAt: nowMs + flags.minutes * 60_000,
    ...deviceOf(block),
  }
  const value: Pin = { ...about, hash: await hashPassword(number) }
  database.put('pin', { key: value.id, value, addedAt: nowMs, addedBy: actor })
  session.audit({ kind: 'pin_made', details: { code, ...about } })
  const until = wallText(about.expiresAt, session)
  if (flags.json === true) printJson(deps, { pin: number, code, ...about, until })
  else {
    const who = String(block['device_hostname'] ?? block['device_ip'])
    deps.print(
      `${number}\n${who}, policy ${about.policy}, ${about.endpoint}: once, until ${until} (id ${about.id})\n`,
    )
  }
}

function list(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const pins = session.database
    .list('pin')
    .filter(({ value }) => session.nowMs < value.expiresAt)
    .map(({ value: { hash: _hash, ...about }, addedAt, addedBy }) => ({
      ...about,
      addedAt,
      addedBy,
    }))
  if (flags.json === true) {
    printJson(deps, pins)
    return
  }
  const rows = pins.map((pin) => [
    pin.id,
    pin.mac ?? pin.ip ?? '',
    pin.policy,
    pin.endpoint,
    wallText(pin.expiresAt, session),
    pin.addedBy,
  ])
  const head = ['ID', 'DEVICE', 'POLICY', 'SERVICE', 'UNTIL', 'BY']
  deps.print(rows.length === 0 ? 'no PIN is good now\n' : tableText([head, ...rows]))
}

function revoke(deps: PolicyStateDeps, id: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  if (!session.database.remove('pin', id)) {
    decline(deps, `no PIN ${id}`)
    return
  }
  session.audit({ kind: 'pin_revoked', details: { id } })
  if (flags.json === true) printJson(deps, { revoked: id })
  else deps.print(`revoked ${id}\n`)
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,4}$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
  }
}
