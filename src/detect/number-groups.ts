/**
 * Groups of digits as they stand: `4111 1111` is 4 and 4 with a space between. Pure; looks at
 * five groups of at most 40 digits, and makes nothing for a place at which no number stands.
 */

/** Groups of digits that one number may have. */
export const MAX_GROUPS = 5
/** Longest number with what stands between its digits. */
export const MAX_NUMBER = 40

/** What may stand between two groups. */
export const BLANK = 1
export const HYPHEN = 2
export const DOT = 3
export const SLASH = 4
/** `)`, `) `, `)-`, `).` */
export const CLOSED = 5
/** ` (` */
export const OPENED = 6

const SIGNS = new Uint8Array(128)
SIGNS[0x20] = BLANK
SIGNS[0x2d] = HYPHEN
SIGNS[0x2e] = DOT
SIGNS[0x2f] = SLASH

/** Lengths of the first two groups of cards, social security numbers and telephones. */
const BEGUN = new Uint8Array(40)
for (const [first, second] of [
  [4, 4],
  [4, 6],
  [3, 2],
  [3, 3],
  [1, 3],
] as const)
  BEGUN[first * 8 + second] = 1

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** One for all places of a text: what it says of one lasts until the next is looked at. */
export class Groups {
  count = 0
  readonly lengths = new Int32Array(MAX_GROUPS)
  readonly ends = new Int32Array(MAX_GROUPS)
  /** Behind each group but the last, one of the signs above; 0 behind the last. */
  readonly between = new Uint8Array(MAX_GROUPS)

  /** Ends behind two groups with which no number that is looked for begins. */
  at(text: string, from: number): void {
    this.count = 0
    let at = from
    while (this.count < MAX_GROUPS) {
      let end = at
      while (end < at + MAX_NUMBER && isDigit(text.charCodeAt(end))) end++
      if (end === at) return
      const n = this.count++
      this.lengths[n] = end - at
      this.ends[n] = end
      const first = text.charCodeAt(end)
      let sign = first < 128 ? (SIGNS[first] as number) : 0
      at = end + 1
      if (!isDigit(text.charCodeAt(at))) {
        at++
        const second = text.charCodeAt(end + 1)
        const after = second < 128 ? (SIGNS[second] as number) : 0
        const isClosed = first === 0x29 && after > 0 && after < SLASH
        sign = first === 0x20 && second === 0x28 ? OPENED : isClosed ? CLOSED : 0
        if (!isDigit(text.charCodeAt(at))) sign = 0
      } else if (first === 0x29) sign = CLOSED
      this.between[n] = sign
      if (sign === 0) return
      if (n === 1 && !this.#isBegun()) return
    }
  }

  #isBegun(): boolean {
    const first = this.lengths[0] as number
    const second = this.lengths[1] as number
    if (first > 4 || second > 6) return false
    return BEGUN[first * 8 + second] === 1 || this.between[0] === DOT
  }

  /** Are its first groups as long as these? 0: whatever follows. */
  areLong(first: number, second: number, third: number, fourth = 0): boolean {
    const { lengths, count } = this
    if (lengths[0] !== first || count < (fourth === 0 ? 3 : 4)) return false
    if (lengths[1] !== second || lengths[2] !== third) return false
    return fourth === 0 || lengths[3] === fourth
  }

  /** Does the same sign stand behind each of the first `many`, one up to `most`? */
  areApart(many: number, most: number): boolean {
    const sign = this.between[0] as number
    if (sign === 0 || sign > most) return false
    for (let i = 1; i < many; i++) if (this.between[i] !== sign) return false
    return true
  }
}
