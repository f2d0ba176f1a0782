/** Where `yori policy diff` was interrupted, kept beside the record for its owner alone. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiffPlace } from '../../../replay/policy-diff.js'

function fileIn(stateDir: string): string {
  return join(stateDir, 'policy-diff.json')
}

/** Undefined: there is none, or nobody can read it. */
export function placeIn(stateDir: string): DiffPlace | undefined {
  try {
    const kept = JSON.parse(readFileSync(fileIn(stateDir), 'utf8')) as DiffPlace
    const isPlace =
      typeof kept.question === 'string' &&
      Number.isFinite(kept.sinceMs) &&
      Number.isInteger(kept.after)
    return isPlace ? kept : undefined
  } catch {
    return undefined
  }
}

/** False: it could not be written. */
export function keepPlace(stateDir: string, place: DiffPlace): boolean {
  try {
    writeFileSync(fileIn(stateDir), JSON.stringify(place), { mode: 0o600 })
    return true
  } catch {
    return false
  }
}

export function forgetPlace(stateDir: string): void {
  try {
    rmSync(fileIn(stateDir), { force: true })
  } catch {
    // It is of another question, or done: it does no harm.
  }
}
