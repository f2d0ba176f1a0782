/** Answers of ours in the words of MCP: results and errors of JSON-RPC 2.0. Pure. */
import type { YoriError } from '../../core/errors.js'
import { HEADS_COUNT_FROM } from '../../providers/mcp-message.js'
import type { McpMessage, McpRead, RpcId } from '../../providers/mcp-message.js'
import type { OwnAnswer } from '../words/door-way.js'

/** JSON-RPC 2.0 §5.1; MCP 2026-07-28 for the last. */
const INVALID_REQUEST = -32600
const SERVER_ERROR = -32000
const HEADER_MISMATCH = -32020

const RPC_CODES: Readonly<Partial<Record<string, number>>> = {
  YORI_MCP_HEADER_MISMATCH: HEADER_MISMATCH,
  YORI_MCP_RATE_LIMITED: SERVER_ERROR,
}

export function refusedAnswer(
  { code, status }: YoriError,
  id: RpcId | undefined,
  message: string,
): OwnAnswer {
  const rpc = RPC_CODES[code] ?? INVALID_REQUEST
  return { status, body: JSON.stringify(errorOf(id ?? null, rpc, message, code)) }
}

/**
 * To calls that are not led on: a result that says so, which a model reads, where the answer to
 * the request is where its client looks for it. In HTTP+SSE that is the stream: there, and where
 * nobody waits for a result, an error of HTTP is what a client notices.
 */
export function blockedAnswer(
  { messages, isBatch }: Pick<Extract<McpRead, { kind: 'read' }>, 'messages' | 'isBatch'>,
  blocked: ReadonlySet<McpMessage>,
  message: string,
  isBeside: boolean,
): OwnAnswer {
  const asked = messages.filter(
    ({ id, method }) => id !== undefined && method !== undefined,
  )
  const answers = asked.map((one) =>
    blocked.has(one) && !isBeside
      ? resultOf(one, message)
      : errorOf(one.id ?? null, SERVER_ERROR, message, 'policy_blocked'),
  )
  const [first] = answers
  if (first === undefined || isBeside) {
    const told = first ?? errorOf(null, SERVER_ERROR, message, 'policy_blocked')
    return { status: 403, body: JSON.stringify(told) }
  }
  return { status: 200, body: JSON.stringify(isBatch ? answers : first) }
}

function resultOf(
  { id, version }: Pick<McpMessage, 'id' | 'version'>,
  message: string,
): object {
  const isNew = version !== undefined && version >= HEADS_COUNT_FROM
  const result = { content: [{ type: 'text', text: message }], isError: true }
  const marked = isNew ? { resultType: 'complete', ...result } : result
  return { jsonrpc: '2.0', id: id ?? null, result: marked }
}

function errorOf(id: RpcId, code: number, message: string, word: string): object {
  return { jsonrpc: '2.0', id, error: { code, message, data: { code: word } } }
}

/** A result in the place of each that stands in a parsed body. */
export function resultInstead(body: unknown, message: string): string {
  const instead = (one: unknown): unknown => {
    const { id, result } = (one ?? {}) as {
      id?: RpcId
      result?: { resultType?: unknown }
    }
    if (result === undefined) return one
    const version = result?.resultType === undefined ? undefined : HEADS_COUNT_FROM
    return resultOf({ id, version }, message)
  }
  const items: unknown = Array.isArray(body) ? body.map(instead) : instead(body)
  return JSON.stringify(items)
}
