/** Keys by which tokens are verified: a certificate or public key in PEM, or JWKs (RFC 7517). */
import { X509Certificate, createPublicKey, createSecretKey } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { JsonError, fromJsonText } from '../text.js'
import { RegoObject, isArray, toJson } from '../value.js'
import type { Value } from '../value.js'
import { refuse } from './define.js'
import { isAlgorithm } from './jws.js'
import { nextPemBlock } from './pem.js'

export type VerificationKey = {
  readonly key: KeyObject
  /** Empty when the key does not say; such a key is tried for every algorithm. */
  readonly alg: string
  readonly kid: string
}

/** Keys that a set may have. */
export const maxKeys = 100

export function readKeys(text: string): readonly VerificationKey[] {
  const block = nextPemBlock(text)
  if (block === undefined) return readJwks(text)
  if (block.end < text.length) refuse('extra data after a PEM certificate block')
  switch (block.label) {
    case 'CERTIFICATE':
      return [plainKey(certificateKey(block.bytes))]
    case 'PUBLIC KEY':
      return [plainKey(publicKey(block.bytes))]
    default:
      return refuse('failed to extract a Key from the PEM certificate')
  }
}

function plainKey(key: KeyObject): VerificationKey {
  return { key, alg: '', kid: '' }
}

function certificateKey(der: Buffer): KeyObject {
  try {
    return new X509Certificate(der).publicKey
  } catch (cause) {
    return refuse(`failed to parse a PEM certificate: ${reasonOf(cause)}`)
  }
}

function publicKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch (cause) {
    return refuse(`failed to parse a PEM public key: ${reasonOf(cause)}`)
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function readJwks(text: string): readonly VerificationKey[] {
  return jwksOf(text)
    .map((jwk) => ({
      key: jwkKey(jwk),
      alg: stringMember(jwk, 'alg'),
      kid: stringMember(jwk, 'kid'),
    }))
    .filter(({ alg }) => alg === '' || isAlgorithm(alg))
}

/** One key, or a set's. */
export function jwksOf(text: string): readonly RegoObject[] {
  const value = parseJson(text)
  const list = value instanceof RegoObject ? (value.get('keys') ?? [value]) : [value]
  if (!isArray(list) || list.length > maxKeys)
    return refuse('failed to parse a JWK key (set): no list of keys')
  return list.map((jwk) =>
    jwk instanceof RegoObject
      ? jwk
      : refuse('failed to parse a JWK key (set): a key is no object'),
  )
}

function parseJson(text: string): Value {
  try {
    return fromJsonText(text)
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
    return refuse(`failed to parse a JWK key (set): ${cause.message}`)
  }
}

function jwkKey(jwk: RegoObject): KeyObject {
  try {
    if (jwk.get('kty') === 'oct')
      return createSecretKey(Buffer.from(stringMember(jwk, 'k'), 'base64url'))
    return createPublicKey({ key: toJson(jwk) as JsonWebKey, format: 'jwk' })
  } catch (cause) {
    return refuse(`failed to parse a JWK key (set): ${reasonOf(cause)}`)
  }
}

function stringMember(object: RegoObject, name: string): string {
  const value = object.get(name)
  return typeof value === 'string' ? value : ''
}
