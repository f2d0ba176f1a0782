/** How the firewall stands, and what it has counted. */
import { looked } from './instruments.js'
import type { Family } from './instruments.js'

/** As its keeper tells it. */
export interface WafStood {
  readonly state: string
  readonly restarts: number
  readonly version?: string | undefined
  readonly why?: string | undefined
  readonly fallback?: string | undefined
  readonly rssBytes?: number | undefined
  readonly counts?:
    | {
        readonly judged: number
        readonly objected: number
        readonly matched: number
        readonly scoredLater: number
        readonly leftOut: number
      }
    | undefined
}

export function wafFamilies(stood: WafStood): Family[] {
  const { state, restarts, counts, rssBytes = 0 } = stood
  if (state === 'off') return []
  const {
    judged = 0,
    objected = 0,
    matched = 0,
    scoredLater = 0,
    leftOut = 0,
  } = counts ?? {}
  return [
    looked(
      'gauge',
      'yori_waf_up',
      '1 while the firewall looks at requests.',
      state === 'running' ? 1 : 0,
    ),
    looked(
      'counter',
      'yori_waf_restarts_total',
      'How often the process of the firewall had to be started again.',
      restarts,
    ),
    looked(
      'gauge',
      'yori_waf_memory_bytes',
      'Resident memory of the process of the firewall.',
      rssBytes,
    ),
    looked(
      'counter',
      'yori_waf_requests_total',
      'Requests that the firewall judged, by what came of it.',
      [
        [{ result: 'passed' }, judged - matched],
        [{ result: 'matched' }, matched - objected],
        [{ result: 'objected' }, objected],
      ],
    ),
    looked(
      'counter',
      'yori_waf_texts_later_total',
      'Texts too long to be scored at once: scored afterwards, or left out for want of room.',
      [
        [{ result: 'scored' }, scoredLater],
        [{ result: 'left_out' }, leftOut],
      ],
    ),
  ]
}
