/** What a format asks for one operand, and how its text fills the width. */

export type GoValue =
  | { readonly kind: 'int'; readonly value: bigint }
  /** An integer past 64 bits: Go's big.Int, which knows fewer verbs. */
  | { readonly kind: 'big'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }

export type Spec = {
  verb: string
  plus: boolean
  minus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  width: number | undefined
  precision: number | undefined
}

/** Fills to the width with spaces, or zeros on the left; width counts characters. */
export function pad(spec: Spec, text: string): string {
  const missing = (spec.width ?? 0) - lengthOf(text)
  if (missing <= 0) return text
  if (spec.minus) return text + ' '.repeat(missing)
  return (spec.zero ? '0' : ' ').repeat(missing) + text
}

function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
