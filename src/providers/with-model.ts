/** The model that a JSON body names, and the same body with another in its place. Pure. */
import { TopStrings } from '../json/top-strings.js'
import type { TopString } from '../json/top-strings.js'

/** As often as it is named at the top, in order. */
export function modelsNamed(bytes: Buffer): readonly TopString[] {
  const names = new TopStrings('model')
  names.push(bytes)
  return names.found
}

/** Nothing else of it changes, to the byte. */
export function withModel(
  bytes: Buffer,
  named: readonly TopString[],
  model: string,
): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (const { start, end } of named) {
    parts.push(bytes.subarray(at, start), Buffer.from(JSON.stringify(model)))
    at = end
  }
  return Buffer.concat([...parts, bytes.subarray(at)])
}
