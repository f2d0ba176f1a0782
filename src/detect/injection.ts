/**
 * Orders to a model in a text that was folded: phrases of the catalogue, plain or in base64 or
 * bits, requests that a tool's result has no reason to make, and links that carry words away.
 * Pure; linear.
 */
import type { Resting } from '../core/resting.js'
import { isAlnumCode } from './characters.js'
import { PhraseScan } from './phrases.js'
import { SURE } from './rule.js'
import type { Finding, PhraseRule } from './rule.js'

export type SaidBy = 'person' | 'tool'

export class InjectionScan {
  readonly #phrases: PhraseScan

  constructor(rules: readonly PhraseRule[]) {
    this.#phrases = new PhraseScan(rules)
  }

  find(text: string, said: SaidBy = 'person'): Finding[] {
    const found = this.#phrasesIn(text, said)
    for (const { start, end, plain, how } of hiddenIn(text))
      for (const one of this.#phrasesIn(plain, said))
        found.push({
          ...one,
          ...{ start, end, confidence: Math.min(0.97, one.confidence + 0.1) },
          why: `${one.why}, in ${how}`,
        })
    if (said === 'tool') found.push(...requestsIn(text))
    found.push(...linksIn(text))
    return found
  }

  #phrasesIn(text: string, said: SaidBy): Finding[] {
    return this.#phrases.find(text).map(({ rule, start, end }) => ({
      ...{ class: 'injection', kind: rule.kind, start, end, rule: rule.id },
      confidence: said === 'tool' ? (rule.tool ?? rule.confidence) : rule.confidence,
      why: said === 'tool' ? 'its words, in what a tool gave' : 'its words',
    }))
  }
}

interface Hidden {
  readonly start: number
  readonly end: number
  readonly plain: string
  readonly how: string
}

const MAX_HIDDEN = 64
const WORDS = /^[\t\n\r -~\u00a0-\uffff]{12,}$/
const HAS_WORDS = /[a-z]{2} [a-z]{2}/i

const LEAST_BASE64 = 24
const MOST_BASE64 = 4096
const IS_BASE64 = new Uint8Array(128)
for (let code = 0x2f; code < 128; code++) IS_BASE64[code] = isAlnumCode(code) ? 1 : 0
IS_BASE64[0x2b] = 1
IS_BASE64[0x2f] = 1
const BITS = /[01]{8}(?: ?[01]{8}){5,1023}/y
const LEAST_BITS = 8
const IS_BIT = new Uint8Array(128)
IS_BIT[0x30] = 1
IS_BIT[0x31] = 1
/** Of base64 so much is decoded to see whether it is text. */
const SAMPLE = 64
/** Twelve characters: fewer are no words. */
const SAMPLE_BITS = 96

/** Where a run of at least so many of these begins, from `at` on; -1: nowhere. */
function runFrom(text: string, at: number, least: number, of: Uint8Array): number {
  let start = at
  while (start + least <= text.length) {
    let back = start + least - 1
    while (back >= start && isOf(of, text.charCodeAt(back))) back--
    if (back < start) return start
    start = back + 1
  }
  return -1
}

function isOf(of: Uint8Array, code: number): boolean {
  return code < 128 && of[code] === 1
}

function hiddenIn(text: string): Hidden[] {
  const hidden: Hidden[] = []
  inBase64(text, hidden)
  inBits(text, hidden)
  return hidden
}

function inBase64(text: string, hidden: Hidden[]): void {
  for (let end = 0; hidden.length < MAX_HIDDEN;) {
    const start = runFrom(text, end, LEAST_BASE64, IS_BASE64)
    if (start < 0) return
    end = start + LEAST_BASE64
    const most = Math.min(text.length, start + MOST_BASE64)
    while (end < most && isOf(IS_BASE64, text.charCodeAt(end))) end++
    const data = text.slice(start, end)
    for (let pads = 0; pads < 2 && text.charCodeAt(end) === 0x3d; pads++) end++
    // Words of one case alone are no base64, and neither is what decodes to no text.
    if (!/[a-z]/.test(data) || !/[A-Z]/.test(data)) continue
    if (!WORDS.test(Buffer.from(data.slice(0, SAMPLE), 'base64').toString())) continue
    const plain = Buffer.from(data, 'base64').toString()
    add(hidden, { how: 'base64', start, end, plain })
  }
}

function inBits(text: string, hidden: Hidden[]): void {
  for (let end = 0; hidden.length < MAX_HIDDEN;) {
    const start = runFrom(text, end, LEAST_BITS, IS_BIT)
    if (start < 0) return
    BITS.lastIndex = start
    const found = BITS.exec(text)
    end = found === null ? start + LEAST_BITS : BITS.lastIndex
    if (found === null) continue
    const bits = found[0].replaceAll(' ', '')
    if (!WORDS.test(ofBits(bits.slice(0, SAMPLE_BITS)))) continue
    add(hidden, { how: 'bits', start, end, plain: ofBits(bits) })
  }
}

function ofBits(bits: string): string {
  let plain = ''
  for (let at = 0; at < bits.length; at += 8)
    plain += String.fromCharCode(parseInt(bits.slice(at, at + 8), 2))
  return plain
}

function add(hidden: Hidden[], one: Hidden): void {
  if (WORDS.test(one.plain) && HAS_WORDS.test(one.plain)) hidden.push(one)
}

