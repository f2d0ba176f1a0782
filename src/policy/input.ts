/** Builds the document that policies read. Credentials never get into it. Pure. */
import type { Device } from '../core/record.js'
import type { RequestCounts } from './counters.js'
import type { Identity } from './devices.js'
import type { LocalTime } from './local-time.js'
import type { BodyState, PolicyInput } from './policy.js'

export interface InputFacts {
  readonly requestId: string
  readonly nowMs: number
  readonly method: string
  readonly path: string
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: unknown
  readonly bodyState: BodyState
  readonly device: Device
  readonly identity: Identity
  readonly userAgent: string | undefined
  readonly endpoint: string
  readonly provider: string | undefined
  readonly time: LocalTime
  readonly counts: RequestCounts
  readonly model: string | undefined
  readonly prompt: string
}

const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-amz-security-token',
  'x-yori-override',
])

export function policyInput(facts: InputFacts): PolicyInput {
  const { device, identity, time, counts } = facts
  return {
    request: {
      id: facts.requestId,
      timestamp: new Date(facts.nowMs).toISOString(),
      method: facts.method,
      path: facts.path,
      headers: readableHeaders(facts.rawHeaders),
      body: facts.bodyState === 'whole' ? (facts.body ?? null) : null,
      body_state: facts.bodyState,
    },
    device: {
      ip: device.ip,
      mac: device.mac ?? null,
      hostname: device.hostname ?? null,
      user_agent: facts.userAgent ?? null,
      name: identity.name ?? null,
      groups: identity.groups,
    },
    endpoint: { domain: facts.endpoint, provider: facts.provider ?? null },
    context: {
      hour: time.hour,
      minute: time.minuteOfDay % 60,
      day_of_week: time.weekday,
      is_weekend: time.weekday === 'saturday' || time.weekday === 'sunday',
      request_count_today: counts.today,
      request_count_this_hour: counts.thisHour,
    },
    model: facts.model ?? null,
    prompt: facts.prompt,
    findings: [],
  }
}

/** Fields that stand more than once are joined, RFC 9110 §5.3. */
function readableHeaders(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (CREDENTIALS.has(name)) continue
    const value = raw[i + 1] as string
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return headers
}
