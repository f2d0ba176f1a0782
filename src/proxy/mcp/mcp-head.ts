/**
 * The fields that MCP 2026-07-28 has stand in the head for whoever routes by it: they are to
 * say what the message says, or the request is not led on. Pure.
 */
import { fieldValues } from '../../http/flat-fields.js'
import { HEADS_COUNT_FROM } from '../../providers/mcp-message.js'
import type { McpRead } from '../../providers/mcp-message.js'

/** Why a head does not fit its message; undefined: it does. */
export function headProblem(
  fields: readonly string[],
  { messages, isBatch }: Extract<McpRead, { kind: 'read' }>,
): string | undefined {
  const versions = fieldValues(fields, 'mcp-protocol-version')
  const methods = fieldValues(fields, 'mcp-method')
  const names = fieldValues(fields, 'mcp-name')
  const [version] = versions
  // In an older revision they mean nothing.
  const isOlder =
    versions.length === 1 && isRevision(version) && version < HEADS_COUNT_FROM
  if (isOlder) return undefined
  if (versions.length > 1) return 'MCP-Protocol-Version stands there twice'
  if (methods.length > 1) return 'Mcp-Method stands there twice'
  if (names.length > 1) return 'Mcp-Name stands there twice'
  const [method] = methods
  const [name] = names
  const isSaid = method !== undefined || name !== undefined
  if (isBatch) return isSaid ? 'its message is a list' : undefined
  const [message] = messages
  if (message === undefined) return undefined
  if (version !== undefined && message.version !== undefined)
    if (version !== message.version)
      return 'MCP-Protocol-Version is not that of the message'
  if (method !== undefined && decoded(method) !== message.method)
    return 'Mcp-Method is not the method of the message'
  if (name !== undefined && decoded(name) !== message.name)
    return 'Mcp-Name is not the name in the message'
  return undefined
}

function isRevision(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text)
}

/** A value that HTTP cannot carry stands there as `=?base64?...?=`. */
function decoded(value: string): string {
  const [, coded] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value) ?? []
  return coded === undefined ? value : Buffer.from(coded, 'base64').toString()
}
