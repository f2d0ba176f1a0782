/**
 * How long one question may take, from its first wait to its answer: whatever is waited for
 * ends with it, and once. Cheaper than a signal of Node's own: each exchange has one.
 */
import { ProcessorFailure } from './words.js'

export class Patience {
  /** Undefined as long as it lasts. */
  failure: ProcessorFailure | undefined
  readonly #timer: NodeJS.Timeout
  readonly #endings = new Set<(failure: ProcessorFailure) => void>()

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => {
      this.end(new ProcessorFailure('timeout'))
    }, milliseconds)
  }

  end(failure: ProcessorFailure): void {
    if (this.failure !== undefined) return
    this.failure = failure
    clearTimeout(this.#timer)
    for (const ending of this.#endings) ending(failure)
    this.#endings.clear()
  }

  /** Nothing more is waited for. */
  settle(): void {
    clearTimeout(this.#timer)
    this.#endings.clear()
  }

  /** `ending` is called at most once, at once where it has ended; gives what takes it back. */
  onEnd(ending: (failure: ProcessorFailure) => void): () => void {
    if (this.failure !== undefined) {
      ending(this.failure)
      return () => undefined
    }
    this.#endings.add(ending)
    return () => this.#endings.delete(ending)
  }

  /** What is waited for, or the end of patience. @throws ProcessorFailure */
  async within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.onEnd(reject)
      work.then(
        (value) => {
          forget()
          resolve(value)
        },
        (cause: unknown) => {
          forget()
          reject(cause instanceof Error ? cause : new Error(String(cause)))
        },
      )
    })
  }
}
