/**
 * One body of the Model Context Protocol, read as strictly as the laxest of its servers is lax:
 * what two parsers could take for different things is not read at all. Keys count in letters of
 * either case, as servers in Go take them; a key that stands twice anywhere is a fault. Pure.
 */
import { isUtf8 } from 'node:buffer'
import type { Resting } from '../core/resting.js'
import { fieldsIn } from '../json/fields-in.js'
import { parseInSlices } from '../json/json-slices.js'
import type { JsonLimits } from '../json/json-bounds.js'
import { asRecord, asText } from './json.js'
import type { Json } from './json.js'
import { plainName } from './offered-tools.js'

export type RpcId = string | number | null

/** One message of JSON-RPC 2.0: a request, what is told, or an answer. */
export interface McpMessage {
  /** Undefined: nobody answers it. */
  readonly id: RpcId | undefined
  /** Undefined: it answers a request of the server. */
  readonly method: string | undefined
  /** What it names: a tool, a prompt, a resource. */
  readonly name: string | undefined
  /** The tool that it calls. */
  readonly tool: string | undefined
  readonly arguments: unknown
  /** The revision of the protocol that its `_meta` says, from 2026-07-28 on. */
  readonly version: string | undefined
}

export type McpRead =
  | {
      readonly kind: 'read'
      readonly messages: readonly McpMessage[]
      /** Several in a list, as revision 2025-03-26 has it. */
      readonly isBatch: boolean
    }
  | {
      readonly kind: 'unread'
      readonly why: string
      /** Of the message, where that much could be read. */
      readonly id: RpcId
    }

/** Further ones are refused with the list. */
export const MAX_BATCH = 1000

/** The revision from which its messages say their own, and fields of the head count. */
export const HEADS_COUNT_FROM = '2026-07-28'

/** Of a body that is parsed; undefined: it is none that can be told. */
export function messagesOf(value: unknown): readonly McpMessage[] | undefined {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (items.length > MAX_BATCH) return undefined
  const messages: McpMessage[] = []
  for (const item of items) {
    const object = asRecord(item)
    const message = object && messageIn(object)
    if (message === undefined || typeof message === 'string') return undefined
    messages.push(message)
  }
  return messages
}

/** `bytes` without any coding. Rests as it goes. */
export function* readMcp(bytes: Buffer, limits: JsonLimits): Resting<McpRead> {
  if (!isUtf8(bytes)) return unread('it is not UTF-8')
  const parsed = yield* parseInSlices(bytes, limits)
  if (parsed.kind === 'over-limit')
    return unread(`its ${parsed.limit} are over the limit`)
  if (parsed.kind !== 'whole') return unread('it is no JSON text')
  const { value, keys } = parsed
  if ((yield* fieldsIn(value)) !== keys) return unread('a key stands twice in it')
  const isBatch = Array.isArray(value)
  const items: readonly unknown[] = isBatch ? (value as readonly unknown[]) : [value]
  if (items.length === 0) return unread('it is an empty list')
  if (items.length > MAX_BATCH) return unread(`it has more than ${MAX_BATCH} messages`)
  const messages: McpMessage[] = []
  for (const item of items) {
    const object = asRecord(item)
    if (object === undefined) return unread('it is no message of JSON-RPC')
    const message = messageIn(object)
    if (typeof message === 'string') return unread(message, idIn(object))
    messages.push(message)
    yield
  }
  return { kind: 'read', messages, isBatch }
}

function unread(why: string, id: RpcId | undefined = null): McpRead {
  return { kind: 'unread', why, id: id ?? null }
}

/** A text: why it is none that can be told. */
function messageIn(object: Json): McpMessage | string {
  const top = plainKeys(object)
  if (top === undefined) return TWICE
  const method = top.get('method')
  if (method !== undefined && typeof method !== 'string') return 'its method is no text'
  const told = { id: idIn(object), method }
  const nothing = { name: undefined, tool: undefined, arguments: undefined }
  const given = top.get('params')
  const object2 = asRecord(given)
  const isCall = method !== undefined && plainMethod(method) === 'tools/call'
  if (object2 === undefined) {
    if (isCall) return 'its params are no object'
    return { ...told, ...nothing, version: undefined }
  }
  const params = plainKeys(object2)
  if (params === undefined) return TWICE
  const name = asText(params.get('name'))
  if (isCall && name === undefined) return 'it names no tool'
  return {
    ...told,
    name: name ?? asText(params.get('uri')),
    tool: isCall ? name : undefined,
    arguments: params.get('arguments'),
    version: asText(
      asRecord(params.get('_meta'))?.['io.modelcontextprotocol/protocolVersion'],
    ),
  }
}

const TWICE = 'a key stands twice in it, in letters of either case'

/** As methods are compared. */
function plainMethod(method: string): string {
  return plainName(method).toLowerCase()
}

/** Undefined: two of them are one to a server that takes them in letters of either case. */
function plainKeys(object: Json): Map<string, unknown> | undefined {
  const plain = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = plainName(key).toLowerCase()
    if (plain.has(name)) return undefined
    plain.set(name, value)
  }
  return plain
}

function idIn(object: Json): RpcId | undefined {
  const id = plainKeys(object)?.get('id')
  return typeof id === 'string' || typeof id === 'number' || id === null ? id : undefined
}
