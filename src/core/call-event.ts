/**
 * What happens in calls of models, told while it happens: calls, tools, sessions. For parts of
 * this process that want to follow along; the record itself is `record.ts`.
 */

export type CallEventName =
  | 'llm.call.start'
  | 'llm.call.finish'
  | 'llm.call.error'
  | 'tool.execution'
  | 'tool.result'
  | 'session.start'
  | 'session.end'

/** Version 1.0 of its form; the keys are those that are exported. */
export interface CallEvent {
  readonly schema_version: '1.0'
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** One a session: 32 hexadecimal digits. */
  readonly trace_id: string
  /** One an exchange: 16 hexadecimal digits. */
  readonly span_id: string
  readonly name: CallEventName
  readonly level: 'INFO' | 'ERROR'
  readonly agent_id: string | null
  readonly session_id: string
  /** Texts of prompts, answers and tools are there only when the operator keeps bodies. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}

export interface CallEventSink {
  /** Returns at once and never throws. */
  emit(event: CallEvent): void
}
