/** Is it random, or a word, a name, a placeholder? Pure; takes as long as the text is. */

/** Characters that are looked at. */
const MOST = 256
/** Each number times its logarithm. */
const WEIGHTS = Float64Array.from({ length: MOST + 1 }, (_none, count) =>
  count < 2 ? 0 : count * Math.log2(count),
)
/** How often each character of ASCII stands in what is looked at; what is not ASCII is one. */
const counts = new Uint16Array(129)

/** Shannon entropy in bits a character. Looks at the first 256. */
export function entropyOf(text: string): number {
  const length = Math.min(text.length, MOST)
  if (length === 0) return 0
  counts.fill(0)
  for (let i = 0; i < length; i++) {
    const at = Math.min(text.charCodeAt(i), 128)
    counts[at] = (counts[at] as number) + 1
  }
  let sum = 0
  for (let at = 0; at < counts.length; at++)
    sum += WEIGHTS[counts[at] as number] as number
  return Math.log2(length) - sum / length
}

const PLACEHOLDER =
  /x{6,}|X{6,}|\*{4,}|\.{4,}|0{12,}|_{4,}|(?:example|sample|dummy|placeholder|changeme|redacted|your[_-]?|insert[_-]|replace[_-]|todo|fixme|notreal|abcdefghij)/i

/** Stands for a secret where one would stand. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text.slice(0, 256))
}

/** Letters and digits in turns: seldom in names and paths, often in what was made by chance. */
export function turnsOf(text: string): number {
  let turns = 0
  let before = 0
  const length = Math.min(text.length, 256)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    const kind = code >= 0x30 && code <= 0x39 ? 1 : code >= 0x41 && code <= 0x5a ? 2 : 3
    if (kind !== before && before !== 0) turns++
    before = kind
  }
  return turns
}
