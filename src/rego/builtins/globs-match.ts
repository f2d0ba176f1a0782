/**
 * Whether two simple expressions (`.`, `[a-z]`, `*`, `+`, `\`) have a common string that is not
 * empty. Both run side by side: each place in one meets each place in the other once.
 */
import type { BuiltinContext } from '../builtin.js'
import { refuse } from './define.js'

/** Code points from low to high. */
type Range = readonly [number, number]
/** Characters that fit; `star` when any number of them does. */
type Token = { readonly ranges: readonly Range[]; readonly star: boolean }

const anyChar: readonly Range[] = [[0, 0x10ffff]]

export function globsIntersect(
  left: string,
  right: string,
  context: BuiltinContext,
): boolean {
  const a = tokenize(left)
  const b = tokenize(right)
  context.step((a.length + 1) * (b.length + 1))
  const width = b.length + 1
  // For each pair of places: reached before any character, and behind at least one.
  const fresh = new Uint8Array((a.length + 1) * width)
  const moved = new Uint8Array((a.length + 1) * width)
  fresh[0] = 1
  // Places only ever move on, so one pass in order reaches everything there is to reach.
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      const here = i * width + j
      const x = a[i]
      const y = b[j]
      if (fresh[here] === 0 && moved[here] === 0) continue
      if (x !== undefined && y !== undefined && share(x.ranges, y.ranges)) {
        moved[(x.star ? i : i + 1) * width + (y.star ? j : j + 1)] = 1
      }
      if (x?.star === true) pass(here, here + width, fresh, moved)
      if (y?.star === true) pass(here, here + 1, fresh, moved)
    }
  }
  return moved[moved.length - 1] === 1
}

/** Skips a starred token without a character. */
function pass(from: number, to: number, fresh: Uint8Array, moved: Uint8Array): void {
  if (fresh[from] === 1) fresh[to] = 1
  if (moved[from] === 1) moved[to] = 1
}

function share(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some(([low, high]) => b.some(([from, to]) => low <= to && from <= high))
}

function tokenize(input: string): Token[] {
  const chars = [...input]
  const tokens: Token[] = []
  let at = 0
  const fail = (message: string): never =>
    refuse(`input:${input}, pos:${at}, ${message}: the input provided is invalid`)

  const escaped = (): number => {
    const char = chars[at + 1]
    if (char === undefined) fail('input ends with a \\ (escape) character')
    at += 2
    return codeOf(char)
  }

  const set = (): Range[] => {
    const ranges: Range[] = []
    let previous: number | undefined
    for (;;) {
      const char = chars[at]
      if (char === undefined) return fail('found [ without matching ]')
      if (char === '\\') {
        previous = escaped()
        ranges.push([previous, previous])
        continue
      }
      at++
      if (char === ']') return ranges
      if (char !== '-') {
        previous = codeOf(char)
        ranges.push([previous, previous])
        continue
      }
      if (previous === undefined)
        return fail("range character '-' must be preceded by a Unicode character")
      if (at >= chars.length - 1)
        return fail("range character '-' must be followed by a Unicode character")
      const bare = chars[at] !== '\\'
      const high = bare ? codeOf(chars[at++]) : escaped()
      if (bare && (high === 0x5d || high === 0x2d))
        return fail("range character '-' cannot be followed by a special symbol")
      if (high < previous) return fail('range is out of order')
      ranges.push([previous, high])
      previous = undefined
    }
  }

  while (at < chars.length) {
    const char = chars[at]
    let ranges: readonly Range[]
    if (char === '\\') {
      const code = escaped()
      ranges = [[code, code]]
    } else {
      at++
      if (char === ']') fail("set-close ']' with no preceding '['")
      if (char === '*' || char === '+')
        fail(`flag '${char}' must be preceded by a non-flag`)
      ranges = char === '.' ? anyChar : char === '[' ? set() : single(codeOf(char))
    }
    const flag = chars[at]
    if (flag === '*' || flag === '+') at++
    if (flag === '+') tokens.push({ ranges, star: false })
    tokens.push({ ranges, star: flag === '*' || flag === '+' })
  }
  return tokens
}

function single(code: number): readonly Range[] {
  return [[code, code]]
}

function codeOf(char: string | undefined): number {
  return char?.codePointAt(0) ?? 0
}
