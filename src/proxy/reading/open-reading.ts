/** The reading of one request and its answer, with its limits out of the policy snapshot. */
import type { RequestSaid, ResponseSaid } from '../../conversations/call-teller.js'
import { UNKNOWN } from '../../providers/index.js'
import { plainPath } from '../../providers/paths.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { ReadingPort } from './port.js'
import { Reading } from './reading.js'

/** `generates`: false where no model is to write, so that nothing is estimated. */
export type ReadingFor = Pick<
  ExchangeAbout<ReadingPort>,
  'requestId' | 'recognised' | 'facts' | 'services'
> & {
  elapsed(): number
  readonly generates?: boolean
}

/** Where nobody knows how to read such a request, its text is read all the same. */
export function openReading(about: ReadingFor, log: ExchangeLog, hold: Hold): Reading {
  const { recognised, facts, services, generates } = about
  const { policy, catalogue, conversations, decider, observers } = services
  const copies = {
    log,
    path: plainPath(facts.path),
    hold,
    own: facts.head.own,
    elapsed: () => about.elapsed(),
    requestRead: (said: RequestSaid | undefined) =>
      observers.requestRead(log.record, said),
    responseRead: (said: ResponseSaid | undefined) =>
      observers.responseRead(log.record, said),
  }
  return new Reading(recognised ?? UNKNOWN, copies, {
    json: policy.json,
    previewChars: policy.promptPreviewChars,
    bodies: policy.bodies,
    withheld: decider.redacts,
    rules: decider.readsText || decider.readsFindings ? decider : undefined,
    detector: decider.detector,
    mindsStructure: decider.mindsStructure,
    coding: policy.coding,
    catalogue,
    conversations,
    paid: { answers: services.paidAnswers, clock: services.clock },
    generates,
  })
}
