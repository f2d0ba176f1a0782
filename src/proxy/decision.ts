/**
 * The decision step of one exchange: hands what is known of it to the policies, and writes
 * what they decided into its record. When blocking is possible the exchange waits for it;
 * otherwise it is made beside the traffic.
 */
import type { Device, ExchangeRecord } from '../core/record.js'
import type { Bypass } from '../policy/bypass.js'
import type { Decision } from '../policy/engine.js'
import type { Content } from './content.js'
import type { HttpRequest } from './http-words.js'
import { withhold } from './kept-bodies.js'
import type { Services } from './services.js'

export interface DecisionAbout {
  readonly request: HttpRequest
  readonly record: ExchangeRecord
  readonly device: Device
}

/** Undefined: no policy is there to be asked. */
export function decide(
  services: Pick<Services, 'decider' | 'log'>,
  about: DecisionAbout,
  content: Content,
): Decision | Promise<Decision> | undefined {
  const { decider } = services
  if (decider.idle) return undefined
  const decision = ask(decider, about, content)
  const noted = (known: Decision): Decision => {
    note(about.record, known)
    if (known.failed.length > 0) {
      const { requestId } = about.record
      const policies = known.failed
      services.log.error({ requestId, policies }, 'policies could not be evaluated')
    }
    return known
  }
  return decision instanceof Promise ? decision.then(noted) : noted(decision)
}

function ask(
  decider: Services['decider'],
  { request, record, device }: DecisionAbout,
  content: Content,
): Decision | Promise<Decision> {
  return decider.decide({
    requestId: record.requestId,
    method: record.method,
    path: record.path,
    rawHeaders: request.rawHeaders,
    body: content.body,
    bodyState: content.state,
    device,
    userAgent: record.userAgent,
    endpoint: record.endpointDomain,
    provider: record.provider,
    model: content.model,
    prompt: content.prompt,
    uninspectable: content.uninspectable,
  })
}

function note(record: ExchangeRecord, decision: Decision): void {
  const { policy, reason, bypass, verdict, others } = decision
  if (others.some(({ effect }) => effect === 'redact')) withhold(record)
  record.policyDecision = verdict
  if (policy !== undefined) record.policyName = policy
  if (reason !== undefined && verdict !== 'allow') record.reason = reason
  if (bypass !== undefined) record.bypass = bypassText(bypass)
  const heard = others.filter(({ effect }) => effect !== 'allow')
  if (bypass === undefined && heard.length === 0) return
  record.policyMessage = [
    ...(bypass === undefined ? [] : [`let past: ${bypass.reason}`]),
    ...heard.map((voice) => `${voice.policy}: ${voice.effect}: ${voice.reason}`),
  ].join('; ')
}

function bypassText({ type, deviceName }: Bypass): string {
  return deviceName === undefined ? type : `${type} (${deviceName})`
}
