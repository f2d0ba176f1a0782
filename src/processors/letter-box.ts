/**
 * What one processor is still to be told of one exchange, in order. Bounded: what does not fit
 * is left out, and counted; nobody waits for it.
 */
import type { Processor } from './processor.js'
import type { Told } from './told.js'

/** Words that wait, and their bytes. */
const MAX_WAITING = 64
const MAX_BYTES = 1024 * 1024

export class LetterBox {
  readonly processor: Processor
  readonly #requestId: string
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #bytes = 0
  /** It failed: nothing more is told of this exchange. */
  #isOver = false

  constructor(processor: Processor, requestId: string) {
    this.processor = processor
    this.#requestId = requestId
  }

  post(told: Told): void {
    if (this.#isOver) return
    const size = told.kind === 'response_body' ? told.bytes.length : 0
    const isFull = this.#waiting >= MAX_WAITING || this.#bytes + size > MAX_BYTES
    // How it ends is told all the same: there is one such word of a body.
    if (isFull && !(told.kind === 'response_body' && told.isLast)) {
      this.processor.counts.untold++
      return
    }
    this.#waiting++
    this.#bytes += size
    this.#last = this.#last.then(async () => {
      if (!this.#isOver && !(await this.processor.tell(this.#requestId, told))) {
        this.#isOver = true
        this.processor.forget(this.#requestId)
      }
      this.#waiting--
      this.#bytes -= size
    })
  }
}
