/**
 * Texts with values that are made up anew: `{alnum*36}` becomes 36 letters and digits. Made by
 * a generator with a seed, so that a run can be had again.
 */
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = UPPER.toLowerCase()
const DIGITS = '0123456789'
const ALPHABETS: Readonly<Record<string, string>> = {
  alnum: UPPER + LOWER + DIGITS,
  letter: UPPER + LOWER,
  upper: UPPER + DIGITS,
  lower: LOWER + DIGITS,
  digit: DIGITS,
  hex: '0123456789abcdef',
  url64: `${UPPER}${LOWER}${DIGITS}-_`,
  base64: `${UPPER}${LOWER}${DIGITS}+/`,
  base32: `${UPPER}234567`,
  bech32: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
}

/** Numbers from 0 to 1 (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function madeUp(template: string, next: () => number): string {
  return template.replace(/\{(\w+)\*(\d+)\}/g, (_whole, name: string, count: string) => {
    const alphabet = ALPHABETS[name]
    if (alphabet === undefined) throw new Error(`no alphabet ${name}`)
    let made = ''
    for (let i = 0; i < Number(count); i++) {
      // Keys neither begin nor end with a sign.
      const isEdge = i === 0 || i === Number(count) - 1
      const from = isEdge ? alphabet.replace(/[-_+/]/g, '') : alphabet
      made += from[Math.floor(next() * from.length)]
    }
    return made
  })
}
