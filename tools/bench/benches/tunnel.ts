/** Bytes a second through a tunnel to a host that is no LLM's: a ClientHello, then bytes. */
import type { Bench } from '../bench.js'
import { load } from '../programs.js'
import { withCpu } from './measured.js'

const MIB = 1024 * 1024
const MIB_PER_SECOND_OF_RUN = 256

export const tunnel: Bench = {
  name: 'tunnel',
  says: 'one download through CONNECT to a host that is not intercepted',
  weight: 1,
  columns: [
    { key: 'mbPerSecond', title: 'MB/s', digits: 0 },
    { key: 'cpuMs', title: 'CPU ms/MB', digits: 2 },
  ],
  async setup({ target }) {
    await load(target, { kind: 'tunnel', bytes: 32 * MIB })
  },
  async verify({ target }) {
    await load(target, { kind: 'tunnel', bytes: MIB + 1 })
  },
  run: (peer, seconds) =>
    withCpu(peer, async () => {
      const bytes = Math.max(1, Math.round(seconds)) * MIB_PER_SECOND_OF_RUN * MIB
      const result = await load(peer.target, { kind: 'tunnel', bytes })
      const megabytes = result.count / 1e6
      return { count: megabytes, figures: { mbPerSecond: megabytes / result.seconds } }
    }),
}
