/**
 * The decision step of one exchange: hands what is known of it to the policies, and writes
 * what they decided into its log. When blocking is possible the exchange waits for it;
 * otherwise it is made beside the traffic.
 */
import type { Device, RefusedFor, Ungoverned } from '../../core/record.js'
import { plainPath } from '../../providers/paths.js'
import type { Bypass } from '../../policy/bypass.js'
import type { KeyHolder } from '../../policy/access-gate.js'
import type { Decision } from '../../policy/engine.js'
import type { View } from '../../policy/in-flight.js'
import type { FindingInput } from '../../policy/policy.js'
import type { Content } from '../words/content.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { HttpRequest } from '../words/http-words.js'
import type { BodyRedaction } from './redact-body.js'
import { refusedAtOnce, refusedBy, UNASKED } from './access.js'
import { placeOf, weighApprovals } from './approval.js'
import type { ApprovalAbout } from './approval.js'
import { weighBeside } from './beside.js'
import { markOf } from './content-marks.js'
import { callsOf, mcpOf } from './mcp-calls.js'
import type { JudgingPort } from './port.js'
import { spared } from './spent.js'

export interface DecisionAbout extends ApprovalAbout {
  readonly request: HttpRequest
  readonly device: Device
  readonly redaction: BodyRedaction
  /** How what is in flight is looked at. */
  readonly view?: View | undefined
  /** It came to a sidecar. */
  readonly toolName?: string | undefined
  /** It came with a key of ours. */
  readonly holder?: KeyHolder | undefined
  /** There is somebody who takes it where its money is spent. */
  readonly isSpare?: (() => boolean) | undefined
  /** Asks those who look after the policies; undefined: nobody does. */
  readonly look?: ((decision: Decision) => Promise<Decision>) | undefined
}

const PROMPT_CUT = 'its prompt is longer than what a policy sees of input.prompt'

/** Prices are for a million tokens. */
const PRICED_TOKENS = 1_000_000

/** Undefined: no policy is there to be asked. */
export function decide(
  services: JudgingPort,
  about: DecisionAbout,
  content: Content,
): Decision | Promise<Decision> | undefined {
  const { decider, keys } = services
  const { holder, look } = about
  if (decider.idle && holder === undefined && look === undefined) return undefined
  if (holder !== undefined) {
    const refused = refusedAtOnce(keys, { log: about.log, holder }, content)
    if (refused !== undefined) return refused
  }
  const ungoverned = about.toolName === undefined ? undefined : ungovernedAs(content)
  if (ungoverned !== undefined) about.log.ungoverned(ungoverned)
  const isAsked = !decider.idle && ungoverned === undefined
  const judged = (view: View | undefined): Decision | Promise<Decision> => {
    const spent = holder && keys.budget(holder, about.log.record.requestId, view)
    const refused = spent && refusedBy(spent)
    if (refused !== undefined && about.isSpare === undefined) return refused
    const settled = (made: Decision): Decision =>
      refused === undefined ? made : { ...refused, instead: made }
    if (!isAsked) return settled(UNASKED)
    const seen = { ...about, view }
    const asked = ask(services, seen, content)
    const made =
      asked instanceof Promise
        ? asked.then((known) => weighed(services, seen, content, known))
        : weighed(services, seen, content, asked)
    return made instanceof Promise ? made.then(settled) : settled(made)
  }
  const { log, device } = about
  const { record } = log
  const ofPolicies = weighBeside(services, {
    ...{ record, device, content, judged },
    isKeyBudgeted: holder !== undefined && keys.isBudgeted(holder),
  })
  const { isSpare } = about
  const spare = (made: Decision): Decision =>
    isSpare === undefined ? made : spared(made, isSpare)
  const known = ofPolicies instanceof Promise ? ofPolicies.then(spare) : spare(ofPolicies)
  const decision = look === undefined ? known : looked(known, look)
  const settle = (made: Decision): Decision => noted(services, about, made, content)
  return decision instanceof Promise ? decision.then(settle) : settle(decision)
}

async function looked(
  decision: Decision | Promise<Decision>,
  look: NonNullable<DecisionAbout['look']>,
): Promise<Decision> {
  return look(await decision)
}

/** What was decided, once it stands in the row and was told. `content`: for what it blocks. */
export function noted(
  services: JudgingPort,
  about: Pick<DecisionAbout, 'log'> & Partial<Pick<DecisionAbout, 'device'>>,
  known: Decision,
  content?: Content,
): Decision {
  const { log, device } = about
  const { record } = log
  if (known.refusal !== undefined || known === UNASKED) return known
  note(log, known)
  if (known.enforce && record.refusedFor === undefined) {
    const isNamed = device !== undefined && content !== undefined
    const refusedFor = isNamed
      ? refusedForOf(services, { log, device }, content, known)
      : undefined
    if (refusedFor !== undefined) log.refusedAs(refusedFor)
  }
  services.observers.decided(record, known)
  if (known.failed.length > 0) {
    const { requestId } = record
    const policies = known.failed
    services.log.error({ requestId, policies }, 'policies could not be evaluated')
  }
  return known
}

