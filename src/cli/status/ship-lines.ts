/** How the record is shipped, in a line for people; out of what the daemon tells. */
import { printable } from '../../audit/printable.js'

interface Shipped {
  readonly to?: unknown
  readonly gateway?: unknown
  readonly state?: unknown
  readonly reason?: unknown
  readonly since?: unknown
  readonly waiting_transactions?: unknown
  readonly missed?: unknown
  readonly rejected?: unknown
}

export function shipLines(told: unknown): {
  readonly lines: readonly string[]
  readonly isWhole: boolean
} {
  if (typeof told !== 'object' || told === null) return { lines: [], isWhole: true }
  const { to, gateway, state, reason, since, waiting_transactions, missed, rejected } =
    told as Shipped
  const text = (value: unknown): string => printable(String(value))
  const whither = `shipped to ${text(to)} as ${text(gateway)}`
  const waits = Number(waiting_transactions)
  const lost = Number(missed) + Number(rejected)
  const isWaiting = state === 'waiting'
  return {
    lines: [
      isWaiting
        ? `not ${whither} since ${text(since)}: ${text(reason)}; it waits here`
        : `${whither}${waits > 0 ? `, ${waits} transactions behind` : ''}`,
      ...(lost > 0 ? [`${lost} rows could not be shipped`] : []),
    ],
    isWhole: !isWaiting && lost === 0,
  }
}