/** As whoever asks a model begins. `generate` is what programs say as well. */
const REQUEST =
  /^(?:please[, ]{1,2}|(?:can|could|would|will) you (?:please )?|i (?:need|want) you to )?(?:write|provide|help me|give me|tell me|explain|describe|suggest|recommend|create|draft|design|compose|summari[sz]e|compare|calculate|research|offer|show me|share|translate|analy[sz]e|identify|outline|discuss|predict|propose|assist me|advise me|teach me|find me|list|how (?:do|can|should) (?:i|you|we)|what(?:'s| is| are) (?:the|your|some)) (?=\w)/i
/** Longer is a text, and not a request alone. */
const MAX_REQUEST = 320
const MAX_LAST_LINE = 200

/** A tool's result that is nothing but a request, or ends with one. */
function requestsIn(text: string): Finding[] {
  const whole = text.trim()
  const start = text.indexOf(whole)
  const base = { class: 'injection', kind: 'TOOL_REQUEST', rule: 'tool-request' } as const
  if (whole.length <= MAX_REQUEST && !whole.includes('\n')) {
    const isOne = REQUEST.test(whole)
    const end = start + whole.length
    const why = 'a request, in what a tool gave'
    return isOne ? [{ ...base, start, end, confidence: 0.6, why }] : []
  }
  const from = whole.lastIndexOf('\n') + 1
  const last = whole.slice(from)
  if (last.length > MAX_LAST_LINE || !REQUEST.test(last)) return []
  const why = 'a request at the end of what a tool gave'
  return [
    { ...base, start: start + from, end: start + whole.length, confidence: SURE, why },
  ]
}

/** Characters of what a link says, and of its address. */
const MAX_LABEL = 200
const MAX_URL = 2000
const WEB = /\s?https?:\/\//y
const URL_END = /[\s)]/g
const CARRIED = /[?&/=]([A-Za-z0-9+/_-]{24,1500})(?:={0,2})(?=[&#)]|$)/g
const SPOKEN = /=(?:[^&#]{0,400}(?:%20|\+)){4}/
const PLACE = /[=/](?:\{\{?|\[|<|%7B)[\w ]{2,40}(?:\}|\]|>|%7D)/i

/** Links and images whose address holds words: they go to whoever owns the host. */
function linksIn(text: string): Finding[] {
  const found: Finding[] = []
  let end = 0
  for (let at = text.indexOf(']('); at >= 0 && found.length < MAX_HIDDEN;) {
    const from = at + 2
    WEB.lastIndex = from
    const isWeb = WEB.test(text)
    const start = isWeb ? labelStart(text, at) : undefined
    // Of a link within an address that is too long, the end is known.
    if (isWeb && end <= WEB.lastIndex) end = urlEnd(text, WEB.lastIndex)
    const isLink = start !== undefined && text[end] === ')' && end - from <= MAX_URL
    at = text.indexOf('](', isLink ? end : from)
    if (!isLink) continue
    if (!carriesWords(text.slice(from, end).trimStart())) continue
    const isImage = text[start - 1] === '!'
    found.push({
      ...{ class: 'injection', kind: 'EXFILTRATION', rule: 'link-carries' },
      ...{ start: isImage ? start - 1 : start, end: end + 1 },
      ...{ confidence: isImage ? 0.8 : 0.6, why: 'an address that holds words' },
    })
  }
  return found
}

function urlEnd(text: string, from: number): number {
  URL_END.lastIndex = from
  return URL_END.exec(text)?.index ?? text.length
}

/** The `[` before what a link says, which ends at `end`; the first of its line. */
function labelStart(text: string, end: number): number | undefined {
  let start: number | undefined
  for (let at = end - 1; at >= 0 && at >= end - MAX_LABEL - 1; at--) {
    const char = text[at]
    if (char === '\n' || char === ']') break
    if (char === '[') start = at
  }
  return start
}

function carriesWords(url: string): boolean {
  if (PLACE.test(url) || SPOKEN.test(url)) return true
  for (const [, data = ''] of url.matchAll(CARRIED)) {
    const plain = Buffer.from(data, 'base64').toString()
    if (WORDS.test(plain) && HAS_WORDS.test(plain)) return true
  }
  return false
}

/** Tag characters that are no flag, and zero-width ones in a row: seen by models alone. */
const INVISIBLE = /(?:[\u{e0020}-\u{e007e}]){3,}|[\u200b-\u200d\u2060-\u2064\ufeff]{8,}/gu
const FLAG = /\u{1f3f4}$/u

/** Looked through in one turn. */
const INVISIBLE_CHARS = 64 * 1024
const MAX_RUN = 4096

/** Of a text as it stands, before it was folded. A run of over 4,096 is told in parts. */
export function* invisibleIn(text: string): Resting<Finding[]> {
  const found: Finding[] = []
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + INVISIBLE_CHARS)
    const most = to + MAX_RUN
    while (to < Math.min(text.length, most) && isUnseen(text.charCodeAt(to))) to++
    for (const { 0: whole, index } of text.slice(from, to).matchAll(INVISIBLE)) {
      const start = from + index
      if (FLAG.test(text.slice(Math.max(0, start - 2), start))) continue
      found.push({
        ...{ class: 'injection', kind: 'INVISIBLE_TEXT', rule: 'invisible' },
        ...{ start, end: start + whole.length, confidence: 0.75 },
        why: 'characters that nobody sees',
      })
      if (found.length >= MAX_HIDDEN) return found
    }
    from = to
    yield
  }
  return found
}

/** Of a run of those, or the half of one. */
function isUnseen(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x2064) ||
    code === 0xfeff ||
    (code >= 0xd800 && code <= 0xdfff)
  )
}
