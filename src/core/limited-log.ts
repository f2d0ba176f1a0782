/**
 * A log that a flood of like lines cannot fill: of each message so many a second, and then once
 * how many were left out.
 */
import type { Clock } from './clock.js'
import type { Log } from './log.js'

const WINDOW_MS = 1_000
/** Messages told apart; they are constants of the code. */
const MAX_MESSAGES = 256

interface Window {
  startedAt: number
  lines: number
}

/** `perSecond` lines of one message pass; levels below `warn` are not counted. */
export function limitedLog(log: Log, clock: Clock, perSecond = 20): Log {
  const windows = new Map<string, Window>()
  const limited =
    (write: (fields: object, message: string) => void) =>
    (fields: object, message: string): void => {
      const now = clock.monotonic()
      const window = windows.get(message)
      if (window === undefined || now - window.startedAt >= WINDOW_MS) {
        if (windows.size >= MAX_MESSAGES) windows.clear()
        windows.set(message, { startedAt: now, lines: 1 })
        const left = (window?.lines ?? 0) - perSecond
        write(left > 0 ? { ...fields, likeLinesLeftOut: left } : fields, message)
        return
      }
      window.lines += 1
      if (window.lines <= perSecond) write(fields, message)
    }
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: limited((fields, message) => log.warn(fields, message)),
    error: limited((fields, message) => log.error(fields, message)),
  }
}
