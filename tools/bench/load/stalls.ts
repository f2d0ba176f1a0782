/** Clients that stop half-way, held until this process ends. */
import { stallClients } from '../../../test/support/stalls.js'
import type { Job, Target } from '../jobs.js'
import { Tally } from './tally.js'

type Stall = Extract<Job, { kind: 'stall' }>

export async function stall(target: Target, job: Stall): Promise<Tally> {
  const { host, originPort, proxyPort } = target
  const tally = new Tally()
  const started = performance.now()
  const to =
    proxyPort === undefined
      ? { port: originPort }
      : { port: proxyPort, connect: `${host}:443` }
  for (const _ of await stallClients(to, job)) tally.succeeded(started)
  return tally
}
