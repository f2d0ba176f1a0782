/** What several benches share: processor time a request, and the proof of the answers. */
import type { Figures } from '../bench.js'
import type { Running } from '../peers.js'
import { usageOf } from '../process-tree.js'
import { load } from '../programs.js'

interface Run {
  readonly count: number
  readonly figures: Figures
}

/** Adds the processor time that the proxy's process tree spent, a request. */
export async function withCpu(
  { pid }: Running,
  run: () => Promise<Run>,
): Promise<Figures> {
  const before = pid === undefined ? undefined : usageOf(pid)
  const { count, figures } = await run()
  const after = pid === undefined ? undefined : usageOf(pid)
  if (before === undefined || after === undefined) return figures
  return { ...figures, cpuMs: (after.cpuMs - before.cpuMs) / count }
}

/** The load generator compares every body; one round of it on two connections must succeed. */
export async function verifyAnswers({ target }: Running): Promise<void> {
  const { count, errors } = await load(target, { kind: 'hold', connections: 2 })
  if (count !== 2 || errors !== 0) throw new Error(`${count} answers, ${errors} errors`)
}
