/**
 * A folder and those above it. Node's own `recursive: true` never returns where a parent is there
 * and takes no folders, as on /proc: here that is an error.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Those that are there already stay as they are. The mode is for those that are made.
 * @throws what the system says of the one that cannot be made
 */
export function makeFolder(path: string, mode: number): void {
  const missing: string[] = []
  for (let at = path; !exists(at); at = dirname(at)) {
    missing.push(at)
    if (at === dirname(at)) break
  }
  for (const folder of missing.reverse())
    try {
      mkdirSync(folder, { mode })
    } catch (cause) {
      // Another process made it meanwhile.
      if (!isFolder(folder)) throw cause
    }
}

const exists = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false }) !== undefined

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
