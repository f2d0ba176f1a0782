/**
 * The names of all tools that a request offers to the model, wherever in its envelope they
 * stand: beside the messages, among the items, in namespaces, in a session, in the requests of
 * a batch. And names as they are
 * compared, those of models, too. Pure; rests as it goes.
 */
import type { Resting } from '../core/resting.js'
import { folded } from '../detect/fold.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { placeOf, placeOfField } from './body-places.js'
import type { Place } from './body-places.js'

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
      if (isList(name)) addTools(inner, names)
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

const REST_NAMES = 8
const MAX_FOLDED = 1024

/** One of them; or of a model. A name of which nothing is left stays as it is. */
export function plainName(name: string): string {
  return name.length > MAX_FOLDED ? name : folded(name).trim() || name
}

/** Those of a body, under its key in letters of either case, as servers in Go take it; each once. */
export function modelsIn(value: unknown): string[] {
  const named = Object.entries(asRecord(value) ?? {}).filter(
    ([key, model]) =>
      key.length === 5 && key.toLowerCase() === 'model' && typeof model === 'string',
  )
  return [...new Set(named.map(([, model]) => model as string))]
}

/** Servers in Go take a key in letters of either case, and Google's in either form. */
function plainKey(key: string): string {
  return key.length > MAX_KEY ? key : key.replaceAll('_', '').toLowerCase()
}

const MAX_KEY = 32

function isList(key: string): boolean {
  return LISTS.has(plainKey(key))
}

/** One that stands alone is a list of one to Google; other objects of that name are none. */
function addTools(list: unknown, names: Set<string>, depth = 0): void {
  const alone = asRecord(list)
  if (alone !== undefined) addTool(alone, names, depth, true)
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
    if (isList(key)) addTools(inner, names, depth + 1)
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
    if (!isList(key) && key !== 'cachePoint') names.add(key)
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
