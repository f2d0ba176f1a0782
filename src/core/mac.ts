/** Hardware addresses (EUI-48) as people and systems write them. Pure. */

const FORMS: readonly RegExp[] = [
  /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/,
  /^[0-9a-f]{1,2}(?:-[0-9a-f]{1,2}){5}$/,
  /^[0-9a-f]{2}(?:\.[0-9a-f]{2}){5}$/,
  /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}$/,
  /^[0-9a-f]{12}$/,
]

/**
 * The one spelling, `aa:bb:cc:dd:ee:ff`, of `AA-BB-CC-DD-EE-FF`, `aabb.ccdd.eeff`,
 * `aa.bb.cc.dd.ee.ff`, `aabbccddeeff` and the like; undefined for anything else.
 */
export function macText(text: string): string | undefined {
  const lower = text.toLowerCase()
  if (lower.length > 17 || !FORMS.some((form) => form.test(lower))) return undefined
  const parts = lower.split(/[:-]/)
  const digits =
    parts.length === 6
      ? parts.map((part) => part.padStart(2, '0')).join('')
      : lower.replaceAll('.', '')
  return digits.replace(/(..)(?=.)/g, '$1:')
}
