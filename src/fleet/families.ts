/** What is counted of a fleet, for `/metrics`. */
import { looked } from '../metrics/instruments.js'
import type { Family } from '../metrics/instruments.js'
import type { Bundles } from './bundle/bundles.js'
import type { SharedCounters } from './counters/shared-counters.js'
import type { Shipping } from './ship/shipping.js'

/** Of each place where lines of the record go, by its name. */
export function sinkFamilies(
  sinks: readonly Pick<Shipping, 'label' | 'counts' | 'behindS' | 'isShipping'>[],
): Family[] {
  const each = (valueOf: (sink: (typeof sinks)[number]) => number) =>
    sinks.map((sink): [{ sink: string }, number] => [{ sink: sink.label }, valueOf(sink)])
  return [
    looked(
      'gauge',
      'yori_sink_up',
      '1 while a sink of the record takes it.',
      each(({ isShipping }) => (isShipping ? 1 : 0)),
    ),
    looked(
      'counter',
      'yori_sink_documents_total',
      'Exchanges that a sink of the record has taken.',
      each(({ counts }) => counts.exchanges),
    ),
    looked(
      'counter',
      'yori_sink_heads_total',
      'Signed heads that a sink of the record has taken.',
      each(({ counts }) => counts.events),
    ),
    looked(
      'counter',
      'yori_sink_documents_lost_total',
      'Exchanges that are not there: refused for what they are, or pruned before.',
      sinks.flatMap(({ label, counts }): [{ sink: string; why: string }, number][] => [
        [{ sink: label, why: 'refused' }, counts.rejected],
        [{ sink: label, why: 'pruned' }, counts.missed],
      ]),
    ),
    looked(
      'counter',
      'yori_sink_failures_total',
      'Times that a sink did not take a batch, or could not be reached.',
      each(({ counts }) => counts.failures),
    ),
    looked(
      'counter',
      'yori_sink_process_restarts_total',
      'Times that the process of a sink had to be started again.',
      each(({ counts }) => counts.restarts),
    ),
    looked(
      'gauge',
      'yori_sink_behind_seconds',
      'How long the oldest has waited for a sink.',
      each(({ behindS }) => behindS),
    ),
  ]
}

export function shippingFamilies(
  shipping: Pick<Shipping, 'counts' | 'behindS' | 'isShipping'>,
): Family[] {
  const { counts, behindS, isShipping } = shipping
  const kinds = ['connections', 'exchanges', 'events'] as const
  return [
    looked(
      'gauge',
      'yori_ship_up',
      '1 while the server of the fleet takes the record.',
      isShipping ? 1 : 0,
    ),
    looked(
      'counter',
      'yori_ship_rows_total',
      'Rows that the server of the fleet has acknowledged.',
      kinds.map((kind) => [{ kind }, counts[kind]]),
    ),
    looked(
      'counter',
      'yori_ship_rows_lost_total',
      'Rows that are not there: the server refuses them, or they were pruned before.',
      [
        [{ why: 'refused' }, counts.rejected],
        [{ why: 'pruned' }, counts.missed],
      ],
    ),
    looked(
      'counter',
      'yori_ship_rows_forgotten_total',
      'Rows that were deleted there, since they are to be forgotten.',
      counts.forgotten,
    ),
    looked(
      'counter',
      'yori_ship_batches_total',
      'Batches that were acknowledged.',
      counts.batches,
    ),
    looked(
      'counter',
      'yori_ship_failures_total',
      'Times that the server did not take a batch, or could not be reached.',
      counts.failures,
    ),
    looked(
      'counter',
      'yori_ship_process_restarts_total',
      'Times that the process that ships had to be started again.',
      counts.restarts,
    ),
    looked(
      'gauge',
      'yori_ship_waiting_transactions',
      'Transactions of the record that wait to be shipped.',
      counts.waiting,
    ),
    looked(
      'gauge',
      'yori_ship_behind_seconds',
      'How long the oldest of them has waited.',
      behindS,
    ),
  ]
}

export function countersFamilies(
  shared: Pick<SharedCounters, 'counts' | 'isUp' | 'skewMs'>,
): Family[] {
  const { counts, isUp, skewMs } = shared
  return [
    looked(
      'gauge',
      'yori_counters_up',
      '1 while counters are shared with other gateways.',
      isUp ? 1 : 0,
    ),
    looked(
      'gauge',
      'yori_counters_gateways',
      'Gateways among which a limit is shared out while the server is away.',
      counts.gateways,
    ),
    looked(
      'counter',
      'yori_counters_exchanged_total',
      'Times that the server was told, and told what others count.',
      counts.told,
    ),
    looked(
      'counter',
      'yori_counters_failures_total',
      'Times that it could not be reached, or did not answer.',
      counts.failures,
    ),
    looked(
      'counter',
      'yori_counters_late_total',
      'Decisions that did not wait any longer for it.',
      counts.late,
    ),
    looked(
      'gauge',
      'yori_counters_waiting',
      'Subjects of which it has not been told the newest.',
      counts.waiting,
    ),
    looked(
      'gauge',
      'yori_counters_clock_skew_seconds',
      'How far its clock is ahead of ours, where that is a second and more.',
      skewMs / 1000,
    ),
  ]
}

export function bundleFamilies({
  counts,
  isUp,
}: Pick<Bundles, 'counts' | 'isUp'>): Family[] {
  return [
    looked(
      'gauge',
      'yori_bundle_up',
      '1 while the last question for a bundle of policies ended well.',
      isUp ? 1 : 0,
    ),
    looked(
      'counter',
      'yori_bundle_requests_total',
      'Times that the server of policies was asked.',
      counts.requests,
    ),
    looked(
      'counter',
      'yori_bundle_activations_total',
      'Bundles that have taken effect.',
      counts.activations,
    ),
    looked(
      'counter',
      'yori_bundle_failures_total',
      'Questions that did not end well: the server was away, or what it gave was refused.',
      [
        [{ why: 'server' }, counts.failures],
        [{ why: 'refused' }, counts.refused],
      ],
    ),
  ]
}
