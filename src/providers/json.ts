/**
 * Reading unknown JSON without trusting it: each accessor answers with the type that it is
 * named for or with undefined. Values come from `JSON.parse`, so own keys are data whatever
 * their names; inherited members are functions and never pass a type test here.
 */
export type Json = Readonly<Record<string, unknown>>

/** An object that is no array. */
export function asRecord(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined
}

const NOTHING: readonly unknown[] = []

/** The array itself, or an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : NOTHING
}

/** A text, empty or not. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** True or false; words and numbers that mean as much are none. */
export function asFlag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** A count of tokens: a whole number from 0 on that is exact. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : undefined
}

/** First of the texts that is there and not empty; undefined without one. */
export function firstText(...values: unknown[]): string | undefined {
  for (const value of values)
    if (typeof value === 'string' && value.length > 0) return value
  return undefined
}

/** First of the counts (`asCount`) that is there, 0 too; undefined without one. */
export function firstCount(...values: unknown[]): number | undefined {
  for (const value of values) {
    const count = asCount(value)
    if (count !== undefined) return count
  }
  return undefined
}
