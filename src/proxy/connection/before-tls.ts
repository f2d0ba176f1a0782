/**
 * What a client does before its hello, where a policy may block its device: nothing of it is a
 * way past every policy. On a TLS port the client speaks first (RFC 8446 §4.1.2), so silence is
 * waited for, and what servers would take for TLS though we cannot read it does not pass.
 */
import { YoriError } from '../../core/errors.js'
import type { Device } from '../../core/record.js'
import type { FirstBytes } from '../../net/peek.js'
import { passesUnread } from '../../policy/route.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'
import { firstBytes } from './served.js'
import type { Served } from './served.js'

/** What is steered here, and what CONNECT is for; on other ports servers may speak first. */
const TLS_PORT = 443

/**
 * Its first bytes where `first` shows no hello: of a silent client those that come late.
 * `port`: that of the server. Changes nothing where no policy may block this device.
 * @throws YORI_CLIENT_HELLO_TIMEOUT where it may, and no hello can come any more
 */
export async function shown(
  served: Served,
  first: FirstBytes,
  port: number,
): Promise<FirstBytes> {
  if (!isHidden(first) || !mustShow(served, port)) return first
  if (first.kind !== 'silent')
    throw new YoriError(
      'YORI_CLIENT_HELLO_TIMEOUT',
      first.kind === 'malformed' ? first.reason : 'no ClientHello',
    )
  const late = await firstBytes(served, true)
  if (isHidden(late))
    throw new YoriError(
      'YORI_CLIENT_HELLO_TIMEOUT',
      late.kind === 'malformed' ? late.reason : late.kind,
    )
  return late
}

/** No hello that we can read, and yet TLS may follow. */
function isHidden(first: FirstBytes): boolean {
  switch (first.kind) {
    case 'silent':
    case 'malformed':
      return true
    case 'other':
      return first.likeTls === true
    default:
      return false
  }
}

/** A device that the operator has taken out of YORI's hands. */
export function isExempt(policy: PolicySnapshot, { ip, mac }: Device): boolean {
  return policy.exemptDevices.has(ip) || (mac !== undefined && policy.exemptMacs.has(mac))
}

/** May a policy block something of this device, behind this port? */
export function mustShow(served: Served, port: number): boolean {
  return port === TLS_PORT && mayBlock(served)
}

/** May a policy block something of this device? */
export function mayBlock({
  state,
  services,
}: Pick<Served, 'state' | 'services'>): boolean {
  const { policy, decider } = services
  const { device } = state.record
  const mayEnforce = policy.mode === 'enforce' && decider.holds
  if (!mayEnforce && !decider.isPaused(device)) return false
  if (isExempt(policy, device)) return false
  return policy.routes.endpoints
    .enabled()
    .some(
      ({ route, domain }) =>
        !passesUnread({ route }) && decider.mustInspect(device, domain),
    )
}
