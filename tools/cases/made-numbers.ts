/** Numbers by the rules of issuers, for rows that are made up; see `made-ids.ts`. */
import { createHash } from 'node:crypto'

/** A seed of its own for each kind: a new kind changes no other's rows. */
export class Chance {
  #state: number
  constructor(name: string) {
    this.#state = createHash('sha256').update(name).digest().readUInt32LE()
  }
  /** From 0, below `most`. */
  below(most: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * most)
  }
  digits(count: number): string {
    return Array.from({ length: count }, () => this.below(10)).join('')
  }
  of(alphabet: string): string {
    return alphabet.charAt(this.below(alphabet.length))
  }
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }
}

export type Pair = readonly [good: string, near: string]
export type Make = (chance: Chance) => Pair

export const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const two = (value: number): string => String(value).padStart(2, '0')
export const numbers = (text: string): number[] => [...text].map(Number)

/** The next digit instead of one: no check digit holds for both. */
export const otherDigit = (text: string, at = text.length - 1): string =>
  text.slice(0, at) + String((Number(text.charAt(at)) + 1) % 10) + text.slice(at + 1)

/** What must be added for a sum with these weights to be a multiple. */
export const sumOf = (text: string, weights: readonly number[]): number =>
  numbers(text).reduce((sum, digit, i) => sum + digit * (weights[i] ?? 0), 0)

/** ISO/IEC 7812: every second digit from the right of the payload doubled, its digits added. */
export function luhnDigit(payload: string): string {
  const sum = numbers(payload)
    .reverse()
    .flatMap((digit, i) => (i % 2 === 0 ? numbers(String(digit * 2)) : [digit]))
    .reduce((all, digit) => all + digit, 0)
  return String((1000 - sum) % 10)
}

export const luhned = (payload: string): Pair => {
  const good = payload + luhnDigit(payload)
  return [good, otherDigit(good)]
}

/** Until one is to be had: some sums have no digit. */
export function tried(make: () => string | undefined): string {
  for (;;) {
    const made = make()
    if (made !== undefined) return made
  }
}

export const grouped = (text: string, sizes: readonly number[], sign: string): string => {
  const groups: string[] = []
  let at = 0
  for (const size of sizes) groups.push(text.slice(at, (at += size)))
  return groups.join(sign)
}

export const both = ([good, near]: Pair, form: (text: string) => string): Pair => [
  form(good),
  form(near),
]

export function mod11(
  chance: Chance,
  length: number,
  weights: readonly number[],
  digit: (rest: number) => number,
): Pair {
  const good = tried(() => {
    const payload = `${chance.between(1, 9)}${chance.digits(length - 2)}`
    const check = digit(sumOf(payload, weights) % 11)
    return check > 9 ? undefined : `${payload}${check}`
  })
  return [good, otherDigit(good)]
}

export const birthday = (chance: Chance): string =>
  two(chance.between(50, 99)) + two(chance.between(1, 12)) + two(chance.between(1, 28))
