/**
 * Who trusts us, as a file of the state folder: written whole by the appliance, read by
 * commands.
 */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrustEntry } from '../core/trust.js'
import { errorCodeOf } from './tls-failure.js'

const MAX_BYTES = 4 * 1024 * 1024
const TEXTS = ['hostname', 'trustedName', 'refusedName', 'refusedCause'] as const
const TIMES = ['trustedAt', 'refusedAt'] as const

/** `trust.json` in the state folder. */
export function trustPath(stateDir: string): string {
  return join(stateDir, 'trust.json')
}

/**
 * Nothing when there is no file, or one that cannot be understood or is over 4 MiB; what
 * is no entry is left out.
 * @throws errors of the file system, but that there is no such file
 */
export async function readTrust(path: string): Promise<TrustEntry[]> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return []
    const kept: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Array.isArray(kept) ? kept.filter(isEntry) : []
  } catch (error) {
    if (error instanceof SyntaxError || errorCodeOf(error) === 'ENOENT') return []
    throw error
  }
}

/**
 * Puts a new file in place of the old one in one step (rename), mode 0600. The folder
 * must be there.
 * @throws errors of the file system; the old file stands then
 */
export async function writeTrust(
  path: string,
  entries: readonly TrustEntry[],
): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, JSON.stringify(entries), { mode: 0o600 })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function isEntry(value: unknown): value is TrustEntry {
  const one = value as Readonly<Record<string, unknown>> | null
  if (one === null || typeof one !== 'object') return false
  return (
    ['device', 'ip', 'root'].every((key) => typeof one[key] === 'string') &&
    TEXTS.every((key) => one[key] === undefined || typeof one[key] === 'string') &&
    TIMES.every((key) => one[key] === undefined || Number.isFinite(one[key]))
  )
}
