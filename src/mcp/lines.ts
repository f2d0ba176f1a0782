/** Lines out of bytes that come in pieces of any size; one that is too long is left out. */
import { StringDecoder } from 'node:string_decoder'

export class LineReader {
  readonly #decoder = new StringDecoder('utf8')
  readonly #most: number
  readonly #use: (line: string) => void
  #open = ''
  #skips = false

  /** `most`: UTF-16 units of one line. `use` gets each that is not blank. */
  constructor(most: number, use: (line: string) => void) {
    this.#most = most
    this.#use = use
  }

  push(piece: Buffer): void {
    const parts = this.#decoder.write(piece).split('\n')
    const last = parts.pop() ?? ''
    for (const part of parts) {
      const line = this.#open + part
      this.#open = ''
      if (!this.#skips && line.length <= this.#most && line.trim() !== '') this.#use(line)
      this.#skips = false
    }
    this.#open += last
    if (this.#open.length <= this.#most) return
    this.#open = ''
    this.#skips = true
  }
}
