/**
 * An approval is for what was refused: where a policy blocks, it is asked again without what
 * an adult has approved, by digest, whatever the model and whatever stands around it. What
 * then blocks is new. Where a policy blocks whatever is said (a model, a tool, the hour), that
 * is what was approved. Asked only when something blocks.
 */
import { deviceId } from '../../core/device-id.js'
import { LongTexts } from '../../core/long-text.js'
import type { Device, RefusedFor } from '../../core/record.js'
import { inSlices } from '../../core/resting.js'
import type { Resting } from '../../core/resting.js'
import { WHATEVER } from '../../policy/approval.js'
import type { Voice } from '../../policy/combine.js'
import type { Decision } from '../../policy/engine.js'
import type { Grant } from '../../policy/state.js'
import { jsonTextInSlices } from '../../providers/json-text.js'
import type { Content } from '../words/content.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import { isPassage, markedOf, markOf } from './content-marks.js'
import type { Marked, RestText } from './content-marks.js'
import { callsMark, callsOf, mcpOf } from './mcp-calls.js'
import type { JudgingPort } from './port.js'

export interface ApprovalAbout {
  readonly log: ExchangeLog
  readonly device: Device
  /** What the body, with something taken out, says; undefined: nobody can read it. */
  readonly reread?: ((body: unknown) => Resting<Reread>) | undefined
}

export type Reread = Pick<Content, 'prompt' | 'promptChars'>

export type ApprovalPort = Pick<JudgingPort, 'decider' | 'overrides' | 'clock'>

type Asked = Decision | Promise<Decision>

/** One question, and what answers it. */
interface Weighing {
  readonly services: ApprovalPort
  readonly about: ApprovalAbout
  /** Puts the question once more, about other words; notes nothing. */
  readonly ask: (rest: RestText) => Promise<Decision>
  readonly marked: Marked
}

interface Passing {
  readonly policy: string
  /** What of it was approved. */
  readonly marks: readonly string[]
  /** Of grants for one request. */
  readonly spent: readonly string[]
}

/** `again` puts the question once more about other content, and notes nothing. */
export async function weighApprovals(
  services: ApprovalPort,
  about: ApprovalAbout,
  content: Content,
  { decision, again }: { decision: Decision; again: (rest: Content) => Asked },
): Promise<Decision> {
  const { decider } = services
  if (!decision.blockers.some(({ policy }) => decider.readsContent(policy)))
    return decision
  const marked = await markedOf(content, markOf(decider.markKey), decider.detector)
  const ask = async ({ edit, body, prompt }: RestText): Promise<Decision> => {
    const said = content.said && (await inSlices(content.said.again(edit)))
    const rest = await read(content, { body, prompt }, about)
    return again({ ...content, body, ...rest, said })
  }
  const weighing = { services, about, ask, marked }
  const left: Voice[] = []
  const passed: Passing[] = []
  for (const voice of decision.blockers) {
    const mark = markOfCalls(voice, services, about, content)
    const passing =
      mark === undefined
        ? await passes(voice, weighing)
        : callsPass(voice, mark, services, about)
    if (passing === undefined) left.push(voice)
    else passed.push(passing)
  }
  const [first] = left
  if (first === undefined) return letPast(weighing, decision, passed)
  const asked = markOfCalls(first, services, about, content)
  if (asked !== undefined) about.log.blockedFor([asked])
  else if (decider.readsContent(first.policy)) {
    about.log.blockedFor(await foundOf(first, weighing))
    const before = await refusedBefore(first, weighing)
    if (before !== undefined) about.log.refusedAs(before)
  }
  if (first.policy === decision.policy) return { ...decision, blockers: left }
  const { policy, reason } = first
  return { ...decision, policy, reason, message: undefined, blockers: left }
}

/** Of what it calls, where that is what the policy judges. */
function markOfCalls(
  { policy, reason }: Voice,
  { decider }: ApprovalPort,
  { log }: ApprovalAbout,
  content: Content,
): string | undefined {
  if (!decider.judgesCalls(policy)) return undefined
  const mcp = mcpOf(log.record, content) ?? callsOf(log.record, content)
  return mcp && callsMark(markOf(decider.markKey), { policy, reason }, mcp)
}

/** What a policy only asks about is approved by what is called; what it denies never is. */
function callsPass(
  { policy, asks }: Voice,
  mark: string,
  { decider }: ApprovalPort,
  { device, log }: ApprovalAbout,
): Passing | undefined {
  if (asks !== true) return undefined
  const grants = decider.approved(policy, device, log.record.endpointDomain)
  const fitting = grants.filter(({ found = [] }) => found.includes(mark))
  if (fitting.length === 0) return undefined
  // The one that lasts is used before one that does not.
  const isKept = fitting.some(({ once }) => !once)
  return {
    policy,
    marks: [],
    spent: isKept ? [] : fitting.slice(0, 1).map(({ id }) => id),
  }
}

