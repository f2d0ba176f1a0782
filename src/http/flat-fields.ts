/** Flat lists of fields, `[name, value, name, value, ...]`: what stands in them, and other words in its place. Pure. */
import { inLowerCase } from './field-names.js'

/** The values of a field of a flat list, each as it stands. */
export function fieldValues(fields: readonly string[], lowerName: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (inLowerCase(fields[i] as string) === lowerName)
      values.push(fields[i + 1] as string)
  return values
}

/** A flat list with these fields in the place of all of the same names. */
export function withFields(
  fields: readonly string[],
  set: readonly string[],
  dropped: readonly string[] = [],
): string[] {
  const names = new Set(dropped)
  for (let i = 0; i + 1 < set.length; i += 2) names.add(inLowerCase(set[i] as string))
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    if (!names.has(inLowerCase(name))) kept.push(name, fields[i + 1] as string)
  }
  return [...kept, ...set]
}
