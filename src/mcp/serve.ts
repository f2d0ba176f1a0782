/**
 * Serves `mcp/server.ts`: on standard input and output to the program that started us, or by HTTP
 * to whoever may come there. Both revisions of the protocol are answered. In a process of its own,
 * whose memory is bounded by its flags.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { askRunning } from '../control/ask.js'
import type { Question } from '../control/ask.js'
import { HTTP_OPTIONS, MOST_CONNECTIONS } from '../control/listeners.js'
import { ROLES } from '../control/roles.js'
import type { Role } from '../control/roles.js'
import { Confirmation } from './confirmation.js'
import { mcpServer } from './server.js'
import type { McpServerOptions } from './server.js'

export interface ServeOptions {
  /** Of the YORI that is asked. */
  readonly stateDir: string
  readonly version: string
}

/** Of the daemon to us: who may do what, by whom it lets in. */
export const ROLE_FIELD = 'x-yori-mcp-role'
/** In all; further ones wait. */
const MOST_MESSAGE_BYTES = 1024 * 1024

function optionsFor({ stateDir, version }: ServeOptions) {
  const confirmation = new Confirmation(randomBytes(32), () => Date.now())
  const ask = (question: Question) => askRunning(stateDir, question)
  return (role: Role | undefined): McpServerOptions => ({
    ...{ ask, role, confirmation, version },
  })
}

/** Until standard input ends. */
export async function serveOnStdio(
  options: ServeOptions,
  role: Role | undefined,
): Promise<void> {
  const of = optionsFor(options)
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
  })
  const handle = serveStdio(() => mcpServer(of(role)))
  await ended
  await handle.close()
}

/** A server that does not listen yet: where, and who may come, is its owner's. */
export function httpServer(options: ServeOptions): Server {
  const of = optionsFor(options)
  const handlers = new Map(
    ROLES.map((role) => [
      role,
      toNodeHandler(createMcpHandler(() => mcpServer(of(role)))),
    ]),
  )
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const length = Number(request.headers['content-length'] ?? 0)
    if (length > MOST_MESSAGE_BYTES) {
      response.writeHead(413).end()
      return
    }
    const asked = request.headers[ROLE_FIELD]
    const handler = handlers.get(ROLES.find((role) => role === asked) ?? 'view')
    await handler?.(request as Parameters<typeof handler>[0], response)
  }
  const server = createServer(HTTP_OPTIONS, (request, response) => {
    void serve(request, response).catch(() => response.destroy())
  })
  server.maxConnections = MOST_CONNECTIONS
  return server
}
