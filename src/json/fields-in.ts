/** How many fields a value has, in all of its objects: less than its JSON has keys, where one stands twice. Pure. */
import type { Resting } from '../core/resting.js'

const REST_NODES = 1024

/** Of what `JSON.parse` gave, of any depth; rests as it goes. No bound: whoever parsed it has one. */
export function* fieldsIn(value: unknown): Resting<number> {
  const open: unknown[] = [value]
  let fields = 0
  let looked = 0
  while (open.length > 0) {
    if (++looked % REST_NODES === 0) yield
    const top = open.pop()
    if (typeof top !== 'object' || top === null) continue
    if (!Array.isArray(top)) fields += Object.keys(top).length
    for (const inner of Object.values(top)) if (isHolder(inner)) open.push(inner)
  }
  return fields
}

function isHolder(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
