/**
 * The overview, one agent, and one session, by the member names of source 004's published API.
 * What that API tells of risk is what `src/risks` makes of the record.
 */
import type { AgentDetail } from '../../audit/agent-queries.js'
import type { Listed } from '../../audit/where.js'
import { NOT_VISIBLE } from '../../risks/assess.js'
import type { Assessment, RiskStatus } from '../../risks/words.js'
import { json, notFound } from '../answer.js'
import type { Handler, Surroundings } from '../method.js'
import { daysOf } from '../query.js'
import { agentShape, exchangeShape, instant, rounded, sessionShape } from '../shapes.js'

const DAY_MS = 86_400_000
/** Exchanges of one session that are told. */
const MOST_TURNS = 500
const AGENT_DAYS = 30

export const dashboard: Handler = async ({ query, on }) => {
  const { nowMs, asked } = askedFor(query, on, DASHBOARD_DAYS)
  const found = await on.reader.ask('dashboard', { ...asked, nowMs })
  return json({
    agents: found.agents.map((line) => agentShape(line, nowMs)),
    sessions_count: found.sessions,
    latest_session: found.newest === null ? null : sessionShape(found.newest),
    agent_workflow_id: null,
    last_updated: new Date(nowMs).toISOString(),
    last_day: {
      exchanges: found.day.exchanges,
      calls: found.day.calls,
      errors: found.day.errors,
      blocks: found.day.blocks,
      prompt_tokens: found.day.promptTokens,
      response_tokens: found.day.responseTokens,
      cost_micro_usd: found.day.costMicroUsd,
      unpriced: found.day.unpriced,
    },
  })
}

const DASHBOARD_DAYS = 7

export const agents: Handler = async ({ query, on }) => {
  const { nowMs, asked } = askedFor(query, on, AGENT_DAYS)
  const lines = await on.reader.ask('agents', asked)
  return json({ agents: lines.map((line) => agentShape(line, nowMs)) })
}

export const agent: Handler = async (call) => {
  const { params, query, on } = call
  const { nowMs, asked } = askedFor(query, on, AGENT_DAYS)
  const id = params['id'] ?? ''
  const found = await on.reader.ask('agent', { ...asked, agent: id })
  if (found === null) throw notFound('agent')
  on.access.looked(call, 'agent', { id })
  return json({
    agent: agentOf({ ...found, line: { ...found.line, risk: found.risk.status } }, nowMs),
    patterns: {},
    analytics: analyticsOf(found),
    risk_analysis: riskOf(found.risk),
    last_updated: new Date(nowMs).toISOString(),
  })
}

export const session: Handler = async (call) => {
  const { params, on } = call
  const id = params['id'] ?? ''
  const rows = await on.reader.ask('session', { id, most: MOST_TURNS })
  if (rows.length === 0) throw notFound('session')
  const nowMs = on.port.clock.now()
  const devices = [...new Set(rows.map((row) => row['device_ip']))]
  on.access.looked(call, 'session', { id, devices })
  const idleMs = on.port.appliance.current.config.timeouts.session_idle * 1000
  return json({
    session: sessionOf(id, rows, nowMs - idleMs),
    events: rows.flatMap((row) => eventsOf(row)),
    timeline: rows.map((row) => ({
      timestamp: instant(row['timestamp']),
      request_id: row['request_id'],
      outcome: row['event_type'],
      latency_ms: row['latency_ms'] ?? null,
    })),
    exchanges: rows.map(({ request_body: _in, response_body: _out, ...row }) =>
      exchangeShape(row),
    ),
    last_updated: new Date(nowMs).toISOString(),
  })
}

function askedFor(query: URLSearchParams, { port }: Surroundings, usual: number) {
  const nowMs = port.clock.now()
  const idleMs = port.appliance.current.config.timeouts.session_idle * 1000
  const sinceMs = nowMs - daysOf(query, usual) * DAY_MS
  return { nowMs, asked: { sinceMs, activeSinceMs: nowMs - idleMs } }
}

function agentOf(
  {
    line,
    averageSessionMinutes,
    tools,
    offered,
  }: AgentDetail & { readonly line: { readonly risk: RiskStatus } },
  nowMs: number,
) {
  const used = tools.map(({ name }) => name)
  const all = [...new Set([...offered, ...used])]
  return {
    ...agentShape(line, nowMs),
    first_seen: instant(line.firstAt),
    avg_messages_per_session: rounded(line.calls / Math.max(1, line.sessions)),
    avg_duration_minutes: rounded(averageSessionMinutes),
    tool_usage_details: Object.fromEntries(tools.map(({ name, count }) => [name, count])),
    available_tools: all,
    used_tools: used,
    tools_utilization_percent:
      all.length === 0 ? 0 : rounded((100 * used.length) / all.length),
  }
}

