/** What the parameters of a request ask for: filters as those of `yori audit list`, pages, days. */
import { placeIn, placeText, MOST_PAGE_ROWS, PAGE_ROWS } from '../audit/pages.js'
import type { Page, PageAsked } from '../audit/pages.js'
import { parseSince } from '../audit/since.js'
import type { Filter } from '../audit/where.js'
import { badRequest } from './answer.js'
import type { Surroundings } from './method.js'

const TEXTS = [
  'device',
  'endpoint',
  'provider',
  'outcome',
  'model',
  'session',
  'agent',
  'policy',
  'id',
  'code',
  'text',
] as const

export const FILTERS: readonly string[] = ['since', 'until', ...TEXTS]
export const PAGED: readonly string[] = [...FILTERS, 'before', 'limit']
const OUTCOMES = ['response', 'block', 'error', 'request']
const LONGEST = 256
const MOST_DAYS = 366
const DEFAULT_DAYS = 7

/** By which a date without an offset is read; undefined is the system's zone. */
export interface Wall {
  readonly nowMs: number
  readonly zone: string | undefined
}

export function wallOf({ clock, appliance }: Surroundings['port']): Wall {
  return { nowMs: clock.now(), zone: appliance.current.config.enforcement.timezone }
}

/** @throws Refusal 400 */
export function filterOf(query: URLSearchParams, { nowMs, zone }: Wall): Filter {
  const filter: Record<string, string | number> = {}
  for (const name of ['since', 'until'] as const) {
    const text = query.get(name)
    if (text === null) continue
    const moment = parseSince(text, nowMs, zone)
    if (moment === undefined)
      throw badRequest(`${name}: a span such as 24h, or a date such as 2026-01-31`)
    filter[`${name}Ms`] = moment
  }
  for (const name of TEXTS) {
    const value = query.get(name)
    if (value === null || value === '') continue
    if (value.length > LONGEST) throw badRequest(`${name}: over ${LONGEST} characters`)
    filter[name] = value
  }
  const { outcome } = filter as Filter
  if (outcome !== undefined && !OUTCOMES.includes(outcome))
    throw badRequest(`outcome: one of ${OUTCOMES.join(', ')}`)
  return filter
}

/** @throws Refusal 400 */
export function pageOf(query: URLSearchParams, wall: Wall): PageAsked {
  const text = query.get('before')
  const before = text === null ? undefined : placeIn(text)
  if (text !== null && before === undefined)
    throw badRequest('before: the `next` of an earlier page')
  return {
    filter: filterOf(query, wall),
    rows: numberOf(query, 'limit', { least: 1, most: MOST_PAGE_ROWS, usual: PAGE_ROWS }),
    ...(before === undefined ? {} : { before }),
  }
}

/** What `before` of the next page is; null: there is none. */
export function nextOf({ next }: Pick<Page<unknown>, 'next'>): string | null {
  return next === undefined ? null : placeText(next)
}

/** Days back, today included. @throws Refusal 400 */
export function daysOf(query: URLSearchParams, usual = DEFAULT_DAYS): number {
  return numberOf(query, 'days', { least: 1, most: MOST_DAYS, usual })
}

/** @throws Refusal 400 */
export function numberOf(
  query: URLSearchParams,
  name: string,
  { least, most, usual }: { least: number; most: number; usual: number },
): number {
  const text = query.get(name)
  if (text === null) return usual
  const number = Number(text)
  if (!/^\d{1,6}$/.test(text) || number < least || number > most)
    throw badRequest(`${name}: a whole number from ${least} to ${most}`)
  return number
}
