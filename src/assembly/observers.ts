/**
 * Who sees exchanges, in the order in which they are told: counters before the record, which
 * keeps them in the transaction of its rows. One more concern is one more file with an
 * `ExchangeObserver` and one more line here.
 */
import type { Config } from '../../config/schema.js'
import type { Log } from '../core/log.js'
import type { AuditSink } from '../core/record.js'
import { Observers } from '../proxy/words/observer.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'

export interface ObserverEdges {
  readonly metering: ExchangeObserver
  /** Who tells of calls and tools. */
  readonly conversations: { readonly calls: ExchangeObserver }
  readonly audit: Pick<
    AuditSink,
    | 'connection'
    | 'exchangeOpened'
    | 'exchangeClosed'
    | 'exchangeMerged'
    | 'exchangeChanged'
  >
  readonly log: Log
  /** Whoever else wants to see exchanges. */
  readonly observers: readonly ExchangeObserver[]
}

export function observersOf(
  config: Pick<Config, 'log'>,
  { metering, conversations, audit, log, observers }: ObserverEdges,
): Observers {
  const list = [
    metering,
    conversations.calls,
    recordWriter(audit),
    ...(config.log.exchanges ? [exchangeLine(log)] : []),
    ...observers,
  ]
  return new Observers(list, ({ observer, moment, err }) => {
    log.error({ err, observer, moment }, 'an observer of exchanges failed')
  })
}

/** The row: at once in the backlog, whole at the end. */
function recordWriter(audit: ObserverEdges['audit']): ExchangeObserver {
  return {
    name: 'record',
    requestHead: (record) => audit.exchangeOpened(record),
    ended: (record) => {
      const { repeated, requestId, corrects } = record
      if (corrects !== undefined)
        audit.exchangeChanged({ kind: 'answered', row: corrects })
      if (repeated === undefined || repeated.requestId === requestId)
        audit.exchangeClosed(record)
      else audit.exchangeMerged(record, { kind: 'repeated', row: repeated })
    },
    changed: (_seen, change) => audit.exchangeChanged(change),
    connectionEnded: (record) => audit.connection(record),
  }
}

/** A line of the log for each, where the operator wants one. */
function exchangeLine(log: Log): ExchangeObserver {
  return {
    name: 'log',
    ended: (record) => {
      const { requestId, endpointDomain, method, path, status } = record
      const { outcome, latencyMs } = record
      const about = { requestId, endpointDomain, method, path }
      log.info({ ...about, status, outcome, latencyMs }, 'exchange')
    },
  }
}
