/**
 * An approval is for what was refused: where a policy blocks, it is asked again without what
 * an adult has approved, by digest, whatever the model and whatever stands around it. What
 * then blocks is new. Asked only when something blocks and something was approved.
 */
import type { Device, ExchangeRecord } from '../../core/record.js'
import type { Voice } from '../../policy/combine.js'
import type { Decision } from '../../policy/engine.js'
import type { Content } from '../words/content.js'
import { markOf, marksIn, textWithout, withoutApproved } from './content-marks.js'
import type { Mark } from './content-marks.js'
import type { JudgingPort } from './port.js'

export interface ApprovalAbout {
  readonly record: ExchangeRecord
  readonly device: Device
  /** What the body, with something taken out, says; undefined: nobody can read it. */
  readonly reread?:
    ((body: unknown) => Pick<Content, 'prompt' | 'promptChars'>) | undefined
}

export type ApprovalPort = Pick<JudgingPort, 'decider' | 'overrides' | 'clock'>

/** `again` puts the question once more about other content, and notes nothing. */
export async function weighApprovals(
  services: ApprovalPort,
  about: ApprovalAbout,
  content: Content,
  { decision, again }: { decision: Decision; again: (rest: Content) => Asked },
): Promise<Decision> {
  const mark = markOf(services.decider.markKey)
  const left: Voice[] = []
  const passed: Passing[] = []
  for (const voice of decision.blockers) {
    const passing = await passes(voice.policy, { services, about, content, again, mark })
    if (passing === undefined) left.push(voice)
    else passed.push(passing)
  }
  const [first] = left
  if (first === undefined) return letPast(services, about, decision, passed)
  if (services.decider.readsContent(first.policy))
    about.record.foundMarks = marksIn(content.body, content.prompt, mark)
  if (first.policy === decision.policy) return { ...decision, blockers: left }
  const { policy, reason } = first
  return { ...decision, policy, reason, message: undefined, blockers: left }
}

type Asked = Decision | Promise<Decision>

interface Passing {
  readonly policy: string
  readonly approved: ReadonlySet<string>
  /** Of grants for one request. */
  readonly spent: readonly string[]
}

/** Undefined: the policy blocks also what was not approved. */
async function passes(
  policy: string,
  given: {
    readonly services: ApprovalPort
    readonly about: ApprovalAbout
    readonly content: Content
    readonly again: (rest: Content) => Asked
    readonly mark: Mark
  },
): Promise<Passing | undefined> {
  const { services, about, content, again, mark } = given
  const { decider, overrides, clock } = services
  const grants = decider.approved(policy, about.device, about.record.endpointDomain)
  const key = conversationKey(policy, about)
  const before = overrides.passed(key, clock.now())
  const approved = new Set([...grants.flatMap(({ found }) => found ?? []), ...before])
  if (approved.size === 0) return undefined
  const rest = contentWithout(content, approved, about, mark)
  if (rest === undefined) return undefined
  const asked = await again(rest)
  if (asked.blockers.some((voice) => voice.policy === policy)) return undefined
  const spent = grants.flatMap(({ id, once }) => (once ? [id] : []))
  const said = marksIn(content.body, content.prompt, mark)
  return { policy, approved: new Set(said.filter((one) => approved.has(one))), spent }
}

/** Undefined: nothing of it was approved. */
function contentWithout(
  content: Content,
  approved: ReadonlySet<string>,
  { reread }: ApprovalAbout,
  mark: Mark,
): Content | undefined {
  if (content.body === undefined || content.body === null) {
    const prompt = textWithout(content.prompt, approved, mark)
    return prompt === content.prompt ? undefined : { ...content, prompt }
  }
  const body = withoutApproved(content.body, approved, mark)
  if (body === content.body) return undefined
  const read = reread?.(body) ?? { prompt: textWithout(content.prompt, approved, mark) }
  return { ...content, body, ...read }
}

function letPast(
  { decider, overrides, clock }: ApprovalPort,
  about: ApprovalAbout,
  decision: Decision,
  passed: readonly Passing[],
): Decision {
  for (const { policy, approved, spent } of passed) {
    overrides.pass(conversationKey(policy, about), approved, clock.now())
    for (const id of spent) decider.spend(id)
  }
  const bypass = { type: 'approval', reason: 'what it says was approved' } as const
  return { ...decision, enforce: false, bypass, blockers: [] }
}

function conversationKey(policy: string, { device, record }: ApprovalAbout): string {
  return JSON.stringify([policy, device.mac ?? device.ip, record.sessionId ?? ''])
}
