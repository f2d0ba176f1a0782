/**
 * Which columns a plain digest is of, in which order. These lists are part of what was signed: none
 * of them ever changes. A column that a later version adds is in none, and a row that has a value
 * in it takes the full way (`row-digest.ts`). Pure.
 */
import { connectionColumns, eventColumns, exchangeColumns } from '../tables.js'
import type { TableName } from './chain-format.js'

/** U+001F, the unit separator of ASCII: in hardly any text that somebody writes. */
export const SEPARATOR = '\u001f'

const EXCHANGES = `timestamp request_id connection_id event_type device_ip device_mac
  device_hostname endpoint_domain http_version http_method http_path user_agent provider model
  response_status policy_decision policy_name stream latency_ms first_byte_ms request_bytes
  response_bytes prompt_tokens response_tokens cached_tokens tokens_estimated cost_micro_usd
  finish_reason session_id prompt_preview response_id first_token_ms prompt_chars phase api
  is_call prompt_tokens_estimated response_tokens_estimated found_marks cost_at_most_micro_usd`

/** As JSON, and only where one of them has a value. */
const RARE_EXCHANGES = `reason code policy_message bypass reasoning_tokens tool_calls agent_id
  retried truncated trailers_dropped request_body response_body cache_write_tokens fragmented tags
  attachments uninspectable client_frames server_frames client_messages server_messages close_code
  unread_messages tools_offered findings redacted cache_write_hour_tokens tokens_meaning repeats
  counted_in unseen_by service_tier program program_folder traceparent access_key tool_name
  ungoverned upstream attempts retries fallback`

const CONNECTIONS = `timestamp connection_id device_ip device_mac device_hostname client_port way
  destination server_name coverage bytes_from_client bytes_to_client exchanges duration_ms code
  name_class`

const EVENTS = 'timestamp event_type actor client_ip details'

/** Names for SQL; places in a row of `tables.ts`. */
export interface DigestPlan {
  readonly usualNames: readonly string[]
  /** Those of them that may be NULL. */
  readonly optionalNames: readonly string[]
  readonly rareNames: readonly string[]
  readonly laterNames: readonly string[]
  readonly realName: string | undefined
  readonly usual: readonly number[]
  readonly rare: readonly number[]
  /** Of versions after the plain way. */
  readonly later: readonly number[]
  /** The column whose numbers are not whole; -1: the table has none. */
  readonly real: number
}

const wordsOf = (text: string): readonly string[] =>
  text.split(/\s+/).filter((word) => word !== '')

function planOf(
  columns: readonly { readonly name: string; readonly type: string }[],
  usual: string,
  rare = '',
): DigestPlan {
  const place = new Map(columns.map(({ name }, i) => [name, i]))
  const places = (names: readonly string[]): number[] =>
    names.map((name) => {
      const found = place.get(name)
      if (found === undefined) throw new Error(`no column ${name}`)
      return found
    })
  const [usualNames, rareNames] = [wordsOf(usual), wordsOf(rare)]
  const isOptional = new Map(
    columns.map(({ name, type }) => [name, !type.endsWith('NOT NULL')]),
  )
  const realName = columns.find(({ type }) => type === 'REAL')?.name
  const known = new Set([...usualNames, ...rareNames, realName])
  const laterNames = columns.map(({ name }) => name).filter((name) => !known.has(name))
  return {
    optionalNames: usualNames.filter((name) => isOptional.get(name)),
    ...{ usualNames, rareNames, laterNames, realName },
    usual: places(usualNames),
    rare: places(rareNames),
    later: places(laterNames),
    real: realName === undefined ? -1 : (place.get(realName) ?? -1),
  }
}

export const PLANS: Readonly<Record<TableName, DigestPlan>> = {
  exchanges: planOf(exchangeColumns, EXCHANGES, RARE_EXCHANGES),
  connections: planOf(connectionColumns, CONNECTIONS),
  events: planOf(eventColumns, EVENTS),
}
