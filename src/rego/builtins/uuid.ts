/** UUIDs (RFC 9562): made at random, and taken apart. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import { numberFromBigInt, objectOf } from '../value.js'
import type { Value } from '../value.js'
import { define, stringAt } from './define.js'

/** A version 4 UUID, the same for the same name throughout an evaluation. */
function make(args: readonly Value[], context: BuiltinContext): Value {
  const name = `uuid.rfc4122 ${stringAt(args, 0)}`
  const known = context.cache.get(name)
  if (typeof known === 'string') return known
  const bytes = Buffer.from(
    Array.from({ length: 16 }, () => Math.floor(context.random() * 256)),
  )
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  const made = [0, 8, 12, 16, 20].map((start, index, starts) =>
    hex.slice(start, starts[index + 1]),
  )
  const uuid = made.join('-')
  context.cache.set(name, uuid)
  return uuid
}

/** 100 ns steps between the Gregorian calendar's start and the Unix epoch. */
const gregorianToUnix = 122_192_928_000_000_000n

function parse(args: readonly Value[]): Value | undefined {
  const bytes = bytesOf(stringAt(args, 0))
  if (bytes === undefined) return undefined
  const version = bytes.readUInt8(6) >> 4
  const fields: [string, Value][] = [
    ['version', version],
    ['variant', variantOf(bytes.readUInt8(8))],
  ]
  if (version === 1 || version === 2) {
    fields.push(
      ['time', numberFromBigInt(timeOf(bytes))],
      ['nodeid', Array.from(bytes.subarray(10), octet).join('-')],
      ['macvariables', nodeKind(bytes.readUInt8(10))],
      ['clocksequence', bytes.readUInt16BE(8) & 0x3fff],
    )
  }
  if (version === 2) {
    const domain = bytes.readUInt8(9)
    fields.push(
      ['id', bytes.readUInt32BE(0)],
      ['domain', ['Person', 'Group', 'Org'][domain] ?? `Domain${domain}`],
    )
  }
  return objectOf(fields)
}

/** Plain, as a URN, in braces, or without hyphens. */
function bytesOf(text: string): Buffer | undefined {
  let inner = text
  if (text.length === 45 && /^urn:uuid:/i.test(text)) inner = text.slice(9)
  else if (text.length === 38) inner = text.slice(1, -1)
  else if (text.length === 32)
    return /^[0-9a-f]{32}$/i.test(text) ? Buffer.from(text, 'hex') : undefined
  const hyphened = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
  return hyphened.test(inner) ? Buffer.from(inner.replaceAll('-', ''), 'hex') : undefined
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122'
  if ((byte & 0xe0) === 0xc0) return 'Microsoft'
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved'
}

function timeOf(bytes: Buffer): bigint {
  const low = BigInt(bytes.readUInt32BE(0))
  const middle = BigInt(bytes.readUInt16BE(4))
  const high = BigInt(bytes.readUInt16BE(6) & 0x0fff)
  return ((high << 48n) + (middle << 32n) + low - gregorianToUnix) * 100n
}

function octet(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** What the first octet of a MAC address says of it (RFC 9542 §2.1). */
function nodeKind(first: number): string {
  const scope = (first & 2) === 2 ? 'local' : 'global'
  const cast = (first & 1) === 1 ? 'multicast' : 'unicast'
  return `${scope}:${cast}`
}

export const uuids: readonly Builtin[] = [
  { ...define('uuid.rfc4122', [t.string], t.string, make), nondeterministic: true },
  define('uuid.parse', [t.string], t.object(t.string), parse),
]
