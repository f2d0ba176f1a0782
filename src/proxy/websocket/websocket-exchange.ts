/** The part of an exchange after its protocols were switched: relayed, watched, recorded. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describeError } from '../../core/errors.js'
import type { ExchangeOutcome } from '../../core/record.js'
import { shareOf } from '../../core/device-id.js'
import { valuesOf } from '../../http/head.js'
import type { AccessRefusal } from '../../policy/access-gate.js'
import type { Decision } from '../../policy/engine.js'
import type { Recognised } from '../../providers/index.js'
import { liveReader, refusalFrame } from '../../providers/live.js'
import { approvalCode } from '../../policy/approval.js'
import { textFrame } from '../../http/websocket-head.js'
import { messageOf } from '../answers/block-answer.js'
import { Hold } from '../bounds/byte-budget.js'
import { noContent, unreadable, unreadSocket } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { ExchangeAbout, ExchangeFacts, Judgement } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { WebsocketPort } from './port.js'
import { joinUpgraded } from './websocket-join.js'
import type { Upgraded } from './websocket-join.js'
import { MessageGate } from './websocket-gate.js'
import type { Seen } from './websocket-gate.js'
import { LiveConversation } from './websocket-live.js'
import { SocketReading } from './websocket-reading.js'
import { speechOf, Spoken } from './websocket-speech.js'
import type { Heard, SocketReader } from './websocket-speech.js'
import { Turn } from './websocket-turn.js'
import type { JudgeMessage } from './websocket-turn.js'
import { Turns } from './websocket-turns.js'

/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1008
const KEY_ENDS = {
  ...{ unknown: 'its key was revoked', expired: 'its key has expired' },
  none: undefined,
} as const
/** Of a live conversation. */
const MAX_MESSAGE_BYTES = 1024 * 1024
/** What programs take for a request that must not be sent again. */
const REFUSED_STATUS = 400

export interface SocketAbout {
  readonly exchange: ExchangeAbout<WebsocketPort>
  /** Undefined for a plain relay: nothing is watched. */
  readonly log: ExchangeLog | undefined
  /** Decides on what a message says; before it goes on where the exchange `waits`. */
  readonly judge: JudgeMessage | undefined
}

export interface SocketEnd {
  readonly bytesFromClient: number
  readonly bytesToClient: number
  /** What the messages said, as far as they were read. */
  readonly content: Content
  /**
   * `block`: a message was not let through, and the connection closed; a turn has its own
   * record. `error`: the key of ours that opened it is not, or no longer, good for it.
   */
  readonly outcome: ExchangeOutcome
}

/** Resolves when both sides have closed and the record tells of the messages. */
export async function serveSocket(
  response: ServerResponse,
  client: Socket,
  upgraded: Upgraded,
  about: SocketAbout,
): Promise<SocketEnd> {
  const { log, exchange } = about
  const { deadlines, policy, keys } = exchange.services
  const { holder } = exchange.facts
  log?.status(101)
  const gate = gateOf(about, () => reading?.seen)
  const reading = readingOf(upgraded, about, gate)
  let inTurn = false
  let isRefused = false
  let paused: Decision | undefined
  const { wasIdle, wasBlocked, ended, ...end } = await joinUpgraded(
    response,
    client,
    upgraded,
    {
      deadlines,
      idleMs: policy.timeouts.websocketIdleMs,
      fromClient: (chunk) => reading?.fromClient(chunk),
      fromServer: (chunk) => {
        log?.firstByte(exchange.elapsed())
        reading?.fromServer(chunk)
      },
      ...(gate === undefined ? {} : { gate }),
      farewell: (decision, heard) => {
        inTurn = heard instanceof Turn
        isRefused = decision.refusal !== undefined
        return farewell(about, decision, heard)
      },
      betweenFrames: () => reading?.serverBetweenFrames === true,
      // Whose key is over, or who is paused, does not go on by what was opened before.
      ends: () => {
        const why = holder && KEY_ENDS[keys.refuses(holder) ?? 'none']
        if (why !== undefined) return why
        paused = pausedNow(about, gate)
        return paused?.reason
      },
    },
  )
  if (wasIdle) log?.wentIdle()
  const isOver = ended !== undefined && paused === undefined
  if (paused !== undefined) noteEnded(log, paused)
  if (isOver) log?.failed({ code: 'YORI_KEY_UNKNOWN', reason: ended, phase: 'switched' })
  const content = (await reading?.end()) ?? unreadSocket()
  if (wasBlocked || ended !== undefined) log?.closedWith(POLICY_VIOLATION)
  const isEndedHere = ended !== undefined || (wasBlocked && !inTurn)
  const outcome = isRefused || isOver ? 'error' : 'block'
  return { ...end, outcome: isEndedHere ? outcome : 'response', content }
}

/** Undefined also where it is let past that. A turn that is judged is told so itself. */
function pausedNow(
  { exchange, log }: SocketAbout,
  gate: MessageGate | undefined,
): Decision | undefined {
  const { recognised, facts, from, services } = exchange
  if (log === undefined) return undefined
  if (gate !== undefined && speechOf(recognised, facts) === 'turns') return undefined
  const { device } = from.state.record
  const paused = services.decider.paused(device, log.record.endpointDomain)
  return paused?.enforce === true ? paused : undefined
}

