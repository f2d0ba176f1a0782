/**
 * ASN.1 values for test certificates, over node-forge's encoder. DER text is a "binary
 * string" there; it becomes a Buffer here and nowhere else.
 */
import { isIPv4 } from 'node:net'
import forge from 'node-forge'

const { asn1 } = forge
export type Node = forge.asn1.Asn1

const universal = (type: number, constructed: boolean, value: string | Node[]): Node =>
  asn1.create(asn1.Class.UNIVERSAL, type, constructed, value)

export const sequence = (...parts: Node[]): Node =>
  universal(asn1.Type.SEQUENCE, true, parts)

export const set = (...parts: Node[]): Node => universal(asn1.Type.SET, true, parts)

export const oid = (dotted: string): Node =>
  universal(asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes())

export const boolean = (value: boolean): Node =>
  universal(asn1.Type.BOOLEAN, false, value ? '\xff' : '\x00')

export const integer = (bytes: Buffer): Node =>
  universal(asn1.Type.INTEGER, false, bytes.toString('latin1'))

export const nothing = (): Node => universal(asn1.Type.NULL, false, '')

export const utf8 = (text: string): Node =>
  universal(asn1.Type.UTF8, false, Buffer.from(text).toString('latin1'))

export const octets = (bytes: Buffer): Node =>
  universal(asn1.Type.OCTETSTRING, false, bytes.toString('latin1'))

export const bits = (bytes: Buffer, unusedBits = 0): Node =>
  universal(
    asn1.Type.BITSTRING,
    false,
    String.fromCharCode(unusedBits) + bytes.toString('latin1'),
  )

/** A context-specific tag: a list of nodes makes it constructed, bytes make it primitive. */
export const tagged = (tag: number, content: Node[] | Buffer): Node =>
  Buffer.isBuffer(content)
    ? asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, content.toString('latin1'))
    : asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, content)

/** UTCTime through 2049, GeneralizedTime after. RFC 5280 §4.1.2.5. */
export const time = (at: Date): Node =>
  at.getUTCFullYear() < 2050
    ? universal(asn1.Type.UTCTIME, false, asn1.dateToUtcTime(at))
    : universal(asn1.Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(at))

export const encode = (node: Node): Buffer =>
  Buffer.from(asn1.toDer(node).getBytes(), 'latin1')

export const decode = (der: Buffer): Node => asn1.fromDer(der.toString('latin1'))

/** GeneralName [7] iPAddress. RFC 5280 §4.2.1.6. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = groups(tail)
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const all = address.includes('::') ? [...left, ...middle, ...right] : left
  return Buffer.concat(all.map((group) => Buffer.from(group.padStart(4, '0'), 'hex')))
}
