/**
 * What YORI's certificates say: root, issuing CA and leaf, as values, and their DER
 * (RFC 5280). Pure: keys, signatures, time and randomness are handed in. Which names are
 * permitted is `permitted.ts`'s business, who signs is `issue.ts`'s.
 *
 * Both CAs carry critical name constraints (RFC 5280 §4.2.1.10), so that neither key can
 * speak for a bank: some DNS subtrees are permitted, every IP address is excluded.
 */
import * as der from './asn1.js'
import type { Asn1 } from './asn1.js'

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Clients whose clock is behind by up to this accept a leaf at once. */
export const LEAF_BACKDATE_MS = HOUR_MS
/** From notBefore to notAfter, backdating included. */
export const LEAF_LIFE_MS = 90 * DAY_MS
export const CA_BACKDATE_MS = DAY_MS
export const ROOT_LIFE_MS = 3650 * DAY_MS
/** When the root key is usable without a person, the issuing CA renews itself. */
export const ISSUING_LIFE_MS = 90 * DAY_MS
export const ISSUING_LIFE_ATTENDED_MS = 398 * DAY_MS

/** RFC 5280 upper bound ub-common-name. */
const MAX_COMMON_NAME = 64
const SERIAL_BYTES = 16
/** RFC 6761 §6.4: no such name ever exists. An empty permitted list would permit all names. */
const NO_NAME = 'invalid'

export type SignatureAlgorithm = 'ecdsa-sha256' | 'rsa-sha256'

/** The signing side of a certificate, as far as the certificate below it shows it. */
export interface Issuer {
  /** DER of its subject, copied byte for byte (RFC 5280 §7.1). */
  readonly name: Uint8Array
  /** Its subject key identifier. */
  readonly keyId: Uint8Array | undefined
  readonly algorithm: SignatureAlgorithm
  readonly notAfterMs: number
}

/** A key that gets a certificate: DER SubjectPublicKeyInfo and its identifier. */
export interface SubjectKey {
  readonly spki: Uint8Array
  readonly keyId: Uint8Array
}

export interface Moment {
  readonly nowMs: number
  /** Returns that many unpredictable octets. */
  readonly random: (bytes: number) => Uint8Array
}

