/** What was refused and waits for a word of an adult: by code, the newest first. */
import { openReader } from '../../../audit/queries.js'
import type { Listed } from '../../../audit/queries.js'
import { momentText } from '../../../core/moment-text.js'
import {
  APPROVAL_AGE_MS,
  APPROVAL_COLUMNS,
  ASKED_EVENT,
} from '../../../household/approvals.js'
import { approvalCode } from '../../../policy/approval.js'
import { deviceId, listedId } from '../../../core/device-id.js'
import { printJson, tableText } from './household-database.js'
import type { PolicyStateDeps, Session } from './household-database.js'

/** Of one list; older ones have their code all the same. */
const MOST_WAITING = 50

interface Waiting {
  readonly code: string
  readonly at: string
  readonly device: string
  readonly policy: string
  readonly service: string
  readonly reason: string
  /** Somebody pressed Ask on the block page. */
  readonly asked: boolean
  /** It is not refused yet, and waits until then; RFC 3339. */
  readonly held?: string
}

/** Whoever was told yes or no waits no longer; who asked comes first. */
function waitingIn({ loaded, database, nowMs }: Session): Waiting[] {
  const { grants, denials, known } = database.state(nowMs)
  const answered = new Set([...grants, ...denials].map(({ request }) => request))
  const names = new Map(known.map((one) => [listedId(one), one.name]))
  const calledIn = (row: Listed): string => {
    const { device_mac: mac, device_ip: ip, device_hostname: host } = row
    const id = deviceId({ ip: String(ip), mac: mac === null ? null : String(mac) })
    return names.get(id) ?? (host === null ? id : String(host))
  }
  using reader = openReader(loaded.config.audit.database)
  const filter = { outcome: 'block', sinceMs: nowMs - APPROVAL_AGE_MS }
  const asked = new Set(reader.requestsOf(ASKED_EVENT, filter.sinceMs))
  const found: Waiting[] = []
  for (const row of reader.list(filter, 10 * MOST_WAITING, APPROVAL_COLUMNS)) {
    const id = String(row['request_id'])
    if (answered.has(id)) continue
    found.push({
      code: approvalCode(id),
      at: `${String(row['timestamp']).replace(' ', 'T')}Z`,
      device: calledIn(row),
      policy: String(row['policy_name']),
      service: String(row['endpoint_domain']),
      reason: String(row['reason'] ?? ''),
      asked: asked.has(id),
    })
    if (found.length >= MOST_WAITING) break
  }
  return found.sort((a, b) => Number(b.asked) - Number(a.asked))
}

interface Held extends Pick<Waiting, 'code' | 'policy' | 'reason'> {
  readonly endpoint: string
  readonly device: { readonly ip: string; readonly hostname: string | null }
  readonly since: string
  readonly until: string
}

/** What the running YORI holds: none where none runs. */
export async function heldNow(
  { ask }: PolicyStateDeps,
  { loaded }: Session,
): Promise<readonly Waiting[]> {
  if (ask === undefined) return []
  const { state_dir: folder } = loaded.config
  const asked = await ask(folder, { verb: 'GET', path: '/api/approvals' })
  if (asked.kind === 'unreachable' || asked.status !== 200) return []
  const { held = [] } = asked.body as { held?: readonly Held[] }
  return held.map(({ code, device, policy, endpoint, reason, since, until }) => ({
    ...{ code, policy, reason, at: since, service: endpoint, asked: true, held: until },
    device: device.hostname ?? device.ip,
  }))
}

export function printWaiting(
  deps: PolicyStateDeps,
  session: Session,
  { held, asJson }: { readonly held: readonly Waiting[]; readonly asJson: boolean },
): void {
  const waiting = [...held, ...waitingIn(session)]
  if (asJson) {
    printJson(deps, waiting)
    return
  }
  const { timezone } = session.loaded.config.enforcement
  const rows = waiting.map(
    ({ code, at, device, policy, service, reason, asked, ...more }) => [
      ...[code, momentText(Date.parse(at), timezone), device, service, policy],
      ...[more.held === undefined ? (asked ? 'yes' : '') : 'waits', reason],
    ],
  )
  const head = ['CODE', 'WHEN', 'DEVICE', 'SERVICE', 'POLICY', 'ASKED', 'WHY']
  deps.print(rows.length === 0 ? 'nothing waits\n' : tableText([head, ...rows]))
}
