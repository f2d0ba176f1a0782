/** Threads that work for people who wait a moment, beside the one that serves connections. */
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * The calling thread gives way to the others of this process from now on. Linux alone has
 * priorities of threads (sched(7)); elsewhere, and where it is not let, nothing changes. False then.
 */
export function yieldThread(): boolean {
  try {
    // `PID/task/TID`: the link is read by the thread itself.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    // Never the main one, whose number is that of the process.
    if (!Number.isSafeInteger(thread) || thread === process.pid) return false
    setPriority(thread, constants.priority.PRIORITY_LOW)
    return true
  } catch {
    return false
  }
}
