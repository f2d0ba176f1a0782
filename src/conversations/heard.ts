/**
 * What has been heard in conversations: messages that policies have let pass, so that they are
 * not looked at again where a later request repeats them, and lines that the model has said, so
 * that history which claims to be its words can be told from a person's. Kept as keyed digests,
 * never as text; the oldest go first, and what is forgotten is looked at again.
 */
import { createHash, randomBytes } from 'node:crypto'
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

/** What one request may rely on. */
export interface HeardBefore {
  hasPassed(unit: Unit): boolean
  hasSaid(line: string): boolean
  /** These were looked at, and went on. */
  pass(units: readonly Unit[]): void
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
    const keys = new WeakMap<Unit, number>()
    const keyOf = (unit: Unit): number => {
      const known = keys.get(unit) ?? this.#keyOfUnit(scope, unit)
      keys.set(unit, known)
      return known
    }
    return {
      hasPassed: (unit) => this.#messages.has(keyOf(unit)),
      hasSaid: (line) => this.#lines.has(this.#key(conversation, line.trim())),
      pass: (units) => {
        for (const unit of units) this.#messages.add(keyOf(unit))
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

  #keyOfUnit(scope: string, { pieces }: Unit): number {
    const parts = pieces.flatMap(({ who, text }) => [who, text])
    return this.#key(scope, ...parts)
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
    for (const oldest of this.#known) {
      this.#known.delete(oldest)
      return
    }
  }
}
