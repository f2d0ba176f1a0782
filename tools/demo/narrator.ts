/** Tells a newcomer what happens, step by step, and remembers whether all of it was true. */
import { setTimeout as delay } from 'node:timers/promises'

const STEP_TIMEOUT_MS = 15_000

export class Narrator {
  #number = 0
  #failures = 0
  readonly #started = performance.now()

  get failed(): boolean {
    return this.#failures > 0
  }

  title(text: string): void {
    console.log(`\n${text}\n`)
  }

  fact(name: string, text: string): void {
    console.log(`     ${name}: ${text}`)
  }

  /** Throws when `truth` is false: a step is done only when all that it expects held. */
  expect(truth: boolean, what: string): void {
    if (!truth) throw new Error(`expected ${what}`)
  }

  /** Runs a step and prints what it returns. A step that fails does not stop the others. */
  async step(title: string, run: () => Promise<string>): Promise<void> {
    console.log(`\n  ${++this.#number}. ${title}`)
    const stop = new AbortController()
    const late = async (): Promise<never> => {
      await delay(STEP_TIMEOUT_MS, undefined, { signal: stop.signal })
      throw new Error(`not done after ${STEP_TIMEOUT_MS / 1000} s`)
    }
    try {
      const text = await Promise.race([run(), late()])
      console.log(text.replace(/^/gm, '     '))
      console.log('     ok')
    } catch (cause) {
      this.#failures++
      console.log(
        `     FAILED: ${cause instanceof Error ? cause.message : String(cause)}`,
      )
    } finally {
      stop.abort()
    }
  }

  failure(cause: unknown): void {
    this.#failures++
    console.log(`     FAILED: ${cause instanceof Error ? cause.message : String(cause)}`)
  }

  /** The last words, and the exit code. */
  closing(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1)
    if (this.failed) {
      console.log(
        `\nNot all was seen to work: ${this.#failures} failed (${seconds} s).\n`,
      )
      process.exitCode = 1
    } else {
      console.log(`\nAll ${this.#number} steps seen to work, in ${seconds} s.\n`)
    }
  }
}
