/**
 * Requests that wait for the word of an adult: what a policy holds goes on when somebody says
 * yes to its code, and is refused when somebody says no, or nobody says anything in time. In
 * memory: who waits is gone when the process is. Bounded; a request for which there is no room
 * is refused at once.
 */
import { timestampText } from '../audit/rows.js'
import type { Listed } from '../audit/where.js'
import type { Device } from '../core/record.js'

/** What a person is told of one that waits. */
export interface HeldCall {
  /** Such as `7F3-K2M`. */
  readonly code: string
  readonly requestId: string
  readonly device: Device
  readonly policy: string
  readonly endpoint: string
  readonly reason: string
  /** Digests of what is held, for an approval that lasts. */
  readonly marks: readonly string[]
  /** Unix milliseconds. */
  readonly since: number
  readonly until: number
}

/**
 * `approved` and `denied` by a person; `timeout`: nobody said anything; `full`: no room;
 * `gone`: its client has left, or YORI stops.
 */
export type Word = 'approved' | 'denied' | 'timeout' | 'full' | 'gone'

export const WORDS: readonly Word[] = ['approved', 'denied', 'timeout', 'full', 'gone']

export interface Told {
  readonly word: Word
  /** Who said it; undefined: nobody. */
  readonly by?: string
}

export interface HoldLimits {
  readonly waitMs: number
  readonly max: number
}

export const HELD_EVENT = 'call_held'

/** As an event, and for who asks what waits. */
export function heldDetails(call: HeldCall): Readonly<Record<string, unknown>> {
  const { marks: _marks, device, since, until, ...told } = call
  return {
    ...told,
    device: { ip: device.ip, mac: device.mac ?? null, hostname: device.hostname ?? null },
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  }
}

interface Waiting {
  readonly call: HeldCall
  readonly settle: (told: Told) => void
}

export class Holds {
  readonly #waiting = new Map<string, Waiting>()
  readonly #told: Record<Word, number> = {
    approved: 0,
    denied: 0,
    timeout: 0,
    full: 0,
    gone: 0,
  }

  /** Resolves once; never rejects. */
  wait(call: HeldCall, { waitMs, max }: HoldLimits): Promise<Told> {
    const known = this.#waiting.has(call.requestId)
    if (known || this.#waiting.size >= max) return Promise.resolve(this.#count('full'))
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ word: 'timeout' }), waitMs)
      const settle = (told: Told): void => {
        if (!this.#waiting.delete(call.requestId)) return
        clearTimeout(timer)
        this.#count(told.word)
        resolve(told)
      }
      this.#waiting.set(call.requestId, { call, settle })
    })
  }

  /** By its code; undefined: no such request waits. */
  find(code: string): HeldCall | undefined {
    return this.#byCode(code)?.call
  }

  /** False: nothing waits under that code any more. */
  answer(code: string, word: 'approved' | 'denied', by: string): boolean {
    const waiting = this.#byCode(code)
    waiting?.settle({ word, by })
    return waiting !== undefined
  }

  /** Its client has left. */
  giveUp(requestId: string): void {
    this.#waiting.get(requestId)?.settle({ word: 'gone' })
  }

  /** All of them, the oldest first. */
  list(): readonly HeldCall[] {
    return [...this.#waiting.values()].map(({ call }) => call)
  }

  get size(): number {
    return this.#waiting.size
  }

  /** What became of those before. */
  get told(): Readonly<Record<Word, number>> {
    return this.#told
  }

  #count(word: Word): Told {
    this.#told[word]++
    return { word }
  }

  #byCode(code: string): Waiting | undefined {
    for (const waiting of this.#waiting.values())
      if (waiting.call.code === code) return waiting
    return undefined
  }
}

/** As the record would have it, for who says yes or no to it. */
export function heldRow(call: HeldCall): Listed {
  const { device, requestId, policy, endpoint, reason, marks, since } = call
  return {
    request_id: requestId,
    timestamp: timestampText(since),
    device_ip: device.ip,
    device_mac: device.mac ?? null,
    device_hostname: device.hostname ?? null,
    endpoint_domain: endpoint,
    policy_name: policy,
    reason,
    found_marks: marks.length === 0 ? null : marks.join(' '),
  }
}
