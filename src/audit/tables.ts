/**
 * The columns of the three tables, and how each is read from its record. A row is the array
 * of its columns' values, in order: this list is the only place that knows the order.
 * The first column of every table is its time, a number here and text in the database.
 * Bodies stand behind what is often read: SQLite walks over a long value to reach what lies
 * behind it. What later versions added can only stand at the very end.
 */
import type {
  AnswerCounts,
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
} from '../core/record.js'

export type Value = string | number | null
export type Row = Value[]

export interface Column<Record> {
  readonly name: string
  readonly type: 'TEXT NOT NULL' | 'TEXT' | 'INTEGER NOT NULL' | 'INTEGER' | 'REAL'
  /** Known when the exchange opens and never changed after: left out of updates. */
  readonly fixed?: true
  /** A request or response body, which has a longer limit and may be left out. */
  readonly body?: true
  /** Bounded where it is made, to so many UTF-16 units: cut anywhere else it were no JSON. */
  readonly longest?: number
  readonly read: (record: Record) => Value | undefined
}

const flag = (value: boolean | undefined): Value =>
  value === undefined ? null : value ? 1 : 0
const whole = (value: number | undefined): Value =>
  value === undefined ? null : Math.round(value)

/** So many names of such a length stay JSON within the limit of a text. */
const MOST_NAMES = 24
const NAME_LENGTH = 64

function namesText(names: readonly string[] | undefined): Value {
  if (names === undefined) return null
  return JSON.stringify(
    names.slice(0, MOST_NAMES).map((name) => name.slice(0, NAME_LENGTH)),
  )
}

/** Tags until the next would go over the limit of a text; the rest is left out. */
function tagsText(tags: ExchangeRecord['tags']): Value {
  if (tags === undefined) return null
  const items: string[] = []
  let length = 2
  for (const [key, value] of Object.entries(tags)) {
    const item = `${JSON.stringify(key)}:${JSON.stringify(value)}`
    length += item.length + 1
    if (length > MOST_TAGS_LENGTH) break
    items.push(item)
  }
  return `{${items.join(',')}}`
}

const MOST_TAGS_LENGTH = 2000
const MOST_ATTACHMENTS = 16
/** They are bounded where they are made; half a mark were none. */
const MAX_MARKS_LENGTH = 16 * 1024

function attachmentsText(notes: ExchangeRecord['attachments']): Value {
  if (notes === undefined) return null
  return JSON.stringify(
    notes.slice(0, MOST_ATTACHMENTS).map(({ kind, mediaType, bytes }) => ({
      kind,
      type: mediaType?.slice(0, NAME_LENGTH),
      bytes,
    })),
  )
}

function findingsText(findings: ExchangeRecord['findings']): Value {
  if (findings === undefined) return null
  const counts = findings.slice(0, MOST_NAMES).map(({ kind, count }) => [kind, count])
  return JSON.stringify(Object.fromEntries(counts))
}

/** What a row says of its answer: of it the provider may tell more once the row has closed. */
const ANSWER = {
  prompt_tokens: { name: 'prompt_tokens', type: 'INTEGER', read: (r) => r.inputTokens },
  response_tokens: {
    name: 'response_tokens',
    type: 'INTEGER',
    read: (r) => r.outputTokens,
  },
  cached_tokens: { name: 'cached_tokens', type: 'INTEGER', read: (r) => r.cachedTokens },
  reasoning_tokens: {
    name: 'reasoning_tokens',
    type: 'INTEGER',
    read: (r) => r.reasoningTokens,
  },
  tokens_estimated: {
    name: 'tokens_estimated',
    type: 'INTEGER',
    read: (r) =>
      r.inputEstimated === undefined && r.outputEstimated === undefined
        ? null
        : flag(r.inputEstimated === true || r.outputEstimated === true),
  },
  cost_micro_usd: {
    name: 'cost_micro_usd',
    type: 'INTEGER',
    read: (r) => whole(r.costMicroUsd),
  },
  cost_at_most_micro_usd: {
    name: 'cost_at_most_micro_usd',
    type: 'INTEGER',
    read: (r) => whole(r.costAtMostMicroUsd),
  },
  finish_reason: { name: 'finish_reason', type: 'TEXT', read: (r) => r.finishReason },
  service_tier: { name: 'service_tier', type: 'TEXT', read: (r) => r.serviceTier },
  cache_write_tokens: {
    name: 'cache_write_tokens',
    type: 'INTEGER',
    read: (r) => r.cacheWriteTokens,
  },
  cache_write_hour_tokens: {
    name: 'cache_write_hour_tokens',
    type: 'INTEGER',
    read: (r) => r.cacheWriteHourTokens,
  },
  prompt_tokens_estimated: {
    name: 'prompt_tokens_estimated',
    type: 'INTEGER',
    read: (r) => flag(r.inputEstimated),
  },
  response_tokens_estimated: {
    name: 'response_tokens_estimated',
    type: 'INTEGER',
    read: (r) => flag(r.outputEstimated),
  },
} as const satisfies Readonly<Record<string, Column<AnswerCounts>>>

