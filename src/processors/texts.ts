/**
 * The texts of a body, in order, wherever APIs of models have them, and the same body with
 * other texts in their places. A field that nobody knows to hold a text is left alone. Pure.
 */

/** What holds a text, or a list of them. */
const HOLDS: ReadonlySet<string> = new Set([
  'content',
  'text',
  'input',
  'inputs',
  'prompt',
  'system',
  'instructions',
  'query',
  'message',
  'output',
  'suffix',
])

const MAX_TEXTS = 10_000
const MAX_DEPTH = 64

type Holder = Record<string | number, unknown>

export class Texts {
  readonly all: string[] = []
  readonly images: string[] = []
  /** There are more than are looked at. */
  isCut = false
  readonly #places: { readonly holder: Holder; readonly key: string | number }[] = []
  readonly #body: unknown

  /** `body`: parsed; it is changed by `replace`. */
  constructor(body: unknown) {
    this.#body = body
    this.#walk(body, 0, false)
  }

  /** The body as text again; undefined: they are not as many as there are. */
  replace(texts: readonly unknown[]): string | undefined {
    if (texts.length !== this.all.length || this.isCut) return undefined
    if (!texts.every((text) => typeof text === 'string')) return undefined
    this.#places.forEach(({ holder, key }, index) => {
      holder[key] = texts[index]
    })
    return JSON.stringify(this.#body)
  }

  #walk(value: unknown, depth: number, isText: boolean): void {
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DEPTH) {
      this.isCut = true
      return
    }
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? (value as unknown[]).map((one, index) => [index, one])
      : Object.entries(value)
    for (const [key, one] of entries) {
      const holds = typeof key === 'number' ? isText : HOLDS.has(key)
      if (typeof one === 'string') {
        if (holds) this.#found(value as Holder, key, one)
        else if (key === 'url' || key === 'image_url') this.#image(one)
      } else this.#walk(one, depth + 1, holds)
    }
  }

  #found(holder: Holder, key: string | number, text: string): void {
    if (this.all.length >= MAX_TEXTS) {
      this.isCut = true
      return
    }
    this.all.push(text)
    this.#places.push({ holder, key })
  }

  #image(url: string): void {
    const isImage = url.startsWith('data:image/') || /^https?:/.test(url)
    if (isImage && this.images.length < MAX_TEXTS) this.images.push(url)
  }
}
