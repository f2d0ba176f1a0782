/** By what a gateway is known to the others: made once, kept in its folder. */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../core/make-folder.js'

/** @throws what writing it throws */
export function keptId(stateDir: string): string {
  const file = join(stateDir, 'fleet-id')
  try {
    const id = readFileSync(file, 'utf8').trim()
    if (/^[\da-f-]{36}$/.test(id)) return id
  } catch {
    // There is none yet.
  }
  const id = randomUUID()
  makeFolder(stateDir, 0o700)
  writeFileSync(file, `${id}\n`, { mode: 0o600 })
  return id
}
