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
import { authorityKeyId, caExtensions, commonName, distinguishedName } from './x509.js'
import { dnsName, extension, OID, serialNumber, serverAuth } from './x509.js'
import { subjectKeyId, unsigned } from './x509.js'
import type { SignatureAlgorithm, SubjectKey, Unsigned } from './x509.js'

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Clients whose clock is behind by up to this accept a leaf at once. */
export const LEAF_BACKDATE_MS = 2 * DAY_MS
/** From notBefore to notAfter, backdating included. */
export const LEAF_LIFE_MS = 90 * DAY_MS
/** No less than a leaf's, so that a new CA is no younger than what it signs. */
export const CA_BACKDATE_MS = LEAF_BACKDATE_MS
/** The issuing CA's life when only a person can renew it. */
export const ISSUING_LIFE_ATTENDED_MS = 398 * DAY_MS

/** What an operator may choose; lives are from notBefore to notAfter. */
export interface CaProfile {
  /** Shown on devices as the owner of the root. */
  readonly organization: string
  readonly rootLifeMs: number
  /** Of an issuing CA that renews itself. */
  readonly issuingLifeMs: number
  /** At most 90 days. */
  readonly leafLifeMs: number
  /** Name constraints. Without them a stolen key speaks for every site. */
  readonly constrained: boolean
}

export const defaultProfile: CaProfile = {
  organization: 'YORI',
  rootLifeMs: 3650 * DAY_MS,
  issuingLifeMs: 90 * DAY_MS,
  leafLifeMs: LEAF_LIFE_MS,
  constrained: true,
}

/** RFC 5280 upper bound ub-common-name. */
const MAX_COMMON_NAME = 64
/** The signing side of a certificate, as far as the certificate below it shows it. */
export interface Issuer {
  /** DER of its subject, copied byte for byte (RFC 5280 §7.1). */
  readonly name: Uint8Array
  /** Its subject key identifier. */
  readonly keyId: Uint8Array | undefined
  readonly algorithm: SignatureAlgorithm
  readonly notAfterMs: number
}

export interface Moment {
  readonly nowMs: number
  /** Returns that many unpredictable octets. */
  readonly random: (bytes: number) => Uint8Array
}

export interface CaSubject {
  readonly organization: string
  /** dNSName subtrees: a name permits all below it. Undefined leaves names unconstrained. */
  readonly permitted: readonly string[] | undefined
  readonly lifeMs: number
}

/**
 * A root that signs itself. `below` CAs may stand between it and a leaf: the issuing CA, and
 * for a root that replaces another one also that one.
 */
export function rootProfile(
  key: SubjectKey,
  options: CaSubject & { below: 1 | 2 },
  { nowMs, random }: Moment,
): Unsigned {
  const name = distinguishedName(options.organization, 'Root CA', key)
  return unsigned({
    serial: serialNumber(random),
    issuer: name,
    algorithm: 'ecdsa-sha256',
    notBeforeMs: nowMs - CA_BACKDATE_MS,
    notAfterMs: nowMs - CA_BACKDATE_MS + options.lifeMs,
    subject: name,
    key,
    extensions: [
      ...caExtensions(options.below, options.permitted),
      subjectKeyId(key.keyId),
      authorityKeyId(key.keyId),
    ],
  })
}

/**
 * The CA under a root that signs leaves, and TLS servers' leaves only. `gateway`: for whom, where
 * several share the root; at most 32 characters.
 */
export function issuingProfile(
  key: SubjectKey,
  options: CaSubject & { issuer: Issuer; gateway?: string | undefined },
  moment: Moment,
): Unsigned {
  const { organization, gateway } = options
  const label = gateway === undefined ? 'Issuing CA' : `Issuing CA ${gateway}`
  const name = distinguishedName(organization, label, key)
  return intermediate(key, { ...options, name, below: 0 }, moment)
}

/**
 * An old root's name and key under a new root, so that a chain that ends in the old root also
 * leads to the new one. Its life is the old root's, or the new one's when that is shorter.
 */
export function crossProfile(
  old: SubjectKey & { readonly name: Uint8Array },
  options: { issuer: Issuer; permitted: readonly string[] | undefined; untilMs: number },
  moment: Moment,
): Unsigned {
  const { issuer, permitted, untilMs } = options
  const lifeMs = untilMs - (moment.nowMs - CA_BACKDATE_MS)
  const name = der.fromDer(old.name)
  return intermediate(old, { issuer, permitted, lifeMs, name, below: 1 }, moment)
}

function intermediate(
  key: SubjectKey,
  options: {
    issuer: Issuer
    permitted: readonly string[] | undefined
    lifeMs: number
    name: Asn1
    below: 0 | 1
  },
  { nowMs, random }: Moment,
): Unsigned {
  const { issuer, permitted, lifeMs, name, below } = options
  const notBeforeMs = nowMs - CA_BACKDATE_MS
  return unsigned({
    serial: serialNumber(random),
    issuer: der.fromDer(issuer.name),
    algorithm: issuer.algorithm,
    notBeforeMs,
    notAfterMs: Math.min(notBeforeMs + lifeMs, issuer.notAfterMs),
    subject: name,
    key,
    extensions: [
      ...caExtensions(below, permitted, below === 0 ? 'excluded' : 'unmentioned'),
      serverAuth(),
      subjectKeyId(key.keyId),
      ...(issuer.keyId === undefined ? [] : [authorityKeyId(issuer.keyId)]),
    ],
  })
}

/** A server's certificate for one name, which arrives as A-labels (RFC 5890). */
export function leafProfile(
  key: SubjectKey,
  options: { issuer: Issuer; serverName: string; lifeMs?: number },
  { nowMs, random }: Moment,
): Unsigned {
  const { issuer, serverName, lifeMs = LEAF_LIFE_MS } = options
  const notBeforeMs = nowMs - LEAF_BACKDATE_MS
  // A short life begins further back than it is long: a day of it is still to come.
  const endMs = Math.max(
    notBeforeMs + Math.min(lifeMs, LEAF_LIFE_MS),
    nowMs + Math.min(lifeMs, DAY_MS),
  )
  const named = serverName.length <= MAX_COMMON_NAME
  return unsigned({
    serial: serialNumber(random),
    issuer: der.fromDer(issuer.name),
    algorithm: issuer.algorithm,
    notBeforeMs,
    notAfterMs: Math.min(endMs, issuer.notAfterMs),
    subject: named ? commonName(serverName) : der.sequence(),
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