export const answeredColumns: readonly Column<AnswerCounts>[] = Object.values(ANSWER)

export const exchangeColumns: readonly Column<ExchangeRecord>[] = [
  { name: 'timestamp', type: 'TEXT NOT NULL', fixed: true, read: (r) => r.startedAt },
  { name: 'request_id', type: 'TEXT NOT NULL', fixed: true, read: (r) => r.requestId },
  {
    name: 'connection_id',
    type: 'TEXT NOT NULL',
    fixed: true,
    read: (r) => r.connectionId,
  },
  { name: 'event_type', type: 'TEXT NOT NULL', read: (r) => r.outcome ?? 'request' },
  { name: 'device_ip', type: 'TEXT NOT NULL', fixed: true, read: (r) => r.device.ip },
  { name: 'device_mac', type: 'TEXT', fixed: true, read: (r) => r.device.mac },
  { name: 'device_hostname', type: 'TEXT', fixed: true, read: (r) => r.device.hostname },
  {
    name: 'endpoint_domain',
    type: 'TEXT NOT NULL',
    fixed: true,
    read: (r) => r.endpointDomain,
  },
  {
    name: 'http_version',
    type: 'TEXT NOT NULL',
    fixed: true,
    read: (r) => r.httpVersion,
  },
  { name: 'http_method', type: 'TEXT NOT NULL', fixed: true, read: (r) => r.method },
  { name: 'http_path', type: 'TEXT NOT NULL', fixed: true, read: (r) => r.path },
  { name: 'user_agent', type: 'TEXT', fixed: true, read: (r) => r.userAgent },
  { name: 'provider', type: 'TEXT', read: (r) => r.provider },
  { name: 'model', type: 'TEXT', read: (r) => r.model },
  { name: 'response_status', type: 'INTEGER', read: (r) => r.status },
  { name: 'reason', type: 'TEXT', read: (r) => r.reason },
  { name: 'code', type: 'TEXT', read: (r) => r.code },
  { name: 'policy_name', type: 'TEXT', read: (r) => r.policyName },
  { name: 'policy_decision', type: 'TEXT', read: (r) => r.policyDecision },
  { name: 'policy_message', type: 'TEXT', read: (r) => r.policyMessage },
  { name: 'bypass', type: 'TEXT', read: (r) => r.bypass },
  { name: 'stream', type: 'INTEGER', read: (r) => flag(r.stream) },
  { name: 'latency_ms', type: 'INTEGER', read: (r) => whole(r.latencyMs) },
  { name: 'first_byte_ms', type: 'INTEGER', read: (r) => whole(r.firstByteMs) },
  { name: 'request_bytes', type: 'INTEGER NOT NULL', read: (r) => r.requestBytes },
  { name: 'response_bytes', type: 'INTEGER NOT NULL', read: (r) => r.responseBytes },
  ANSWER.prompt_tokens,
  ANSWER.response_tokens,
  ANSWER.cached_tokens,
  ANSWER.reasoning_tokens,
  ANSWER.tokens_estimated,
  ANSWER.cost_micro_usd,
  ANSWER.finish_reason,
  {
    name: 'tool_calls',
    type: 'TEXT',
    read: (r) => namesText(r.toolCalls),
  },
  { name: 'session_id', type: 'TEXT', read: (r) => r.sessionId },
  { name: 'agent_id', type: 'TEXT', read: (r) => r.agentId },
  { name: 'retried', type: 'INTEGER', read: (r) => flag(r.retried) },
  { name: 'truncated', type: 'INTEGER', read: (r) => flag(r.truncated) },
  { name: 'trailers_dropped', type: 'INTEGER', read: (r) => r.trailersDropped },
  { name: 'prompt_preview', type: 'TEXT', read: (r) => r.promptPreview },
  { name: 'request_body', type: 'TEXT', body: true, read: (r) => r.requestBody },
  { name: 'response_body', type: 'TEXT', body: true, read: (r) => r.responseBody },
  ANSWER.cache_write_tokens,
  { name: 'fragmented', type: 'INTEGER', read: (r) => flag(r.fragmented) },
  { name: 'tags', type: 'TEXT', read: (r) => tagsText(r.tags) },
  { name: 'response_id', type: 'TEXT', read: (r) => r.responseId },
  { name: 'attachments', type: 'TEXT', read: (r) => attachmentsText(r.attachments) },
  { name: 'uninspectable', type: 'TEXT', read: (r) => r.uninspectable },
  { name: 'first_token_ms', type: 'INTEGER', read: (r) => whole(r.firstTokenMs) },
  { name: 'tokens_per_second', type: 'REAL', read: (r) => r.tokensPerSecond },
  { name: 'client_frames', type: 'INTEGER', read: (r) => r.clientFrames },
  { name: 'server_frames', type: 'INTEGER', read: (r) => r.serverFrames },
  { name: 'client_messages', type: 'INTEGER', read: (r) => r.clientMessages },
  { name: 'server_messages', type: 'INTEGER', read: (r) => r.serverMessages },
  { name: 'close_code', type: 'INTEGER', read: (r) => r.closeCode },
  { name: 'unread_messages', type: 'INTEGER', read: (r) => r.unreadMessages },
  { name: 'prompt_chars', type: 'INTEGER', read: (r) => r.promptChars },
  { name: 'tools_offered', type: 'TEXT', read: (r) => namesText(r.toolsOffered) },
  { name: 'findings', type: 'TEXT', read: (r) => findingsText(r.findings) },
  { name: 'redacted', type: 'INTEGER', read: (r) => r.redacted },
  { name: 'phase', type: 'TEXT', read: (r) => r.phase },
  { name: 'api', type: 'TEXT', read: (r) => r.api },
  { name: 'is_call', type: 'INTEGER', read: (r) => flag(r.call) },
  ANSWER.cache_write_hour_tokens,
  ANSWER.prompt_tokens_estimated,
  ANSWER.response_tokens_estimated,
  // Of rows of an earlier YORI alone: what a migration made of their tokens.
  { name: 'tokens_meaning', type: 'TEXT', fixed: true, read: () => null },
  {
    name: 'found_marks',
    type: 'TEXT',
    longest: MAX_MARKS_LENGTH,
    read: (r) => (r.repeated?.marks ?? r.foundMarks)?.join(' '),
  },
  { name: 'repeats', type: 'INTEGER', read: (r) => r.repeated?.repeats },
  { name: 'counted_in', type: 'TEXT', read: (r) => r.countedIn },
  { name: 'unseen_by', type: 'TEXT', read: (r) => r.unseenBy },
  ANSWER.service_tier,
  { name: 'program', type: 'TEXT', read: (r) => r.program?.name },
  { name: 'program_folder', type: 'TEXT', read: (r) => r.program?.folder },
  ANSWER.cost_at_most_micro_usd,
  { name: 'traceparent', type: 'TEXT', fixed: true, read: (r) => r.traceparent },
  { name: 'access_key', type: 'TEXT', fixed: true, read: (r) => r.key },
  { name: 'tool_name', type: 'TEXT', fixed: true, read: (r) => r.toolName },
  { name: 'ungoverned', type: 'TEXT', read: (r) => r.ungoverned },
  { name: 'upstream', type: 'TEXT', read: (r) => r.upstream },
  { name: 'attempts', type: 'TEXT', read: (r) => namesText(r.attempts) },
  { name: 'retries', type: 'INTEGER', read: (r) => r.retries },
  { name: 'fallback', type: 'TEXT', read: (r) => r.fallback },
  { name: 'cache', type: 'TEXT', read: (r) => r.cache },
]

