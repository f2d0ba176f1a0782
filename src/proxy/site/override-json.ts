/**
 * The JSON that programs send to the override address: `{password, request_id, policy_name?}`
 * for the request that was blocked, or `{password, emergency: true, minutes?, reason?}`, where
 * the password is the token of an administrator.
 */
import type { Device } from '../../core/record.js'
import type { Attempted, Overrides } from '../../household/overrides.js'

const DEFAULT_MINUTES = 60
const DEFAULT_REASON = 'by the token of an administrator'

export type OverrideJson =
  | {
      readonly kind: 'request'
      readonly password: string
      readonly requestId: string
      readonly policy: string | undefined
    }
  | {
      readonly kind: 'emergency'
      readonly password: string
      readonly minutes: number
      readonly reason: string
    }

/** Undefined for anything else. What has a limit is checked by whom it concerns. */
export function readOverrideJson(text: string | undefined): OverrideJson | undefined {
  const body = parsed(text)
  const password = body?.['password']
  if (body === undefined || typeof password !== 'string') return undefined
  if (body['emergency'] === true) {
    const { minutes = DEFAULT_MINUTES, reason = DEFAULT_REASON } = body
    if (typeof minutes !== 'number' || typeof reason !== 'string') return undefined
    return { kind: 'emergency', password, minutes, reason }
  }
  const { request_id: requestId, policy_name: policy } = body
  if (typeof requestId !== 'string') return undefined
  if (policy !== undefined && typeof policy !== 'string') return undefined
  return { kind: 'request', password, requestId, policy }
}

export async function overrideByJson(
  asked: OverrideJson,
  device: Device,
  overrides: Overrides,
): Promise<{ status: number; says: string }> {
  if (asked.kind === 'request') {
    return OVERRIDE_ANSWERS[await overrides.byRequest(asked, device)]
  }
  const { password, ...request } = asked
  const done = await overrides.emergency(password, request, device)
  switch (done.kind) {
    case 'ok': {
      const until = new Date(done.emergency.expiresAt).toISOString()
      return { status: 200, says: `Nothing is blocked until ${until}.` }
    }
    case 'refused':
      return { status: 409, says: `Not done: ${done.why}.` }
    default:
      return OVERRIDE_ANSWERS[done.kind]
  }
}

export const OVERRIDE_ANSWERS: Readonly<
  Record<Attempted, { status: number; says: string }>
> = {
  granted: { status: 200, says: 'Allowed for a while.' },
  once: { status: 200, says: 'Allowed once: the next try passes.' },
  wrong: { status: 401, says: 'That is not right.' },
  limited: {
    status: 429,
    says: 'Too many attempts. Wait, or ask an adult to approve it.',
  },
  off: { status: 403, says: 'Passwords are not taken here.' },
  stale: { status: 403, says: 'This page is too old. Ask again to get a new one.' },
}

function parsed(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
