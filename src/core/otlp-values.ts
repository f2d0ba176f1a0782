/**
 * Values of OTLP's JSON: 64-bit numbers are decimal text, times are nanoseconds. Pure.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

/** Trace id, parent span and flags of a `traceparent`; W3C Trace Context section 3.2. */
export const TRACEPARENT =
  /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
/** Of a span. */
export const KIND_CLIENT = 3
export const STATUS_ERROR = 2

export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } }

export interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

export type Plain = string | number | boolean | readonly string[] | undefined

/** Those that have a value: JSON has no NaN, and a member that is null is none. */
export function attributesOf(plain: Readonly<Record<string, Plain>>): OtlpAttribute[] {
  return Object.entries(plain).flatMap(([key, value]) =>
    value === undefined || (typeof value === 'number' && !Number.isFinite(value))
      ? []
      : [{ key, value: valueOf(value) }],
  )
}

function valueOf(value: NonNullable<Plain>): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value)
      ? { intValue: String(value) }
      : { doubleValue: value }
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } }
}

/** 64 bits, which a number does not hold. */
export function nanoseconds(ms: number): string {
  const whole = Math.floor(ms)
  const rest = Math.round((ms - whole) * 1e6)
  return String(BigInt(whole) * 1_000_000n + BigInt(rest))
}
