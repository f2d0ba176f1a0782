/** `POST /mcp`: an assistant asks by MCP, with the role of whoever is let in. */
import type { Handler } from '../method.js'

export const mcp: Handler = async ({ request, body, caller, on }) => {
  const house = await on.mcp()
  const open = await house.serve(request, body, caller.role)
  return { kind: 'stream', open }
}
