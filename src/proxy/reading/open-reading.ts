/** The reading of one request and its answer, with its limits out of the policy snapshot. */
import type { ExchangeRecord } from '../../core/record.js'
import { UNKNOWN } from '../../providers/index.js'
import { plainPath } from '../../providers/paths.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
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
export function openReading(
  about: ReadingFor,
  record: ExchangeRecord,
  hold: Hold,
): Reading {
  const { recognised, facts, services, generates } = about
  const { policy, catalogue, conversations, decider, observers } = services
  const copies = {
    record,
    path: plainPath(facts.path),
    hold,
    own: facts.head.own,
    elapsed: () => about.elapsed(),
    requestRead: () => observers.requestRead(record),
    responseRead: () => observers.responseRead(record),
  }
  return new Reading(recognised ?? UNKNOWN, copies, {
    json: policy.json,
    previewChars: policy.promptPreviewChars,
    bodies: policy.bodies,
    withheld: decider.redacts,
    rules: decider.readsText || decider.readsFindings ? decider : undefined,
    coding: policy.coding,
    catalogue,
    conversations,
    paid: { answers: services.paidAnswers, clock: services.clock },
    ...(generates === undefined ? {} : { generates }),
  })
}
