/** Memory: idle, with 100 connections held, and with 100 requests/s on 100 connections. */
import { latencies } from '../bench.js'
import type { Bench } from '../bench.js'
import type { Running } from '../peers.js'
import { usageOf } from '../process-tree.js'
import { load, startProgram } from '../programs.js'
import { verifyAnswers } from './measured.js'

const CONNECTIONS = 100
const PER_SECOND = 100

export const memory: Bench = {
  name: 'memory',
  says: `RSS idle, holding ${CONNECTIONS} connections, and at ${PER_SECOND} requests/s on them`,
  weight: 1.5,
  columns: [
    { key: 'idle', title: 'MiB idle', digits: 0 },
    { key: 'held', title: `MiB, ${CONNECTIONS} held`, digits: 0 },
    { key: 'loaded', title: `MiB, ${PER_SECOND} requests/s`, digits: 0 },
    { key: 'perSecond', title: 'requests/s', digits: 0 },
    { key: 'p95', title: 'p95 ms', digits: 2 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  setup: () => Promise.resolve(),
  verify: verifyAnswers,
  async run(peer, seconds) {
    const idle = rss(peer)
    const held = await holding(peer)
    const result = await load(peer.target, {
      kind: 'open',
      connections: CONNECTIONS,
      perSecond: PER_SECOND,
      seconds,
    })
    const perSecond = result.count / result.seconds
    return { ...latencies(result), idle, held, loaded: rss(peer), perSecond }
  },
}

async function holding(peer: Running): Promise<number | undefined> {
  await using program = startProgram('load', 'load/main.js')
  const job = { kind: 'hold', connections: CONNECTIONS }
  program.write(`${JSON.stringify({ target: peer.target, job })}\n`)
  await program.line()
  return rss(peer)
}

function rss({ pid }: Running): number | undefined {
  return pid === undefined ? undefined : usageOf(pid)?.rssMiB
}
