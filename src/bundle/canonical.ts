/**
 * JSON as it is hashed for a signature: keys in order of their bytes, no spaces, numbers as they
 * are written, texts as Go writes them (openpolicyagent.org, "Bundle file hashing").
 */
import { BadBundle, BUNDLE_LIMITS } from './limits.js'

/** @throws BadBundle for what is no JSON, or deeper than data may be */
export function canonicalJson(name: string, text: string): string {
  try {
    JSON.parse(text)
  } catch {
    throw new BadBundle(`${name} is no JSON`)
  }
  return new Writer(name, text).value(0)
}

/** Reads what is known to be JSON. */
class Writer {
  readonly #name: string
  readonly #text: string
  #at = 0

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
  }

  value(depth: number): string {
    if (depth > BUNDLE_LIMITS.depth)
      throw new BadBundle(`${this.#name} is deeper than ${BUNDLE_LIMITS.depth} levels`)
    switch (this.#next()) {
      case '{':
        return this.#object(depth)
      case '[':
        return `[${this.#each(']', () => this.value(depth + 1)).join(',')}]`
      case '"':
        return goText(this.#string())
      default:
        return this.#take(/[^\s,\]}]+/y)
    }
  }

  #object(depth: number): string {
    const entries = new Map<string, string>()
    this.#each('}', () => {
      this.#next()
      const key = this.#string()
      this.#next()
      this.#at++
      entries.set(key, this.value(depth + 1))
    })
    const sorted = [...entries].sort(([a], [b]) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    return `{${sorted.map(([key, value]) => `${goText(key)}:${value}`).join(',')}}`
  }

  #each<T>(end: string, read: () => T): T[] {
    const all: T[] = []
    this.#at++
    while (this.#next() !== end) {
      if (this.#next() === ',') this.#at++
      all.push(read())
    }
    this.#at++
    return all
  }

  #string(): string {
    return JSON.parse(this.#take(/"(?:[^"\\]|\\.)*"/y)) as string
  }

  #next(): string | undefined {
    this.#take(/\s*/y)
    return this.#text[this.#at]
  }

  #take(form: RegExp): string {
    form.lastIndex = this.#at
    const [found = ''] = form.exec(this.#text) ?? []
    this.#at += found.length
    return found
  }
}

/** As `encoding/json` of Go does, without HTML escapes. */
function goText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/[\u2028\u2029]/g, (one) =>
    one === '\u2028' ? '\\u2028' : '\\u2029',
  )
}
