/** New connections: CONNECT, a full TLS handshake on both sides, one request. */
import { latencies } from '../bench.js'
import type { Bench } from '../bench.js'
import { load } from '../programs.js'
import { verifyAnswers, withCpu } from './measured.js'

const AT_ONCE = 4

export const handshakes: Bench = {
  name: 'handshakes',
  says: `new connections with one request each, ${AT_ONCE} at a time, no resumption`,
  weight: 1,
  columns: [
    { key: 'perSecond', title: 'connections/s', digits: 0 },
    { key: 'p50', title: 'p50 ms', digits: 2 },
    { key: 'cpuMs', title: 'CPU ms/connection', digits: 2 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  verify: verifyAnswers,
  async setup({ target }) {
    await load(target, { kind: 'handshakes', connections: AT_ONCE, seconds: 0.5 })
  },
  run: (peer, seconds) =>
    withCpu(peer, async () => {
      const job = { kind: 'handshakes', connections: AT_ONCE, seconds } as const
      const result = await load(peer.target, job)
      const perSecond = result.count / result.seconds
      return { count: result.count, figures: { ...latencies(result), perSecond } }
    }),
}
