/** How much later an answer comes at an unhurried rate: 50 requests/s on 10 connections. */
import { latencies } from '../bench.js'
import type { Bench } from '../bench.js'
import { load } from '../programs.js'
import { verifyAnswers, withCpu } from './measured.js'

const CONNECTIONS = 10
const PER_SECOND = 50

export const rate: Bench = {
  name: 'rate',
  says: `latency at ${PER_SECOND} requests/s on ${CONNECTIONS} kept-alive connections`,
  weight: 1.5,
  columns: [
    { key: 'p50', title: 'p50 ms', digits: 2, added: true },
    { key: 'p95', title: 'p95 ms', digits: 2, added: true },
    { key: 'p99', title: 'p99 ms', digits: 2 },
    { key: 'cpuMs', title: 'CPU ms/request', digits: 3 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  verify: verifyAnswers,
  async setup({ target }) {
    await load(target, { kind: 'closed', connections: CONNECTIONS, seconds: 1 })
  },
  run: (peer, seconds) =>
    withCpu(peer, async () => {
      const result = await load(peer.target, {
        kind: 'open',
        connections: CONNECTIONS,
        perSecond: PER_SECOND,
        seconds,
      })
      return { count: result.count, figures: latencies(result) }
    }),
}
