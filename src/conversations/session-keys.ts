/**
 * What a conversation is recognised by. A client sends all that was said before with each
 * request, so the state in which one request left a conversation stands before the model's
 * last words in the next. Keys are digests, never text. Pure.
 */
import { createHash, hash } from 'node:crypto'
import { cutAt } from '../providers/bounded-text.js'
import type { RequestFacts, ToolCall } from '../providers/provider.js'

/** Characters of a message that count: enough to tell two apart, and stable at its end. */
const SIGNED_CHARS = 100
/** An answer shorter than this is said too often to be a sign of one conversation. */
const LEAST_ANSWER_CHARS = 24
const MAX_EARLIER = 8
const MAX_ANCHORS = 16
/** A request to begin anew that is longer than this is about something else. */
const MAX_RESET_CHARS = 48

/** Both roles of a model: OpenAI and its kind, Anthropic, Mistral; Gemini; Cohere's first API. */
const MODEL_ROLES: ReadonlySet<string> = new Set(['assistant', 'model', 'chatbot'])

export interface ConversationKeys {
  /** The conversation as this request leaves it. */
  readonly state: string
  /** As it was before the model's last words; undefined when the model has said nothing yet. */
  readonly before: string | undefined
  /** As it was before words of the model further back, the latest first; made when asked. */
  readonly earlier: () => readonly string[]
  /** Messages that are neither the model's nor a system prompt. */
  readonly clientMessages: number
  /** The beginning of what the model said last. */
  readonly answer: string | undefined
}

/**
 * `scope` keeps the conversations of two devices, or of two named agents, apart. Messages in a
 * row of one side are a turn; several tool calls at once are one turn of the model.
 */
export function conversationKeys(facts: RequestFacts, scope: string): ConversationKeys {
  let text = `${scope.length}:${scope}${part('system', facts.system ?? '')}`
  /** How much of the text stands before each of the model's turns. */
  let befores: number[] | undefined
  let clientMessages = 0
  let wasByModel = false
  /** The first words of the model's last turn. */
  let answer = ''
  for (const { role: written, text: said } of facts.messages) {
    const role = written.toLowerCase()
    if (role === 'system' || role === 'developer') continue
    const byModel = MODEL_ROLES.has(role)
    if (byModel && !wasByModel) {
      if (befores === undefined) befores = [text.length]
      else befores.push(text.length)
      answer = ''
    }
    if (byModel && answer === '') answer = said
    if (!byModel) clientMessages++
    text += part(byModel ? 'model' : written, said)
    wasByModel = byModel
  }
  const { state, before } = digestsOf(text, befores?.pop())
  return {
    state,
    before,
    earlier:
      befores === undefined || befores.length === 0 ? NONE : earlierOf(text, befores),
    clientMessages,
    answer: answer === '' ? undefined : answerTextKey(answer, scope),
  }
}

const NONE = (): readonly string[] => []

function earlierOf(text: string, befores: readonly number[]): () => readonly string[] {
  return () =>
    befores
      .slice(-MAX_EARLIER)
      .reverse()
      .map((length) => digestOf(text.slice(0, length)))
}

/** Lengths stand before texts, so that no two lists of messages look alike. */
function part(role: string, text: string): string {
  const said = cutAt(text, SIGNED_CHARS)
  return `${role.length}:${role}${said.length}:${said}`
}

/** Undefined for an answer too short to be told from others. */
export function answerTextKey(text: string, scope: string): string | undefined {
  const said = text.trim()
  return said.length < LEAST_ANSWER_CHARS
    ? undefined
    : digest('answer', scope, cutAt(said, SIGNED_CHARS))
}

/** Ids of the calls that results answer: the model made them up for one conversation. */
export function resultKeys(facts: RequestFacts, scope: string): string[] {
  return callKeys(facts.toolResults, scope)
}

/** The newest of them; later ones are what the next request brings. */
export function callKeys(
  calls: readonly Pick<ToolCall, 'id'>[],
  scope: string,
): string[] {
  const keys: string[] = []
  for (const { id } of calls.slice(-MAX_ANCHORS))
    if (id !== undefined && id.length > 0) keys.push(digest('call', scope, id))
  return keys
}

export function idKey(kind: 'response' | 'conversation', scope: string, id: string) {
  return digest(kind, scope, id)
}

/** A system prompt longer than this is digested each time. */
const MAX_KEPT_SYSTEM = 64 * 1024
/** The last one that was digested: an agent says the same with each request. */
let known: { readonly system: string; readonly agentId: string | undefined } | undefined

/** `agent_` and 16 hexadecimal digits of the system prompt's digest; none without a prompt. */
export function agentIdOf(system: string | undefined): string | undefined {
  if (system === undefined) return undefined
  if (known?.system === system) return known.agentId
  const said = system.trim()
  const agentId =
    said === '' ? undefined : `agent_${hash('sha256', said, 'hex').slice(0, 16)}`
  if (system.length <= MAX_KEPT_SYSTEM) known = { system, agentId }
  return agentId
}

function digest(...parts: readonly string[]): string {
  let text = ''
  for (const each of parts) text += `${each.length}:${each}`
  return digestOf(text)
}

/** Of a text longer than this the common beginning is digested once for both. */
const LONG_TEXT_CHARS = 4096

function digestsOf(
  text: string,
  at: number | undefined,
): Pick<ConversationKeys, 'state' | 'before'> {
  if (at === undefined) return { state: digestOf(text), before: undefined }
  if (text.length <= LONG_TEXT_CHARS)
    return { state: digestOf(text), before: digestOf(text.slice(0, at)) }
  const running = createHash('sha256').update(text.slice(0, at))
  const before = running.copy().digest('base64url')
  return { state: running.update(text.slice(at)).digest('base64url'), before }
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

const RESET_COMMANDS: ReadonlySet<string> = new Set([
  '/clear',
  '/new',
  '/reset',
  'new chat',
  'new conversation',
  'new session',
  'new topic',
  'reset',
  'start a new chat',
  'start a new conversation',
  'start over',
  "let's start over",
  'lets start over',
  'forget everything',
  'forget everything above',
  'forget the conversation',
  'forget our conversation',
  'forget all previous messages',
])

/** The newest words of the user are a request to begin anew, and nothing else. */
export function asksForReset(lastUserText: string): boolean {
  if (lastUserText.length > MAX_RESET_CHARS) return false
  const said = lastUserText.trim().toLowerCase().replace('\u2019', "'")
  let end = said.length
  while (end > 0 && '.!'.includes(said[end - 1] as string)) end--
  return RESET_COMMANDS.has(said.slice(0, end))
}
