/**
 * `message_logger`: each call with its messages and its answer as a line of JSON, sanitised. Where
 * a policy takes out what must not leave, the line says `withheld` in the place of what was said.
 */
import type { RequestFacts } from '../providers/provider.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import type { Sanitiser } from '../replay/sanitiser.js'
import type { LinesFile } from './lines-file.js'

/** Calls whose answers are waited for. */
const MOST_OPEN = 4096
/** What was said is known here as it stood before it was taken out. */
const WITHHELD = { withheld: true } as const

export interface MessageLoggerOptions {
  readonly file: LinesFile
  readonly sanitiser: Sanitiser
  readonly withSystem: boolean
}

export function messageLogger({
  file,
  sanitiser,
  withSystem,
}: MessageLoggerOptions): ExchangeObserver {
  const open = new Map<string, object>()
  const said = (text: string): string => sanitiser.words(text, [])
  return {
    name: 'message_logger',
    requestRead: ({ requestId, call }, asked) => {
      if (call !== true || asked === undefined || open.size >= MOST_OPEN) return
      const told = asked.isWithheld ? WITHHELD : messagesOf(asked.facts, withSystem, said)
      open.set(requestId, told)
    },
    responseRead: ({ requestId }, answered) => {
      const asked = open.get(requestId)
      if (asked === undefined || asked === WITHHELD || answered?.facts === undefined)
        return
      const { text, toolCalls, finishReason } = answered.facts
      const calls = toolCalls.map(({ name, id, argumentsText }) => ({
        ...{ name, id, arguments: said(argumentsText) },
      }))
      const response = {
        text: said(text),
        tool_calls: calls,
        finish_reason: finishReason,
      }
      open.set(requestId, { ...asked, response })
    },
    ended: (seen) => {
      const told = open.get(seen.requestId)
      if (told === undefined) return
      open.delete(seen.requestId)
      const { requestId, startedAt, sessionId, agentId, provider, model, status } = seen
      const { latencyMs, inputTokens, outputTokens, outcome } = seen
      file.add({
        timestamp: new Date(startedAt).toISOString(),
        ...{ request_id: requestId, session_id: sessionId, agent_id: agentId },
        ...{ provider, model, status, outcome, duration_ms: latencyMs },
        ...told,
        usage: { input_tokens: inputTokens, output_tokens: outputTokens },
      })
    },
  }
}

function messagesOf(
  { system, messages }: RequestFacts,
  withSystem: boolean,
  said: (text: string) => string,
): object {
  return {
    ...(withSystem && system !== undefined ? { system: said(system) } : {}),
    messages: messages
      .filter(({ role }) => role !== 'system' || (withSystem && system === undefined))
      .map(({ role, text }) => ({ role, content: said(text) })),
  }
}
