/**
 * Where the running log goes: standard error, or a file that may be moved away at any time, as
 * newsyslog and logrotate do. Whoever rotates it need not know our process: we look whether the
 * name still leads to our file. A log that cannot be written costs lines, never the traffic.
 */
import { createRequire } from 'node:module'
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import type * as Pino from 'pino'
import { YoriError } from '../core/errors.js'

// Required, not imported: see ./commander.ts.
const { pino } = createRequire(import.meta.url)('pino') as typeof Pino

const LOOK_MS = 10_000
/** Lines that wait for the disk; beyond it they are dropped. */
const MOST_WAITING_BYTES = 1024 * 1024

export interface LogTarget extends Disposable {
  readonly destination: ReturnType<typeof Pino.destination>
  /** Writes that failed, ever. */
  readonly failures: number
  /** Opens the file anew when its name leads elsewhere; called from time to time by itself. */
  look(): void
}

/** @throws YORI_CONFIG_INVALID when the file cannot be opened */
export function openLogTarget(file: string | undefined): LogTarget {
  const options = { sync: false, maxLength: MOST_WAITING_BYTES } as const
  const destination = pino.destination(
    file === undefined
      ? { ...options, fd: 2 }
      : { ...options, dest: writable(file), append: true, mode: FILE_MODE },
  )
  let looking: NodeJS.Timeout | undefined
  const target = {
    destination,
    failures: 0,
    look: () => {
      if (file !== undefined && movedAway(file, destination)) destination.reopen(file)
    },
    [Symbol.dispose]: () => {
      clearInterval(looking)
      destination.destroy()
    },
  }
  // Without a listener a full disk would end the process.
  destination.on('error', () => target.failures++)
  if (file !== undefined) looking = setInterval(target.look, LOOK_MS).unref()
  return target
}

const FILE_MODE = 0o640

/** Known before the start is over, not by a lost line. */
function writable(file: string): string {
  try {
    closeSync(openSync(file, 'a', FILE_MODE))
    return file
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new YoriError('YORI_CONFIG_INVALID', `log.file cannot be written: ${reason}`, {
      cause,
    })
  }
}

function movedAway(file: string, destination: object): boolean {
  const fd = 'fd' in destination ? destination.fd : undefined
  if (typeof fd !== 'number' || fd < 0) return false
  const there = statSync(file, { throwIfNoEntry: false })
  const ours = fstatSync(fd)
  return there === undefined || there.ino !== ours.ino || there.dev !== ours.dev
}
