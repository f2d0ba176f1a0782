/** What is counted of processors since their configuration was taken. */
import type { Processors } from '../processors/processors.js'
import type { Family } from './instruments.js'
import { looked } from './instruments.js'

export function processorFamilies({ all }: Pick<Processors, 'all'>): Family[] {
  return [
    looked(
      'counter',
      'yori_processor_calls_total',
      'What processors were asked, by what came of it.',
      all.flatMap(({ name: processor, counts }) => {
        const { asked, blocked, failed } = counts
        return [
          [{ processor, result: 'passed' }, asked - blocked - failed] as const,
          [{ processor, result: 'objected' }, blocked] as const,
          [{ processor, result: 'failed' }, failed] as const,
        ]
      }),
    ),
    looked(
      'counter',
      'yori_processor_untold_total',
      'Words about answers that processors were too slow for, or not there.',
      all.map(({ name: processor, counts }) => [{ processor }, counts.untold] as const),
    ),
    looked(
      'gauge',
      'yori_processor_waiting',
      'Calls that wait for their turn.',
      all.map(({ name: processor, waiting }) => [{ processor }, waiting] as const),
    ),
    looked(
      'gauge',
      'yori_processor_breaker_open',
      '1 while a processor is not asked, since it failed too often.',
      all.map(({ name: processor, breaker }) => {
        const isOpen = breaker.state === 'open'
        return [{ processor }, isOpen ? 1 : 0] as const
      }),
    ),
    looked(
      'counter',
      'yori_processor_breaker_trips_total',
      'How often that began.',
      all.map(({ name: processor, breaker }) => [{ processor }, breaker.trips] as const),
    ),
  ]
}
