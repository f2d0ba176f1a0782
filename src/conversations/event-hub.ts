/**
 * Hands events to whoever follows them in this process. Nobody waits for a listener and none
 * can harm an exchange: one that throws is counted.
 */
import type { CallEvent, CallEventSink } from '../core/call-event.js'

export type CallEventListener = (event: CallEvent) => void

export const MAX_LISTENERS = 32

export class CallEvents implements CallEventSink {
  readonly #listeners = new Set<CallEventListener>()
  failures = 0

  /** Someone listens: without, nothing need be made. */
  get heard(): boolean {
    return this.#listeners.size > 0
  }

  /** Undefined when there are as many listeners as there may be. */
  follow(listener: CallEventListener): Disposable | undefined {
    if (this.#listeners.size >= MAX_LISTENERS) return undefined
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  emit(event: CallEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch {
        this.failures++
      }
    }
  }
}
