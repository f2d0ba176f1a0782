/**
 * The tool calls of the model's last turn, where a request brings what came of them: what its
 * client has run, or is about to go on from. By the shapes in which providers take a
 * conversation back; nothing else of it is looked at. Pure.
 */
import { asList, asRecord, firstText } from './json.js'
import type { Json } from './json.js'
import { argumentsIn, shownTool } from './mcp-calls.js'
import type { CallBudget, McpCall, McpCalls } from './mcp-calls.js'
import { MAX_CALL_ARGUMENTS } from './mcp-calls.js'
import { plainName } from './offered-tools.js'

/** Of one body; a turn with more is not whole. */
const MAX_CALLS = 64
/** Entries that are looked at, from the last. */
const MAX_ENTRIES = 512
/** Arguments that are longer are not parsed, and are one value. */
const MAX_PARSED_CHARS = 64 * 1024

/** Of a parsed body; without a call whose result comes along: an empty list. */
export function newestCallsIn(body: unknown): McpCalls {
  const list = conversationOf(asRecord(body))
  const budget: CallBudget = { left: MAX_CALL_ARGUMENTS, isWhole: true }
  const calls: McpCall[] = []
  let isResultSeen = false
  for (let at = list.length - 1; at >= 0; at--) {
    if (list.length - at > MAX_ENTRIES) break
    const entry = asRecord(list[at])
    if (entry === undefined) break
    const asked = callsOf(entry)
    if (asked.length > 0) {
      if (!isResultSeen) break
      for (const call of asked.toReversed()) {
        if (calls.length >= MAX_CALLS) budget.isWhole = false
        else calls.push(told(call, budget))
      }
      continue
    }
    if (calls.length > 0) {
      // Beside its calls a model says and thinks something, in entries of their own.
      if (isModels(entry)) continue
      break
    }
    if (isResult(entry)) isResultSeen = true
    else if (isResultSeen) break
    else if (!isBeside(entry)) break
  }
  return { calls: calls.reverse(), is_whole: budget.isWhole }
}

interface Asked {
  readonly name: string
  readonly given: unknown
}

function told({ name, given }: Asked, budget: CallBudget): McpCall {
  const plain = plainName(name).trim() || name
  return {
    tool: plain.toLowerCase(),
    shown: shownTool(name),
    arguments: argumentsIn(parsed(given), budget),
  }
}

/** Most have them as text. */
function parsed(given: unknown): unknown {
  if (typeof given !== 'string' || given.length > MAX_PARSED_CHARS) return given
  try {
    return JSON.parse(given) as unknown
  } catch {
    return given
  }
}

function conversationOf(body: Json | undefined): readonly unknown[] {
  for (const name of ['messages', 'input', 'contents']) {
    const list = asList(body?.[name])
    if (list.length > 0) return list
  }
  return []
}

/** OpenAI's two, and their kin; Anthropic; Gemini; Bedrock. */
function callsOf(entry: Json): readonly Asked[] {
  const own = asked(entry)
  if (own !== undefined && CALLS.has(firstText(entry['type']) ?? '')) return [own]
  const calls = asList(entry['tool_calls']).flatMap((item) => {
    const call = asRecord(item)
    const inner = asRecord(call?.['function']) ?? asRecord(call?.['custom']) ?? call
    return (inner && asked(inner)) ?? []
  })
  const legacy = asRecord(entry['function_call'])
  const parts = [...asList(entry['content']), ...asList(entry['parts'])].flatMap(
    (item) => {
      const part = asRecord(item)
      const type = firstText(part?.['type'])
      if (part !== undefined && type !== undefined && CALLS.has(type))
        return asked(part) ?? []
      const inner = asRecord(
        part?.['toolUse'] ?? part?.['functionCall'] ?? part?.['function_call'],
      )
      return (inner && asked(inner)) ?? []
    },
  )
  return [...calls, ...((legacy && asList([asked(legacy)])) ?? []), ...parts].filter(
    (one): one is Asked => one !== undefined,
  )
}

const CALLS: ReadonlySet<string> = new Set([
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
  'function_call',
  'custom_tool_call',
  'mcp_call',
  'shell_call',
  'local_shell_call',
  'computer_call',
  'tool-call',
])

/** Shells of OpenAI have no name, and what they run in `action`. */
function asked(call: Json): Asked | undefined {
  const name = firstText(call['name'], call['type'])
  if (name === undefined) return undefined
  const given = call['arguments'] ?? call['input'] ?? call['args'] ?? call['action']
  return { name, given }
}

function isModels(entry: Json): boolean {
  const role = firstText(entry['role'])
  const type = firstText(entry['type'])
  return role === 'assistant' || role === 'model' || type === 'reasoning'
}

const RESULTS: ReadonlySet<string> = new Set([
  'tool_result',
  'mcp_tool_result',
  'function_call_output',
  'custom_tool_call_output',
  'shell_call_output',
  'local_shell_call_output',
  'computer_call_output',
  'tool-result',
])

function isResult(entry: Json): boolean {
  const role = firstText(entry['role'])
  if (role === 'tool' || role === 'function') return true
  if (RESULTS.has(firstText(entry['type']) ?? '')) return true
  return [...asList(entry['content']), ...asList(entry['parts'])].some((item) => {
    const part = asRecord(item)
    if (part === undefined) return false
    return (
      RESULTS.has(firstText(part['type']) ?? '') ||
      part['toolResult'] !== undefined ||
      part['functionResponse'] !== undefined ||
      part['function_response'] !== undefined
    )
  })
}

/** What a client puts behind a result, such as reminders: no turn of its own. */
function isBeside(entry: Json): boolean {
  return firstText(entry['role']) !== undefined && !isModels(entry)
}
