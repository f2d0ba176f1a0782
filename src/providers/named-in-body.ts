/**
 * The names of all tools that a request offers to a model, and of all models that it would have
 * answer, wherever in its envelope they stand: beside the messages, among the items, in
 * namespaces, in a session, in the requests of a batch, line by line in its file. Pure; rests as
 * it goes.
 */
import type { Resting } from '../core/resting.js'
import { asList, asRecord, asText } from './json.js'
import type { Json } from './json.js'
import { placeOf, placeOfField } from './body-places.js'
import type { Place } from './body-places.js'
import { plainPath, withoutQuery } from './paths.js'
import {
  addAllowedNames,
  addChoice,
  addServers,
  addTools,
  isToolChoice,
  isToolList,
  plainKey,
} from './offered-tools.js'

/** What stands behind one of these in a path is a model, or takes the place of one. */
const IN_PATHS = /\/(?:models?|tunedModels|deployments|engines)\/([^/?]{1,1024})/g

const NAMES_ONE = /model|deployments|engines/i
const NO_NAMES: readonly string[] = []

/** The models that a path names, as plain text, without what is to be done with them. */
export function modelsInPath(path: string): readonly string[] {
  const plain = withoutQuery(plainPath(path))
  if (!NAMES_ONE.test(plain)) return NO_NAMES
  return [...plain.matchAll(IN_PATHS)].map(([, name = '']) =>
    decoded(name).replace(/:[A-Za-z]+$/, ''),
  )
}

/** What cannot be decoded stays as it is. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

const REST_NODES = 256
/** As deep as JSON is read. */
const MAX_DEPTH = 64

/** Fields of the envelope that say which model is to answer, as `plainKey` has them. */
const MODELS: ReadonlySet<string> = new Set([
  'model',
  'models',
  'modelid',
  'fallbacks',
  'fallbackmodels',
  'foundationmodel',
])

/** What is the caller's own, and what a model of its own writes down beside the one that answers. */
const NOT_ANSWERING: ReadonlySet<string> = new Set([
  'metadata',
  'labels',
  'requestmetadata',
  'transcription',
  'inputaudiotranscription',
])

/** Settings of Google's in which tools are named. */
const TOOL_SETTINGS: ReadonlySet<string> = new Set([
  'toolconfig',
  'functioncallingconfig',
])

const NONE: ReadonlySet<string> = new Set()

interface Waiting {
  readonly value: unknown
  readonly place: Place
  readonly depth: number
  /** It is a list of tools, of which so many were looked at. */
  readonly tools?: number
}

/** Of a list of tools, so many are looked at in one go. */
const SOME_TOOLS = 64

/**
 * One body: `add` each document of it, then read `tools` and `models`, each once, in the order in
 * which they stand. Objects deeper than 64 are not looked at. No bound of its own: the body has
 * one.
 */
export class NamedInBody {
  #tools: Set<string> | undefined
  #models: Set<string> | undefined

  get tools(): ReadonlySet<string> {
    return this.#tools ?? NONE
  }

  get models(): ReadonlySet<string> {
    return this.#models ?? NONE
  }

  /** Most requests offer none, and one of these is made for each. */
  get #ownTools(): Set<string> {
    return (this.#tools ??= new Set())
  }

  #addModel(name: unknown): void {
    const model = asText(name)
    if (model === undefined || model === '') return
    this.#models ??= new Set()
    this.#models.add(model)
  }

  #addModels(value: unknown): void {
    if (!Array.isArray(value)) this.#addModel(value)
    else for (const name of asList(value)) this.#addModel(name)
  }

  /** A document, parsed. */
  *add(document: unknown): Resting<void> {
    const open: Waiting[] = [{ value: document, place: 'envelope', depth: 0 }]
    while (!this.#look(open, REST_NODES)) yield
  }

  /** The same of one that is short. */
  addAtOnce(document: unknown): void {
    this.#look([{ value: document, place: 'envelope', depth: 0 }], Infinity)
  }

  /** At so many of what is open; true when nothing is left. */
  #look(open: Waiting[], most: number): boolean {
    for (let left = most; left > 0; left--) {
      const top = open.pop()
      if (top === undefined) return true
      const { value, place, depth } = top
      if (depth > MAX_DEPTH) continue
      if (top.tools !== undefined) {
        left -= this.#someTools(top, top.tools, open)
        continue
      }
      if (Array.isArray(value)) {
        for (let i = value.length - 1; i >= 0; i--)
          if (typeof value[i] === 'object')
            open.push({ value: value[i] as unknown, place, depth: depth + 1 })
        continue
      }
      const object = asRecord(value)
      if (object === undefined) continue
      const here = placeOf(object, place)
      if (here === 'envelope' || here === 'program')
        this.#object(object, here, open, depth + 1)
    }
    return open.length === 0
  }

  #object(object: Json, here: Place, open: Waiting[], depth: number): void {
    if (object.jsonrpc !== undefined) this.#call(object)
    const names = Object.keys(object)
    if (here === 'envelope')
      for (const name of names)
        if (MODELS.has(plainKey(name))) this.#addModels(object[name])
    // Taken from the end: the first field is the next.
    for (let i = names.length - 1; i >= 0; i--) {
      const name = names[i] as string
      const inner = object[name]
      if (typeof inner !== 'object' || inner === null) continue
      const key = plainKey(name)
      if (NOT_ANSWERING.has(key)) continue
      if (isToolList(name)) {
        if (isLong(inner)) open.push({ value: inner, place: here, depth, tools: 0 })
        else addTools(inner, this.#ownTools)
      } else if (isToolChoice(name)) addChoice(inner, this.#ownTools)
      else if (name === 'mcp_servers') addServers(inner, this.#ownTools)
      else if (TOOL_SETTINGS.has(key)) {
        addAllowedNames(inner as Json, this.#ownTools)
        open.push({ value: inner, place: 'envelope', depth })
      } else if (placeOfField(name, here) === 'envelope')
        open.push({ value: inner, place: 'envelope', depth })
    }
  }

  /** Some of them now, the others when it is their turn; says how many. */
  #someTools(list: Waiting, from: number, open: Waiting[]): number {
    const tools = list.value as readonly unknown[]
    const to = from + SOME_TOOLS
    addTools(tools.slice(from, to), this.#ownTools)
    if (to < tools.length) open.push({ ...list, tools: to })
    return SOME_TOOLS
  }

  /** A call of MCP says the tool that is to run. */
  #call({ method, params }: Json): void {
    const name = asText(asRecord(params)?.name)
    if (method === 'tools/call' && name !== undefined) this.#ownTools.add(name)
  }
}

function isLong(value: unknown): boolean {
  return Array.isArray(value) && value.length > SOME_TOOLS
}
