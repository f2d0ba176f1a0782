/** Who asked AI services for how long, and what was not seen: read in the worker. */
import { parseSince } from '../../audit/since.js'
import { reportHousehold } from '../../report/household.js'
import { badRequest, json, notFound } from '../answer.js'
import type { Handler } from '../method.js'

const DEFAULT_SINCE = '7d'
const LONGEST_MS = 366 * 86_400_000

/** `since`, `until`: a span such as 7d, or a date; `person`: only theirs. */
export const report: Handler = async (call) => {
  const { query, on } = call
  const nowMs = on.port.clock.now()
  const { config } = on.port.appliance.current
  const { timezone } = config.enforcement
  const moment = (name: string, usual: string): number => {
    const found = parseSince(query.get(name) ?? usual, nowMs, timezone)
    if (found === undefined)
      throw badRequest(`${name}: a span such as 7d, or a date such as 2026-01-31`)
    return found
  }
  const sinceMs = moment('since', DEFAULT_SINCE)
  const untilMs = query.has('until') ? moment('until', '') : nowMs
  if (untilMs <= sinceMs || untilMs - sinceMs > LONGEST_MS)
    throw badRequest('since is before until, by 366 days at most')
  const state = on.port.appliance.policyState.current
  const person = query.get('person') ?? undefined
  if (person !== undefined && !state.people.some(({ name }) => name === person))
    throw notFound(`person; there is ${state.people.map(({ name }) => name).join(', ')}`)
  on.access.looked(call, 'report', { person: person ?? null })
  return json(
    await on.reader.ask('report', {
      ...{ sinceMs, untilMs, ...reportHousehold(config, state) },
      ...(timezone === undefined ? {} : { timezone }),
      ...(person === undefined ? {} : { person }),
    }),
  )
}
