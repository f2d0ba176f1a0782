/**
 * What an exchange is made of beside its two messages: the request's body on its way up, and
 * the reading of the copies that are kept, each with its limits out of the policy snapshot.
 */
import type { ExchangeRecord } from '../../core/record.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { ExchangePort } from './port.js'
import { Reading } from '../reading/reading.js'
import { RequestBody } from './request-body.js'
import { maxBodyBytes } from './request-limits.js'

export function bodyOf(about: ExchangeAbout<ExchangePort>, hold: Hold): RequestBody {
  const { request, facts, from, services } = about
  const { policy, deadlines } = services
  return new RequestBody(request, facts.head, {
    maxBytes: maxBodyBytes(policy, {
      isIntercepted: from.state.intercepted !== undefined,
      endpoint: facts.endpoint,
    }),
    previewBytes: facts.endpoint === undefined ? 0 : policy.previewBytes,
    // Both sides of a call may talk in turns: what is held might be waited for.
    holdBytes: about.waits && !about.isGrpc ? policy.previewBytes : 0,
    hold,
    now: () => deadlines.now(),
  })
}

/** Undefined: nobody knows how to read such a request. */
export function readingOf(
  about: ExchangeAbout<ExchangePort>,
  record: ExchangeRecord,
  hold: Hold,
): Reading | undefined {
  const { recognised, facts, services } = about
  if (recognised === undefined) return undefined
  const { policy, catalogue, conversations, decider, observers } = services
  const seen = { requestId: about.requestId, record }
  const copies = {
    record,
    path: facts.path,
    hold,
    own: facts.head.own,
    elapsed: () => about.elapsed(),
    requestRead: () => observers.requestRead(seen),
    responseRead: () => observers.responseRead(seen),
  }
  return new Reading(recognised, copies, {
    json: policy.json,
    previewChars: policy.promptPreviewChars,
    bodies: policy.bodies,
    withheld: decider.redacts,
    coding: policy.coding,
    catalogue,
    conversations,
  })
}
