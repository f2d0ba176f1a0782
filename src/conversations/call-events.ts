/**
 * The events of one exchange, made of what the readers found. Pure. Texts are bounded, and
 * left out where the operator does not keep them.
 */
import { createHash } from 'node:crypto'
import type { CallEvent, CallEventName } from '../core/call-event.js'
import type { ExchangeRecord } from '../core/record.js'
import { cutAt } from '../providers/bounded-text.js'
import type {
  RequestFacts,
  ResponseFacts,
  ToolCall,
  ToolResult,
} from '../providers/provider.js'
import type { Session } from './sessions.js'

/** Of one text in an event, in UTF-16 units. */
const MAX_TEXT_CHARS = 4096
/** Tool calls, and results, that one exchange tells of. */
const MAX_TOLD = 64

/** What of a call may be told: nothing said, what was asked, or both sides. */
export type Kept = 'none' | 'request' | 'both'

export interface CallContext {
  readonly record: ExchangeRecord
  readonly session: Session
  readonly at: number
  readonly kept: Kept
}

export function sessionStarted(context: CallContext): CallEvent {
  const { fragmented } = context.session
  return eventOf('session.start', context, { 'session.fragmented': fragmented })
}

export function callStarted(context: CallContext, facts: RequestFacts): CallEvent {
  const data =
    context.kept === 'none' ? undefined : cutAt(facts.promptText, MAX_TEXT_CHARS)
  return eventOf('llm.call.start', context, {
    ...callAttributes(context.record),
    'llm.request.data': data,
  })
}

/** `results`: those that earlier requests have not brought yet, with the tool's name if known. */
export function toolResults(
  context: CallContext,
  results: readonly { readonly result: ToolResult; readonly name: string | undefined }[],
): CallEvent[] {
  return results.slice(0, MAX_TOLD).map(({ result, name }) =>
    eventOf('tool.result', context, {
      'tool.name': name,
      'tool.id': result.id,
      'tool.status': 'returned',
      'tool.result':
        context.kept === 'none' ? undefined : cutAt(result.text, MAX_TEXT_CHARS),
    }),
  )
}

/** The end of the call, and the tools that the model asked for. */
export function callEnded(
  context: CallContext,
  facts: ResponseFacts | undefined,
): CallEvent[] {
  const { record } = context
  const failed = record.outcome !== 'response' || facts?.error !== undefined
  const attributes = { ...callAttributes(record), ...usageAttributes(record) }
  if (failed || facts === undefined)
    return [
      eventOf('llm.call.error', context, {
        ...attributes,
        'error.type': facts?.error?.type ?? record.code ?? record.outcome ?? 'unknown',
        'error.message': cutAt(facts?.error?.message ?? record.reason ?? '', 512),
      }),
    ]
  const content = context.kept === 'both' ? cutAt(facts.text, MAX_TEXT_CHARS) : undefined
  return [
    eventOf('llm.call.finish', context, {
      ...attributes,
      'llm.response.content': content,
    }),
    ...facts.toolCalls.slice(0, MAX_TOLD).map((call) => toolAsked(context, call)),
  ]
}

function toolAsked(context: CallContext, call: ToolCall): CallEvent {
  const params =
    context.kept === 'both' ? cutAt(call.argumentsText, MAX_TEXT_CHARS) : undefined
  return eventOf('tool.execution', context, {
    'tool.name': call.name,
    'tool.id': call.id,
    'tool.status': 'requested',
    'tool.params': params,
  })
}

/** Nobody asks at that moment: the event is the session's own. */
export function sessionEnded(
  session: Session,
  ended: {
    readonly at: number
    readonly agentId: string | null
    readonly events: number
  },
): CallEvent {
  return {
    schema_version: '1.0',
    timestamp: ended.at,
    trace_id: traceId(session),
    span_id: hex(`${session.scope}\n${session.id}\nend`, 16),
    name: 'session.end',
    level: 'INFO',
    agent_id: ended.agentId,
    session_id: session.id,
    attributes: {
      'session.duration_ms': Math.max(0, session.lastAt - session.startedAt),
      'session.events_count': ended.events,
      'session.exchanges_count': session.exchanges,
    },
  }
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

function eventOf(name: CallEventName, about: CallContext, with_: Attributes): CallEvent {
  const { record, session, at } = about
  const attributes: Record<string, string | number | boolean> = {}
  for (const [key, value] of Object.entries(with_))
    if (value !== undefined) attributes[key] = value
  return {
    schema_version: '1.0',
    timestamp: at,
    trace_id: traceId(session),
    span_id: hex(record.requestId, 16),
    name,
    level: name === 'llm.call.error' ? 'ERROR' : 'INFO',
    agent_id: record.agentId ?? null,
    session_id: session.id,
    attributes,
  }
}

function callAttributes(record: ExchangeRecord): Attributes {
  const { provider, model, stream, requestId } = record
  return {
    'llm.vendor': provider,
    'llm.model': model,
    'llm.request.stream': stream,
    'yori.request_id': requestId,
  }
}

function usageAttributes(record: ExchangeRecord): Attributes {
  const { inputTokens, outputTokens, latencyMs } = record
  const total =
    inputTokens === undefined && outputTokens === undefined
      ? undefined
      : (inputTokens ?? 0) + (outputTokens ?? 0)
  return {
    'llm.response.duration_ms': latencyMs,
    'llm.usage.input_tokens': inputTokens,
    'llm.usage.output_tokens': outputTokens,
    'llm.usage.total_tokens': total,
    'llm.usage.cache_read.input_tokens': record.cachedTokens,
    'llm.usage.cache_creation.input_tokens': record.cacheWriteTokens,
    'llm.usage.reasoning.output_tokens': record.reasoningTokens,
    'llm.usage.input_estimated': record.inputEstimated,
    'llm.usage.output_estimated': record.outputEstimated,
    'llm.cost.micro_usd': record.costMicroUsd,
    'llm.response.finish_reason': record.finishReason,
  }
}

function traceId({ scope, id, startedAt }: Session): string {
  return hex(`${scope}\n${id}\n${startedAt}`, 32)
}

function hex(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}
