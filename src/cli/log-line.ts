/** A line of the log for a person at a terminal, out of the JSON that programs get. */
import type { WriteStream } from 'node:tty'
import { clockText } from '../core/moment-text.js'
import { printable } from '../audit/printable.js'

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
/** What every line has. */
const EVERY = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'v'])
const LONGEST_VALUE = 300

/** Time of day in `zone`. What is no JSON stays as it is. Ends with a line feed. */
export function logLine(json: string, zone?: string): string {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(json) as Record<string, unknown>
  } catch {
    return `${printable(json.trimEnd())}\n`
  }
  const { level, time, msg } = fields
  const clock = typeof time === 'number' ? clockText(time, zone) : '--:--:--'
  const rest = Object.entries(fields)
    .filter(([name]) => !EVERY.has(name))
    .map(([name, value]) => `${name}=${valueText(value)}`)
  const word = (LEVELS[Number(level)] ?? String(level)).padEnd(5)
  const said = typeof msg === 'string' ? printable(msg) : ''
  return `${clock}  ${word}  ${[said, ...rest].join('  ').trimEnd()}\n`
}

function valueText(value: unknown): string {
  const isError = typeof value === 'object' && value !== null && 'message' in value
  const plain = isError ? value.message : value
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain)
  return printable(
    text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text,
  )
}

/** Lines that wait for a terminal; beyond it they are dropped, and that is said. */
const MOST_WAITING_BYTES = 1024 * 1024

/** A destination of pino: the terminal that a person reads along at. */
export function terminalLog(
  terminal: WriteStream,
  zone?: string,
): { write(line: string): void } {
  let dropped = 0
  return {
    write: (line) => {
      if (terminal.writableLength > MOST_WAITING_BYTES) {
        dropped++
        return
      }
      if (dropped > 0)
        terminal.write(`(${dropped} lines were too fast for this terminal)\n`)
      dropped = 0
      terminal.write(logLine(line, zone))
    },
  }
}
