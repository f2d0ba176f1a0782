/**
 * The names of all tools that a request offers to the model, wherever in its envelope they
 * stand: beside the messages, among the items, in namespaces, in a session, in the requests of
 * a batch. Pure; rests as it goes.
 */
import type { Resting } from '../core/resting.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { placeOf, placeOfField } from './body-places.js'
import type { Place } from './body-places.js'

/** Fields that hold lists of tools. */
const LISTS: ReadonlySet<string> = new Set([
  'tools',
  'functions',
  'functionDeclarations',
  'function_declarations',
  'additional_tools',
])

const REST_NODES = 256
/** As deep as JSON is read. */
const MAX_DEPTH = 64

/**
 * Each once, in the order in which they stand; of `body`, parsed JSON. Objects deeper
 * than 64 are not looked at. No bound of its own: the body has one.
 */
export function* offeredTools(body: unknown): Resting<string[]> {
  const names = new Set<string>()
  const open: { value: unknown; place: Place; depth: number }[] = [
    { value: body, place: 'envelope', depth: 0 },
  ]
  let looked = 0
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    if (++looked % REST_NODES === 0) yield
    const { value, place, depth } = top
    if (depth > MAX_DEPTH) continue
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--)
        if (typeof value[i] === 'object')
          open.push({ value: value[i] as unknown, place, depth: depth + 1 })
      continue
    }
    const object = asRecord(value)
    if (object === undefined) continue
    const here = placeOf(object, place)
    if (here !== 'envelope' && here !== 'program') continue
    for (const [name, inner] of Object.entries(object).reverse()) {
      if (typeof inner !== 'object' || inner === null) continue
      if (LISTS.has(name)) addTools(inner, names)
      else if (name === 'mcp_servers') addServers(inner, names)
      else {
        const below = placeOfField(name, here)
        if (below === 'envelope' || name === 'toolConfig' || name === 'tool_config')
          open.push({ value: inner, place: 'envelope', depth: depth + 1 })
      }
    }
  }
  return [...names]
}

function addTools(list: unknown, names: Set<string>, depth = 0): void {
  for (const item of asList(list)) {
    const tool = asRecord(item)
    if (tool !== undefined) addTool(tool, names, depth)
  }
}

function addTool(tool: Json, names: Set<string>, depth: number): void {
  const inner =
    asRecord(tool.function) ??
    asRecord(tool.custom) ??
    asRecord(tool.toolSpec) ??
    asRecord(tool.systemTool)
  const { name, server_label, mcp_server_name, type } = tool
  const named = firstText(inner?.name, name, server_label, mcp_server_name, type)
  if (named !== undefined) names.add(named)
  else addByKeys(tool, names)
  addAllowed(tool, names)
  if (depth > MAX_DEPTH) return
  for (const list of LISTS) addTools(tool[list], names, depth + 1)
}

/** Gemini's are told by the key that switches them on. */
function addByKeys(tool: Json, names: Set<string>): void {
  for (const key of Object.keys(tool))
    if (!LISTS.has(key) && key !== 'cachePoint') names.add(key)
}

/** Of a server's tools, those that the model may call. */
function addAllowed(tool: Json, names: Set<string>): void {
  const { allowed_tools: allowed, configs } = tool
  for (const name of asList(asRecord(allowed)?.tool_names ?? allowed)) {
    const text = asText(name)
    if (text !== undefined) names.add(text)
  }
  for (const name of Object.keys(asRecord(configs) ?? {})) names.add(name)
}

function addServers(list: unknown, names: Set<string>): void {
  for (const item of asList(list)) {
    const server = asRecord(item)
    const settings = asRecord(server?.tool_configuration)
    if (settings !== undefined) addAllowed(settings, names)
  }
}
