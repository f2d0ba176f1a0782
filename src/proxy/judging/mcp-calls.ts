/** What a request calls by MCP, for policies, and how such a call is approved. */
import type { ExchangeRecord } from '../../core/record.js'
import type { McpInput } from '../../policy/policy.js'
import { mcpCallsIn } from '../../providers/mcp-calls.js'
import type { Content } from '../words/content.js'
import type { Mark } from './content-marks.js'

/** Before the name of a server that the configuration names, in the record. */
const DOOR = 'mcp-'

type Known = Pick<ExchangeRecord, 'api' | 'provider' | 'endpointDomain'>

/** Undefined: it is no message of MCP, or not all of it is known. */
export function mcpOf(
  { api, provider, endpointDomain }: Known,
  { body, state }: Pick<Content, 'body' | 'state'>,
): McpInput | undefined {
  if (api !== 'mcp' || state !== 'whole') return undefined
  const named = provider?.startsWith(DOOR) === true
  const server = named ? provider.slice(DOOR.length) : endpointDomain
  return { server, ...mcpCallsIn(body) }
}

/** By which these calls, and the reason for which that policy asked, are known again. */
export function callsMark(
  mark: Mark,
  about: { readonly policy: string; readonly reason: string },
  { server, calls }: McpInput,
): string {
  const { policy, reason } = about
  const tools = calls.map(({ tool }) => tool)
  return mark(JSON.stringify(['mcp', policy, reason, server, tools]))
}
