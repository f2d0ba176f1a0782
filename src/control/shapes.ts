/** Rows of the record as the API tells them: times in RFC 3339, lists as lists, flags as flags. */
import { LEAST_SESSIONS } from '../risks/words.js'
import type { RiskStatus } from '../risks/words.js'
import type { AgentLine } from '../audit/agent-queries.js'
import type { SessionLine } from '../audit/session-queries.js'
import type { Listed } from '../audit/where.js'

const FLAGS = new Set([
  'is_call',
  'stream',
  'fragmented',
  'retried',
  'truncated',
  'prompt_tokens_estimated',
  'response_tokens_estimated',
])
const PARSED = new Set([
  'tool_calls',
  'tools_offered',
  'tags',
  'attachments',
  'findings',
  'attempts',
])

/** `YYYY-MM-DD HH:MM:SS.sss`, which is UTC. */
export function instant(timestamp: unknown): string {
  return `${String(timestamp).replace(' ', 'T')}Z`
}

/** Columns keep their names; what is not known is left out. */
export function exchangeShape(row: Listed): Record<string, unknown> {
  const shape: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(row)) {
    if (value === null) continue
    if (name === 'timestamp') shape[name] = instant(value)
    else if (FLAGS.has(name)) shape[name] = value === 1
    else if (PARSED.has(name)) shape[name] = parsed(value)
    else shape[name] = value
  }
  return shape
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value)) as unknown
  } catch {
    return String(value)
  }
}

export function sessionShape(line: SessionLine): Record<string, unknown> {
  return {
    id: line.name,
    device: line.device,
    agent_id: line.agentId,
    first_at: instant(line.firstAt),
    last_at: instant(line.lastAt),
    models: line.models === '' ? [] : line.models.split(','),
    fragmented: line.fragmented,
    exchanges: line.exchanges,
    calls: line.calls,
    errors: line.errors,
    blocks: line.blocks,
    prompt_tokens: line.promptTokens,
    response_tokens: line.responseTokens,
    cost_micro_usd: line.costMicroUsd,
    unpriced: line.unpriced,
  }
}

/** By the names of source 004's published API. */
export function agentShape(
  line: AgentLine & { readonly risk: RiskStatus },
  nowMs: number,
): Record<string, unknown> {
  const lastMs = Date.parse(instant(line.lastAt))
  return {
    id: line.id,
    id_short: line.id.slice(0, 12),
    total_sessions: line.sessions,
    active_sessions: line.activeSessions,
    completed_sessions: line.sessions - line.activeSessions,
    total_messages: line.calls,
    total_tokens: line.promptTokens + line.responseTokens,
    total_tools: line.tools,
    unique_tools: line.uniqueTools,
    total_errors: line.errors,
    avg_response_time_ms: rounded(line.averageLatencyMs),
    last_seen: instant(line.lastAt),
    last_seen_relative: ago(nowMs - lastMs),
    risk_status: line.risk,
    current_sessions: line.sessions,
    min_sessions_required: LEAST_SESSIONS,
  }
}

export function rounded(value: number | null, digits = 1): number {
  const scale = 10 ** digits
  return Math.round((value ?? 0) * scale) / scale
}

/** `5m ago` */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ago`
  return `${Math.floor(seconds / 86_400)}d ago`
}
