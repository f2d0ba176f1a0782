/**
 * What goes up in place of what was taken out of a request, and back: `[[Y-EMAIL_ADDRESS-` and
 * ten hexadecimal digits and `]]`. The digits are a keyed digest of the value and of whose it
 * is, so that the same value is the same placeholder each time, and nobody without the key can
 * try values. None of its characters is escaped in JSON, nor in JSON within JSON. Pure.
 */
import { createHmac } from 'node:crypto'

/** Characters of a placeholder at the most; so many are held of an answer. */
export const MAX_PLACEHOLDER = 64
const MAX_LABEL = 40
const DIGITS = 10

/**
 * A model may write it in small letters or translate its label; the digits tell.
 * Between the two hyphens at most `MAX_LABEL` characters stand.
 */
const PLACEHOLDER = /\[\[y-[\p{L}\p{N}_-]{1,40}-([0-9a-f]{10})\]\]/giu
/** What can still become one. */
const BEGINNING = /^\[(?:\[(?:y(?:-(?:[\p{L}\p{N}_-]{0,51}\]?)?)?)?)?$/iu

export class Placeholders {
  readonly #key: Buffer
  readonly #scope: string
  readonly #values = new Map<string, string>()

  /** `scope`: whose values they are; two scopes have other placeholders for one value. */
  constructor(key: Buffer, scope: string) {
    this.#key = key
    this.#scope = scope
  }

  /** None was made. */
  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** Throws nothing; a digest that is another value's already has a digit more. */
  of(label: string, value: string): string {
    const text = JSON.stringify([this.#scope, value])
    const digest = createHmac('sha256', this.#key).update(text).digest('hex')
    let id = digest.slice(0, DIGITS)
    for (let at = 1; (this.#values.get(id) ?? value) !== value; at++)
      id = digest.slice(at, at + DIGITS)
    this.#values.set(id, value)
    const plain = label.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')
    return `[[Y-${plain.slice(0, MAX_LABEL) || 'PRIVATE'}-${id}]]`
  }

  /** With the values that are known in place of their placeholders, as `write` has them. */
  restored(text: string, write: (value: string) => string): string {
    if (!text.includes('[[')) return text
    return text.replace(PLACEHOLDER, (whole, id: string) => {
      const value = this.#values.get(id.toLowerCase())
      return value === undefined ? whole : write(value)
    })
  }
}

/** Where the end of a text begins that can still become a placeholder; else its length. */
export function tailOf(text: string): number {
  const from = Math.max(0, text.length - MAX_PLACEHOLDER + 1)
  for (let at = text.indexOf('[', from); at >= 0; at = text.indexOf('[', at + 1))
    if (BEGINNING.test(text.slice(at))) return at
  return text.length
}
