/**
 * What reading adds to an exchange: the same requests to a name whose API is read, and to one
 * that nobody knows and that is only recorded, in turns on the same process.
 */
import type { Bench } from '../bench.js'
import type { Target } from '../jobs.js'
import type { Running } from '../peers.js'
import { usageOf } from '../process-tree.js'
import { load } from '../programs.js'
import { verifyAnswers } from './measured.js'

const CONNECTIONS = 32
const TURNS = 4
const UNREAD = { host: 'llm.bench.test', path: '/plain' } as const

/** CPU milliseconds of the proxy a request. */
async function spent(
  { pid }: Running,
  target: Target,
  seconds: number,
): Promise<{ cpuMs: number; count: number }> {
  const before = pid === undefined ? undefined : usageOf(pid)
  const { count } = await load(target, {
    kind: 'closed',
    connections: CONNECTIONS,
    seconds,
  })
  const after = pid === undefined ? undefined : usageOf(pid)
  return { cpuMs: (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? 0), count }
}

export const reading: Bench = {
  name: 'reading',
  says: 'CPU a request with and without reading, sessions and cost, in turns',
  weight: 2,
  columns: [
    { key: 'off', title: 'off, CPU ms/request', digits: 4 },
    { key: 'on', title: 'on, CPU ms/request', digits: 4 },
    { key: 'added', title: 'added, ms', digits: 4 },
    { key: 'ratio', title: 'on / off', digits: 2 },
  ],
  verify: verifyAnswers,
  async setup({ target }) {
    for (const each of [target, { ...target, ...UNREAD }])
      await load(each, { kind: 'closed', connections: CONNECTIONS, seconds: 2 })
  },
  async run(peer, seconds) {
    if (peer.pid === undefined || peer.reads !== true) return {}
    const sums = { off: { cpuMs: 0, count: 0 }, on: { cpuMs: 0, count: 0 } }
    const each = seconds / TURNS / 2
    for (let turn = 0; turn < TURNS; turn++)
      for (const [side, target] of [
        ['off', { ...peer.target, ...UNREAD }],
        ['on', peer.target],
      ] as const) {
        const { cpuMs, count } = await spent(peer, target, each)
        sums[side].cpuMs += cpuMs
        sums[side].count += count
      }
    const off = sums.off.cpuMs / sums.off.count
    const on = sums.on.cpuMs / sums.on.count
    return { off, on, added: on - off, ratio: on / off }
  },
}
