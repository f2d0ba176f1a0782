/** What stands behind the doors of the Model Context Protocol: `mcp` of the configuration. */
import type { Config } from '../../../config/schema.js'
import type { Clock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import { proofKey } from '../../http/dpop.js'
import { AgentIdentity } from '../../net/agent-identity.js'
import type { McpDoors, McpGateway, McpServer } from '../../policy/mcp-doors.js'
import { McpRates } from '../../policy/mcp-rates.js'
import { ToolRules } from '../../policy/mcp-tools.js'
import { targetOf } from './door-target.js'
import { readPem } from './read-pem.js'

/** @throws YORI_CONFIG_INVALID for a key that cannot be read, or is none on P-256 */
export async function mcpDoorsOf({ mcp }: Config, clock: Clock): Promise<McpDoors> {
  return {
    gateway: await gatewayOf(mcp.gateway, clock),
    servers: new Map(
      Object.entries(mcp.servers).map(([name, settings]) => [
        name,
        serverOf(name, settings, clock),
      ]),
    ),
  }
}

async function gatewayOf(
  { url, agent_id, key_file, scheme }: Config['mcp']['gateway'],
  clock: Clock,
): Promise<McpGateway | undefined> {
  if (url === undefined || agent_id === undefined || key_file === undefined)
    return undefined
  const key = proofKey(await readPem(key_file))
  if (key === undefined) {
    const wrong = 'holds no private key on P-256 that is open to us'
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `mcp.gateway.key_file ${key_file} ${wrong}`,
    )
  }
  const at = new URL(url)
  return {
    target: targetOf(at),
    origin: at.origin,
    signer: new AgentIdentity({
      key,
      scheme,
      token: `fo_agent_${agent_id}`,
      now: () => clock.now(),
    }),
  }
}

function serverOf(
  name: string,
  { url, tools, headers, pin, results, ...rates }: Config['mcp']['servers'][string],
  clock: Clock,
): McpServer {
  const at = new URL(url)
  return {
    name,
    target: { ...targetOf(at), prefix: '' },
    origin: at.origin,
    path: at.pathname,
    query: at.search,
    tools: new ToolRules(Object.entries(tools)),
    pins: pin,
    results,
    rates: new McpRates(
      {
        callsPerMinute: rates.calls_per_minute,
        toolCallsPerMinute: rates.tool_calls_per_minute,
      },
      () => clock.monotonic(),
    ),
    fields: () =>
      Object.entries(headers).flatMap(([field, value]) => [field, value.reveal()]),
  }
}
