/**
 * Reading a certificate: the few facts about a CA that Node's X509Certificate does not tell.
 * Reads our own files and those that an operator imports, never a peer's.
 */
import { X509Certificate } from 'node:crypto'
import { children, contents, dottedOid, fromDer, isBoolean, isContext } from './asn1.js'
import { isInteger, toDer } from './asn1.js'
import type { Asn1 } from './asn1.js'

/** A CA certificate of ours is 13 KB; nothing sensible is near this. */
export const MAX_CERTIFICATE_BYTES = 262_144

export interface CaCertificate {
  readonly x509: X509Certificate
  readonly pem: string
  /** DER of the subject, byte for byte. */
  readonly name: Buffer
  readonly keyId: Buffer | undefined
  readonly isCa: boolean
  /** Whether its key usage, when it has one, allows it (RFC 5280 §4.2.1.3). */
  readonly signsCertificates: boolean
  /** Undefined means no limit. */
  readonly pathLength: number | undefined
  /** Permitted dNSName subtrees; undefined when DNS names are not constrained. */
  readonly permitted: readonly string[] | undefined
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** The first certificate of the text. Throws when there is none or it is not whole. */
export function readCaCertificate(pem: string): CaCertificate {
  if (pem.length > MAX_CERTIFICATE_BYTES) throw new Error('too long for a certificate')
  const x509 = new X509Certificate(pem)
  // TBSCertificate, RFC 5280 §4.1; version is there for every v3 certificate.
  const tbs = children(children(fromDer(x509.raw))[0])
  const at = isContext(tbs[0], 0) ? 1 : 0
  const subject = tbs[at + 4]
  if (subject === undefined) throw new Error('a certificate without a subject')
  const extensions = new Map<string, Asn1>()
  for (const extension of children(children(tbs.find((part) => isContext(part, 3)))[0])) {
    const parts = children(extension)
    extensions.set(dottedOid(parts[0]), fromDer(contents(parts.at(-1))))
  }
  const basic = children(extensions.get('2.5.29.19'))
  const keyId = extensions.get('2.5.29.14')
  const usage = extensions.get('2.5.29.15')
  return {
    x509,
    pem: pemOf('CERTIFICATE', x509.raw),
    name: toDer(subject),
    keyId: keyId === undefined ? undefined : contents(keyId),
    isCa: basic.some((part) => isBoolean(part) && contents(part)[0] !== 0),
    signsCertificates: usage === undefined || ((contents(usage)[1] ?? 0) & 0x04) !== 0,
    pathLength: smallInteger(basic.find(isInteger)),
    permitted: permittedDnsNames(extensions.get('2.5.29.30')),
    notBeforeMs: Date.parse(x509.validFrom),
    notAfterMs: Date.parse(x509.validTo),
  }
}

export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function smallInteger(value: Asn1 | undefined): number | undefined {
  return value === undefined ? undefined : contents(value).readUInt8(0)
}

function permittedDnsNames(constraints: Asn1 | undefined): string[] | undefined {
  const permitted = children(constraints).find((part) => isContext(part, 0))
  const names = children(permitted)
    .map((subtree) => children(subtree)[0])
    .filter((base) => isContext(base, 2))
    .map((base) => contents(base).toString('latin1').toLowerCase())
  return names.length === 0 ? undefined : names
}
