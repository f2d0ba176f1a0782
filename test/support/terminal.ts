/** A program at a terminal of its own, as `script` of bsdutils gives one. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

const MAX_OUTPUT_CHARS = 1024 * 1024

/** Ended with its scope. */
export class AtTerminal implements AsyncDisposable {
  /** Everything that was shown, on standard output and error. */
  text = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #waiting = new Set<() => void>()

  /** `line` is one of a shell. */
  constructor(line: string, cwd: string) {
    this.#child = spawn('script', ['-qefc', `exec ${line}`, '/dev/null'], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, TERM: 'xterm', COLUMNS: '200' },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      if (this.text.length < MAX_OUTPUT_CHARS) this.text += chunk.toString()
      this.#changed()
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        resolve()
        this.#changed()
      })
    })
  }

  async shows(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.text)
      if (found !== null) return found
      if (this.#child.exitCode !== null) throw new Error(`never shown: ${this.text}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** By the key that ends programs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.type('\u0003')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#ended
    clearTimeout(late)
  }

  #changed(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
