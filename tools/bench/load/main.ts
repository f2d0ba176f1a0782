// Usage: node dist/tools/bench/load/main.js < one line of JSON {target, job}
// The load generator, a process of its own. Answers with one line of JSON (LoadResult), and
// ends with standard input.
import { createInterface } from 'node:readline'
import { unreachable } from '../../../src/core/unreachable.js'
import type { Job, Target } from '../jobs.js'
import { closedLoop, handshakes, hold, openLoop } from './requests.js'
import { eventStreams, tunnelBytes } from './streams.js'
import { stall } from './stalls.js'
import type { Tally } from './tally.js'

function perform(target: Target, job: Job): Promise<Tally> {
  switch (job.kind) {
    case 'closed':
      return closedLoop(target, job)
    case 'open':
      return openLoop(target, job)
    case 'handshakes':
      return handshakes(target, job)
    case 'events':
      return eventStreams(target, job)
    case 'tunnel':
      return tunnelBytes(target, job.bytes)
    case 'hold':
      return hold(target, job.connections)
    case 'stall':
      return stall(target, job)
    default:
      return unreachable(job)
  }
}

const input = createInterface({ input: process.stdin })
input.once('line', (line) => {
  const { target, job } = JSON.parse(line) as { target: Target; job: Job }
  perform(target, job).then(
    (tally) => console.log(JSON.stringify(tally.result())),
    (cause: unknown) => {
      console.error(String(cause))
      process.exit(1)
    },
  )
})
input.once('close', () => process.exit())
