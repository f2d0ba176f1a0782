/**
 * Servers of MCP on one port of the loopback, built by the official packages: `/old` is
 * streamable HTTP of the older line with sessions and resumption, `/sse` HTTP+SSE, `/new` the
 * newer line's, which answers clients of both. All have the same tools.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js'
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer as NewServer, createMcpHandler } from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Origin, OriginOptions } from './origins.js'
import { startOrigin } from './origins.js'

export interface McpServers extends AsyncDisposable {
  readonly origin: Origin
  readonly url: string
  /** Requests that came, `POST /old`, in order. */
  readonly seen: { readonly line: string; readonly headers: IncomingMessage['headers'] }[]
  /** Tools that were called, in order. */
  readonly calls: string[]
  /** What is said of the tool `greet` from now on. */
  describe(text: string): void
}

const NAMES = ['greet', 'wipe', 'pay'] as const

export async function startMcpServers(
  options: Pick<OriginOptions, 'certificate'> = {},
): Promise<McpServers> {
  const seen: McpServers['seen'] = []
  const calls: string[] = []
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const streams = new Map<string, SSEServerTransport>()
  const said = { greet: 'Greets.', wipe: 'Wipes all.', pay: 'Pays.' }
  const tool = (name: (typeof NAMES)[number]) => ({
    description: said[name],
    inputSchema: { who: z.string().optional() },
  })
  const run =
    (name: string) =>
    ({ who = 'you' }: { who?: string | undefined }) => {
      calls.push(name)
      return { content: [{ type: 'text' as const, text: `${name} ${who} äöü` }] }
    }
  const oldServer = (): OldServer => {
    const server = new OldServer({ name: 'old', version: '1' })
    for (const name of NAMES) server.registerTool(name, tool(name), run(name))
    return server
  }
  const newHandler = toNodeHandler(
    createMcpHandler(() => {
      const server = new NewServer({ name: 'new', version: '1' })
      for (const name of NAMES)
        server.registerTool(
          name,
          { ...tool(name), inputSchema: z.object({ who: z.string().optional() }) },
          run(name),
        )
      return server
    }),
  )
  async function old(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = sessions.get(String(asked.headers['mcp-session-id']))
    if (known !== undefined) return known.handleRequest(asked, response)
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new InMemoryEventStore(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    await oldServer().connect(transport)
    return transport.handleRequest(asked, response)
  }
  async function serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(asked.url ?? '', 'http://here')
    seen.push({ line: `${asked.method ?? ''} ${pathname}`, headers: asked.headers })
    if (pathname === '/old') await old(asked, response)
    else if (pathname === '/new')
      await newHandler(asked as Parameters<typeof newHandler>[0], response)
    else if (pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response)
      streams.set(transport.sessionId, transport)
      await oldServer().connect(transport)
    } else if (pathname === '/messages')
      await streams
        .get(searchParams.get('sessionId') ?? '')
        ?.handlePostMessage(asked, response)
    else response.writeHead(404).end()
  }
  const origin = await startOrigin({
    ...options,
    handler: (asked, response) => void serve(asked, response),
  })
  return {
    origin,
    url: `http://${origin.address}`,
    seen,
    calls,
    describe: (text) => void (said.greet = text),
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  }
}
