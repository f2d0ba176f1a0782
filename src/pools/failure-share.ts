/**
 * Which share of the newest answers failed: of the running half of a window and the half before
 * it. For targets that never fail often in a row and fail too often all the same. Pure.
 */

export interface Share {
  readonly of: number
  readonly failed: number
}

export class FailureShare {
  #halfBegan = 0
  #now = { of: 0, failed: 0 }
  #before = { of: 0, failed: 0 }

  /** Counts one and gives what the window holds with it. */
  saw(isFailure: boolean, now: number, windowMs: number): Share {
    this.#turn(now, windowMs / 2)
    this.#now.of++
    if (isFailure) this.#now.failed++
    return {
      of: this.#now.of + this.#before.of,
      failed: this.#now.failed + this.#before.failed,
    }
  }

  forget(): void {
    this.#now = { of: 0, failed: 0 }
    this.#before = { of: 0, failed: 0 }
  }

  #turn(now: number, halfMs: number): void {
    const passed = now - this.#halfBegan
    if (passed < halfMs) return
    this.#before = passed < 2 * halfMs ? this.#now : { of: 0, failed: 0 }
    this.#now = { of: 0, failed: 0 }
    this.#halfBegan = now
  }
}
