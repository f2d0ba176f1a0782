/**
 * Does this machine let steered connections in? A packet that TPROXY took, or whose destination
 * REDIRECT changed, meets the input chains of every other table, and its answer the output
 * chains: one policy of drop, and every client's LLM traffic ends there. Goes through those
 * chains as the kernel does, with three answers, since much of a packet is not known here.
 * Linux's order: each base chain of the hook by priority; an accept ends one of them only.
 * Pure: reads what `nft -s list ruleset` prints.
 */
import { matches } from './let-in-match.js'
import type { Packet, Sure } from './let-in-match.js'
import { readRuleset } from './ruleset.js'
import type { Chain, Table } from './ruleset.js'

export interface LetIn {
  readonly verdict: 'accepted' | 'maybe' | 'dropped'
  /** The first chain that drops it, or may. */
  readonly by?: {
    readonly family: string
    readonly table: string
    readonly chain: string
    readonly hook: string
  }
}

type Outcome = 'accept' | 'drop' | 'return'

const OWN_TABLE = 'yori'
/** The kernel's own bound is 16 (`NFT_JUMP_STACK_SIZE`). */
const MAX_DEPTH = 16
/** A ruleset of jumps within jumps is looked at up to here; then all is possible. */
const MAX_STEPS = 200_000

export function letIn(tables: readonly Table[], packet: Packet): LetIn {
  let found: LetIn = { verdict: 'accepted' }
  for (const { table, chain } of baseChains(tables, packet)) {
    const walk = new Walk(table, packet)
    const outcomes = walk.chain(chain, 0)
    if (outcomes.delete('return')) outcomes.add(chain.base?.policy ?? 'accept')
    if (!outcomes.has('drop')) continue
    const { family, name } = table
    const by = { family, table: name, chain: chain.name, hook: packet.hook }
    if (!outcomes.has('accept')) return { verdict: 'dropped', by }
    if (found.verdict === 'accepted') found = { verdict: 'maybe', by }
  }
  return found
}

export function tablesOf(ruleset: string): Table[] {
  return readRuleset(ruleset).filter(
    ({ family, name }) => !(family === 'inet' && name === OWN_TABLE),
  )
}

function baseChains(
  tables: readonly Table[],
  { hook, family }: Packet,
): { table: Table; chain: Chain }[] {
  const own = family === 'inet' ? 'ip' : 'ip6'
  return tables
    .filter((table) => table.family === 'inet' || table.family === own)
    .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
    .filter(({ chain: { base } }) => base?.type === 'filter' && base.hook === hook)
    .sort((a, b) => (a.chain.base?.priority ?? 0) - (b.chain.base?.priority ?? 0))
}

/** One packet on its way through one table. */
class Walk {
  readonly #table: Table
  readonly #packet: Packet
  #steps = 0

  constructor(table: Table, packet: Packet) {
    this.#table = table
    this.#packet = packet
  }

  /** All that may come of it; `return` is also the end of the chain. */
  chain(chain: Chain | undefined, depth: number): Set<Outcome> {
    if (chain === undefined || depth > MAX_DEPTH)
      return new Set<Outcome>(['accept', 'drop', 'return'])
    const outcomes = new Set<Outcome>()
    for (const rule of chain.rules) {
      if (++this.#steps > MAX_STEPS) return outcomes.add('accept').add('drop')
      const { sure, verdict, target } = matches(rule, this.#packet, this.#table.sets)
      if (sure === 'no' || verdict === undefined) continue
      if (this.#follow({ sure, verdict, target }, { outcomes, depth })) return outcomes
    }
    return outcomes.add('return')
  }

  /** Is that the end of the chain for certain? */
  #follow(
    step: { sure: Sure; verdict: string; target: string | undefined },
    { outcomes, depth }: { outcomes: Set<Outcome>; depth: number },
  ): boolean {
    const { sure, verdict, target } = step
    if (verdict === 'jump' || verdict === 'goto') {
      const inner = this.chain(this.#table.chains.get(target ?? ''), depth + 1)
      // After `goto` the base chain's policy comes next, or whoever jumped here.
      const back = inner.has('return')
      for (const outcome of inner)
        if (outcome !== 'return' || verdict === 'goto') outcomes.add(outcome)
      return sure === 'yes' && (verdict === 'goto' || !back)
    }
    if (verdict === 'unknown') outcomes.add('accept').add('drop')
    else outcomes.add(verdict as Outcome)
    return sure === 'yes' && verdict !== 'unknown'
  }
}