function noteEnded(
  log: ExchangeLog | undefined,
  { verdict, policy = '', reason = '' }: Decision,
): void {
  log?.decided({ policyDecision: verdict, policyName: policy, reason })
}

/** Will the messages be understood, so that opening the WebSocket hides nothing? */
export function canRead(
  recognised: Recognised | undefined,
  facts: Pick<ExchangeFacts, 'path'>,
): boolean {
  return speechOf(recognised, facts) !== undefined
}

function maxMessageBytes({
  recognised,
  facts,
  services,
}: ExchangeAbout<WebsocketPort>): number {
  // A request, which may be as long as one by POST.
  if (speechOf(recognised, facts) === 'turns') return services.policy.previewBytes
  return MAX_MESSAGE_BYTES
}

/** The provider's own words for a message that was not let through. */
function farewell(
  { exchange, log }: SocketAbout,
  decision: Decision,
  heard: Heard,
): readonly Buffer[] {
  const { policy = '', reason = '', message, refusal } = decision
  const isTurn = heard instanceof Turn
  if (refusal !== undefined) return refusalFor(exchange, isTurn ? heard : log, refusal)
  const requestId = isTurn
    ? heard.log.countedAs(exchange.services.overrides.counted(heard.log.record))
    : (log?.record.requestId ?? '')
  const code = approvalCode(requestId)
  const told = { policy, reason, requestId, code, ...(message && { message }) }
  if (isTurn) void heard.block(REFUSED_STATUS)
  const frame = refusalFrame(exchange.recognised, {
    status: REFUSED_STATUS,
    code: 'policy_blocked',
    message: messageOf(told),
  })
  return frame === undefined ? [] : [textFrame(frame)]
}

/** What its key is not good for; the row says so. */
function refusalFor(
  { recognised }: ExchangeAbout<WebsocketPort>,
  of: Turn | ExchangeLog | undefined,
  { code, detail }: AccessRefusal,
): readonly Buffer[] {
  const { status, says } = describeError(code)
  const log = of instanceof Turn ? of.log : of
  log?.failed({ code, reason: detail, phase: 'switched' })
  if (of instanceof Turn) void of.block(status, 'error')
  const requestId = log?.record.requestId ?? ''
  const message = `YORI: ${says}: ${detail} (request ${requestId})`
  const frame = refusalFrame(recognised, { status, code, message })
  return frame === undefined ? [] : [textFrame(frame)]
}

function gateOf(
  about: SocketAbout,
  seen: () => Seen | undefined,
): MessageGate | undefined {
  const { log, judge } = about
  const { recognised, facts, waits } = about.exchange
  if (!waits || log === undefined || judge === undefined) return undefined
  if (!canRead(recognised, facts)) return undefined
  return new MessageGate({
    seen: () => seen() ?? NOTHING_SEEN,
    maxMessageBytes: maxMessageBytes(about.exchange),
    judge: (said) => {
      if (said instanceof Turn) return said.judge(judge)
      const aside = log.aside()
      const kept = (decision: Decision | undefined): Decision | undefined => {
        if (decision !== undefined) log.decidedBeside(aside)
        return decision
      }
      const ask = (content: Content): Judgement => {
        const decided = judge(
          { ...content, model: content.model ?? log.record.model },
          aside,
        )
        return decided instanceof Promise ? decided.then(kept) : kept(decided)
      }
      if (said === undefined)
        return ask(unreadable('invalid', 'a message of its WebSocket cannot be read'))
      return said instanceof Spoken
        ? said.content().then(ask)
        : ask({ ...noContent(), prompt: said, promptChars: said.length })
    },
  })
}

const NOTHING_SEEN = {
  ...{ messages: 0, consumed: 0 },
  ...{ atBoundary: true, malformed: undefined },
}

function readingOf(
  upgraded: Upgraded,
  about: SocketAbout,
  gate: MessageGate | undefined,
): SocketReading | undefined {
  const { log, exchange } = about
  if (log === undefined) return undefined
  const { services, from } = exchange
  return new SocketReading({
    log,
    reader: readerOf(about, log, gate),
    extensions: valuesOf(upgraded.rawHeaders, 'sec-websocket-extensions'),
    hold: new Hold(services.held, shareOf(from.state.record.device)),
    maxMessageBytes: maxMessageBytes(exchange),
    ...(gate === undefined
      ? {}
      : { heard: (end: number, heard: Heard) => gate.message(end, heard) }),
  })
}

function readerOf(
  { exchange, judge }: SocketAbout,
  log: ExchangeLog,
  gate: MessageGate | undefined,
): SocketReader | undefined {
  const { services, facts, recognised } = exchange
  if (speechOf(recognised, facts) === 'turns')
    return new Turns({
      exchange,
      record: log.record,
      judge: gate === undefined ? judge : undefined,
    })
  const reader = recognised && liveReader(recognised, facts.path)
  if (reader === undefined) return undefined
  return new LiveConversation({
    log,
    reader,
    wantsText: services.decider.readsText || services.decider.readsFindings,
    showsMessages: gate !== undefined && services.processors.hears('websocket'),
    asksModel: gate !== undefined && facts.holder !== undefined,
    detector: services.decider.detector,
    own: facts.head.own,
    // Its messages are not redacted, so that none are kept where they would have to be.
    previewChars: services.decider.redacts ? 0 : services.policy.promptPreviewChars,
    catalogue: services.catalogue,
    conversations: services.conversations,
  })
}
