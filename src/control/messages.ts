/**
 * The conversation that an exchange carried, out of the bodies that were kept: who said what, in
 * order. Pure; a body that was cut short gives what is there of it.
 */
import { JSON_LIMITS, parsePrefix } from '../json/json-bounds.js'
import { recognise } from '../providers/index.js'
import type { KeptExchange } from '../conversations/transcript.js'

export interface SaidMessage {
  readonly role: string
  readonly text: string
}

const MOST_MESSAGES = 500

/** Empty where no body was kept, or nobody knows the path. */
export function messagesIn(
  { host, method, path, requestBody }: KeptExchange,
  answered: string | undefined,
): readonly SaidMessage[] {
  const last = answered === undefined ? [] : [{ role: 'assistant', text: answered }]
  const found = recognise({ host, method, path })
  if (found === undefined || requestBody === undefined) return last
  const body = parsePrefix(Buffer.from(requestBody), JSON_LIMITS)
  const { system, messages } = found.provider.readRequest(body, { api: found.api, path })
  const said = messages.slice(-MOST_MESSAGES).map(({ role, text }) => ({ role, text }))
  // Where it is no message of its own, it stands before all of them.
  const isSaid = said.some(({ role }) => role === 'system' || role === 'developer')
  const first = isSaid || !system ? [] : [{ role: 'system', text: system }]
  return [...first, ...said, ...last]
}
