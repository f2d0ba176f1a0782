/**
 * Looks at JSON text (RFC 8259) before anything is built from it: counts depth, values and
 * bytes in one pass without recursion, and finds keys that stand twice in an object whose
 * meaning a policy reads. Building is `JSON.parse`'s, and only within the limits.
 */
import { unreachable } from '../core/unreachable.js'
import { asBuffer, isSpace, JSON_LIMITS, JsonScanner } from './json-scanner.js'
import type { JsonLimits, JsonMeasure, JsonScalar } from './json-scanner.js'

export { JSON_LIMITS } from './json-scanner.js'
export type { JsonLimits, JsonMeasure, JsonScalar } from './json-scanner.js'

export type BoundedJson =
  | {
      readonly kind: 'whole'
      readonly value: unknown
      /** Of all objects in the text: the value has fewer where one stands twice. */
      readonly keys: number
      readonly duplicateKeys: readonly string[]
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'truncated' | 'invalid'; readonly offset: number }
  | {
      readonly kind: 'over-limit'
      readonly limit: 'depth' | 'values' | 'bytes'
      readonly offset: number
    }

/**
 * Structure only: brackets, commas, colons, strings and where scalars stand. Whether a
 * scalar or an escape is well formed is left to the parser, so `ok` may still fail to
 * parse. In one go; a text over `maxBytes` is not looked at.
 */
export function measureJson(
  bytes: Uint8Array,
  limits: JsonLimits = JSON_LIMITS,
): JsonMeasure {
  if (bytes.length > limits.maxBytes)
    return { kind: 'too-large', offset: limits.maxBytes }
  return new JsonScanner(bytes, limits, undefined).run()
}

/**
 * Measures, then parses, in one go. `absent` is an empty or blank body. Throws nothing:
 * what is over `limits` or no JSON is told by its kind, with the byte at which it was
 * known.
 */
export function parseBounded(
  bytes: Uint8Array,
  limits: JsonLimits = JSON_LIMITS,
): BoundedJson {
  const measure = measureJson(bytes, limits)
  return measure.kind === 'ok' ? parseMeasured(bytes, measure) : outcomeOf(bytes, measure)
}

/**
 * Why nothing is built of it; `absent` where `bytes`, which were `truncated`, are blank.
 */
export function outcomeOf(
  bytes: Uint8Array,
  measure: Exclude<JsonMeasure, { kind: 'ok' }>,
): Exclude<BoundedJson, { kind: 'whole' }> {
  switch (measure.kind) {
    case 'too-deep':
      return { kind: 'over-limit', limit: 'depth', offset: measure.offset }
    case 'too-many':
      return { kind: 'over-limit', limit: 'values', offset: measure.offset }
    case 'too-large':
      return { kind: 'over-limit', limit: 'bytes', offset: measure.offset }
    case 'truncated':
      return isBlank(bytes)
        ? { kind: 'absent' }
        : { kind: 'truncated', offset: bytes.length }
    case 'invalid':
      return { kind: 'invalid', offset: measure.offset }
    default:
      return unreachable(measure.kind)
  }
}

/**
 * The scalar fields of the top object that stand whole in a prefix of it: a value counts
 * only when the byte after it is there too, and a key that stands twice in the prefix not
 * at all. What comes after the prefix may still repeat a key. Empty for what is no JSON;
 * over a limit, what stood before it. At most `maxBytes` of the prefix are looked at.
 */
export function partialJson(
  prefix: Uint8Array,
  limits: JsonLimits = JSON_LIMITS,
): ReadonlyMap<string, JsonScalar> {
  const fields = new Map<string, JsonScalar>()
  const scanner = new JsonScanner(prefix.subarray(0, limits.maxBytes), limits, fields)
  const measure = scanner.run()
  if (measure.kind === 'invalid') fields.clear()
  for (const key of scanner.duplicates) fields.delete(key)
  return fields
}

/**
 * All that can be read of the beginning of a JSON text: the last text in it may be cut short,
 * what follows is not there. Undefined when it does not begin as JSON does. For showing and
 * searching; what the whole says can only be more.
 */
export function parsePrefix(
  prefix: Uint8Array,
  limits: JsonLimits = JSON_LIMITS,
): unknown {
  const scanner = new JsonScanner(prefix.subarray(0, limits.maxBytes), limits, undefined)
  const measure = scanner.run()
  const closed = measure.kind === 'invalid' ? undefined : scanner.closed()
  const parsed =
    closed === undefined
      ? undefined
      : parseMeasured(closed, { keys: 0, duplicateKeys: [] })
  const value = parsed?.kind === 'whole' ? parsed.value : undefined
  // A number alone may go on behind the prefix.
  return typeof value === 'number' ? undefined : value
}

function parseMeasured(
  bytes: Uint8Array,
  { keys, duplicateKeys }: { keys: number; duplicateKeys: readonly string[] },
): BoundedJson {
  const text = asBuffer(bytes).toString()
  try {
    return { kind: 'whole', value: JSON.parse(text) as unknown, keys, duplicateKeys }
  } catch {
    return { kind: 'invalid', offset: bytes.length }
  }
}

function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (!isSpace(byte)) return false
  return true
}
