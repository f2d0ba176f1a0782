/** Checkers by the names that rules of the catalogue call them. */
import type { Check } from './check-europe.js'
import { CRYPTO } from './check-crypto.js'
import { EUROPEAN } from './check-europe.js'
import { WORLDLY } from './check-world.js'

export const CHECKERS: ReadonlyMap<string, Check> = new Map(
  Object.entries({ ...EUROPEAN, ...WORLDLY, ...CRYPTO }),
)
