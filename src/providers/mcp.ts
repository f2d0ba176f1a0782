/**
 * The Model Context Protocol, modelcontextprotocol.io/specification: JSON-RPC 2.0 messages, one
 * a request or, as 2025-03-26 has it, several in a list. No model answers it: what an agent
 * calls is read as what its model says, and what tools give back as what the answer says.
 */
import type { Resting } from '../core/resting.js'
import { asList, asRecord, asText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { jsonText } from './json-text.js'
import { requestsBy } from './provider.js'
import type { Provider, RequestContext, RequestFacts } from './provider.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import { RequestBuilder } from './request.js'

export const mcp: Provider = {
  name: 'mcp',
  // Its servers are wherever they are; a message is told by its shape.
  recognises: () => undefined,
  apiOf: () => 'mcp',
  ...requestsBy(readMcpRequest),
  reader: (context) => readResponse(mcpShape, { ...context, generates: false }),
}

/** Of one message, or one answer. */
const MOST_TOOLS = 256

/** Does a parsed body hold a message of JSON-RPC that asks or tells something? */
export function isMcpBody(body: unknown): boolean {
  const [first] = messagesOf(body)
  return first?.jsonrpc === '2.0' && /^[a-z]+(?:\/|$)/.test(asText(first.method) ?? '')
}

function messagesOf(body: unknown): Json[] {
  const alone = asRecord(body)
  if (alone !== undefined) return [alone]
  return asList(body)
    .map(asRecord)
    .filter((one) => one !== undefined)
}

function* readMcpRequest(body: unknown, { api }: RequestContext): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  const called: string[] = []
  for (const message of messagesOf(body)) {
    if (builder.due()) yield
    const params = asRecord(message.params)
    const name = asText(params?.name)
    if (message.method === 'tools/call' && name !== undefined) {
      builder.tool(name)
      if (called.length < MOST_TOOLS) called.push(name)
    }
    // Whoever answers the server says something, too: roots, samples, what was asked of a person.
    const said = params?.arguments ?? message.result ?? params?.content
    if (said !== undefined) builder.message('assistant', yield* jsonText(said))
  }
  const facts = builder.build(api)
  return called.length === 0 ? facts : { ...facts, toolsCalled: called }
}

const mcpShape: Shape = {
  body: readMessage,
  event: readMessage,
}

function readMessage(value: Json, facts: FactsBuilder): void {
  const failed = asRecord(value.error)
  if (failed !== undefined) {
    facts.error = {
      message: (asText(failed.message) ?? '').slice(0, 4096),
      code: typeof failed.code === 'number' ? String(failed.code) : undefined,
    }
  }
  const result = asRecord(value.result)
  const tools = asList(result?.tools).slice(0, MOST_TOOLS)
  if (tools.length > 0)
    facts.toolsTold = tools.map((tool) => asText(asRecord(tool)?.name) ?? '')
  for (const part of asList(result?.content)) {
    const text = asText(asRecord(part)?.text)
    if (text !== undefined) facts.text.append(text)
  }
}
