/** What clients that stop half-way cost the others: p99 without and with 1,500 of them. */
import { quantile } from '../bench.js'
import type { Bench } from '../bench.js'
import type { Running } from '../peers.js'
import { load, startProgram } from '../programs.js'
import { verifyAnswers } from './measured.js'

const HELLOS = 1_000
const HEADS = 500
const CONNECTIONS = 10
const PER_SECOND = 100

export const stalls: Bench = {
  name: 'stalls',
  says: `p99 at ${PER_SECOND} requests/s, alone and beside ${HELLOS} stalled hellos and ${HEADS} slow heads`,
  weight: 2,
  columns: [
    { key: 'alone', title: 'p99 ms alone', digits: 2 },
    { key: 'beside', title: 'p99 ms beside them', digits: 2 },
    { key: 'ratio', title: 'times', digits: 2 },
    { key: 'stalled', title: 'stalled', digits: 0 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  verify: verifyAnswers,
  async setup({ target }) {
    await load(target, { kind: 'closed', connections: CONNECTIONS, seconds: 1 })
  },
  async run(peer, seconds) {
    const alone = await p99(peer, seconds / 2)
    await using program = startProgram('load', 'load/main.js')
    const job = { kind: 'stall', hellos: HELLOS, heads: HEADS }
    program.write(`${JSON.stringify({ target: peer.target, job })}\n`)
    const { count } = (await program.line()) as { count: number }
    const beside = await p99(peer, seconds / 2)
    return {
      alone: alone.p99,
      beside: beside.p99,
      ratio: beside.p99 / alone.p99,
      stalled: count,
      errors: alone.errors + beside.errors,
    }
  },
}

async function p99(
  { target }: Running,
  seconds: number,
): Promise<{ p99: number; errors: number }> {
  const result = await load(target, {
    kind: 'open',
    connections: CONNECTIONS,
    perSecond: PER_SECOND,
    seconds,
  })
  return { p99: quantile(result.latenciesMs, 0.99) ?? NaN, errors: result.errors }
}
