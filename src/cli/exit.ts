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
  const message = error instanceof Error ? error.message : String(error)
  return isSystemError(error)
    ? `yori: ${message}`
    : `yori: a fault of YORI itself: ${message}`
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
