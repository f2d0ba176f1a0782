/** Finds the configuration file and reads its text, within bounds. Knows files, not YAML. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Problem } from './problem.js'

/** A configuration is a page or two; what is larger is something else. */
export const MAX_FILE_BYTES = 1024 * 1024

/** Where a file is looked for when none is named; the first that exists is read. */
export const SEARCHED = [
  '/usr/local/etc/yori/yori.conf',
  '/etc/yori/yori.conf',
  './yori.conf',
]

export type Found =
  | { kind: 'none' }
  | { kind: 'text'; path: string; text: string; readableByOthers: boolean }
  | { kind: 'unreadable'; problem: Problem }

/** `named` must exist; without it the searched places are tried, and none is fine. */
export function findFile(
  named: string | undefined,
  cwd: string,
  searched: readonly string[] = SEARCHED,
): Found {
  if (named !== undefined) return readText(resolve(cwd, named))
  for (const place of searched) {
    const path = resolve(cwd, place)
    // Only a file that is not there lets the search go on: one that cannot be read is a fault.
    if (!isAbsent(path)) return readText(path)
  }
  return { kind: 'none' }
}

function isAbsent(path: string): boolean {
  try {
    statSync(path)
    return false
  } catch (cause) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOfSystem(cause))
  }
}

function readText(path: string): Found {
  const unreadable = (wrong: string, right: string): Found => ({
    kind: 'unreadable',
    problem: { file: path, key: '', wrong, right },
  })
  try {
    // Asked before it is opened: opening a pipe would wait for someone to write.
    const { mode } = statSync(path)
    const kind = mode & 0o170000
    if (kind === 0o040000) return unreadable('is a folder', 'name a file')
    if (kind !== 0o100000) return unreadable('is not a regular file', 'name a file')
    const bytes = readBounded(path)
    if (bytes === undefined) {
      const wrong = `is larger than ${MAX_FILE_BYTES} bytes`
      return unreadable(wrong, 'is this the right file?')
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { kind: 'text', path, text, readableByOthers: (mode & 0o004) !== 0 }
  } catch (cause) {
    if (cause instanceof TypeError)
      return unreadable('is not UTF-8 text', 'save it as UTF-8')
    switch (codeOfSystem(cause)) {
      case 'ENOENT':
      case 'ENOTDIR':
        return unreadable('does not exist', '`yori config init --out FILE` writes one')
      case 'EACCES':
      case 'EPERM':
        return unreadable('may not be read by this user', 'change its owner or mode')
      default:
        return unreadable(`cannot be read (${codeOfSystem(cause)})`, 'check the path')
    }
  }
}

/** Undefined when the file is over the limit; it may have grown since it was asked about. */
function readBounded(path: string): Uint8Array | undefined {
  const fd = openSync(path, 'r')
  try {
    if (fstatSync(fd).size > MAX_FILE_BYTES) return undefined
    const buffer = new Uint8Array(fstatSync(fd).size + 1)
    let length = 0
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null)
      if (count === 0) return buffer.subarray(0, length)
      length += count
    }
    throw new Error('the file grew while it was read')
  } finally {
    closeSync(fd)
  }
}

function codeOfSystem(cause: unknown): string {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : String(cause)
}
