/** What earlier connections taught about a (device, name): bounded, and forgotten in time. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../core/clock.js'
import type { Device } from '../core/record.js'
import type { Learned } from '../policy/route.js'
import type { Memory } from './services.js'

/** Pairs remembered; the least recently met go first. */
const MAX_PAIRS = 4_096
const CLIENT_CERTIFICATE_MS = 3_600_000

interface Lesson {
  readonly learned: Learned
  /** Monotonic milliseconds. */
  readonly until: number
}

export class LearnedNames implements Memory {
  readonly #clock: Clock
  readonly #lessons = new LRUCache<string, Lesson>({ max: MAX_PAIRS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  learned(device: Device, name: string): Learned | undefined {
    const lesson = this.#lessons.get(key(device, name))
    return lesson !== undefined && this.#clock.monotonic() < lesson.until
      ? lesson.learned
      : undefined
  }

  /** The provider asked for a client certificate: only the client itself can give it. */
  wantsClientCertificate(device: Device, name: string): void {
    this.#lessons.set(key(device, name), {
      learned: 'tunnel-client-certificate',
      until: this.#clock.monotonic() + CLIENT_CERTIFICATE_MS,
    })
  }
}

function key(device: Device, name: string): string {
  return `${device.mac ?? device.ip} ${name}`
}
