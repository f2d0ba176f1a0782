/** How a command ends: one clear line on standard error and an exit code, never a stack. */
import { YoriError } from '../core/errors.js'
import type { ErrorCode } from '../core/errors.js'

export const EXIT = {
  ok: 0,
  /** The command ran, and its answer is no. */
  no: 1,
  usage: 2,
  /** The configuration does not hold. */
  config: 3,
  /** The machine does not allow it: a port, a file, a key. */
  environment: 4,
  /** Nothing wrong was found, and not all of it could be looked at. */
  unknown: 5,
  internal: 70,
} as const

const CONFIG: ReadonlySet<ErrorCode> = new Set([
  'YORI_CONFIG_INVALID',
  'YORI_CONFIG_UNREADABLE',
])

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof YoriError))
    return isSystemError(error) ? EXIT.environment : EXIT.internal
  if (CONFIG.has(error.code)) return EXIT.config
  return error.source === 'operator' ? EXIT.environment : EXIT.internal
}

/** `yori: what is wrong and what to do (CODE)`. */
export function failureLine(error: unknown): string {
  if (error instanceof YoriError) return `yori: ${error.message} (${error.code})`
  if (isSystemError(error)) return `yori: ${systemFailure(error)}`
  const message = error instanceof Error ? error.message : String(error)
  return `yori: a fault of YORI itself: ${message}`
}

/** What a system call's error means for who typed the command. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of that path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not do that there',
  EPERM: 'this user may not do that',
  EEXIST: 'it is there already',
  EROFS: 'it is mounted read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's share of the disk is used up",
  EIO: 'the disk failed',
  EMFILE: 'this process may open no more files',
  ENFILE: 'this system may open no more files',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
  ECONNREFUSED: 'nobody listens there',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ETIMEDOUT: 'no answer came',
}

/** `cannot open /x: there is no such file or folder (ENOENT)`. */
function systemFailure(error: NodeJS.ErrnoException): string {
  const { code = '', syscall = '', path, address, port } = error as SystemCallError
  const meaning = MEANINGS[code]
  if (meaning === undefined) return error.message
  const host = address === undefined ? undefined : `${address}:${port ?? ''}`
  const what = [syscall, path ?? host].filter((word) => word !== undefined).join(' ')
  return `cannot ${what}: ${meaning} (${code})`
}

interface SystemCallError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
