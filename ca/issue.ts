/**
 * Keys and signatures for the profiles: who signs whom, with node:crypto. ECDSA P-256 for all
 * that YORI makes; an imported root may be RSA.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { fromDer, children, contents } from './asn1.js'
import { pemOf, readCaCertificate } from './certificate.js'
import type { CaCertificate } from './certificate.js'
import { crossProfile, issuingProfile, leafProfile, rootProfile } from './profile.js'
import type { CaSubject, Issuer, Moment } from './profile.js'
import { signedCertificate } from './x509.js'
import type { SubjectKey, Unsigned } from './x509.js'

/** A CA certificate with its private key. */
export interface Signer {
  readonly certificate: CaCertificate
  readonly key: KeyObject
}

export interface Leaf {
  /** The leaf alone. */
  readonly pem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

const generate = promisify(generateKeyPair)

export async function newKey(): Promise<KeyObject> {
  return (await generate('ec', { namedCurve: 'prime256v1' })).privateKey
}

export function momentAt(nowMs: number): Moment {
  return { nowMs, random: randomBytes }
}

export async function issueRoot(options: {
  subject: CaSubject
  nowMs: number
  below?: 1 | 2
}): Promise<Signer> {
  const key = await newKey()
  const { subject, nowMs, below = 1 } = options
  const unsigned = rootProfile(subjectKeyOf(key), { ...subject, below }, momentAt(nowMs))
  return { certificate: readCaCertificate(await finish(unsigned, key)), key }
}

export async function issueIssuing(
  root: Signer,
  options: { subject: CaSubject; nowMs: number; gateway?: string },
): Promise<Signer> {
  const key = await newKey()
  const { subject, nowMs, gateway } = options
  const unsigned = issuingProfile(
    subjectKeyOf(key),
    { ...subject, issuer: issuerOf(root), gateway },
    momentAt(nowMs),
  )
  return { certificate: readCaCertificate(await finish(unsigned, root.key)), key }
}

/** The old root's name and key, signed by the new root. */
export async function issueCross(
  root: Signer,
  options: {
    old: CaCertificate
    permitted: readonly string[] | undefined
    nowMs: number
  },
): Promise<CaCertificate> {
  const { old, permitted, nowMs } = options
  const spki = old.x509.publicKey.export({ format: 'der', type: 'spki' })
  const keyId = old.keyId ?? keyIdOf(spki)
  const unsigned = crossProfile(
    { name: old.name, spki, keyId },
    { issuer: issuerOf(root), permitted, untilMs: old.notAfterMs },
    momentAt(nowMs),
  )
  return readCaCertificate(await finish(unsigned, root.key))
}

/** Signs at once: 0.1 ms of work, on the way of a handshake. */
export function issueLeaf(
  key: SubjectKey,
  options: {
    signer: Signer
    issuer: Issuer
    serverName: string
    nowMs: number
    lifeMs?: number
  },
): Leaf {
  const { signer, nowMs } = options
  const unsigned = leafProfile(key, options, momentAt(nowMs))
  const signature = sign('sha256', unsigned.tbs, signer.key)
  const { notBeforeMs, notAfterMs } = unsigned
  const pem = pemOf('CERTIFICATE', signedCertificate(unsigned, signature))
  return { pem, notBeforeMs, notAfterMs }
}

export function issuerOf({ certificate, key }: Signer): Issuer {
  return {
    name: certificate.name,
    keyId: certificate.keyId,
    algorithm: key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ecdsa-sha256',
    notAfterMs: certificate.notAfterMs,
  }
}

export function subjectKeyOf(key: KeyObject): SubjectKey {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { spki, keyId: keyIdOf(spki) }
}

/** The SHA-1 of the public key's bits: RFC 5280 §4.2.1.2, method 1. */
function keyIdOf(spki: Uint8Array): Buffer {
  const publicBits = contents(children(fromDer(spki))[1]).subarray(1)
  return createHash('sha1').update(publicBits).digest()
}

/** Signs off the event loop: an RSA root takes milliseconds. */
async function finish(unsigned: Unsigned, key: KeyObject): Promise<string> {
  const signature = await new Promise<Buffer>((resolve, reject) => {
    sign('sha256', unsigned.tbs, key, (error, bytes) => {
      if (error === null) resolve(bytes)
      else reject(error)
    })
  })
  return pemOf('CERTIFICATE', signedCertificate(unsigned, signature))
}
