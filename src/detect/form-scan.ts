/**
 * Numbers of persons and accounts by their groups: at the beginning of each word, the groups
 * that stand there are followed through the forms of the catalogue. Pure; looks at 20
 * characters and eight groups from each place at the most.
 */
import { isAlnumCode, isWordCode, kindOf } from './characters.js'
import type { CompiledForm, FormNode } from './rule-tables.js'

/** Groups that some forms have; whether one of these holds is not looked at yet. */
export interface FormPlace {
  readonly node: FormNode
  readonly start: number
  readonly end: number
}

const MAX_CHARS = 20
/** Blank, `.`, `-`, `/`, `:`, `_`, `+`: what may stand between groups. */
const SEPARATORS = new Uint8Array(128)
for (const char of ' .-/:_+') SEPARATORS[char.charCodeAt(0)] = 1

/** `end`: of the first group, where to look on. */
export function formsAt(
  text: string,
  start: number,
  root: FormNode,
  tell: (node: FormNode, start: number, end: number) => void,
): number {
  let node: FormNode = root
  let chars = 0
  let groupStart = start
  let firstEnd = start
  for (;;) {
    let key = 1
    let end = groupStart
    const most = groupStart + MAX_CHARS
    for (; end <= most; end++) {
      const kind = kindOf(text.charCodeAt(end))
      if ((kind & 3) === 0) break
      key = key * 2 + (kind >> 1)
    }
    if (firstEnd === start) firstEnd = end
    if (end > most) return wordEnd(text, end)
    const next = node.step(key)
    if (next === undefined) return firstEnd
    node = next
    chars += end - groupStart
    if (chars > MAX_CHARS) return firstEnd
    const isGrouped = groupStart > start
    if (node.forms.length > 0 && isWholeAt(text, start, end))
      if (!isGrouped || !isAmid(text, start, end)) tell(node, start, end)
    const code = text.charCodeAt(end)
    if (!(code < 128 && SEPARATORS[code] === 1)) return firstEnd
    if (node.isLast || !isAlnumCode(text.charCodeAt(end + 1))) return firstEnd
    groupStart = end + 1
  }
}

/** What a form is held to: its characters in capitals, and what stands between its groups. */
export function writtenIn(
  text: string,
  start: number,
  end: number,
): { compact: string; separators: string } {
  let compact = ''
  let separators = ''
  let from = start
  let isPlain = true
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x40) isPlain = false
    if (!(code < 128 && SEPARATORS[code] === 1)) continue
    compact += text.slice(from, at)
    separators += text.charAt(at)
    from = at + 1
  }
  compact += text.slice(from, end)
  return { compact: isPlain ? compact : compact.toUpperCase(), separators }
}

function wordEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && isAlnumCode(text.charCodeAt(end))) end++
  return end
}

/** The same at each place that the form leaves open. */
export function isSeparated(
  { separators, between }: CompiledForm,
  found: string,
): boolean {
  if (found.length !== separators.length) return false
  let open = ''
  for (let i = 0; i < found.length; i++) {
    const char = found[i] as string
    const wanted = separators[i] as string
    if (wanted !== '') {
      if (char !== wanted) return false
    } else if (open === '') {
      if (!between.includes(char)) return false
      open = char
    } else if (char !== open) return false
  }
  return true
}

/** Neither part of a longer number, path or name, nor an amount of money. */
function isWholeAt(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 1)
  if (isWordCode(before)) return false
  if (before === 0x20ac || before === 0xa3) return false
  const kind = before < 128 ? (OF_LONGER[before] as number) : 0
  if (kind === MONEY || (kind === LONGER && isWordCode(text.charCodeAt(start - 2))))
    return false
  const after = text.charCodeAt(end)
  if (isWordCode(after)) return false
  const goesOn = after === 0x2d || after === 0x2f || after === 0x2b || after === 0x40
  if (goesOn && isWordCode(text.charCodeAt(end + 1))) return false
  const isDot = after === 0x2e || after === 0x2c || after === 0x3a
  return !(isDot && kindOf(text.charCodeAt(end + 1)) === 1)
}

/** Blanks and digits on both sides of its groups: a row of numbers. */
function isAmid(text: string, start: number, end: number): boolean {
  return (
    text.charCodeAt(start - 1) === BLANK &&
    text.charCodeAt(end) === BLANK &&
    kindOf(text.charCodeAt(start - 2)) === DIGIT &&
    kindOf(text.charCodeAt(end + 1)) === DIGIT
  )
}

const BLANK = 0x20
/** As `kindOf` has it. */
const DIGIT = 1

/** What before it makes it part of something longer, where a word stands before that. */
const LONGER = 1
const MONEY = 2
const OF_LONGER = new Uint8Array(128)
for (const char of '.,-/+@%&?') OF_LONGER[char.charCodeAt(0)] = LONGER
OF_LONGER[0x24] = MONEY
