/** Is it random, or a word, a name, a placeholder? Pure; takes as long as the text is. */

/** Shannon entropy in bits a character. Looks at the first 256. */
export function entropyOf(text: string): number {
  const counts = new Map<number, number>()
  const length = Math.min(text.length, 256)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  let bits = 0
  for (const count of counts.values()) {
    const share = count / length
    bits -= share * Math.log2(share)
  }
  return bits
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
