/**
 * What an exchange is made of beside its two messages: the request's body on its way up, and
 * the reading of the copies that are kept, each with its limits out of the policy snapshot; and
 * what kind of exchange it is.
 */
import type { Hold } from '../bounds/byte-budget.js'
import { Looking } from '../judging/looking.js'
import type { ExchangeAbout, ExchangeFacts } from '../words/exchange-about.js'
import type { TappedHead } from '../words/observer.js'
import type { ExchangePort } from './port.js'
import type { HttpRequest } from '../words/http-words.js'
import { CallGate } from './call-gate.js'
import type { JudgeMore } from './call-gate.js'
import { RequestBody } from './request-body.js'
import { bodyBound } from './request-limits.js'

/** Is it decided on before anything of it goes up? */
export function mustWait(
  about: Pick<ExchangeAbout<ExchangePort>, 'facts' | 'from' | 'recognised' | 'services'>,
): boolean {
  const { facts, from, services } = about
  const { endpoint, door, holder } = facts
  if (endpoint === undefined) return false
  return (
    door?.way?.look !== undefined ||
    services.decider.holdsFor(from.state.record.device) ||
    (holder !== undefined && services.keys.holds(holder)) ||
    Looking.holds(about)
  )
}

export function bodyOf(
  about: ExchangeAbout<ExchangePort>,
  hold: Hold,
  judge: JudgeMore,
): RequestBody {
  const { request, facts, from, services } = about
  const { policy, deadlines } = services
  return new RequestBody(request, facts.head, {
    bound: bodyBound(policy, {
      isIntercepted: from.state.intercepted !== undefined,
      endpoint: facts.endpoint,
      door: facts.door,
    }),
    previewBytes: facts.endpoint === undefined ? 0 : policy.previewBytes,
    wholeBytes: facts.door?.wholeBytes,
    holdBytes: about.waits ? hold.most : 0,
    // Both sides of a call may talk in turns: its end might wait for an answer.
    gate:
      about.waits && about.isGrpc
        ? new CallGate({ maxHeldBytes: policy.previewBytes, hold, judge })
        : undefined,
    hold,
    waitMs: policy.timeouts.requestBodyMs,
    now: () => deadlines.now(),
  })
}

/**
 * Nobody else ends such a stream: that its client closes it is its end. EventSource and MCP ask
 * for it by name.
 */
export function isListening(
  request: Pick<HttpRequest, 'method' | 'headers'>,
  status: number,
  contentType: string | undefined,
): boolean {
  return (
    request.method === 'GET' &&
    status === 200 &&
    request.headers.accept?.toLowerCase().includes('text/event-stream') === true &&
    contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream'
  )
}

export function tappedHead({ target, path, head }: ExchangeFacts): TappedHead {
  const { host, port, plain = false } = target
  return { host, port, plain, path, fields: head.fields }
}
