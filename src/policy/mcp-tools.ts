/**
 * What the operator says of the tools of one server: `allow`, `deny` or `ask`. That is how the
 * door is built, not the opinion of a policy, and holds in every mode, as limits of keys do.
 * Names are compared as servers may: in letters of either case, and whatever is not seen. Pure.
 */
import type { Decision } from './engine.js'
import { folded } from '../detect/fold.js'

export type ToolRule = 'allow' | 'deny' | 'ask'

/** As whom the door speaks, in the record and of approvals. */
export const MCP_DOOR_POLICY = 'mcp_tools'
/** For tools that are not named. */
export const ANY_TOOL = '*'

const STRICTNESS: Readonly<Record<ToolRule, number>> = { allow: 0, ask: 1, deny: 2 }

export class ToolRules {
  readonly #exact: ReadonlyMap<string, ToolRule>
  readonly #plain = new Map<string, ToolRule>()

  constructor(rules: Iterable<readonly [string, ToolRule]>) {
    this.#exact = new Map(rules)
    for (const [name, rule] of this.#exact) {
      const plain = plainTool(name)
      const before = this.#plain.get(plain)
      if (before === undefined || STRICTNESS[rule] > STRICTNESS[before])
        this.#plain.set(plain, rule)
    }
  }

  /** The name as it stands decides before one that is only written otherwise. */
  of(tool: string): ToolRule {
    return (
      this.#exact.get(tool) ??
      this.#plain.get(plainTool(tool)) ??
      this.#exact.get(ANY_TOOL) ??
      'allow'
    )
  }
}

/** As names of tools are compared. */
export function plainTool(name: string): string {
  return (folded(name).trim() || name).toLowerCase()
}

/** The decision of a door that does not lead a call on. */
export function doorDecision(reason: string): Decision {
  const policy = MCP_DOOR_POLICY
  const voice = {
    policy,
    effect: 'block',
    reason,
    order: 0,
    explicitAllow: false,
  } as const
  return {
    ...{ enforce: true, effect: 'block', verdict: 'deny', policy, reason },
    ...{ message: undefined, bypass: undefined, blockers: [voice], spent: [] },
    ...{ wantsRedaction: false, redactsWords: false, redacted: undefined },
    ...{ deviceName: undefined, durationMs: 0, others: [], failed: [] },
  }
}
