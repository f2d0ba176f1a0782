/**
 * What has been heard in conversations: messages that policies have let pass, so that they are
 * not looked at again where a later request repeats them, and lines that the model has said, so
 * that history which claims to be its words can be told from a person's. Kept as keyed digests,
 * never as text; the oldest go first, and what is forgotten is looked at again.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Resting } from '../core/resting.js'
import { piecesIn } from '../providers/body-text.js'
import type { Unit } from '../providers/body-text.js'
import type { ResponseFacts } from '../providers/provider.js'

export interface HeardLimits {
  readonly maxMessages: number
  readonly maxLines: number
}

/** Some 60 bytes each. */
export const HEARD_LIMITS: HeardLimits = { maxMessages: 64 * 1024, maxLines: 64 * 1024 }

/** Of one answer; longer ones are a person's words when they come back. */
const MAX_LINES = 4096

/** Characters after which it rests, and what a part costs beside its own. */
const HASHED_CHARS = 64 * 1024
const PART_CHARS = 256

/** Units after which it rests. */
const REST_UNITS = 256

/** What one request may rely on. */
export interface HeardBefore {
  hasPassed(unit: Unit): Resting<boolean>
  hasSaid(line: string): boolean
  /** These were looked at, and went on; of what was asked about before the digest is there. */
  pass(units: readonly Unit[]): Resting<void>
}

export class Heard {
  readonly #salt = randomBytes(16)
  readonly #messages: Recent
  readonly #lines: Recent
  readonly #rules = new WeakMap<object, number>()
  #lastRules = 0

  constructor({ maxMessages, maxLines }: HeardLimits = HEARD_LIMITS) {
    this.#messages = new Recent(maxMessages)
    this.#lines = new Recent(maxLines)
  }

  /** `rules`: by what policies it was looked at; others have to look for themselves. */
  in(conversation: string, rules: object): HeardBefore {
    const number = this.#rules.get(rules) ?? ++this.#lastRules
    this.#rules.set(rules, number)
    const scope = `${number}\n${conversation}`
    // One request's, of which there may be tens of thousands: a weak one grows far slower.
    const keys = new Map<Unit, number>()
    const messages = this.#messages
    const keyOf = (unit: Unit): Resting<number> => this.#keyOfUnit(scope, unit)
    return {
      *hasPassed(unit) {
        const key = yield* keyOf(unit)
        keys.set(unit, key)
        return messages.has(key)
      },
      hasSaid: (line) => this.#lines.has(this.#key(conversation, line.trim())),
      *pass(units) {
        for (const [index, unit] of units.entries()) {
          messages.add(keys.get(unit) ?? (yield* keyOf(unit)))
          if (index % REST_UNITS === REST_UNITS - 1) yield
        }
      },
    }
  }

  /** The model has answered. */
  said(conversation: string, { text, besideText, toolCalls }: ResponseFacts): void {
    const texts = [
      text,
      besideText,
      ...toolCalls.flatMap((call) => [call.name, ...leavesOf(call.argumentsText)]),
    ]
    let left = MAX_LINES
    for (const each of texts)
      for (const line of each.split('\n')) {
        if (left <= 0) return
        const words = line.trim()
        if (words === '') continue
        left--
        this.#lines.add(this.#key(conversation, words))
      }
  }

  *#keyOfUnit(scope: string, { pieces }: Unit): Resting<number> {
    const hash = createHash('sha256').update(this.#salt)
    hash.update(`${scope.length}:`).update(scope)
    let chars = 0
    for (const piece of pieces) {
      hash.update(`${piece.who}${piece.text.length}:`)
      for (const part of piecesIn(piece)) {
        hash.update(part)
        chars += part.length + PART_CHARS
        if (chars < HASHED_CHARS) continue
        chars = 0
        yield
      }
    }
    return hash.digest().readUIntBE(0, 6)
  }

  /** 48 bits under a key that nobody outside knows: none can be made to fit. */
  #key(...parts: readonly string[]): number {
    const hash = createHash('sha256').update(this.#salt)
    for (const part of parts) hash.update(`${part.length}:`).update(part)
    return hash.digest().readUIntBE(0, 6)
  }
}

/** Arguments come back as they were written, or as the values that they are. */
function leavesOf(argumentsText: string): string[] {
  const leaves = [argumentsText]
  try {
    JSON.parse(argumentsText, (name, value: unknown) => {
      leaves.push(name)
      if (typeof value === 'string' || typeof value === 'number')
        leaves.push(String(value))
      return value
    })
  } catch {
    // As it was written, then.
  }
  return leaves
}

/** Of what is known, so much is forgotten where there is no more room: one part of these. */
const FORGOTTEN_SHARE = 64

/** A set that forgets what was added longest ago. */
class Recent {
  readonly #max: number
  readonly #known = new Set<number>()

  constructor(max: number) {
    this.#max = max
  }

  has(key: number): boolean {
    return this.#known.has(key)
  }

  add(key: number): void {
    this.#known.delete(key)
    this.#known.add(key)
    if (this.#known.size <= this.#max) return
    // Many at once: a set is gone through from its first place, empty or not.
    let left = Math.ceil(this.#max / FORGOTTEN_SHARE)
    for (const oldest of this.#known) {
      this.#known.delete(oldest)
      if (--left === 0) return
    }
  }
}
