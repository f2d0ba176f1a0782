/** Signatures of tokens by their algorithm's name (RFC 7518 §3.1, RFC 8037). */
import { constants, createHmac, sign, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

type Algorithm = {
  readonly family: 'hmac' | 'rsa' | 'pss' | 'ecdsa' | 'eddsa'
  readonly hash: string
}

const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['HS256', { family: 'hmac', hash: 'sha256' }],
  ['HS384', { family: 'hmac', hash: 'sha384' }],
  ['HS512', { family: 'hmac', hash: 'sha512' }],
  ['RS256', { family: 'rsa', hash: 'sha256' }],
  ['RS384', { family: 'rsa', hash: 'sha384' }],
  ['RS512', { family: 'rsa', hash: 'sha512' }],
  ['PS256', { family: 'pss', hash: 'sha256' }],
  ['PS384', { family: 'pss', hash: 'sha384' }],
  ['PS512', { family: 'pss', hash: 'sha512' }],
  ['ES256', { family: 'ecdsa', hash: 'sha256' }],
  ['ES384', { family: 'ecdsa', hash: 'sha384' }],
  ['ES512', { family: 'ecdsa', hash: 'sha512' }],
  ['EdDSA', { family: 'eddsa', hash: '' }],
])

export function isAlgorithm(name: string): boolean {
  return algorithms.has(name)
}

const keyTypes: Readonly<Record<Algorithm['family'], string | undefined>> = {
  hmac: undefined,
  rsa: 'rsa',
  pss: 'rsa',
  ecdsa: 'ec',
  eddsa: 'ed25519',
}

/** A key belongs to one family of algorithms: a public key is never taken for a secret. */
function fits({ family }: Algorithm, key: KeyObject): boolean {
  const secret = key.type === 'secret'
  return secret ? family === 'hmac' : key.asymmetricKeyType === keyTypes[family]
}

export type Signed = { readonly text: string; readonly signature: Buffer }

/** False for a wrong signature, an unknown algorithm, and a key that is not for it. */
export function verifies(name: string, key: KeyObject, signed: Signed): boolean {
  const algorithm = algorithms.get(name)
  if (algorithm === undefined || !fits(algorithm, key)) return false
  const { text, signature } = signed
  if (algorithm.family === 'hmac') {
    const mac = createHmac(algorithm.hash, key).update(text).digest()
    return mac.length === signature.length && timingSafeEqual(mac, signature)
  }
  return verify(
    hashName(algorithm),
    Buffer.from(text),
    { key, ...options(algorithm) },
    signature,
  )
}

/** Undefined when the key is not one for the algorithm. */
export function signText(name: string, key: KeyObject, text: string): Buffer | undefined {
  const algorithm = algorithms.get(name)
  if (algorithm === undefined || !fits(algorithm, key)) return undefined
  if (algorithm.family === 'hmac')
    return createHmac(algorithm.hash, key).update(text).digest()
  return sign(hashName(algorithm), Buffer.from(text), {
    key,
    ...options(algorithm),
    ...(algorithm.family === 'pss'
      ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}),
  })
}

function hashName({ hash }: Algorithm): string | null {
  return hash === '' ? null : hash
}

function options({ family }: Algorithm) {
  switch (family) {
    case 'pss':
      return {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_AUTO,
      }
    case 'ecdsa':
      return { dsaEncoding: 'ieee-p1363' } as const
    case 'rsa':
    case 'eddsa':
    case 'hmac':
      return {}
  }
}
