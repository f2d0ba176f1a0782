/** What one exchange alone tells: a block, somebody who asks, a policy that alerts, a finding. Pure. */
import { approvalCode } from '../../policy/approval.js'
import type { SeenExchange } from '../../proxy/words/observer.js'
import { alertDevice, known } from './rule.js'
import type { Happened } from './rule.js'

export interface ExchangeRuleSettings {
  /** A block can be passed with a yes: then it is somebody who asks. */
  readonly canAsk: boolean
}

export function aboutExchange(
  seen: SeenExchange,
  { canAsk }: ExchangeRuleSettings,
): Happened | undefined {
  const { outcome, policyName, policyDecision, bypass, findings = [] } = seen
  const device = alertDevice(seen.device)
  const policy = policyName === undefined ? {} : { policy: policyName }
  const metadata = metadataOf(seen)
  if (outcome === 'block') {
    const code = approvalCode(seen.repeated?.requestId ?? seen.requestId)
    return {
      rule: canAsk ? 'ask' : 'blocked',
      device,
      ...policy,
      reason: reasonOf(seen) ?? 'blocked',
      metadata: { ...metadata, action: 'block', code },
    }
  }
  if (findings.length > 0) {
    const kinds = findings.map(({ kind, count }) => `${kind} (${count})`).join(', ')
    return {
      rule: 'finding',
      device,
      ...policy,
      reason: `went to ${seen.endpointDomain}: ${kinds}`,
      metadata: { ...metadata, findings: kinds, redacted: seen.redacted ?? 0 },
    }
  }
  if (policyDecision !== 'alert' || bypass !== undefined) return undefined
  return {
    rule: 'alerted',
    device,
    ...policy,
    reason: reasonOf(seen) ?? 'a policy alerts',
    metadata: { ...metadata, action: 'alert' },
  }
}

function reasonOf({ reason, policyMessage }: SeenExchange): string | undefined {
  return reason ?? policyMessage
}

function metadataOf(seen: SeenExchange): Record<string, string | number | boolean> {
  return known({
    request_id: seen.requestId,
    endpoint: seen.endpointDomain,
    provider: seen.provider,
    model: seen.model,
    session: seen.sessionId,
    program: seen.program?.name,
  })
}
