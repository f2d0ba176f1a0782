/** How long an event of a stream takes from the origin's write to the client's read. */
import { latencies } from '../bench.js'
import type { Bench } from '../bench.js'
import type { Job } from '../jobs.js'
import { load } from '../programs.js'

const STREAMS = 5
const GAP_MS = 20

const job = (seconds: number): Job => ({
  kind: 'events',
  streams: STREAMS,
  gapMs: GAP_MS,
  events: Math.max(5, Math.round((seconds * 1000) / GAP_MS)),
})

export const events: Bench = {
  name: 'events',
  says: `${STREAMS} event streams, an event each ${GAP_MS} ms`,
  weight: 0.7,
  columns: [
    { key: 'p50', title: 'p50 ms', digits: 2, added: true },
    { key: 'p95', title: 'p95 ms', digits: 2, added: true },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  async setup({ target }) {
    await load(target, job(0.2))
  },
  async verify({ target }) {
    const { count, errors } = await load(target, job(0.1))
    if (count !== STREAMS * 5 || errors !== 0) {
      throw new Error(`${count} events of ${STREAMS * 5}, ${errors} errors`)
    }
  },
  async run({ target }, seconds) {
    return latencies(await load(target, job(seconds)))
  },
}
