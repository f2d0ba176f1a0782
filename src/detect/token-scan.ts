/**
 * Keys and tokens by what services let them begin with, or have in them. Pure; looks at no
 * more than a few rules a place, and only where as many characters stand as they need.
 */
import { isAlnumCode } from './characters.js'
import { entropyOf, isPlaceholder, turnsOf } from './entropy.js'
import type { Compiled, RuleTables } from './rule-tables.js'
import type { AnchorRule, PrefixRule } from './rule.js'

export interface TokenHit {
  readonly compiled: Compiled<PrefixRule | AnchorRule>
  readonly start: number
  readonly end: number
}

type Tell = (hit: TokenHit) => void

/** Bits a character of a body for which the catalogue says nothing. */
const ENTROPY = 2.5
/** Rules that are tried in so many characters of one run: no key begins as often. */
const SHORT_PREFIX = 3
const MAX_TRIES = 24
const TRIES_CHARS = 256

export class TokenScan {
  readonly #text: string
  readonly #tables: RuleTables
  readonly #tell: Tell
  #runEnd = 0
  #tries = 0
  #triesEnd = 0

  constructor(text: string, tables: RuleTables, tell: Tell) {
    this.#text = text
    this.#tables = tables
    this.#tell = tell
  }

  /** At the beginning of a word; gives the end of what was found, else `at`. */
  at(at: number): number {
    const text = this.#text
    const { prefixes } = this.#tables
    let node = 0
    for (let i = at; i < text.length; i++) {
      node = prefixes.step(node, text.charCodeAt(i))
      if (node === 0) break
      const rules = prefixes.valuesAt(node)
      if (rules === undefined) continue
      for (const compiled of rules) {
        const end = this.#try(compiled, at, i + 1)
        if (end !== undefined) return end
      }
    }
    return at
  }

  #try(compiled: Compiled<PrefixRule>, start: number, from: number): number | undefined {
    if (from >= this.#runEnd) this.#runEnd = runEnd(this.#text, from)
    if (this.#runEnd - from < compiled.least) return undefined
    if (start >= this.#triesEnd) {
      this.#triesEnd = start + TRIES_CHARS
      this.#tries = 0
    }
    if (++this.#tries > MAX_TRIES) return undefined
    const end = bodyEnd(compiled, this.#text, start, from)
    if (end !== undefined) this.#tell({ compiled, start, end })
    return end
  }

  /** Those with a literal in the midst: each is looked for over all of the text. */
  anchored(): void {
    const text = this.#text
    for (const compiled of this.#tables.anchors) {
      const { anchor, back } = compiled.rule
      let passed = 0
      for (let at = text.indexOf(anchor); at >= 0; at = text.indexOf(anchor, at + 1)) {
        let start = at
        const from = Math.max(passed, at - back)
        while (start > from && isOfRun(text.charCodeAt(start - 1))) start--
        const end = bodyEnd(compiled, text, start, start)
        if (end !== undefined) this.#tell({ compiled, start, end })
        passed = end ?? at
      }
    }
  }
}

function bodyEnd(
  { rule, body, check }: Compiled<PrefixRule | AnchorRule>,
  text: string,
  start: number,
  from: number,
): number | undefined {
  body.lastIndex = from
  if (!body.test(text)) return undefined
  const end = body.lastIndex
  const last = text.charCodeAt(end)
  if (isAlnumCode(last) || last === 0x5f) return undefined
  if (last === 0x2d && isAlnumCode(text.charCodeAt(end + 1))) return undefined
  const found = text.slice(from, end)
  const least = rule.entropy ?? ENTROPY
  if (least > 0 && entropyOf(found) < least) return undefined
  // Behind so short a beginning, words stand as often.
  if (rule.by === 'prefix' && from - start <= SHORT_PREFIX && turnsOf(found) < 3)
    return undefined
  if (check !== undefined && !check(text.slice(start, end))) return undefined
  if (least > 0 && isPlaceholder(found)) return undefined
  return end
}

/** Before a literal: what belongs to the same key. */
function isOfRun(code: number): boolean {
  return (
    isAlnumCode(code) || code === 0x5f || code === 0x2d || code === 0x7e || code === 0x2e
  )
}

/** Of what keys are made of. */
function runEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && isOfToken(text.charCodeAt(end))) end++
  return end
}

const OF_TOKEN = new Uint8Array(128)
for (const char of '-_.+/=~@:%$') OF_TOKEN[char.charCodeAt(0)] = 1

function isOfToken(code: number): boolean {
  return code < 128 && (isAlnumCode(code) || OF_TOKEN[code] === 1)
}
