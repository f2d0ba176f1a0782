/**
 * The pools of one generation of the configuration, and what lasts of their targets beyond it: a
 * reload does not bring back whoever was left out.
 */
import { noCounts, Pool } from './pool.js'
import type { PoolCounts } from './pool.js'
import type { PoolSettings, TargetSettings } from './settings.js'
import { TargetState } from './target.js'
import { WaitingLine } from './waiting-line.js'

/** What is known of targets, by their pool's name and their own. */
export class TargetMemory {
  readonly #states = new Map<string, TargetState>()
  readonly #counts = new Map<string, PoolCounts>()
  readonly #lines = new Map<string, WaitingLine>()

  of(pool: string, { id }: TargetSettings): TargetState {
    const key = `${pool}\0${id}`
    const known = this.#states.get(key) ?? new TargetState()
    this.#states.set(key, known)
    return known
  }

  countsOf(pool: string): PoolCounts {
    const known = this.#counts.get(pool) ?? noCounts()
    this.#counts.set(pool, known)
    return known
  }

  /** Whoever waits is served by what ends in any generation. */
  lineOf(pool: string): WaitingLine {
    const known = this.#lines.get(pool) ?? new WaitingLine()
    this.#lines.set(pool, known)
    return known
  }

  /** Forgets those that no pool of these has, and that answer nothing. */
  keep(pools: readonly PoolSettings[]): void {
    const kept = new Set(
      pools.flatMap(({ name, targets }) => targets.map(({ id }) => `${name}\0${id}`)),
    )
    const names = new Set(pools.map(({ name }) => name))
    for (const name of this.#counts.keys())
      if (!names.has(name)) this.#counts.delete(name)
    for (const [name, { length }] of this.#lines)
      if (!names.has(name) && length === 0) this.#lines.delete(name)
    for (const [key, { active }] of this.#states)
      if (!kept.has(key) && active === 0) this.#states.delete(key)
  }
}

/** As many as the configuration has; each is looked up by its name. */
export class Pools {
  readonly #byName: ReadonlyMap<string, Pool>

  constructor(
    settings: readonly PoolSettings[],
    now: () => number,
    memory: TargetMemory,
  ) {
    memory.keep(settings)
    this.#byName = new Map(
      settings.map((one) => [
        one.name,
        new Pool(one, now, (target) => memory.of(one.name, target), {
          counts: memory.countsOf(one.name),
          line: memory.lineOf(one.name),
        }),
      ]),
    )
  }

  find(name: string): Pool | undefined {
    return this.#byName.get(name)
  }

  get all(): Pool[] {
    return [...this.#byName.values()]
  }
}
