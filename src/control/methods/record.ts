/** What the record says: exchanges, sessions, devices, coverage, use, and who looked at it. */
import { readTranscript } from '../../conversations/transcript.js'
import type { Listed } from '../../audit/where.js'
import { describedAs } from '../../household/roll.js'
import type { Described } from '../../household/roll.js'
import { json, notFound } from '../answer.js'
import { momentOf } from './household-changes.js'
import type { Handler } from '../method.js'
import { daysOf, filterOf, nextOf, numberOf, pageOf, wallOf } from '../query.js'
import { exchangeShape, instant, sessionShape } from '../shapes.js'
import { messagesIn } from '../messages.js'

const DAY_MS = 86_400_000

export const exchanges: Handler = async (call) => {
  const { query, on } = call
  const asked = pageOf(query, wallOf(on.port))
  const body = await on.reader.ask('exchangesText', asked)
  const { sinceMs: _since, untilMs: _until, ...filter } = asked.filter
  on.access.looked(call, 'exchanges', { ...filter })
  return { kind: 'text', status: 200, type: 'application/json', body }
}

export const exchange: Handler = async (call) => {
  const { params, on } = call
  const id = params['id'] ?? ''
  const row = await on.reader.ask('exchange', { id })
  if (row === null) throw notFound('exchange')
  on.access.looked(call, 'exchange', { id, device: row['device_ip'] })
  return json(detailOf(row))
}

export const sessions: Handler = async (call) => {
  const { query, on } = call
  const asked = pageOf(query, wallOf(on.port))
  const page = await on.reader.ask('sessions', asked)
  const { sinceMs: _since, untilMs: _until, ...filter } = asked.filter
  on.access.looked(call, 'sessions', { ...filter })
  return json({ sessions: page.rows.map(sessionShape), next: nextOf(page) })
}

export const devices: Handler = async ({ query, on }) => {
  const nowMs = on.port.clock.now()
  const lines = await on.reader.ask('devices', {
    sinceMs: nowMs - daysOf(query) * DAY_MS,
  })
  const { book } = on.port.appliance.current.services.decider.lists
  return json({
    devices: lines.map(({ firstAt, lastAt, costMicroUsd, ...line }) => ({
      ...line,
      ...describedShape(describedAs(book, line, nowMs)),
      cost_micro_usd: costMicroUsd,
      first_at: instant(firstAt),
      last_at: instant(lastAt),
    })),
  })
}

function describedShape({ isNew, pausedUntil, allowedUntil, ...said }: Described) {
  const until = {
    paused_until: momentOf(pausedUntil),
    allowed_until: momentOf(allowedUntil),
  }
  return { ...said, new: isNew, ...until }
}

export const coverage: Handler = async ({ query, on }) => {
  const days = daysOf(query)
  const report = await on.reader.ask('coverage', { ...wallOf(on.port), days })
  if (report === null) throw notFound('count of coverage yet')
  return json(report)
}

export const usage: Handler = async ({ query, on }) => {
  const wall = wallOf(on.port)
  const filter = filterOf(query, wall)
  return json(await on.reader.ask('usage', { filter, wall }))
}

export const accessLog: Handler = async ({ query, on }) => {
  const most = numberOf(query, 'limit', { least: 1, most: 200, usual: 50 })
  const lines = await on.reader.ask('events', { prefix: 'control.', most })
  return json({
    events: lines.map(({ timestamp, event_type: kind, actor, client_ip, details }) => ({
      timestamp: instant(timestamp),
      kind,
      actor,
      client_ip,
      details: JSON.parse(details) as unknown,
    })),
  })
}

/** One exchange, told by what people ask of it. */
function detailOf(row: Listed): Record<string, unknown> {
  const shape = exchangeShape(row)
  const text = (name: string): string | undefined => {
    const value = row[name]
    return typeof value === 'string' ? value : undefined
  }
  const kept = {
    host: text('endpoint_domain') ?? '',
    method: text('http_method') ?? 'POST',
    path: text('http_path') ?? '/',
    status: Number(row['response_status'] ?? 200),
    requestBody: text('request_body'),
    responseBody: text('response_body'),
  }
  const { answered, calls, results } = readTranscript(kept)
  const { request_body: _request, response_body: _response, ...rest } = shape
  return {
    exchange: rest,
    messages: messagesIn(kept, answered),
    tools: {
      called: shape['tool_calls'] ?? [],
      offered: shape['tools_offered'] ?? [],
      arguments: calls.map(({ name, id, argumentsText }) => ({
        name,
        id: id ?? null,
        arguments: argumentsText,
      })),
      results: results.map(({ id, text: said }) => ({ id: id ?? null, text: said })),
    },
    timings: {
      latency_ms: row['latency_ms'] ?? null,
      first_byte_ms: row['first_byte_ms'] ?? null,
      first_token_ms: row['first_token_ms'] ?? null,
      tokens_per_second: row['tokens_per_second'] ?? null,
    },
    decision: {
      action: row['enforcement_action'] ?? null,
      policy: row['policy_name'] ?? null,
      decision: row['policy_decision'] ?? null,
      message: row['policy_message'] ?? null,
      reason: row['reason'] ?? null,
      bypass: row['bypass'] ?? null,
      redacted: row['redacted'] ?? null,
    },
    findings: shape['findings'] ?? {},
    raw: {
      request_body: kept.requestBody ?? null,
      response_body: kept.responseBody ?? null,
    },
  }
}
