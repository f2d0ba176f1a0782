/** Requests under load: as fast as answers come, at a fixed rate, or once a connection. */
import type { Job, Target } from '../jobs.js'
import { Lane } from './connections.js'
import { Tally } from './tally.js'

const OPENING_AT_ONCE = 8

async function openLanes(target: Target, count: number): Promise<Lane[]> {
  const lanes: Lane[] = []
  for (let left = count; left > 0; left -= OPENING_AT_ONCE) {
    const some = Array.from({ length: Math.min(left, OPENING_AT_ONCE) }, () =>
      Lane.open(target),
    )
    lanes.push(...(await Promise.all(some)))
  }
  return lanes
}

type Closed = Extract<Job, { kind: 'closed' }>

export async function closedLoop(target: Target, job: Closed): Promise<Tally> {
  const lanes = await openLanes(target, job.connections)
  const tally = new Tally()
  const serve = async (lane: Lane): Promise<void> => {
    while (tally.elapsedSeconds < job.seconds) {
      const started = performance.now()
      await lane.ask()
      tally.succeeded(started)
    }
  }
  await Promise.all(lanes.map(serve))
  for (const lane of lanes) lane.close()
  return tally
}

type Open = Extract<Job, { kind: 'open' }>

/** A request that finds no free connection waits, and its wait counts. */
export async function openLoop(target: Target, job: Open): Promise<Tally> {
  const idle = await openLanes(target, job.connections)
  const all = [...idle]
  const waiting: number[] = []
  const under: Promise<void>[] = []
  const tally = new Tally()

  const serve = async (lane: Lane, due: number | undefined): Promise<void> => {
    for (let next = due; next !== undefined; next = waiting.shift()) {
      try {
        await lane.ask()
        tally.succeeded(next)
      } catch (cause) {
        tally.failed(cause)
        return // a connection that failed is not used again
      }
    }
    idle.push(lane)
  }
  await everyMs(1000 / job.perSecond, Math.floor(job.perSecond * job.seconds), () => {
    const lane = idle.shift()
    if (lane === undefined) waiting.push(performance.now())
    else under.push(serve(lane, performance.now()))
  })
  await Promise.all(under)
  for (const lane of all) lane.close()
  if (waiting.length > 0)
    throw new Error(`${waiting.length} requests found no connection`)
  return tally
}

/** Calls `act` `times` times, `gapMs` apart by the clock and not by the sum of timers. */
function everyMs(gapMs: number, times: number, act: () => void): Promise<void> {
  return new Promise((resolve) => {
    const began = performance.now()
    let acted = 0
    const tick = (): void => {
      for (; acted < times && performance.now() - began >= acted * gapMs; acted++) act()
      if (acted < times) setTimeout(tick, 1)
      else resolve()
    }
    tick()
  })
}

type Handshakes = Extract<Job, { kind: 'handshakes' }>

/** The latency is that of CONNECT, TLS and the first answer together. */
export async function handshakes(target: Target, job: Handshakes): Promise<Tally> {
  const tally = new Tally()
  const worker = async (): Promise<void> => {
    while (tally.elapsedSeconds < job.seconds) {
      const started = performance.now()
      try {
        const lane = await Lane.open(target)
        await lane.ask()
        lane.close()
        tally.succeeded(started)
      } catch (cause) {
        tally.failed(cause)
      }
    }
  }
  await Promise.all(Array.from({ length: job.connections }, worker))
  return tally
}

/** The connections stay open: the process ends them by ending. */
export async function hold(target: Target, connections: number): Promise<Tally> {
  const lanes = await openLanes(target, connections)
  const tally = new Tally()
  for (const lane of lanes) {
    const started = performance.now()
    await lane.ask()
    tally.succeeded(started)
  }
  return tally
}
