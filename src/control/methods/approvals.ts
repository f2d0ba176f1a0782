/** What an adult says to what was refused: yes for a while or once, no, and no longer. */
import { APPROVAL_AGE_MS, ALWAYS, ONCE_MS } from '../../household/approvals.js'
import { denialFor, grantFor } from '../../household/approvals.js'
import { heldRow } from '../../household/holds.js'
import type { PolicyDatabase } from '../../household/policy-database.js'
import type { Listed } from '../../audit/where.js'
import { parseSince } from '../../audit/since.js'
import { YoriError } from '../../core/errors.js'
import type { Grant } from '../../policy/state.js'
import { WHATEVER, readApprovalCode } from '../../policy/approval.js'
import { Refusal, badRequest, json, notFound } from '../answer.js'
import type { Call, Handler } from '../method.js'

export const approve: Handler = async (call) => {
  const details = await letPass(call, howLong(call, call.on.port.clock.now()))
  return json(details, 201)
}

/**
 * What the code in the path stands for may pass, by whom the call is.
 * @throws Refusal 404, 409
 */
export async function letPass(
  call: Call,
  { anything, ...how }: HowLong,
): Promise<Passed> {
  const nowMs = call.on.port.clock.now()
  const { holds } = call.on.port.appliance
  const [code, block, isHeld] = await blockOf(call, nowMs)
  const bound = grantFor(block, how)
  const { found: _found, ...unbound } = bound
  const grant: Grant = anything ? unbound : bound
  // What waits goes on by this word alone: nothing is left for another.
  if (!(isHeld && grant.once))
    await changed(call, (database) =>
      database.put('grant', {
        ...{ key: grant.id, value: grant },
        ...{ addedAt: nowMs, addedBy: call.caller.who },
      }),
    )
  if (isHeld) holds.answer(code, 'approved', call.caller.who)
  const { found: _marks, request: requestId, ...rest } = grant
  const details = { code, requestId, ...rest }
  tell(call, 'grant_approved', details)
  const device = { hostname: block['device_hostname'], ip: block['device_ip'] }
  const isAnything = grant.found?.every((mark) => mark === WHATEVER) ?? true
  return { ...details, anything: isAnything, device }
}

export const deny: Handler = async (call) => json(await refuseAgain(call))

/** @throws Refusal 404, 409 */
export async function refuseAgain(call: Call): Promise<object> {
  const nowMs = call.on.port.clock.now()
  const [code, block, isHeld] = await blockOf(call, nowMs)
  const value = denialFor(block, nowMs)
  await changed(call, (database) =>
    database.put('denial', {
      ...{ key: value.request, value },
      ...{ addedAt: nowMs, addedBy: call.caller.who },
    }),
  )
  if (isHeld) call.on.port.appliance.holds.answer(code, 'denied', call.caller.who)
  tell(call, 'approval_denied', { code, requestId: value.request })
  return { code, requestId: value.request }
}

export const revoke: Handler = async (call) => {
  const id = call.params['id'] ?? ''
  const isRemoved = await changed(call, (database) => database.remove('grant', id))
  if (!isRemoved) throw notFound('grant')
  tell(call, 'grant_revoked', { id })
  return json({ revoked: id })
}

/** @throws Refusal 400, 404 */
async function blockOf(
  call: Call,
  nowMs: number,
): Promise<[code: string, block: Listed, isHeld: boolean]> {
  const code = readApprovalCode(call.params['code'] ?? '')
  if (code === undefined) throw notFound('code: it reads such as 7F3-K2M')
  const held = call.on.port.appliance.holds.find(code)
  if (held !== undefined) return [code, heldRow(held), true]
  const sinceMs = nowMs - APPROVAL_AGE_MS
  const block = await call.on.reader.ask('blockByCode', { code, sinceMs })
  if (block === null) throw notFound('block of the last 24 hours')
  return [code, block, false]
}

/** What is told of a yes; times: Unix milliseconds. */
export type Passed = Omit<Grant, 'found' | 'request'> & {
  readonly code: string
  readonly requestId: string | undefined
  readonly anything: boolean
  readonly device: object
}

/** As `yori approve` has it: for `enforcement.grant_seconds` unless something is said. */
function howLong({ body, on }: Pick<Call, 'body' | 'on'>, nowMs: number): HowLong {
  const said = (body ?? {}) as Record<string, unknown>
  const { anything = false, ...span } = said
  if (typeof anything !== 'boolean') throw badRequest('anything: true or false')
  return { ...spanOf(span, on, nowMs), anything }
}

/** `anything`: all that this policy says of this device, not what was found alone. */
export interface HowLong {
  readonly until: number
  readonly once: boolean
  readonly anything: boolean
}

function spanOf(
  asked: Readonly<Record<string, unknown>>,
  on: Call['on'],
  nowMs: number,
): Omit<HowLong, 'anything'> {
  const { once, for: span, always, ...more } = asked
  const said = [once, span, always].filter((one) => one !== undefined && one !== false)
  if (said.length > 1 || Object.keys(more).length > 0)
    throw badRequest('{}, {"once": true}, {"for": "30m"} or {"always": true} is expected')
  if (always === true) return { until: ALWAYS, once: false }
  if (once === true) return { until: nowMs + ONCE_MS, once: true }
  if (said.length === 0) {
    const { grant_seconds: seconds } = on.port.appliance.current.config.enforcement
    return { until: nowMs + seconds * 1000, once: false }
  }
  const ago =
    typeof span === 'string' && SPAN.test(span)
      ? parseSince(span, 0, undefined)
      : undefined
  if (ago === undefined || ago >= 0) throw badRequest('for: a span such as 30m or 2h')
  return { until: nowMs - ago, once: false }
}

const SPAN = /^\d{1,6}[smhdw]$/

async function changed<Result>(
  { on }: Call,
  work: (database: PolicyDatabase) => Result,
): Promise<Result> {
  try {
    return await on.port.appliance.policyState.change(work)
  } catch (cause) {
    if (!(cause instanceof YoriError)) throw cause
    throw new Refusal(409, 'not_writable', cause.message)
  }
}

function tell({ caller, on }: Call, kind: string, details: object): void {
  on.port.appliance.audit.event({
    at: on.port.clock.now(),
    kind,
    actor: caller.who,
    ...(caller.ip === undefined ? {} : { fromIp: caller.ip }),
    details: { ...details, via: 'control plane' },
  })
}
