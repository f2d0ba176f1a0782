/** Whether limits hold over several gateways, in a line for people; out of what the daemon tells. */
import { printable } from '../../audit/printable.js'

interface Shared {
  readonly up?: unknown
  readonly reason?: unknown
  readonly gateways?: unknown
}

export function countersLines(told: unknown): {
  readonly lines: readonly string[]
  readonly isWhole: boolean
} {
  if (typeof told !== 'object' || told === null) return { lines: [], isWhole: true }
  const { up, reason, gateways } = told as Shared
  const text = (value: unknown): string => printable(String(value))
  if (up === true)
    return {
      lines: [`limits hold over ${text(gateways)} gateways together`],
      isWhole: true,
    }
  const share = `one part in ${text(gateways)} of what was left of each limit is this gateway's`
  return { lines: [`${share}: ${text(reason)}`], isWhole: false }
}