/** A certificate before its signature. */
export interface Unsigned {
  readonly tbs: Buffer
  readonly algorithm: SignatureAlgorithm
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** A root that signs itself; `permitted` are dNSName subtrees: a name permits all below it. */
export function rootProfile(
  key: SubjectKey,
  permitted: readonly string[],
  { nowMs, random }: Moment,
): Unsigned {
  const name = distinguishedName('YORI Root CA', key)
  return unsigned({
    serial: serialNumber(random),
    issuer: name,
    algorithm: 'ecdsa-sha256',
    notBeforeMs: nowMs - CA_BACKDATE_MS,
    notAfterMs: nowMs - CA_BACKDATE_MS + ROOT_LIFE_MS,
    subject: name,
    key,
    extensions: [
      ...caExtensions(1, permitted),
      subjectKeyId(key.keyId),
      authorityKeyId(key.keyId),
    ],
  })
}

/** The CA under a root that signs leaves, and TLS servers' leaves only. */
export function issuingProfile(
  key: SubjectKey,
  options: { issuer: Issuer; permitted: readonly string[]; lifeMs: number },
  { nowMs, random }: Moment,
): Unsigned {
  const { issuer, permitted, lifeMs } = options
  const notBeforeMs = nowMs - CA_BACKDATE_MS
  return unsigned({
    serial: serialNumber(random),
    issuer: der.fromDer(issuer.name),
    algorithm: issuer.algorithm,
    notBeforeMs,
    notAfterMs: Math.min(notBeforeMs + lifeMs, issuer.notAfterMs),
    subject: distinguishedName('YORI Issuing CA', key),
    key,
    extensions: [
      ...caExtensions(0, permitted),
      serverAuth(),
      subjectKeyId(key.keyId),
      ...(issuer.keyId === undefined ? [] : [authorityKeyId(issuer.keyId)]),
    ],
  })
}

/** A server's certificate for one name, which arrives as A-labels (RFC 5890). */
export function leafProfile(
  key: SubjectKey,
  options: { issuer: Issuer; serverName: string },
  { nowMs, random }: Moment,
): Unsigned {
  const { issuer, serverName } = options
  const notBeforeMs = nowMs - LEAF_BACKDATE_MS
  const named = serverName.length <= MAX_COMMON_NAME
  return unsigned({
    serial: serialNumber(random),
    issuer: der.fromDer(issuer.name),
    algorithm: issuer.algorithm,
    notBeforeMs,
    notAfterMs: Math.min(notBeforeMs + LEAF_LIFE_MS, issuer.notAfterMs),
    subject: named ? der.sequence(attribute(OID.commonName, serverName)) : der.sequence(),
    key,
    extensions: [
      extension(OID.basicConstraints, der.sequence(), 'critical'),
      extension(OID.keyUsage, der.bits(Uint8Array.of(0x80), 7), 'critical'),
      serverAuth(),
      // Without a subject the name stands here alone, and then it is critical (RFC 5280 §4.2.1.6).
      extension(
        OID.subjectAltName,
        der.sequence(dnsName(serverName)),
        named ? undefined : 'critical',
      ),
      subjectKeyId(key.keyId),
      ...(issuer.keyId === undefined ? [] : [authorityKeyId(issuer.keyId)]),
    ],
  })
}

/** What stands in a certificate for a set of subtrees: something, also for the empty set. */
export function subtreesOrNone(permitted: readonly string[]): readonly string[] {
  return permitted.length === 0 ? [NO_NAME] : permitted
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

const OID = {
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

interface Fields {
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
function unsigned(fields: Fields): Unsigned {
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
function serialNumber(random: Moment['random']): Uint8Array {
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
function distinguishedName(label: string, key: SubjectKey): Asn1 {
  const mark = Buffer.from(key.keyId).toString('hex').slice(0, 8)
  return der.sequence(
    attribute(OID.organization, 'YORI'),
    attribute(OID.commonName, `${label} ${mark}`),
  )
}

function attribute(type: string, text: string): Asn1 {
  return der.set(der.sequence(der.oid(type), der.utf8(text)))
}

function extension(id: string, value: Asn1, critical?: 'critical'): Asn1 {
  const content = der.octets(der.toDer(value))
  return critical === undefined
    ? der.sequence(der.oid(id), content)
    : der.sequence(der.oid(id), der.boolean(true), content)
}

function caExtensions(pathLength: number, permitted: readonly string[]): Asn1[] {
  return [
    extension(
      OID.basicConstraints,
      der.sequence(der.boolean(true), der.integer(pathLength)),
      'critical',
    ),
    // keyCertSign and cRLSign, RFC 5280 §4.2.1.3.
    extension(OID.keyUsage, der.bits(Uint8Array.of(0x06), 1), 'critical'),
    extension(OID.nameConstraints, nameConstraints(permitted), 'critical'),
  ]
}

/** Address and mask of nothing but zeros is every address, in each family. */
function nameConstraints(permitted: readonly string[]): Asn1 {
  const names = subtreesOrNone(permitted)
  return der.sequence(
    der.explicit(0, ...names.map((name) => der.sequence(dnsName(name)))),
    der.explicit(
      1,
      der.sequence(der.implicit(7, new Uint8Array(8))),
      der.sequence(der.implicit(7, new Uint8Array(32))),
    ),
  )
}

function dnsName(name: string): Asn1 {
  return der.implicit(2, Buffer.from(name, 'latin1'))
}

function serverAuth(): Asn1 {
  return extension(OID.extendedKeyUsage, der.sequence(der.oid(OID.serverAuth)))
}

function subjectKeyId(keyId: Uint8Array): Asn1 {
  return extension(OID.subjectKeyIdentifier, der.octets(keyId))
}

function authorityKeyId(keyId: Uint8Array): Asn1 {
  return extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyId)))
}
