// Usage: YORI_TURN_PROBE=SOCKET [YORI_TURN_PROFILE=1] node --import .../turn-probe.js PROGRAM
// Stands inside of a program and times the turns of its event loop while it is told to: `begin`
// and `end`, a line each, on the socket. `end` is answered with the longest turns as one line of
// JSON. A turn is what others wait for; of it the time of garbage collection is told apart, and
// what the machine gave to others does not count.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { Session } from 'node:inspector'
import type { Profiler } from 'node:inspector'
import { PerformanceObserver, performance } from 'node:perf_hooks'
import type { Turn, Turns } from './turns.js'

/** Shorter turns are of no concern. */
const LEAST_MS = 2
const MAX_TURNS = 10_000
/** Of a profile, told of one turn. */
const MAX_FRAMES = 6
const SAMPLE_US = 200

interface Pause {
  readonly from: number
  readonly to: number
}

interface Slow extends Pause {
  readonly cpuMs: number
}

let slow: Slow[] = []
let pauses: Pause[] = []
let running = false

new PerformanceObserver((list) => {
  if (!running) return
  for (const { startTime, duration } of list.getEntries())
    pauses.push({ from: startTime, to: startTime + duration })
}).observe({ entryTypes: ['gc'] })

function begin(): void {
  slow = []
  pauses = []
  running = true
  let last = performance.now()
  let cpu = process.cpuUsage()
  const turn = (): void => {
    const now = performance.now()
    const used = process.cpuUsage()
    if (now - last > LEAST_MS && slow.length < MAX_TURNS) {
      const us = used.user + used.system - cpu.user - cpu.system
      slow.push({ from: last, to: now, cpuMs: us / 1000 })
    }
    last = now
    cpu = used
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
}

function turnOf({ from, to, cpuMs }: Slow): Turn & Pause {
  let gcMs = 0
  for (const pause of pauses)
    gcMs += Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from))
  return { from, to, gcMs, ms: Math.max(0, Math.min(to - from, cpuMs) - gcMs) }
}

/** Entries of garbage collection are told of a turn later. */
async function end(profile: Profiler.Profile | undefined): Promise<Turns> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  running = false
  const turns = slow.map(turnOf).sort((a, b) => b.ms - a.ms)
  return {
    count: turns.length,
    longest: turns.slice(0, 3).map(({ ms, gcMs, from, to }) => ({
      ms,
      gcMs,
      ...(profile === undefined ? {} : { frames: framesIn(profile, from, to) }),
    })),
  }
}

/** What ran between two moments, most of the time first. Times of a profile are of the same clock. */
function framesIn(profile: Profiler.Profile, from: number, to: number): string[] {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) =>
      children.map((child) => [child, id]),
    ),
  )
  const origin = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000
  const ticks = new Map<string, number>()
  let at = profile.startTime
  profile.samples?.forEach((id, index) => {
    const delta = profile.timeDeltas?.[index] ?? 0
    at += delta
    const ms = (at - origin) / 1000
    if (ms < from || ms > to) return
    const names: string[] = []
    for (let node = byId.get(id); node !== undefined && names.length < 4;) {
      const { functionName, url, lineNumber } = node.callFrame
      const file = url.split('/').at(-1) ?? ''
      names.push(`${functionName || '(anonymous)'}@${file}:${lineNumber + 1}`)
      const parent = parents.get(node.id)
      node = parent === undefined ? undefined : byId.get(parent)
    }
    const where = names.join(' < ')
    ticks.set(where, (ticks.get(where) ?? 0) + delta / 1000)
  })
  return [...ticks]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_FRAMES)
    .map(([where, ms]) => `${ms.toFixed(1)} ms ${where}`)
}

const session = process.env['YORI_TURN_PROFILE'] === undefined ? undefined : new Session()

function post<T>(method: string, params: object = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    session?.post(method, params, (error, result) => {
      if (error === null) resolve(result as T)
      else reject(error)
    })
  })
}

async function told(line: string): Promise<Turns | undefined> {
  if (line === 'begin') {
    if (session !== undefined) await post('Profiler.start')
    begin()
    return undefined
  }
  if (session === undefined) return await end(undefined)
  const { profile } = await post<Profiler.StopReturnType>('Profiler.stop')
  return await end(profile)
}

if (session !== undefined) {
  session.connect()
  await post('Profiler.enable')
  await post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
}
createServer((socket) => {
  socket.on('error', () => undefined)
  createInterface({ input: socket }).on('line', (line) => {
    void told(line).then((turns) => socket.write(`${JSON.stringify(turns ?? {})}\n`))
  })
})
  .listen(process.env['YORI_TURN_PROBE'])
  .unref()
