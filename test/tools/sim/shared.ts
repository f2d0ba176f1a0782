/** What the tests of the simulator share. */
import { Agent } from 'undici'
import type { Simulator } from '../../../tools/sim/simulator.js'

export const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
}

export function trusting(simulator: Simulator): Agent {
  return new Agent({ connect: { ca: simulator.ca.certificatePem } })
}

export function originOf(simulator: Simulator): string {
  return `https://127.0.0.1:${simulator.port}`
}
