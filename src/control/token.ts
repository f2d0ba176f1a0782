/**
 * The token of the control plane: made once, kept in `STATE_DIR/control.token` (0600), compared
 * in constant time. Whoever may read the file may do everything that the control plane offers.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../core/log.js'
import { Secret } from '../core/secret.js'

const TOKEN_BYTES = 32
const FILE_MODE = 0o600
/** 256 bits in base64url; anything shorter was not written by us. */
const FORM = /^[\w-]{43,128}$/
const MOST_FILE_BYTES = 256

export function tokenPath(stateDir: string): string {
  return join(stateDir, 'control.token')
}

/** Random text for a token, a code or a cookie: 256 bits in base64url. */
export function randomToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** What is kept of a token where the token itself need not be: SHA-256, 32 bytes. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** In constant time, whatever the lengths. */
export function isSame(given: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOf(given), digest)
}

/**
 * The token in the file, which is made when there is none or none that can be used. Where it
 * cannot be kept, one for this process alone: the Unix socket needs none. A file that others
 * may read is closed to them, and the log says so. Never throws.
 */
export async function keptToken(stateDir: string, log: Log): Promise<Secret> {
  const path = tokenPath(stateDir)
  try {
    const found = await readToken(path, log)
    if (found !== undefined) return new Secret(found)
    const made = randomToken()
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC
    const file = await open(path, flags | constants.O_NOFOLLOW, FILE_MODE)
    try {
      await file.chmod(FILE_MODE)
      await file.writeFile(`${made}\n`)
    } finally {
      await file.close()
    }
    return new Secret(made)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    log.warn({ reason }, 'the token of the control plane could not be kept')
    return new Secret(randomToken())
  }
}

async function readToken(path: string, log: Log): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW
  const file = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw cause
  })
  if (file === undefined) return undefined
  try {
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      log.warn(
        { path },
        'others could read the token of the control plane: closed to them',
      )
      await file.chmod(FILE_MODE)
    }
    if (size > MOST_FILE_BYTES) return undefined
    const text = (await file.readFile('latin1')).trim()
    return FORM.test(text) ? text : undefined
  } finally {
    await file.close()
  }
}
