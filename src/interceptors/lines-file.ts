/**
 * Lines that are appended to a file for its owner alone, without anybody waiting for it: what
 * waits has a limit, and what is beyond is dropped and counted.
 */
import { appendFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../core/make-folder.js'

/** Characters that wait to be written. */
export const MOST_WAITING_CHARS = 16 * 1024 * 1024

export class LinesFile {
  readonly path: string
  dropped = 0
  readonly #failed: (cause: unknown) => void
  #waiting: string[] = []
  #chars = 0
  #writing: Promise<void> | undefined

  /** `failed`: what the system said; the lines are lost. */
  constructor(path: string, failed: (cause: unknown) => void) {
    this.path = path
    this.#failed = failed
    makeFolder(dirname(path), 0o700)
  }

  add(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`
    if (this.#chars + line.length > MOST_WAITING_CHARS) {
      this.dropped++
      return
    }
    this.#chars += line.length
    this.#waiting.push(line)
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined))
  }

  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join('')
      this.#waiting = []
      this.#chars = 0
      await appendFile(this.path, text, { mode: 0o600 }).catch(this.#failed)
    }
  }
}
