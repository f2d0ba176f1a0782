/**
 * Processor time and memory of a process with its children, from Linux's /proc; undefined
 * where there is none.
 */
import { readFileSync, readdirSync } from 'node:fs'

export interface Usage {
  readonly cpuMs: number
  readonly rssMiB: number
}

export function usageOf(pid: number): Usage | undefined {
  try {
    const pids = treeOf(pid)
    return {
      cpuMs: pids.reduce((sum, each) => sum + cpuMs(each), 0),
      rssMiB: pids.reduce((sum, each) => sum + rssMiB(each), 0),
    }
  } catch {
    return undefined
  }
}

function treeOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  )
  return [pid, ...children.flatMap(treeOf)]
}

/** schedstat counts nanoseconds on a core for each thread; the clock of `stat` only ticks. */
function cpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6
}

function rssMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
}
