/**
 * Which exchanges a page is about: the filter as an address carries it and as the API takes it,
 * and the same question to one row, for those that come live. Pure; the answer of the record is
 * in `src/audit/where.ts`, whose sense this follows.
 */

/** A row as the API tells it; what is not known is not there. */
export type Row = Readonly<Record<string, unknown>>

export const FILTER_NAMES = [
  'device',
  'model',
  'endpoint',
  'provider',
  'outcome',
  'policy',
  'session',
  'code',
  'text',
  'since',
] as const
export type FilterName = (typeof FILTER_NAMES)[number]
export type RowFilter = Readonly<Partial<Record<FilterName, string>>>

/** What of a query is a filter; empty texts are none. */
export function filterIn(query: URLSearchParams): RowFilter {
  const filter: Partial<Record<FilterName, string>> = {}
  for (const name of FILTER_NAMES) {
    const value = query.get(name)?.trim()
    if (value !== undefined && value !== '') filter[name] = value
  }
  return filter
}

const text = (row: Row, name: string): string => {
  const value = row[name]
  return typeof value === 'string' ? value.toLowerCase() : ''
}

const DEVICE = ['device_ip', 'device_mac', 'device_hostname', 'program']
const WORDS = ['prompt_preview', 'http_path', 'reason', 'policy_message']

/**
 * A row that has just come: `since` reaches back from now, and so holds for it. Of bodies, where
 * the record looks for words, too, a row that comes live has none.
 */
export function fits(row: Row, filter: RowFilter): boolean {
  const { device, model, endpoint, provider, outcome, policy, session, code } = filter
  const words = filter.text
  const has = (name: string, part: string | undefined): boolean =>
    part === undefined || text(row, name).includes(part.toLowerCase())
  const is = (names: readonly string[], whole: string | undefined): boolean =>
    whole === undefined || names.some((name) => text(row, name) === whole.toLowerCase())
  return (
    is(DEVICE, device) &&
    has('model', model) &&
    has('endpoint_domain', endpoint) &&
    is(['event_type'], outcome) &&
    (provider === undefined || row['provider'] === provider) &&
    (policy === undefined || row['policy_name'] === policy) &&
    (session === undefined || row['session_id'] === session) &&
    is(['code'], code) &&
    (words === undefined || WORDS.some((name) => has(name, words)))
  )
}
