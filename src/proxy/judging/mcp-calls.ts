/** What a request calls, or brings back, for policies, and how such a call is approved. */
import type { ExchangeRecord } from '../../core/record.js'
import type { CallsInput, McpInput } from '../../policy/policy.js'
import { destructiveCall } from '../../providers/destructive-calls.js'
import { mcpCallsIn } from '../../providers/mcp-calls.js'
import { newestCallsIn } from '../../providers/newest-calls.js'
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

/** Undefined: it calls nothing and brings nothing back, or not all of it is known. */
export function callsOf(
  record: Known,
  content: Pick<Content, 'body' | 'state'>,
): CallsInput | undefined {
  if (content.state !== 'whole') return undefined
  const mcp = mcpOf(record, content)
  const { calls, is_whole } = mcp ?? newestCallsIn(content.body)
  if (calls.length === 0 && is_whole) return undefined
  let isCut = false
  const looked = calls.map((call) => {
    const { found, isCut: more } = destructiveCall(call)
    isCut ||= more
    return { ...call, destructive: found }
  })
  return {
    server: mcp?.server ?? record.endpointDomain,
    by: mcp === undefined ? 'model' : 'mcp',
    calls: looked,
    is_whole: is_whole && !isCut,
  }
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
