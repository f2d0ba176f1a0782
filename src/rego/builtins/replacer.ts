/**
 * Replacement of many strings in one pass, as Go's strings.Replacer: at each place the first
 * pair in order that fits wins, and what was put in is not looked at again.
 */
export function replaceAll(
  text: string,
  pairs: readonly (readonly [string, string])[],
  spend: (length: number) => void,
): string {
  const [only] = pairs
  if (only !== undefined && pairs.length === 1 && only[0] !== '') {
    const parts = text.split(only[0])
    spend(text.length + (parts.length - 1) * only[1].length)
    return parts.join(only[1])
  }
  return replaceMany(text, pairs, spend)
}

function replaceMany(
  text: string,
  pairs: readonly (readonly [string, string])[],
  spend: (length: number) => void,
): string {
  let out = ''
  let at = 0
  let emptyBefore = false
  while (at <= text.length) {
    spend(pairs.length)
    // An empty string fits everywhere, but not twice at one place.
    const pair = pairs.find(
      ([from]) => (from !== '' || !emptyBefore) && text.startsWith(from, at),
    )
    emptyBefore = pair !== undefined && pair[0] === ''
    if (pair !== undefined) {
      spend(pair[1].length)
      out += pair[1]
      at += pair[0].length
      continue
    }
    const code = text.codePointAt(at)
    if (code === undefined) break
    const char = String.fromCodePoint(code)
    out += char
    at += char.length
  }
  return out
}
