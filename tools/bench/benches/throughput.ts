/** How many requests a second, and for how much processor time, on 32 connections. */
import { latencies } from '../bench.js'
import type { Bench } from '../bench.js'
import { load } from '../programs.js'
import { verifyAnswers, withCpu } from './measured.js'

const CONNECTIONS = 32
const WARM_UP_SECONDS = 1

export const throughput: Bench = {
  name: 'throughput',
  says: `requests as fast as answers come, on ${CONNECTIONS} kept-alive connections`,
  weight: 1,
  columns: [
    { key: 'perSecond', title: 'requests/s', digits: 0 },
    { key: 'p50', title: 'p50 ms', digits: 2 },
    { key: 'p99', title: 'p99 ms', digits: 2 },
    { key: 'cpuMs', title: 'CPU ms/request', digits: 3 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  verify: verifyAnswers,
  async setup({ target }) {
    const seconds = WARM_UP_SECONDS
    await load(target, { kind: 'closed', connections: CONNECTIONS, seconds })
  },
  run: (peer, seconds) =>
    withCpu(peer, async () => {
      const job = { kind: 'closed', connections: CONNECTIONS, seconds } as const
      const result = await load(peer.target, job)
      const perSecond = result.count / result.seconds
      return { count: result.count, figures: { ...latencies(result), perSecond } }
    }),
}
