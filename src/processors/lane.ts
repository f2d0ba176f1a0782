/**
 * So many questions at once, so many that wait for their turn, and no more. First come, first
 * served.
 */
import type { Patience } from './patience.js'
import { ProcessorFailure } from './words.js'

export class Lane {
  readonly #atOnce: number
  readonly #queue: number
  readonly #waiting = new Set<() => void>()
  #active = 0

  constructor(atOnce: number, queue: number) {
    this.#atOnce = atOnce
    this.#queue = queue
  }

  get active(): number {
    return this.#active
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Undefined: its turn has come already. @throws and rejects with ProcessorFailure */
  enter(patience: Patience): Promise<void> | undefined {
    if (this.#active < this.#atOnce) {
      this.#active++
      return undefined
    }
    if (this.#waiting.size >= this.#queue) throw new ProcessorFailure('busy')
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        forget()
        resolve()
      }
      this.#waiting.add(turn)
      const forget = patience.onEnd((failure) => {
        this.#waiting.delete(turn)
        reject(failure)
      })
    })
  }

  /** Whoever has had a turn gives it back, once. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#active--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
