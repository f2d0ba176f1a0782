// Usage: YORI_HEAP_PROBE=SOCKET node --import .../heap-probe.js PROGRAM
// Stands inside of a program and counts what its main thread allocates on the heap, and how
// often the garbage of that is collected, while it is told to: `begin` and `end`, a line each,
// on the socket. Bytes and counts depend on what runs and not on how fast it does.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { GCProfiler, getHeapStatistics } from 'node:v8'
import type { GCProfilerResult } from 'node:v8'
import type { Allocated } from './allocations.js'

let profiler: GCProfiler | undefined
let usedAtStart = 0

function told(line: string): Allocated | undefined {
  if (line === 'begin') {
    profiler = new GCProfiler()
    usedAtStart = getHeapStatistics().used_heap_size
    profiler.start()
    return undefined
  }
  const { statistics } = profiler?.stop() ?? { statistics: [] }
  let bytes = 0
  let used = usedAtStart
  let scavenges = 0
  let grownOld = 0
  for (const { gcType, beforeGC, afterGC } of statistics) {
    bytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - used)
    used = afterGC.heapStatistics.usedHeapSize
    if (gcType !== 'Scavenge') continue
    scavenges++
    grownOld += oldIn(afterGC) - oldIn(beforeGC)
  }
  bytes += Math.max(0, getHeapStatistics().used_heap_size - used)
  return { bytes, scavenges, grownOld }
}

/** Bytes of what is taken for long-lived. */
function oldIn({
  heapSpaceStatistics,
}: GCProfilerResult['statistics'][0]['afterGC']): number {
  const space = heapSpaceStatistics.find(({ spaceName }) => spaceName === 'old_space')
  return space?.spaceUsedSize ?? 0
}

createServer((socket) => {
  socket.on('error', () => undefined)
  createInterface({ input: socket }).on('line', (line) => {
    socket.write(`${JSON.stringify(told(line) ?? {})}\n`)
  })
})
  .listen(process.env['YORI_HEAP_PROBE'])
  .unref()
