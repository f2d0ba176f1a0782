/**
 * `yori approve`: lets what was refused pass when its device says it again, whatever the model
 * and however often. Where a policy does not look at what is said, it lets the device past it.
 */
import { Command } from 'commander'
import { readApprovalCode, WHATEVER } from '../../../policy/approval.js'
import { usage } from '../../usage.js'
import type { Grant } from '../../../policy/state.js'
import { ALWAYS, ONCE_MS, grantFor } from '../../../household/approvals.js'
import { blockOf } from './blocks.js'
import {
  common,
  decline,
  momentOf,
  wallText,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps, Session } from './household-database.js'
import { heldNow, printWaiting } from './waiting.js'

interface ApproveFlags extends CommonFlags {
  readonly once?: boolean
  readonly for?: string
  readonly always?: boolean
  readonly list?: boolean
  readonly revoke?: string
}

export function approveCommand(deps: PolicyStateDeps): Command {
  return common(new Command('approve'))
    .description('let what was refused pass when its device says it again')
    .argument('[code]', 'as the block page or the error shows it; none: what waits')
    .option('--once', 'the next request only')
    .option('--for <span>', 'for a while, such as 30m or 2h')
    .option('--always', 'until it is revoked')
    .option('--list', 'what is granted now')
    .option('--revoke <id>', 'take one back')
    .action(async (code: string | undefined, flags: ApproveFlags) => {
      if (flags.list === true) list(deps, flags)
      else if (flags.revoke !== undefined) revoke(deps, flags.revoke, flags)
      else if (code === undefined) await waiting(deps, flags)
      else await approve(deps, code, flags)
    })
}

async function waiting(deps: PolicyStateDeps, flags: ApproveFlags): Promise<void> {
  using session = openListing(deps, flags)
  const held = await heldNow(deps, session)
  printWaiting(deps, session, { held, asJson: flags.json === true })
}

async function approve(
  deps: PolicyStateDeps,
  text: string,
  flags: ApproveFlags,
): Promise<void> {
  const code = readApprovalCode(text) ?? usage(`${text} is no code such as 7F3-K2M.`)
  const chosen = [flags.once, flags.for !== undefined, flags.always].filter(Boolean)
  if (chosen.length > 1) usage('--once, --for and --always exclude each other.')
  if (await approvedByDaemon(deps, code, flags)) return
  using session = openSession(deps, flags)
  const block = blockOf(session, code)
  if (block === undefined) {
    decline(deps, `nothing with the code ${code} was blocked in the last 24 hours`)
    return
  }
  const { nowMs, actor, database } = session
  const once = flags.once === true
  const grant = grantFor(block, { until: untilOf(flags, session), once })
  database.put('grant', { key: grant.id, value: grant, addedAt: nowMs, addedBy: actor })
  const { found: _marks, request: requestId, ...rest } = grant
  const details = { code, requestId, ...rest }
  session.audit({ kind: 'grant_approved', details })
  if (flags.json === true) printJson(deps, details)
  else {
    const who = block['device_hostname'] ?? block['device_ip']
    deps.print(
      `${String(who)}, policy ${grant.policy}, ${grant.endpoint ?? ''}: ${spanOf(grant, session)}\n`,
    )
  }
}

const SPAN = /^\d{1,6}[smhdw]$/

interface Granted {
  readonly anything: boolean
  readonly device: { readonly hostname: string | null; readonly ip: string }
  readonly [detail: string]: unknown
}

/** The running YORI does it itself, at once. False: none runs, or it was asked for a date. */
async function approvedByDaemon(
  deps: PolicyStateDeps,
  code: string,
  { once, for: span, always, config: path, json }: ApproveFlags,
): Promise<boolean> {
  if (deps.ask === undefined || (span !== undefined && !SPAN.test(span))) return false
  const loaded = deps.load(path)
  const { config } = loaded
  const asked = await deps.ask(config.state_dir, {
    verb: 'POST',
    path: `/api/approvals/${code}/approve`,
    body: { once, for: span, always },
  })
  if (asked.kind === 'unreachable') return false
  if (asked.status === 404) {
    decline(deps, `nothing with the code ${code} was blocked in the last 24 hours`)
    return true
  }
  if (asked.status !== 201) {
    decline(deps, String((asked.body as { message?: unknown } | null)?.message))
    return true
  }
  const { anything, device, ...details } = asked.body as Granted
  if (json === true) printJson(deps, details)
  else {
    const grant = details as unknown as Grant
    const how = spanOf(anything ? grant : { ...grant, found: [code] }, { loaded })
    const who = device.hostname ?? device.ip
    deps.print(`${who}, policy ${grant.policy}, ${grant.endpoint ?? ''}: ${how}\n`)
  }
  deps.note('yori: the running YORI has taken it: it holds now\n')
  return true
}

function untilOf(flags: ApproveFlags, session: Session): number {
  const { nowMs, loaded } = session
  if (flags.always === true) return ALWAYS
  if (flags.for !== undefined) return momentOf(flags.for, session)
  if (flags.once === true) return nowMs + ONCE_MS
  return nowMs + loaded.config.enforcement.grant_seconds * 1000
}

function spanOf({ once, until, found }: Grant, session: Pick<Session, 'loaded'>): string {
  // Where only the model or a tool was refused, there is nothing that would have to be said.
  const isAnything = found?.every((mark) => mark === WHATEVER) ?? true
  const what = isAnything ? '' : 'what was refused '
  if (once) return isAnything ? 'the next request passes' : `${what}passes once`
  const end = until === ALWAYS ? 'until revoked' : `until ${wallText(until, session)}`
  return `${what}passes ${end}`
}

function list(deps: PolicyStateDeps, flags: ApproveFlags): void {
  using session = openListing(deps, flags)
  const grants = session.database
    .list('grant')
    .filter(({ value }) => session.nowMs < value.until)
  if (flags.json === true) {
    printJson(deps, grants)
    return
  }
  const rows = grants.map(({ value, addedBy }) => [
    value.id,
    value.mac ?? value.ip ?? '',
    value.policy,
    value.endpoint ?? 'every service',
    spanOf(value, session),
    addedBy,
  ])
  const head = ['ID', 'DEVICE', 'POLICY', 'SERVICE', 'HOW LONG', 'BY']
  deps.print(rows.length === 0 ? 'nothing is granted\n' : tableText([head, ...rows]))
}

function revoke(deps: PolicyStateDeps, id: string, flags: ApproveFlags): void {
  using session = openSession(deps, flags)
  if (!session.database.remove('grant', id)) {
    decline(deps, `no grant ${id}`)
    return
  }
  session.audit({ kind: 'grant_revoked', details: { id } })
  if (flags.json === true) printJson(deps, { revoked: id })
  else deps.print(`revoked ${id}\n`)
}
