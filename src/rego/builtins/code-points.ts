/** Text by code points, which is how Rego counts; JavaScript counts UTF-16 units. */

const HIGH_SURROGATE = /[\ud800-\udbff]/

export function codePoints(text: string): number {
  if (!HIGH_SURROGATE.test(text)) return text.length
  let count = text.length
  for (let index = 0; index < text.length; index++) {
    if ((text.codePointAt(index) ?? 0) > 0xffff) {
      count--
      index++
    }
  }
  return count
}

/** UTF-16 offset of the code point number `count`; the length when there are fewer. */
export function offsetOf(text: string, count: number): number {
  let offset = 0
  for (let left = count; left > 0 && offset < text.length; left--)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  return offset
}
