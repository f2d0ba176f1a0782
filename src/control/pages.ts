/**
 * The dashboard's files as `npm run build` made them: read when first asked for and kept, since
 * they are few and small. What stands in them is the build's; here is only how they are sent.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A year: names change with what they hold. RFC 8246 section 2. */
const FOR_GOOD = 'public, max-age=31536000, immutable'
const NAME = /^[\w-]{1,64}\.(?:js|css|svg|txt)$/

interface BuiltPages {
  readonly files: Readonly<Record<string, string>>
  readonly pages: Readonly<Record<string, string>>
}

export interface SentFile {
  readonly type: string
  readonly body: Buffer
  readonly fields: Readonly<Record<string, string>>
}

export class Pages {
  readonly #folder: string
  #built: Promise<BuiltPages> | undefined
  readonly #read = new Map<string, Promise<Buffer>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The document in the language that is set, or the first that the browser wants and there is.
   * Rejects where nothing was built.
   */
  async document(language: string, wanted: string | undefined): Promise<string> {
    const { pages } = await this.#pages()
    const there = Object.keys(pages)
    const chosen =
      language === 'auto' ? languageFor(wanted, there) : (language as string | undefined)
    return pages[chosen ?? 'en'] ?? pages['en'] ?? ''
  }

  /** Undefined: there is no such file. */
  async file(name: string, accepts: string | undefined): Promise<SentFile | undefined> {
    if (!NAME.test(name)) return undefined
    const { files } = await this.#pages()
    const type = Object.hasOwn(files, name) ? files[name] : undefined
    if (type === undefined) return undefined
    const isPacked = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(accepts ?? '')
    const packed: Record<string, string> = isPacked ? { 'content-encoding': 'gzip' } : {}
    return {
      type,
      body: await this.#bytes(isPacked ? `${name}.gz` : name),
      fields: { 'cache-control': FOR_GOOD, vary: 'accept-encoding', ...packed },
    }
  }

  #pages(): Promise<BuiltPages> {
    this.#built ??= readFile(join(this.#folder, 'pages.json'), 'utf8').then(
      (text) => JSON.parse(text) as BuiltPages,
    )
    // Built meanwhile: looked for again.
    this.#built.catch(() => (this.#built = undefined))
    return this.#built
  }

  /** Of names that the build has named alone: there are no more of them than files. */
  #bytes(name: string): Promise<Buffer> {
    const kept = this.#read.get(name)
    if (kept !== undefined) return kept
    const read = readFile(join(this.#folder, name))
    this.#read.set(name, read)
    read.catch(() => this.#read.delete(name))
    return read
  }
}

const MOST_WANTED = 16

/**
 * The best of `there` for an `Accept-Language` (RFC 9110 section 12.5.4), by the first part of
 * each tag; undefined: none is wanted.
 */
export function languageFor(
  wanted: string | undefined,
  there: readonly string[],
): string | undefined {
  const ranked = (wanted ?? '')
    .split(',', MOST_WANTED)
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim())
      const weight = parameters.find((one) => /^q=/i.test(one))?.slice(2)
      return { language: tag.split('-', 1)[0]?.toLowerCase(), q: Number(weight ?? 1) }
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
  return ranked.find(({ language }) => there.includes(language ?? ''))?.language
}
