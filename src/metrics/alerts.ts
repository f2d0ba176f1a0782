/** What became of alerts, as their sender counts it. */
import { looked } from './instruments.js'
import type { Family } from './instruments.js'

export interface AlertCounts {
  readonly told: number
  readonly heldBack: number
  readonly sent: number
  readonly failed: number
  readonly dropped: number
  readonly waiting: number
}

export function alertFamilies(counts: AlertCounts): Family[] {
  return [
    looked(
      'counter',
      'yori_alert_messages_total',
      'Messages of alerts by what became of them.',
      [
        [{ result: 'sent' }, counts.sent],
        [{ result: 'failed' }, counts.failed],
        [{ result: 'dropped' }, counts.dropped],
      ],
    ),
    looked(
      'counter',
      'yori_alert_events_total',
      'Alerts, told or held back as the same.',
      [
        [{ result: 'told' }, counts.told],
        [{ result: 'held_back' }, counts.heldBack],
      ],
    ),
    looked(
      'gauge',
      'yori_alert_messages_waiting',
      'Messages of alerts that wait for their sink.',
      counts.waiting,
    ),
  ]
}
