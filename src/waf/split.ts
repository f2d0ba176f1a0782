/**
 * What of a body may lead to a block, and what only gives a score: a request to a model is prose
 * and code, of which rules about attacks make much; what tools are called with is acted upon.
 * Pure.
 */

const MAX_DEPTH = 64
/** Of one body; what is beyond is left out, and `isCut` says so. */
const MAX_TEXTS = 10_000
const MAX_ARGUMENTS = 4_096
const MAX_KEY = 128

/** What holds what a person, a program or a model has said. */
const SAYS: ReadonlySet<string> = new Set([
  ...['content', 'text', 'input', 'inputs', 'prompt', 'system', 'instructions'],
  ...['query', 'message', 'output', 'suffix', 'documents', 'thinking', 'preamble'],
])

/** By any of these a body speaks to a model. */
export const SPEAKS: ReadonlySet<string> = new Set([
  ...['messages', 'prompt', 'input', 'inputs', 'contents', 'content', 'system'],
  ...['instructions', 'texts', 'documents', 'model', 'systemInstruction'],
])

/** One argument that a tool is called with: `search.query`, and what it says. */
export type Argument = readonly [name: string, value: string]

export interface Split {
  /** It speaks to a model, or it is a call of MCP. */
  readonly isForModel: boolean
  /** Prose, and arguments that are code by their nature: they give a score. */
  readonly texts: readonly string[]
  /** Of tools that are called: they may block. */
  readonly calls: readonly Argument[]
  /** There is more than is looked at. */
  readonly isCut: boolean
}

/** `body`: parsed JSON. `codeArguments`: names of arguments that are code. */
export function split(body: unknown, codeArguments: ReadonlySet<string>): Split {
  const walk = new Walk(codeArguments)
  const object = isObject(body) ? body : {}
  walk.value(body, 0, false)
  const isRpc = object['jsonrpc'] === '2.0'
  return {
    isForModel: isRpc || Object.keys(object).some((key) => SPEAKS.has(key)),
    texts: walk.texts,
    calls: walk.calls,
    isCut: walk.isCut,
  }
}

class Walk {
  readonly texts: string[] = []
  readonly calls: Argument[] = []
  isCut = false
  readonly #codeArguments: ReadonlySet<string>

  constructor(codeArguments: ReadonlySet<string>) {
    this.#codeArguments = new Set([...codeArguments].map(foldedName))
  }

  value(value: unknown, depth: number, says: boolean): void {
    if (typeof value === 'string') {
      if (says) this.#text(value)
      return
    }
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DEPTH) {
      this.isCut = true
      return
    }
    if (Array.isArray(value)) {
      for (const one of value) this.value(one, depth + 1, says)
      return
    }
    const object = value as Readonly<Record<string, unknown>>
    const call = callOf(object)
    if (call !== undefined) this.#arguments(call.name, parsed(call.given), 0)
    for (const [key, one] of Object.entries(object))
      if (call?.key !== key) this.value(one, depth + 1, SAYS.has(key))
  }

  #text(text: string): void {
    if (text === '') return
    if (this.texts.length >= MAX_TEXTS) this.isCut = true
    else this.texts.push(text)
  }

  #arguments(name: string, value: unknown, depth: number): void {
    if (typeof value === 'object' && value !== null) {
      if (depth > MAX_DEPTH) {
        this.isCut = true
        return
      }
      for (const [key, one] of Object.entries(value)) {
        const inner = Array.isArray(value) ? name : `${name}.${plainKey(key)}`
        this.#arguments(inner, one, depth + 1)
      }
      return
    }
    if (value === null || value === undefined || value === '') return
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (name.split('.').some((part) => this.#codeArguments.has(foldedName(part))))
      this.#text(text)
    else if (this.calls.length >= MAX_ARGUMENTS) this.isCut = true
    else this.calls.push([name, text])
  }
}

interface Call {
  readonly name: string
  /** The key that has its arguments. */
  readonly key: string
  readonly given: unknown
}

/** Anthropic, Responses, Cohere. */
const CALL_TYPES: ReadonlySet<unknown> = new Set([
  ...['tool_use', 'server_tool_use', 'mcp_tool_use'],
  ...['function_call', 'custom_tool_call', 'mcp_call', 'mcp_approval_request'],
])

/** Undefined: no tool is called by this object itself. */
function callOf(object: Readonly<Record<string, unknown>>): Call | undefined {
  const { type, name } = object
  const of = (key: string): Call | undefined =>
    object[key] === undefined
      ? undefined
      : {
          name: plainKey(typeof name === 'string' ? name : 'tool'),
          key,
          given: object[key],
        }
  // Gemini `functionCall`, Bedrock `toolUse`, OpenAI `function`: the object under that key.
  if (CALL_TYPES.has(type)) return of('input') ?? of('arguments')
  if (typeof name !== 'string') return undefined
  if (type === undefined) return of('arguments') ?? of('args') ?? inputOf(object, of)
  return undefined
}

/** Bedrock's `toolUse`: a name, an id, and an input that is an object. */
function inputOf(
  { input, toolUseId }: Readonly<Record<string, unknown>>,
  of: (key: string) => Call | undefined,
): Call | undefined {
  return isObject(input) && toolUseId !== undefined ? of('input') : undefined
}

/** Arguments may be JSON in a string. */
function parsed(given: unknown): unknown {
  if (typeof given !== 'string') return given
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Programs write `new_string`, `newString` and `new-string` for the same. */
function foldedName(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

function plainKey(key: string): string {
  return key.slice(0, MAX_KEY)
}
