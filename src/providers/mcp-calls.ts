/**
 * What a message of MCP calls, as policies see it: each call with the names and values of its
 * arguments, in one list, compared as the laxest server would take them. Pure.
 */
import { createHash } from 'node:crypto'
import { messagesOf } from './mcp-message.js'
import { plainName } from './offered-tools.js'

/** One value of an argument. */
export interface McpArgument {
  /** Names from the outermost in, in lower case, joined by dots; items of a list have none. */
  readonly path: string
  /** A text without what is not seen; numbers and truths as JSON writes them. */
  readonly value: string
}

/** One call of a tool, as policies see it. */
export interface McpCall {
  /** In lower case, without what is not seen. */
  readonly tool: string
  /** As it can be shown: no two tools are shown alike. */
  readonly shown: string
  readonly arguments: readonly McpArgument[]
}

/** What one body calls: a message of MCP, or a list of such. */
export interface McpCalls {
  readonly calls: readonly McpCall[]
  /** False: there is more than is listed, or something that cannot be told. */
  readonly is_whole: boolean
}

/** Of all calls of one body together. */
export const MAX_CALL_ARGUMENTS = 2000
const MAX_DEPTH = 32
const SHOWN_CHARS = 128

/** Of a parsed body; without a call: an empty list. */
export function mcpCallsIn(body: unknown): McpCalls {
  const messages = messagesOf(body)
  if (messages === undefined) return { calls: [], is_whole: false }
  const budget: CallBudget = { left: MAX_CALL_ARGUMENTS, isWhole: true }
  const calls = messages.flatMap(({ tool, arguments: given }) => {
    if (tool === undefined) return []
    const plain = plainName(tool).trim() || tool
    const list = argumentsIn(given, budget)
    return [{ tool: plain.toLowerCase(), shown: shownTool(tool), arguments: list }]
  })
  return { calls, is_whole: budget.isWhole }
}

/** Of all calls of one body together. */
export interface CallBudget {
  left: number
  isWhole: boolean
}

interface Collecting {
  readonly path: readonly string[]
  readonly list: McpArgument[]
  readonly budget: CallBudget
}

/** Of one call; what is over the budget is left out, and that is said in it. */
export function argumentsIn(given: unknown, budget: CallBudget): readonly McpArgument[] {
  const list: McpArgument[] = []
  collect(given, { path: [], list, budget })
  return list
}

function collect(value: unknown, at: Collecting): void {
  const { path, list, budget } = at
  if (value === undefined || value === null) return
  if (budget.left <= 0 || path.length > MAX_DEPTH) {
    budget.isWhole = false
    return
  }
  budget.left--
  if (typeof value !== 'object') {
    const text = typeof value === 'string' ? plainName(value) : JSON.stringify(value)
    list.push({ path: path.join('.'), value: text })
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      if (!budget.isWhole) return
      collect(item, at)
    }
    return
  }
  for (const [name, inner] of Object.entries(value)) {
    if (!budget.isWhole) return
    collect(inner, { ...at, path: [...path, plainName(name).toLowerCase()] })
  }
}

/** Of a name that a client chose: in ASCII, and told from every other. */
export function shownTool(name: string): string {
  const escaped = name.replace(
    /[^\x20-\x7e]|\\/g,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  )
  if (escaped.length <= SHOWN_CHARS) return escaped
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return `${escaped.slice(0, SHOWN_CHARS)}...${digest}`
}