export const connectionColumns: readonly Column<ConnectionRecord>[] = [
  { name: 'timestamp', type: 'TEXT NOT NULL', read: (r) => r.openedAt },
  { name: 'connection_id', type: 'TEXT NOT NULL', read: (r) => r.connectionId },
  { name: 'device_ip', type: 'TEXT NOT NULL', read: (r) => r.device.ip },
  { name: 'device_mac', type: 'TEXT', read: (r) => r.device.mac },
  { name: 'device_hostname', type: 'TEXT', read: (r) => r.device.hostname },
  { name: 'client_port', type: 'INTEGER NOT NULL', read: (r) => r.clientPort },
  { name: 'way', type: 'TEXT NOT NULL', read: (r) => r.way },
  { name: 'destination', type: 'TEXT', read: (r) => r.destination },
  { name: 'server_name', type: 'TEXT', read: (r) => r.serverName },
  { name: 'coverage', type: 'TEXT NOT NULL', read: (r) => r.coverage },
  { name: 'bytes_from_client', type: 'INTEGER NOT NULL', read: (r) => r.bytesFromClient },
  { name: 'bytes_to_client', type: 'INTEGER NOT NULL', read: (r) => r.bytesToClient },
  { name: 'exchanges', type: 'INTEGER NOT NULL', read: (r) => r.exchanges },
  {
    name: 'duration_ms',
    type: 'INTEGER NOT NULL',
    read: (r) => whole(Math.max(0, r.closedAt - r.openedAt)),
  },
  { name: 'code', type: 'TEXT', read: (r) => r.code },
  { name: 'name_class', type: 'TEXT', read: (r) => r.nameClass },
]

const MAX_DETAILS_LENGTH = 16 * 1024

export const eventColumns: readonly Column<EventRecord>[] = [
  { name: 'timestamp', type: 'TEXT NOT NULL', read: (r) => r.at },
  { name: 'event_type', type: 'TEXT NOT NULL', read: (r) => r.kind },
  { name: 'actor', type: 'TEXT', read: (r) => r.actor },
  { name: 'client_ip', type: 'TEXT', read: (r) => r.fromIp },
  {
    name: 'details',
    type: 'TEXT NOT NULL',
    longest: MAX_DETAILS_LENGTH,
    read: (r) => detailsText(r.details),
  },
]

/** JSON of an event's details, or the reason why there is none. */
function detailsText(details: EventRecord['details']): string {
  try {
    const text = JSON.stringify(details)
    return text.length <= MAX_DETAILS_LENGTH ? text : '{"unwritable":"too long"}'
  } catch {
    return '{"unwritable":"not JSON"}'
  }
}
