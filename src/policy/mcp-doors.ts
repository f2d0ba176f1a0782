/**
 * The doors of the Model Context Protocol: `/mcp/...` to the one gateway of agents, and
 * `/mcp/servers/NAME` to servers that the configuration names. Which of them a request target
 * means, and what of it goes on. Pure: texts are compared and cut, nothing is decoded.
 */
import type { DoorTarget } from './door.js'

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

export interface McpDoors {
  readonly gateway: McpGateway | undefined
}

export type McpAsked = {
  readonly kind: 'gateway'
  readonly gateway: McpGateway
  /** From its `/`, query included. */
  readonly rest: string
}

/** Of an origin-form target in our own name; undefined: it is at none of these doors. */
export function mcpAsked(target: string, doors: McpDoors): McpAsked | undefined {
  if (!/^\/mcp(?:[/?]|$)/.test(target)) return undefined
  const { gateway } = doors
  return gateway === undefined ? undefined : { kind: 'gateway', gateway, rest: target }
}
