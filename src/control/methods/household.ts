/** What people set and decided: who there is, which policies hold, and what waits for a yes. */
import { approvalCode } from '../../policy/approval.js'
import type { PolicyState } from '../../policy/state.js'
import { json } from '../answer.js'
import type { Handler } from '../method.js'
import { exchangeShape } from '../shapes.js'
import { ASKED_EVENT } from '../../household/approvals.js'
import { heldDetails } from '../../household/holds.js'
import { peopleOf } from '../../household/roll.js'
import { personShape } from './household-changes.js'

const DAY_MS = 86_400_000
const MOST_WAITING = 50

/** Who may log in, whom the proxy knows, and the groups that devices are in. */
export const people: Handler = ({ on: { port } }) => {
  const { control, access, enforcement } = port.appliance.current.config
  const { groups, devices } = enforcement.allowlist
  const kept = port.appliance.policyState.current.devices
  return json({
    people: control.people.map(({ name, role }) => ({ name, role })),
    proxy_users: access.users.map(({ name }) => name),
    groups,
    devices: [...devices, ...kept],
    household: peopleOf(port.appliance.policyState.current, port.clock.now()).map(
      personShape,
    ),
  })
}

export const policies: Handler = ({ on: { port } }) => {
  const { config, services } = port.appliance.current
  return json({
    mode: config.mode,
    enforcement_enabled: config.enforcement.enabled,
    policies: services.decider.policies,
  })
}

/** What lets devices past now, and what of the last day could be let past. */
export const approvals: Handler = async ({ on: { port, reader } }) => {
  const nowMs = port.clock.now()
  const state = port.appliance.policyState.current
  const filter = { outcome: 'block', sinceMs: nowMs - DAY_MS }
  const [{ rows }, asks] = await Promise.all([
    reader.ask('exchanges', { filter, rows: MOST_WAITING }),
    reader.ask('requestsOf', { kind: ASKED_EVENT, sinceMs: filter.sinceMs }),
  ])
  const asked = new Set(asks)
  return json({
    emergency: state.emergency ?? null,
    grants: state.grants.map(({ found: _marks, ...grant }) => grant),
    pins: state.pins.map(({ hash: _hash, ...pin }) => pin),
    stops: state.stops,
    rules: state.rules,
    exceptions: state.exceptions,
    held: port.appliance.holds.list().map(heldDetails),
    blocked: rows.map((row) => ({
      code: approvalCode(String(row['request_id'])),
      answer: answerTo(state, String(row['request_id'])),
      asked: asked.has(String(row['request_id'])),
      exchange: exchangeShape(row),
    })),
  })
}

/** Null: nobody has said anything to it. */
function answerTo(
  { grants, denials }: Pick<PolicyState, 'grants' | 'denials'>,
  id: string,
): 'approved' | 'denied' | null {
  if (grants.some(({ request }) => request === id)) return 'approved'
  return denials.some(({ request }) => request === id) ? 'denied' : null
}
