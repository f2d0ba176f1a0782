import { inspect } from 'node:util'

/**
 * A key, token or password. Printing, serialising or interpolating it gives `[redacted]`;
 * only `reveal()` gives the text, so that a search for that word finds every use.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}
