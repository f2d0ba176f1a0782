/**
 * Tools by the shapes in which providers take them: lists and single ones, definitions, servers
 * of MCP and what of theirs is allowed, choices. And names as they are compared, those of models,
 * too. Where in a body they stand says `named-in-body.ts`. Pure.
 */
import type { Resting } from '../core/resting.js'
import { folded } from '../detect/fold.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'

/** Fields that hold lists of tools, as `plainKey` has them. */
const LISTS: ReadonlySet<string> = new Set([
  'tools',
  'functions',
  'functiondeclarations',
  'additionaltools',
])
/** Fields of one tool that hold its definition. */
const DEFINITIONS: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'toolspec',
  'systemtool',
])

/** As deep as JSON is read. */
const MAX_DEPTH = 64

/**
 * Names as they are compared (`folded`), without blanks around them, each once; a name longer
 * than 1024 UTF-16 units, as no API has one, stays as it is.
 */
export function* plainNames(names: Iterable<string>): Resting<string[]> {
  const plain = new Set<string>()
  let looked = 0
  for (const name of names) {
    if (++looked % REST_NAMES === 0) yield
    plain.add(plainName(name))
  }
  return [...plain]
}

/** The same of few. */
export function plainNamesAtOnce(names: readonly string[]): string[] {
  const plain: string[] = []
  for (const name of names) {
    const one = plainName(name)
    if (!plain.includes(one)) plain.push(one)
    if (plain.length > FEW_NAMES) return [...new Set(names.map(plainName))]
  }
  return plain
}

const FEW_NAMES = 16
const REST_NAMES = 8
const MAX_FOLDED = 1024

/** One of them; or of a model. A name of which nothing is left stays as it is. */
export function plainName(name: string): string {
  return name.length > MAX_FOLDED ? name : folded(name).trim() || name
}

/** Those of a body, under its key in letters of either case, as servers in Go take it; each once. */
export function modelsIn(value: unknown): string[] {
  const object = asRecord(value)
  const models: string[] = []
  if (object === undefined) return models
  for (const key of Object.keys(object)) {
    if (key.length !== MODEL.length || key.toLowerCase() !== MODEL) continue
    const model = object[key]
    if (typeof model === 'string' && !models.includes(model)) models.push(model)
  }
  return models
}

const MODEL = 'model'

/**
 * A key as it is compared, since servers in Go take it in letters of either case, and Google's in
 * either form: in small letters, without low lines. Longer ones than 32 stay as they are.
 */
export function plainKey(key: string): string {
  if (key.length > MAX_KEY) return key
  const known = PLAIN.get(key)
  if (known !== undefined) return known
  const plain = key.replaceAll('_', '').toLowerCase()
  if (PLAIN.size < MAX_PLAIN) PLAIN.set(key, plain)
  return plain
}

const MAX_KEY = 32
/** Bodies have the same few names again and again; of more, the first are kept. */
const PLAIN = new Map<string, string>()
const MAX_PLAIN = 512

/** Does a field of that name hold tools that are offered? */
export function isToolList(key: string): boolean {
  return LISTS.has(plainKey(key))
}

/**
 * The names of a list of tools go to `names`. One that stands alone is a list of one to Google,
 * and some have tools under their names instead of in a list; other objects hold none.
 */
export function addTools(list: unknown, names: Set<string>, depth = 0): void {
  const alone = asRecord(list)
  if (alone !== undefined) {
    addTool(alone, names, depth, true)
    for (const [key, inner] of Object.entries(alone)) {
      const tool = asRecord(inner)
      if (tool === undefined || isToolList(key) || DEFINITIONS.has(plainKey(key)))
        continue
      const within = namesOf(tool)
      for (const name of within) names.add(name)
    }
  }
  for (const item of asList(list)) {
    const tool = asRecord(item)
    if (tool !== undefined) addTool(tool, names, depth)
  }
}

function addTool(tool: Json, names: Set<string>, depth: number, isAlone = false): void {
  const given = namesOf(tool)
  const { server_label, mcp_server_name, type } = tool
  const other = firstText(server_label, mcp_server_name, isAlone ? undefined : type)
  for (const name of given) names.add(name)
  if (given.length === 0 && other !== undefined) names.add(other)
  else if (given.length === 0 && !isAlone) addByKeys(tool, names)
  addAllowed(tool, names)
  if (depth > MAX_DEPTH) return
  for (const [key, inner] of Object.entries(tool))
    if (isToolList(key)) addTools(inner, names, depth + 1)
}

/** That of its definition, or its own; all where a key stands there in several cases. */
function namesOf(tool: Json): string[] {
  const inner = Object.entries(tool).flatMap(([key, value]) =>
    DEFINITIONS.has(plainKey(key)) ? ownNames(asRecord(value)) : [],
  )
  return inner.length > 0 ? inner : ownNames(tool)
}

function ownNames(object: Json | undefined): string[] {
  return Object.entries(object ?? {}).flatMap(([key, value]) =>
    key.length === 4 && key.toLowerCase() === 'name' && typeof value === 'string' && value
      ? [value]
      : [],
  )
}

/** Gemini's are told by the key that switches them on. */
function addByKeys(tool: Json, names: Set<string>): void {
  for (const key of Object.keys(tool))
    if (!isToolList(key) && key !== 'cachePoint') names.add(key)
}

/** Of a server's tools, those that the model may call. */
function addAllowed(tool: Json, names: Set<string>): void {
  const { allowed_tools: allowed, require_approval: approval, configs } = tool
  const { always, never } = asRecord(approval) ?? {}
  for (const list of [always, never])
    for (const name of asList(asRecord(list)?.tool_names)) {
      const text = asText(name)
      if (text !== undefined) names.add(text)
    }
  for (const name of asList(asRecord(allowed)?.tool_names ?? allowed)) {
    const text = asText(name)
    if (text !== undefined) names.add(text)
  }
  for (const name of Object.keys(asRecord(configs) ?? {})) names.add(name)
}

/** Of servers of MCP, as Anthropic takes them, the tools that are allowed go to `names`. */
export function addServers(list: unknown, names: Set<string>): void {
  for (const item of asList(list)) {
    const server = asRecord(item)
    const settings = asRecord(server?.tool_configuration)
    if (settings !== undefined) addAllowed(settings, names)
  }
}

/** Fields of such a choice that hold one. */
const CHOSEN: ReadonlySet<string> = new Set(['tool', 'function', 'custom'])

/** Does a field of that name say which tool is to be called? */
export function isToolChoice(key: string): boolean {
  // `functionCall` is what Gemini's models say.
  return plainKey(key) === 'toolchoice' || key.toLowerCase() === 'function_call'
}

/** The tools that a choice names, or leaves to choose from, go to `names`. */
export function addChoice(choice: unknown, names: Set<string>): void {
  const object = asRecord(choice)
  if (object === undefined) return
  for (const name of ownNames(object)) names.add(name)
  for (const [key, inner] of Object.entries(object)) {
    if (isToolList(key)) addTools(inner, names)
    else if (CHOSEN.has(plainKey(key)))
      for (const name of ownNames(asRecord(inner))) names.add(name)
    else if (plainKey(key) === 'allowedtools') addChoice(inner, names)
  }
}

/** Names that Google's configuration of calls leaves to choose from go to `names`. */
export function addAllowedNames(config: Json, names: Set<string>): void {
  for (const [key, list] of Object.entries(config)) {
    if (plainKey(key) !== 'allowedfunctionnames') continue
    for (const name of asList(list)) {
      const text = asText(name)
      if (text !== undefined) names.add(text)
    }
  }
}
