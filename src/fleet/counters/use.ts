/** What was used in a period, as a text and as numbers. Pure. */
import type { DayUse } from '../../policy/use-words.js'

const FIELDS = ['requests', 'tokens', 'microUsd', 'atMostMicroUsd', 'minutes'] as const

export const NO_USE: Readonly<DayUse> = {
  requests: 0,
  tokens: 0,
  microUsd: 0,
  atMostMicroUsd: 0,
  minutes: 0,
}

export const useText = (use: Readonly<DayUse>): string =>
  FIELDS.map((field) => String(Math.max(0, Math.round(use[field])))).join(' ')

/** What does not read as numbers is nothing. */
export function useOf(text: unknown): DayUse {
  const numbers = typeof text === 'string' ? text.split(' ').map(Number) : []
  const use = { ...NO_USE }
  FIELDS.forEach((field, at) => {
    const number = numbers[at] ?? 0
    use[field] = Number.isSafeInteger(number) && number > 0 ? number : 0
  })
  return use
}

function joined(
  a: Readonly<DayUse>,
  b: Readonly<DayUse>,
  join: (a: number, b: number) => number,
): DayUse {
  const use = { ...NO_USE }
  for (const field of FIELDS) use[field] = join(a[field], b[field])
  return use
}

export const most = (a: Readonly<DayUse>, b: Readonly<DayUse>): DayUse =>
  joined(a, b, Math.max)

/** `a`, and so many times what `own` has over `told`. */
export const withShare = (
  a: Readonly<DayUse>,
  own: Readonly<DayUse>,
  told: Readonly<DayUse>,
  times: number,
): DayUse =>
  joined(
    a,
    joined(own, told, (x, y) => Math.max(0, x - y)),
    (x, y) => x + times * y,
  )
