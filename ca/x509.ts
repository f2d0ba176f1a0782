/**
 * The parts of a certificate and their encoding (RFC 5280 §4): names, extensions, the body
 * that is signed, the whole. Which parts a certificate of ours has is `profile.ts`'s.
 */
import * as der from './asn1.js'
import type { Asn1 } from './asn1.js'

const SERIAL_BYTES = 16
/** RFC 6761 §6.4: no such name ever exists. An empty permitted list would permit all names. */
const NO_NAME = 'invalid'

export type SignatureAlgorithm = 'ecdsa-sha256' | 'rsa-sha256'

/** A key that gets a certificate: DER SubjectPublicKeyInfo and its identifier. */
export interface SubjectKey {
  readonly spki: Uint8Array
  readonly keyId: Uint8Array
}

/** A certificate before its signature. */
export interface Unsigned {
  readonly tbs: Buffer
  readonly algorithm: SignatureAlgorithm
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** The whole certificate, DER. `signature` is over `certificate.tbs`; ECDSA's is DER too. */
export function signedCertificate(certificate: Unsigned, signature: Uint8Array): Buffer {
  return der.toDer(
    der.sequence(
      der.fromDer(certificate.tbs),
      algorithmIdentifier(certificate.algorithm),
      der.bits(signature),
    ),
  )
}

/** What stands in a certificate for a set of subtrees: something, also for the empty set. */
export function subtreesOrNone(permitted: readonly string[]): readonly string[] {
  return permitted.length === 0 ? [NO_NAME] : permitted
}

export const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  rsaSha256: '1.2.840.113549.1.1.11',
} as const

export interface Fields {
  readonly serial: Uint8Array
  readonly issuer: Asn1
  readonly algorithm: SignatureAlgorithm
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly subject: Asn1
  readonly key: SubjectKey
  readonly extensions: readonly Asn1[]
}

/** TBSCertificate, RFC 5280 §4.1. */
export function unsigned(fields: Fields): Unsigned {
  const { algorithm, notBeforeMs, notAfterMs } = fields
  const tbs = der.sequence(
    der.explicit(0, der.integer(2)),
    der.integerBytes(fields.serial),
    algorithmIdentifier(algorithm),
    fields.issuer,
    der.sequence(der.time(notBeforeMs), der.time(notAfterMs)),
    fields.subject,
    der.fromDer(fields.key.spki),
    der.explicit(3, der.sequence(...fields.extensions)),
  )
  return { tbs: der.toDer(tbs), algorithm, notBeforeMs, notAfterMs }
}

/** 126 random bits: positive, never zero, always 16 octets (RFC 5280 §4.1.2.2). */
export function serialNumber(random: (bytes: number) => Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random(SERIAL_BYTES))
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}

/** RFC 5758 §3.2: ECDSA has no parameters; RFC 4055 §5: RSA has NULL. */
function algorithmIdentifier(algorithm: SignatureAlgorithm): Asn1 {
  return algorithm === 'ecdsa-sha256'
    ? der.sequence(der.oid(OID.ecdsaSha256))
    : der.sequence(der.oid(OID.rsaSha256), der.nothing())
}

/** Part of the key identifier makes the name unique: two roots must not share a subject. */
export function distinguishedName(owner: string, label: string, key: SubjectKey): Asn1 {
  const mark = Buffer.from(key.keyId).toString('hex').slice(0, 8)
  return der.sequence(
    attribute(OID.organization, owner),
    attribute(OID.commonName, `YORI ${label} ${mark}`),
  )
}

export function commonName(text: string): Asn1 {
  return der.sequence(attribute(OID.commonName, text))
}

function attribute(type: string, text: string): Asn1 {
  return der.set(der.sequence(der.oid(type), der.utf8(text)))
}

export function extension(id: string, value: Asn1, critical?: 'critical'): Asn1 {
  const content = der.octets(der.toDer(value))
  return critical === undefined
    ? der.sequence(der.oid(id), content)
    : der.sequence(der.oid(id), der.boolean(true), content)
}

/**
 * `addresses: 'unmentioned'` leaves IP addresses to the other CAs of the chain, which exclude
 * them: Java fails on a second certificate that excludes both families (seen in 17).
 */
export function caExtensions(
  pathLength: number,
  permitted: readonly string[] | undefined,
  addresses: 'excluded' | 'unmentioned' = 'excluded',
): Asn1[] {
  const names =
    permitted === undefined
      ? []
      : [
          extension(
            OID.nameConstraints,
            nameConstraints(permitted, addresses),
            'critical',
          ),
        ]
  return [
    extension(
      OID.basicConstraints,
      der.sequence(der.boolean(true), der.integer(pathLength)),
      'critical',
    ),
    // keyCertSign and cRLSign, RFC 5280 §4.2.1.3.
    extension(OID.keyUsage, der.bits(Uint8Array.of(0x06), 1), 'critical'),
    ...names,
  ]
}

/** Address and mask of nothing but zeros is every address, in each family. */
function nameConstraints(
  permitted: readonly string[],
  addresses: 'excluded' | 'unmentioned',
): Asn1 {
  const names = subtreesOrNone(permitted)
  const subtrees = der.explicit(0, ...names.map((name) => der.sequence(dnsName(name))))
  if (addresses === 'unmentioned') return der.sequence(subtrees)
  return der.sequence(
    subtrees,
    der.explicit(
      1,
      der.sequence(der.implicit(7, new Uint8Array(8))),
      der.sequence(der.implicit(7, new Uint8Array(32))),
    ),
  )
}

export function dnsName(name: string): Asn1 {
  return der.implicit(2, Buffer.from(name, 'latin1'))
}

export function serverAuth(): Asn1 {
  return extension(OID.extendedKeyUsage, der.sequence(der.oid(OID.serverAuth)))
}

export function subjectKeyId(keyId: Uint8Array): Asn1 {
  return extension(OID.subjectKeyIdentifier, der.octets(keyId))
}

export function authorityKeyId(keyId: Uint8Array): Asn1 {
  return extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyId)))
}
