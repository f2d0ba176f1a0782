/**
 * Texts as they are compared: compatibility forms are one (NFKC, UAX #15), and what is not
 * seen is gone (Default_Ignorable_Code_Point, UAX #44, control characters), so that a full-width digit is a digit
 * and a word with an invisible character in it is that word, and a number behind one a number. Digits of any script are those of
 * ASCII (Nd stand in runs of ten, UAX #44), and so are dashes and spaces. Tag characters, which models read
 * and people do not see, become the ASCII that they stand for. Pure; linear.
 */

/** More than what ASCII shows, and its white space. */
export const TO_FOLD = /[^\t-\r -~]/
/** Control characters, keys around a digit, marks of annotations, halves of a pair, what stands for bytes that are no text. */
const IGNORABLE =
  /[\p{DI}\p{Cs}\p{Noncharacter_Code_Point}\u20e3\ufff9-\ufffb\ufffd\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+/gu
/** U+E0020 to U+E007E: each stands for an ASCII character. */
const TAGS = /[\u{e0020}-\u{e007e}]+/gu
const TAG_BASE = 0xe0000

export function folded(text: string): string {
  return TO_FOLD.test(text) ? foldWhole(text) : text
}

/** As `folded`, of what has more than ASCII. */
export function foldWhole(text: string): string {
  const plain = withAsciiSigns(text.normalize('NFKC'))
  // Few texts have any: both patterns begin with the surrogate of their plane.
  return plain.includes('\u{db40}')
    ? plain.replace(TAGS, untagged).replace(IGNORABLE, unseen)
    : plain.replace(IGNORABLE, unseen)
}

/** Nothing within a word or a number; between the two, it is where one ends. */
function unseen(run: string, at: number, text: string): string {
  return isSeam(text[at - 1], text[at + run.length]) ? ' ' : ''
}

const LETTER = /^\p{L}/u
const ASCII_DIGIT = /^[0-9]/

/** Between a letter and a digit, in either order: where what is not seen parts two words. */
export function isSeam(before = '', after = ''): boolean {
  return (
    (LETTER.test(before) && ASCII_DIGIT.test(after)) ||
    (ASCII_DIGIT.test(before) && LETTER.test(after))
  )
}

/** Never another number of units where one character stands for another. */
function withAsciiSigns(text: string): string {
  return text.replace(DASH, '-').replace(SPACE, ' ').replace(DIGIT, asciiDigit)
}

const DASH = /[\u058a\u05be\u2010-\u2015\u2212\u2e3a\u2e3b\u301c\u3030\u30a0]/g
const SPACE = /[\u1680\u2028\u2029]/g
const DIGIT = /(?![0-9])\p{Nd}/gu
const NOT_DIGIT = /[^\p{Nd}]/u

/** Its run of ten begins where no digit stands before. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) as number
  for (let value = 0; value < 10; value++) {
    const before = String.fromCodePoint(code - value - 1)
    if (NOT_DIGIT.test(before)) return String(value)
  }
  // Two runs without a gap between, as mathematical digits have, which NFKC knows already.
  return digit
}

function untagged(tags: string): string {
  let plain = ''
  for (const tag of tags)
    plain += String.fromCharCode((tag.codePointAt(0) as number) - TAG_BASE)
  return plain
}