/** A sidecar governs objects: what it cannot take for one passes, and is counted. */
function ungovernedAs({ state, body }: Content): Ungoverned | undefined {
  switch (state) {
    case 'absent':
      return 'empty'
    case 'invalid':
      return 'not_json'
    case 'truncated':
      return undefined
    case 'whole':
      return typeof body === 'object' && body !== null && !Array.isArray(body)
        ? undefined
        : 'not_an_object'
  }
}

/** What would block is asked again without what was approved. */
function weighed(
  services: JudgingPort,
  about: DecisionAbout,
  content: Content,
  decision: Decision,
): Decision | Promise<Decision> {
  if (!decision.enforce || decision.refusal !== undefined) return decision
  const { findings } = about.log.record
  const again = (rest: Content): Decision | Promise<Decision> => {
    const aside = { ...about, redaction: about.redaction.aside() }
    const asked = ask(services, aside, rest)
    // The row says what was in all of it.
    if (findings !== undefined) about.log.found(findings)
    return asked
  }
  return weighApprovals(services, about, content, { decision, again })
}

/** Longer words are told apart, and not kept. */
const MAX_KEPT_WORDS = 2000

/** Names a block by the newest words; undefined: it has none, and each counts by itself. */
function refusedForOf(
  { decider }: Pick<JudgingPort, 'decider'>,
  { device, log }: Pick<DecisionAbout, 'device' | 'log'>,
  { state, prompt, words: newest = '' }: Content,
  { policy = '' }: Decision,
): RefusedFor | undefined {
  const form = state === 'invalid' ? prompt : ''
  const words = state === 'whole' ? newest : form
  if (words.trim() === '') return undefined
  const place = placeOf(policy, { device, log })
  const key = markOf(decider.markKey)(JSON.stringify([place, words]))
  return { key, place, words: words.length <= MAX_KEPT_WORDS ? words : '' }
}

function ask(
  { decider, catalogue }: Pick<JudgingPort, 'decider' | 'catalogue'>,
  { request, log, device, redaction, view, toolName }: DecisionAbout,
  content: Content,
): Decision | Promise<Decision> {
  const { record } = log
  const { provider } = record
  const { model, modelsNamed, prompt, promptChars, toolsOffered, session, said } = content
  const known = provider !== undefined && model !== undefined
  const priced = known ? catalogue.model(provider, model) : undefined
  if (decider.readsFindings && said !== undefined) log.found(countsOf(said.findings))
  return decider.decide({
    requestId: record.requestId,
    method: record.method,
    path: plainPath(record.path),
    rawHeaders: request.rawHeaders,
    body: content.body,
    bodyState: content.state,
    device,
    userAgent: record.userAgent,
    endpoint: record.endpointDomain,
    provider,
    model,
    modelsNamed,
    prompt,
    promptChars,
    toolsOffered,
    mcp: mcpOf(record, content),
    calls: decider.readsCalls ? callsOf(record, content) : undefined,
    session: session?.(),
    call: record.call,
    agentId: record.agentId,
    toolName,
    findings: said?.findings ?? [],
    said,
    inputPrice: priced === undefined ? undefined : priced.price.input / PRICED_TOKENS,
    uninspectable: content.uninspectable,
    unstructured: content.unstructured,
    promptCut: (promptChars ?? 0) > prompt.length ? PROMPT_CUT : undefined,
    redact: redaction.redact,
    view,
  })
}

/** For the record; what the program always says of itself tells nothing of the request. */
function countsOf(findings: readonly FindingInput[]): { kind: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const { kind, count, who } of findings)
    if (who !== 'program') counts.set(kind, (counts.get(kind) ?? 0) + count)
  return [...counts].map(([kind, count]) => ({ kind, count }))
}

function note(log: ExchangeLog, decision: Decision): void {
  const { policy, reason, bypass, verdict, redacted } = decision
  const policyMessage = messageOf(decision)
  log.decided({
    policyDecision: verdict,
    ...(policy === undefined ? {} : { policyName: policy }),
    ...(reason === undefined || verdict === 'allow' ? {} : { reason }),
    ...(bypass === undefined ? {} : { bypass: bypassText(bypass) }),
    ...(redacted === undefined ? {} : { redacted }),
    ...(policyMessage === '' ? {} : { policyMessage }),
  })
}

/** What else was said of it. */
function messageOf({ bypass, redacted, others, notes = [] }: Decision): string {
  const heard = others.filter(({ effect }) => effect !== 'allow')
  return [
    ...(redacted === undefined ? [] : [`redacted: ${redacted}`]),
    ...(bypass === undefined ? [] : [`let past: ${bypass.reason}`]),
    ...heard.map((voice) => `${voice.policy}: ${voice.effect}: ${voice.reason}`),
    ...notes,
  ].join('; ')
}

function bypassText({ type, deviceName }: Bypass): string {
  return deviceName === undefined ? type : `${type} (${deviceName})`
}
