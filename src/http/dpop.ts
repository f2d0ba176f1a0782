/**
 * Proofs of possession, RFC 9449: a signed statement that goes with one request and says whose
 * key vouches for it. Time and the statement's own name are arguments; whose key it is, and when
 * to prove, is for others.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** A private key on P-256 with what proofs say of its public half (RFC 7517, RFC 7518 §6.2). */
export interface ProofKey {
  readonly key: KeyObject
  readonly jwk: {
    readonly kty: 'EC'
    readonly crv: 'P-256'
    readonly x: string
    readonly y: string
  }
}

/** Undefined: the text holds no private key that is on P-256 and open to us. */
export function proofKey(pem: string): ProofKey | undefined {
  try {
    const key = createPrivateKey(pem)
    const { x, y, crv } = createPublicKey(key).export({ format: 'jwk' })
    if (crv !== 'P-256' || x === undefined || y === undefined) return undefined
    return { key, jwk: { kty: 'EC', crv, x, y } }
  } catch {
    return undefined
  }
}

/** What a proof says of its request; the key is beside it. RFC 9449 §4.2. */
export interface Proven {
  readonly method: string
  /** An absolute URL; its query and fragment are not said, RFC 9449 §4.2. */
  readonly url: string
  /** The access token that goes with it. */
  readonly token: string
  /** What its receiver gave to be said. */
  readonly nonce: string | undefined
  /** Seconds since 1970. */
  readonly issuedAt: number
  /** Never the same twice. */
  readonly id: string
}

/** The value of a `DPoP` field: a compact JWS with ES256. */
export function dpopProof({ key, jwk }: ProofKey, proven: Proven): string {
  const { method, url, token, nonce, issuedAt, id } = proven
  const claims = {
    jti: id,
    htm: method,
    htu: url.split(/[?#]/, 1)[0],
    iat: issuedAt,
    ath: createHash('sha256').update(token, 'ascii').digest('base64url'),
    ...(nonce === undefined ? {} : { nonce }),
  }
  const head = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk })
  const said = `${head}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(said), {
    key,
    dsaEncoding: 'ieee-p1363',
  })
  return `${said}.${signature.toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