async function read(
  content: Content,
  { body, prompt }: Pick<RestText, 'body' | 'prompt'>,
  { reread }: ApprovalAbout,
): Promise<Pick<Content, 'prompt' | 'promptChars'>> {
  if (content.body === undefined || content.body === null)
    return { prompt, promptChars: prompt.length }
  const long = content.long ?? new LongTexts()
  const known = reread && (await inSlices(long.throughout(reread(body))))
  if (known !== undefined) return { prompt: known.prompt, promptChars: known.promptChars }
  // Of a body that no reader knows, for want of better.
  const whole = (await inSlices(jsonTextInSlices(body, long))) ?? ''
  return { prompt: whole, promptChars: whole.length }
}

/** Whom a policy refused, and where. */
export function placeOf(
  policy: string,
  { device, log }: Pick<ApprovalAbout, 'device' | 'log'>,
): string {
  return JSON.stringify([deviceId(device), log.record.endpointDomain, policy])
}

/**
 * What was refused just now and is said again, whatever stands around it: a title is asked for,
 * a memory is written. Without what that block names nothing blocks this one.
 */
async function refusedBefore(
  { policy }: Voice,
  { services, about, ask, marked }: Weighing,
): Promise<RefusedFor | undefined> {
  for (const row of services.overrides.refused(placeOf(policy, about))) {
    const marks = new Set(row.marks.filter((mark) => mark !== WHATEVER))
    const rest = await marked.without(marks, row.words)
    if (rest !== undefined && reasonOf(policy, await ask(rest)) === undefined) return row
  }
  return undefined
}

/** What an approval of this block would name. */
async function foundOf(
  voice: Voice,
  { ask, marked }: Weighing,
): Promise<readonly string[]> {
  const reason = reasonOf(voice.policy, await ask(await marked.bare()))
  if (reason === voice.reason) return [WHATEVER]
  return reason === undefined ? marked.marks : [WHATEVER, ...marked.marks]
}

/** Undefined: the policy blocks also what was not approved. */
async function passes(
  voice: Voice,
  { services, about, ask, marked }: Weighing,
): Promise<Passing | undefined> {
  const { policy } = voice
  const { decider, overrides, clock } = services
  const { device, log } = about
  const grants = decider.approved(policy, device, log.record.endpointDomain)
  const key = conversationKey(policy, about)
  const before = key === undefined ? [] : overrides.passed(key, clock.now())
  const approved = new Set([...grants.flatMap(({ found = [] }) => found), ...before])
  if (approved.size === 0) return undefined
  const rest = await marked.without(approved)
  if (rest === undefined && !approved.has(WHATEVER)) return undefined
  const marks = marked.among(approved)
  const passing = { policy, marks, spent: spentOf(grants, marks) }
  const reason = rest === undefined ? voice.reason : reasonOf(policy, await ask(rest))
  if (reason === undefined) return passing
  if (!approved.has(WHATEVER)) return undefined
  // What is left of it blocks as it would if nothing were said.
  return reasonOf(policy, await ask(await marked.bare())) === reason ? passing : undefined
}

/** A side call that quotes what was approved among other words uses nothing up. */
function spentOf(grants: readonly Grant[], marks: readonly string[]): readonly string[] {
  const said = new Set(marks.filter((mark) => !isPassage(mark)))
  return grants
    .filter(({ once, found = [] }) => once && found.some(isUsed))
    .map(({ id }) => id)
  function isUsed(mark: string): boolean {
    return mark === WHATEVER || said.has(mark)
  }
}

function reasonOf(policy: string, { blockers }: Decision): string | undefined {
  return blockers.find((voice) => voice.policy === policy)?.reason
}

function letPast(
  { services, about }: Weighing,
  decision: Decision,
  passed: readonly Passing[],
): Decision {
  const { decider, overrides, clock } = services
  for (const { policy, marks, spent } of passed) {
    const key = conversationKey(policy, about)
    if (key !== undefined) overrides.pass(key, marks, clock.now())
    for (const id of spent) decider.spend(id)
  }
  const bypass = { type: 'approval', reason: 'what it says was approved' } as const
  return { ...decision, enforce: false, bypass, blockers: [] }
}

/** Undefined: it goes on with no conversation that is known. */
function conversationKey(
  policy: string,
  { device, log }: ApprovalAbout,
): string | undefined {
  const { sessionId } = log.record
  if (sessionId === undefined) return undefined
  return JSON.stringify([policy, deviceId(device), sessionId])
}
