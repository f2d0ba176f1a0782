/** What a client gets whom a door does not lead on, and what the record has of it. */
import { STATUS_CODES } from 'node:http'
import { describeError } from '../../core/errors.js'
import { approvalCode } from '../../policy/approval.js'
import { doorDecision } from '../../policy/mcp-tools.js'
import { messageOf } from '../answers/block-answer.js'
import type { Look, OwnAnswer } from '../words/door-way.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { ExchangePort } from './port.js'

type About = ExchangeAbout<ExchangePort>

/** It cannot be led on. */
export function answerRefused(
  about: About,
  log: ExchangeLog,
  { error, answer }: Extract<Look, { kind: 'refused' }>,
): void {
  const { says } = describeError(error.code)
  log.failed({ code: error.code, reason: error.message, phase: 'held' })
  const why = error.message === says ? says : `${says}: ${error.message}`
  respond(about, log, answer(`YORI: ${why} (request ${about.requestId})`))
}

/** The door does not lead it on; by its code somebody may approve that, where it says so. */
export function answerBlockedByDoor(
  about: About,
  log: ExchangeLog,
  { reason, marks, answer }: Extract<Look, { kind: 'blocked' }>,
): void {
  const { requestId, services } = about
  const decision = doorDecision(reason)
  const { policy = '', verdict } = decision
  log.decided({ policyDecision: verdict, policyName: policy, reason })
  const isAsked = marks.length > 0
  if (isAsked) log.blockedFor(marks)
  services.observers.decided(log.record, decision)
  const code = isAsked ? approvalCode(requestId) : undefined
  const said = { policy, reason, requestId, ...(code === undefined ? {} : { code }) }
  respond(about, log, answer(messageOf(said)))
}

function respond(
  { response, requestId }: About,
  log: ExchangeLog,
  { status, body }: OwnAnswer,
): void {
  log.status(status)
  const fields = ['x-yori-request-id', requestId]
  const typed =
    body === undefined
      ? []
      : [
          ...['content-type', 'application/json'],
          ...['content-length', String(Buffer.byteLength(body))],
        ]
  response.writeHead(status, STATUS_CODES[status] ?? '', [...typed, ...fields])
  response.end(body)
}
