/**
 * The doors of the Model Context Protocol: `/mcp/...` to the one gateway of agents, and
 * `/mcp/servers/NAME` to servers that the configuration names. Which of them a request target
 * means, and what of it goes on. Pure: texts are compared and cut, nothing is decoded.
 */
import type { DoorTarget } from './door.js'
import type { McpRates } from './mcp-rates.js'
import type { ToolRules } from './mcp-tools.js'

/** What an agent says to its gateway with each request. */
export interface AgentSigner {
  /** For a request with that method to that URL. */
  sign(method: string, url: string): Signed
  /** Of an answer to what was signed with that nonce: is it to be asked once more? */
  heard(status: number, fields: readonly string[], said: string | undefined): boolean
}

/** Fields that are set, flat, and the nonce that they say. */
export interface Signed {
  readonly fields: readonly string[]
  readonly nonce: string | undefined
}

export interface McpGateway {
  readonly target: DoorTarget
  /** Scheme and authority, as in a URL. */
  readonly origin: string
  readonly signer: AgentSigner
}

/** One server of MCP that the configuration names. */
export interface McpServer {
  readonly name: string
  /** Its prefix is empty: `path` says all. */
  readonly target: DoorTarget
  /** Scheme and authority, as in a URL. */
  readonly origin: string
  /** Where its messages are taken, from its `/`, and what of a query goes with all of them. */
  readonly path: string
  readonly query: string
  readonly tools: ToolRules
  /** A tool that comes to describe itself otherwise asks. */
  readonly pins: boolean
  readonly rates: McpRates
  /** What is made of secrets, and of orders to the model, in what its tools give back. */
  readonly results: 'pass' | 'note' | 'refuse'
  /** Fields that the configuration sets, flat; read when a request goes. */
  readonly fields: () => readonly string[]
}

export interface McpDoors {
  readonly gateway: McpGateway | undefined
  readonly servers: ReadonlyMap<string, McpServer>
}

/** `rest`: what goes on, from its `/`, query included; of a server what follows its name. */
export type McpAsked =
  | { readonly kind: 'gateway'; readonly gateway: McpGateway; readonly rest: string }
  | { readonly kind: 'server'; readonly server: McpServer; readonly rest: string }
  | { readonly kind: 'unknown-server'; readonly name: string }

/** Of an origin-form target in our own name; undefined: it is at none of these doors. */
export function mcpAsked(target: string, doors: McpDoors): McpAsked | undefined {
  if (!/^\/mcp(?:[/?]|$)/.test(target)) return undefined
  const { gateway, servers } = doors
  const [, name, rest = ''] = /^\/mcp\/servers\/([^/?]*)(.*)$/s.exec(target) ?? []
  if (name !== undefined && (servers.size > 0 || gateway === undefined)) {
    const server = servers.get(name)
    if (server === undefined) return { kind: 'unknown-server', name }
    return { kind: 'server', server, rest }
  }
  return gateway === undefined ? undefined : { kind: 'gateway', gateway, rest: target }
}
