/** Which exchanges a recording is to have: what is not said fits all. Pure. */
import type { SeenExchange } from '../proxy/words/observer.js'
import { badRequest } from './answer.js'

export const RECORDING_FILTERS = [
  'device',
  'endpoint',
  'provider',
  'model',
  'session',
  'program',
  'outcome',
] as const

export type RecordingFilter = Readonly<
  Partial<Record<(typeof RECORDING_FILTERS)[number], string>>
>

const LONGEST = 256

/** @throws Refusal 400 */
export function recordingFilterIn(given: unknown): RecordingFilter {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null) throw badRequest('filter: an object')
  for (const [name, value] of Object.entries(given)) {
    const isKnown = (RECORDING_FILTERS as readonly string[]).includes(name)
    if (!isKnown || typeof value !== 'string' || value.length > LONGEST)
      throw badRequest(`filter.${name.slice(0, 40)}: no such filter, or not such a value`)
  }
  return given
}

/** `begun`: what is known only later is not asked yet. */
export function isWanted(
  filter: RecordingFilter,
  seen: SeenExchange,
  moment: 'begun' | 'ended',
): boolean {
  const { device, endpointDomain, provider, model, sessionId, program, outcome } = seen
  const fits = (wanted: string | undefined, ...are: (string | undefined)[]): boolean =>
    wanted === undefined || are.some((is) => is?.toLowerCase() === wanted.toLowerCase())
  return (
    fits(filter.device, device.ip, device.mac, device.hostname) &&
    fits(filter.endpoint, endpointDomain) &&
    fits(filter.provider, provider) &&
    (moment === 'begun' ||
      (fits(filter.model, model) &&
        fits(filter.session, sessionId) &&
        fits(filter.program, program?.name) &&
        fits(filter.outcome, outcome)))
  )
}