/** Evidence is ids of requests: `/api/exchanges/{id}` has each. */
function riskOf({ status, score, checks }: Assessment) {
  return {
    status,
    score,
    checks: checks.map(({ looksAt, ...check }) => ({ ...check, looks_at: looksAt })),
    not_visible: NOT_VISIBLE,
  }
}

function analyticsOf({ line, models, tools, days }: AgentDetail) {
  return {
    token_summary: {
      total: line.promptTokens + line.responseTokens,
      input: line.promptTokens,
      output: line.responseTokens,
      total_cost: line.costMicroUsd === null ? null : line.costMicroUsd / 1e6,
      models_used: models.length,
      pricing_last_updated: null,
    },
    models: models.map((model) => ({
      model: model.name,
      requests: model.count,
      input_tokens: model.promptTokens,
      output_tokens: model.responseTokens,
      total_tokens: model.promptTokens + model.responseTokens,
      cost: model.costMicroUsd === null ? null : model.costMicroUsd / 1e6,
      errors: model.errors,
      avg_response_time_ms: rounded(model.averageLatencyMs),
    })),
    tools: tools.map(({ name, count }) => ({ tool: name, executions: count })),
    timeline: days.map(({ day, calls, tokens, errors }) => ({
      date: day,
      requests: calls,
      tokens,
      errors,
    })),
    tool_timeline: [],
  }
}

function sessionOf(id: string, rows: readonly Listed[], activeSinceMs: number) {
  const times = rows.map((row) => Date.parse(instant(row['timestamp'])))
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const newest = rows.at(-1)
  const sum = (name: string): number =>
    rows.reduce((total, row) => total + Number(row[name] ?? 0), 0)
  const errors = rows.filter((row) => row['event_type'] === 'error').length
  const calls = rows.filter((row) => row['is_call'] === 1).length
  const used = rows.flatMap((row) => namesIn(row['tool_calls']))
  const usage: Record<string, number> = {}
  for (const name of used) usage[name] = (usage[name] ?? 0) + 1
  const answered = rows.filter((row) => row['latency_ms'] !== null)
  const isActive = last >= activeSinceMs
  return {
    id,
    agent_id: newest?.['agent_id'] ?? null,
    created_at: new Date(first).toISOString(),
    last_activity: new Date(last).toISOString(),
    duration_minutes: rounded((last - first) / 60_000, 2),
    is_active: isActive,
    is_completed: !isActive,
    model: newest?.['model'] ?? null,
    provider: newest?.['provider'] ?? null,
    total_events: rows.reduce((count, row) => count + eventsOf(row).length, 0),
    message_count: calls,
    tool_uses: used.length,
    errors,
    total_tokens: sum('prompt_tokens') + sum('response_tokens'),
    avg_response_time_ms: rounded(sum('latency_ms') / Math.max(1, answered.length)),
    error_rate: rounded((100 * errors) / rows.length, 2),
    tool_usage_details: usage,
    available_tools: [...new Set(rows.flatMap((row) => namesIn(row['tools_offered'])))],
    system_prompt: null,
    tags: parsedTags(newest?.['tags']),
  }
}

/** By the names of the events of calls; `events.call_events` keeps fuller ones. */
function eventsOf(row: Listed): Record<string, unknown>[] {
  const base = {
    session_id: row['session_id'],
    timestamp: instant(row['timestamp']),
  }
  const call = {
    'llm.vendor': row['provider'],
    'llm.model': row['model'],
    'http.request.id': row['request_id'],
  }
  const requestId = String(row['request_id'])
  const failed = row['event_type'] === 'error' || row['event_type'] === 'block'
  const start = { id: `${requestId}.start`, name: 'llm.call.start', level: 'INFO' }
  const end = failed
    ? { id: `${requestId}.error`, name: 'llm.call.error', level: 'ERROR' }
    : { id: `${requestId}.finish`, name: 'llm.call.finish', level: 'INFO' }
  const tools = namesIn(row['tool_calls']).map((name, index) => ({
    ...base,
    id: `${requestId}.tool.${index}`,
    name: 'tool.execution',
    level: 'INFO',
    attributes: { 'tool.name': name, 'tool.status': 'requested' },
  }))
  const ended = {
    'llm.response.duration_ms': row['latency_ms'],
    'llm.usage.input_tokens': row['prompt_tokens'],
    'llm.usage.output_tokens': row['response_tokens'],
    ...(failed ? { 'error.type': row['code'] ?? row['event_type'] } : {}),
  }
  const open = row['event_type'] === 'request'
  return [
    { ...base, ...start, attributes: call },
    ...(open ? [] : [{ ...base, ...end, attributes: { ...call, ...ended } }]),
    ...tools,
  ]
}

function namesIn(text: unknown): string[] {
  if (typeof text !== 'string') return []
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list.map(String) : []
  } catch {
    return []
  }
}

function parsedTags(text: unknown): unknown {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : {}
  } catch {
    return {}
  }
}
