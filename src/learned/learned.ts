/**
 * What earlier connections taught about who accepts our certificates: bounded, and tested again
 * in time. A party is a device, a name, and the software as its ClientHello shows it.
 *
 * An app that turns us away is *pinned* when its device trusts our root otherwise, for then the
 * app alone does not; else it is *not trusting yet*, or its clock is wrong. Who pins is left
 * alone for an hour, the others for seconds; then each is tried again, and left alone for twice
 * as long each time that it has not changed its mind. Trust comes to a whole device: with its
 * first success, or when it takes our root, nothing of it is untrusting any more.
 */
import type { Clock } from '../core/clock.js'
import type { Lesson, LessonKind, Lessons } from '../core/lessons.js'
import type { Device } from '../core/record.js'
import type { Learned } from '../policy/route.js'
import { deviceId } from '../core/device-id.js'
import { Recent } from '../core/recent.js'
import type { Memory, Party, Refusal } from './memory.js'

/** Remembered of each kind; the least recently met go first. */
const MAX_LESSONS = 4_096
/** A device has no more than this of them, so that none can make us forget the others. */
const MAX_LESSONS_PER_DEVICE = 128
const FIRST_MS: Readonly<Record<LessonKind, number>> = {
  'tunnel-pinned': 3_600_000,
  'tunnel-not-trusted': 5_000,
  'tunnel-clock': 5_000,
}
const LONGEST_MS = 24 * 3_600_000
const CLIENT_CERTIFICATE_MS = 3_600_000
/** Closes without a word that make a refusal: one alone may be a preconnect given up. */
const CLOSES = 2

export class LearnedNames implements Memory {
  readonly #clock: Clock
  readonly #lessons = new Recent<string, Lesson>({ max: MAX_LESSONS })
  readonly #closes = new Recent<string, number>({ max: MAX_LESSONS })
  readonly #accepted = new Recent<string, true>({ max: MAX_LESSONS })
  readonly #trusting = new Recent<string, true>({ max: MAX_LESSONS })
  /** By device and name; the provider's wish, whatever the software. */
  readonly #certificates = new Recent<string, number>({ max: MAX_LESSONS })
  #root = ''
  /** Grows with every change that is worth keeping. */
  revision = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Who trusted another root need not trust this one. */
  useRoot(fingerprint: string): void {
    if (fingerprint === this.#root) return
    this.#root = fingerprint
    this.#accepted.clear()
    this.#trusting.clear()
    this.#forget(isUntrusting)
    this.revision += 1
  }

  learned(party: Party): Learned | undefined {
    const now = this.#clock.now()
    const device = deviceId(party.device)
    if ((this.#certificates.get(`${device} ${party.name}`) ?? 0) > now)
      return 'tunnel-client-certificate'
    const lesson = this.#lessons.get(keyOf(party))
    // Far off means that the clock was set back.
    const left = lesson === undefined ? 0 : lesson.until - now
    return left > 0 && left <= LONGEST_MS ? lesson?.learned : undefined
  }

  refused(party: Party, how: Refusal): boolean {
    const key = keyOf(party)
    if (how === 'close') {
      // It has used our certificate: it had another reason.
      if (this.#accepted.has(key)) return false
      const closes = (this.#closes.get(key) ?? 0) + 1
      this.#closes.set(key, closes)
      if (closes < CLOSES && !this.#lessons.has(key)) return false
    }
    this.#closes.delete(key)
    // A clock is set right again: the certificate was believed.
    if (how !== 'clock') this.#accepted.delete(key)
    const device = deviceId(party.device)
    const learned = this.#kindOf(device, how)
    const before = this.#lessons.get(key)
    const forMs =
      before?.learned === learned
        ? Math.min(2 * before.forMs, LONGEST_MS)
        : FIRST_MS[learned]
    const now = this.#clock.now()
    this.#makeRoom(device)
    this.#lessons.set(key, {
      device,
      name: party.name,
      fingerprint: party.fingerprint,
      learned,
      learnedAt: now,
      until: now + forMs,
      forMs,
    })
    this.revision += 1
    return true
  }

  forget(device: Device): void {
    const id = deviceId(device)
    this.#forget((lesson) => lesson.device === id)
  }

  gotRoot(device: Device): void {
    const id = deviceId(device)
    this.#forget((lesson) => lesson.device === id && isUntrusting(lesson))
  }

  hasAccepted(party: Party): boolean {
    return this.#accepted.has(keyOf(party))
  }

  accepted(party: Party): void {
    const key = keyOf(party)
    const device = deviceId(party.device)
    if (this.#accepted.get(key) === true && this.#trusting.has(device)) return
    this.#accepted.set(key, true)
    this.#closes.delete(key)
    this.#lessons.delete(key)
    this.#forget((lesson) => lesson.device === device && isUntrusting(lesson))
    this.#trusting.set(device, true)
    this.revision += 1
  }

  /** The provider asked for a client certificate: only the client itself can give it. */
  wantsClientCertificate(device: Device, name: string): void {
    const until = this.#clock.now() + CLIENT_CERTIFICATE_MS
    this.#certificates.set(`${deviceId(device)} ${name}`, until)
  }

  export(): Lessons {
    return {
      root: this.#root,
      lessons: this.#lessons.newestFirst().map(([, lesson]) => lesson),
      trusting: this.#trusting.newestFirst().map(([device]) => device),
    }
  }

  /** Takes the place of all lessons; devices count as trusting under the root of then only. */
  import(kept: Lessons): void {
    this.#lessons.clear()
    this.#closes.clear()
    const isSame = kept.root === this.#root
    for (const lesson of kept.lessons.slice(0, MAX_LESSONS)) {
      const { device, name, fingerprint } = lesson
      // Who did not trust another root need not distrust this one.
      if (!isSame && isUntrusting(lesson)) continue
      this.#lessons.set([device, name, fingerprint].join(' '), lesson)
    }
    if (!isSame) return
    for (const device of kept.trusting.slice(0, MAX_LESSONS))
      this.#trusting.set(device, true)
  }

  #kindOf(device: string, how: Refusal): LessonKind {
    if (how === 'clock') return 'tunnel-clock'
    return this.#trusting.has(device) ? 'tunnel-pinned' : 'tunnel-not-trusted'
  }

  #forget(which: (lesson: Lesson) => boolean): void {
    for (const [key, lesson] of this.#lessons.newestFirst()) {
      if (!which(lesson)) continue
      this.#lessons.delete(key)
      this.revision += 1
    }
  }

  #makeRoom(device: string): void {
    // From the most to the least recently met.
    const own = this.#lessons.newestFirst().filter(([, one]) => one.device === device)
    for (const [key] of own.slice(MAX_LESSONS_PER_DEVICE - 1)) this.#lessons.delete(key)
  }
}

/** What ends as soon as the root is trusted. */
function isUntrusting({ learned }: Lesson): boolean {
  return learned !== 'tunnel-pinned'
}

function keyOf({ device, name, fingerprint }: Party): string {
  return [deviceId(device), name, fingerprint].join(' ')
}
