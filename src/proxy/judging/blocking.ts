/**
 * What becomes of a request that a policy blocks: the client may have brought a password or a
 * PIN along; else it gets its answer, and nothing goes up.
 */
import { YoriError } from '../../core/errors.js'
import type { Device } from '../../core/record.js'
import type { RequestHead } from '../../http/head.js'
import { STATUS_CODES } from 'node:http'
import { approvalCode } from '../../policy/approval.js'
import { UNINSPECTABLE_POLICY } from '../../policy/engine.js'
import type { Decision } from '../../policy/engine.js'
import { answerBlock, messageOf } from '../answers/block-answer.js'
import { languageOf } from '../answers/block-texts.js'
import { blockedAnswer } from '../answers/rpc-answers.js'
import { refuse } from '../answers/refusal.js'
import type { McpMessage } from '../../providers/mcp-message.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { HttpRequest, HttpResponse } from '../words/http-words.js'
import type { BlockedFor } from '../../household/overrides.js'
import type { JudgingPort } from './port.js'

/** Longer ones are not offered as the way back. */
const MAX_BACK = 512

export interface Blocked {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly log: ExchangeLog
  readonly device: Device
  readonly head: RequestHead
  readonly host: string
  /** Origin-form, with its query. */
  readonly path: string
  readonly provider: string | undefined
  /** An agent asks: 403, whatever its library is told elsewhere. */
  readonly isSidecar: boolean
  /** What it asks, where that is MCP: its client is told in the words of that. */
  readonly rpc?: readonly McpMessage[] | undefined
  readonly isRpcList?: boolean
  /** It asks for a WebSocket where the same can be had by plain HTTP. */
  readonly isOverHttpToo: boolean
  readonly services: Pick<
    JudgingPort,
    'overrides' | 'clock' | 'catalogue' | 'holds' | 'holdLimits' | 'tellHeld'
  > & {
    readonly decider: Pick<JudgingPort['decider'], 'zone' | 'nameOf' | 'judgesCalls'>
  }
}

/**
 * Tries what the client brought in `X-YORI-Override`. Gives the decision that still holds:
 * undefined when nothing blocks any more. Never rejects.
 */
export async function overridden(
  blocked: Blocked,
  decision: Decision,
): Promise<Decision | undefined> {
  const { request, log, services } = blocked
  const password = request.headers['x-yori-override']
  if (typeof password !== 'string') return decision
  const [, next] = decision.blockers
  try {
    const about = blockedFor(blocked, decision)
    const result = await services.overrides.byHeader(password, about, next === undefined)
    log.overrideTried(result)
    if (result !== 'granted' && result !== 'once') return decision
  } catch {
    return decision
  }
  if (next !== undefined) {
    const { policy, reason } = next
    log.blockedNext({ policyName: policy, reason })
    const blockers = decision.blockers.slice(1)
    return { ...decision, policy, reason, message: undefined, blockers }
  }
  log.letPast('grant')
  return undefined
}

export function answerBlocked(blocked: Blocked, decision: Decision): void {
  const { request, response, log, head, host, provider, services } = blocked
  if (blocked.isOverHttpToo && isUnreadable(decision)) {
    const error = new YoriError('YORI_NOT_OVER_WEBSOCKET')
    log.refused(error.code, error.status)
    const { requestId } = log.record
    refuse(response, { code: error.code, requestId, provider })
    return
  }
  // What is said once more is told by the code and the id of the first.
  const requestId = log.countedAs(services.overrides.counted(log.record))
  const device = services.decider.nameOf(blocked.device)
  // Of the one that blocks, which may have a way of its own to say so.
  const { answer } = decision.blockers[0] ?? {}
  const about = { ...blockedFor(blocked, decision), requestId }
  const [first] = decision.blockers
  // Nobody can allow it.
  const isFinal =
    first !== undefined &&
    blocked.rpc !== undefined &&
    first.asks !== true &&
    services.decider.judgesCalls(first.policy)
  const code = isFinal ? {} : { code: approvalCode(requestId) }
  // An outage (503, 504, ...) and a way elsewhere are told by HTTP.
  const isPlain = (answer?.status ?? 403) === 403 && answer?.location === undefined
  if (blocked.rpc !== undefined && isPlain) {
    answerRpc(blocked, decision, { requestId, ...code, fields: answer?.fields ?? [] })
    return
  }
  const token = services.overrides.token(about)
  const status = answerBlock({ request, response }, head, {
    status:
      answer?.status ??
      (blocked.isSidecar ? 403 : services.catalogue.blockStatus(request.rawHeaders)),
    ...(answer?.status === undefined ? {} : { pageStatus: answer.status }),
    ...(answer?.location === undefined ? {} : { location: answer.location }),
    ...(answer?.fields === undefined ? {} : { fields: answer.fields }),
    isOutage: answer?.isOutage === true,
    isSidecar: blocked.isSidecar,
    policy: decision.policy ?? '',
    reason: decision.reason ?? '',
    requestId,
    endpoint: host,
    provider,
    atMs: services.clock.now(),
    zone: services.decider.zone,
    language: languageOf(request.headers['accept-language']),
    ...code,
    ask: services.overrides.askToken(about),
    ...(device === undefined ? {} : { device }),
    ...(token === undefined ? {} : { token }),
    ...(decision.message === undefined ? {} : { message: decision.message }),
  })
  log.status(status)
}

/** A result that a model reads, where its client looks for it in this answer. */
function answerRpc(
  { rpc = [], isRpcList = false, response, log, head }: Blocked,
  { policy = '', reason = '', message }: Decision,
  told: {
    readonly requestId: string
    readonly code?: string
    readonly fields: readonly string[]
  },
): void {
  const { fields, ...ids } = told
  const said = { policy, reason, ...ids, ...(message === undefined ? {} : { message }) }
  const calls = new Set(rpc.filter(({ tool }) => tool !== undefined))
  // In HTTP+SSE it would come by the stream.
  const isBeside = !/json/i.test(head.accept ?? '')
  const read = { messages: rpc, isBatch: isRpcList }
  const { status, body = '' } = blockedAnswer(read, calls, messageOf(said), isBeside)
  response.writeHead(status, STATUS_CODES[status] ?? '', [
    ...['content-type', 'application/json'],
    ...['content-length', String(Buffer.byteLength(body))],
    ...fields,
    ...['x-yori-request-id', told.requestId],
  ])
  response.end(body)
  log.status(status)
}

/** Nothing is against it but that it cannot be read. */
function isUnreadable({ blockers }: Decision): boolean {
  return blockers.every(({ policy }) => policy === UNINSPECTABLE_POLICY)
}

function blockedFor(blocked: Blocked, decision: Decision): BlockedFor {
  const { device, host, log, request, path } = blocked
  const about = {
    device,
    policy: decision.policy ?? '',
    endpoint: host,
    requestId: log.record.requestId,
  }
  // `//` would lead to another host.
  const isPath = /^\/(?!\/)/.test(path) && path.length <= MAX_BACK
  return request.method === 'GET' && isPath ? { ...about, back: path } : about
}
