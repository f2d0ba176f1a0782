/**
 * DER, as much of it as X.509 needs (ITU-T X.690, RFC 5280). Knows types and lengths; what a
 * certificate means is `profile.ts`'s. node-forge does the encoding; only its ASN.1 module is
 * loaded, and by `require`: 0.7 MB of RSS, where the whole package takes 9.6 and the first
 * `import` of any CommonJS module 6.7 for Node's lexer.
 */
import { createRequire } from 'node:module'
import type { asn1 as Forge } from 'node-forge'

export type Asn1 = Forge.Asn1

const require = createRequire(import.meta.url)
const asn1 = require('node-forge/lib/asn1.js') as typeof Forge

const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class
const { Type } = asn1

/** node-forge keeps octets in strings, one character each. */
const toBinary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const fromBinary = (text: string): Buffer => Buffer.from(text, 'latin1')

export function sequence(...parts: readonly Asn1[]): Asn1 {
  return asn1.create(UNIVERSAL, Type.SEQUENCE, true, [...parts])
}

export function set(...parts: readonly Asn1[]): Asn1 {
  return asn1.create(UNIVERSAL, Type.SET, true, [...parts])
}

export function oid(dotted: string): Asn1 {
  return asn1.create(UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes())
}

/** A small non-negative number. */
export function integer(value: number): Asn1 {
  return asn1.create(UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(value).getBytes())
}

/** Octets that are already a minimal two's complement integer. */
export function integerBytes(bytes: Uint8Array): Asn1 {
  return asn1.create(UNIVERSAL, Type.INTEGER, false, toBinary(bytes))
}

export function boolean(value: boolean): Asn1 {
  return asn1.create(UNIVERSAL, Type.BOOLEAN, false, value ? '\xff' : '\x00')
}

export function nothing(): Asn1 {
  return asn1.create(UNIVERSAL, Type.NULL, false, '')
}

export function octets(bytes: Uint8Array): Asn1 {
  return asn1.create(UNIVERSAL, Type.OCTETSTRING, false, toBinary(bytes))
}

export function bits(bytes: Uint8Array, unused = 0): Asn1 {
  const value = String.fromCharCode(unused) + toBinary(bytes)
  return asn1.create(UNIVERSAL, Type.BITSTRING, false, value)
}

export function utf8(text: string): Asn1 {
  return asn1.create(UNIVERSAL, Type.UTF8, false, toBinary(Buffer.from(text, 'utf8')))
}

/** BMPString; no characters beyond U+FFFF. node-forge makes two octets of each itself. */
export function bmp(text: string): Asn1 {
  return asn1.create(UNIVERSAL, Type.BMPSTRING, false, text)
}

/** `[tag]` around other values. */
export function explicit(tag: number, ...parts: readonly Asn1[]): Asn1 {
  return asn1.create(CONTEXT_SPECIFIC, tag, true, [...parts])
}

/** `[tag] IMPLICIT` of a primitive type. */
export function implicit(tag: number, bytes: Uint8Array): Asn1 {
  return asn1.create(CONTEXT_SPECIFIC, tag, false, toBinary(bytes))
}

/** UTCTime through 2049, GeneralizedTime from 2050, whole seconds (RFC 5280 §4.1.2.5). */
export function time(ms: number): Asn1 {
  const date = new Date(Math.floor(ms / 1000) * 1000)
  return date.getUTCFullYear() < 2050
    ? asn1.create(UNIVERSAL, Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(
        UNIVERSAL,
        Type.GENERALIZEDTIME,
        false,
        asn1.dateToGeneralizedTime(date),
      )
}

export function toDer(value: Asn1): Buffer {
  return fromBinary(asn1.toDer(value).getBytes())
}

/** Throws when the octets are not one whole DER value. */
export function fromDer(bytes: Uint8Array): Asn1 {
  return asn1.fromDer(toBinary(bytes))
}

/** The values inside a constructed one; none for a primitive. */
export function children(value: Asn1 | undefined): readonly Asn1[] {
  return Array.isArray(value?.value) ? value.value : []
}

/** The octets of a primitive value; none for a constructed one. */
export function contents(value: Asn1 | undefined): Buffer {
  return typeof value?.value === 'string' ? fromBinary(value.value) : Buffer.alloc(0)
}

export function isContext(value: Asn1 | undefined, tag: number): boolean {
  return value?.tagClass === CONTEXT_SPECIFIC && (value.type as number) === tag
}

export function isBoolean(value: Asn1 | undefined): boolean {
  return value?.tagClass === UNIVERSAL && value.type === Type.BOOLEAN
}

export function isInteger(value: Asn1 | undefined): boolean {
  return value?.tagClass === UNIVERSAL && value.type === Type.INTEGER
}

/** The dotted form of an OBJECT IDENTIFIER; empty for anything else. */
export function dottedOid(value: Asn1 | undefined): string {
  if (value?.tagClass !== UNIVERSAL || value.type !== Type.OID) return ''
  return typeof value.value === 'string' ? asn1.derToOid(value.value) : ''
}
