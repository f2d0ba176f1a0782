/**
 * `.signatures.json` of a bundle: a JWT (RFC 7519) that says the hash of each file. What a key
 * may sign by is told by the key, never by the token.
 */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { canonicalJson } from './canonical.js'
import { BadBundle, BUNDLE_LIMITS } from './limits.js'
import { jsonText } from './structured.js'
import type { TarFile } from './tar.js'

export const SIGNATURES = '.signatures.json'

/** A key: PEM, or the secret of HMAC. `private` to sign by it. @throws BadBundle */
export function bundleKey(text: string, use: 'verify' | 'sign'): KeyObject {
  if (!text.includes('-----BEGIN ')) {
    const secret = Buffer.from(text.replace(/\r?\n$/, ''))
    if (secret.length < 32)
      throw new BadBundle('the key is no PEM, and as a secret shorter than 32 bytes')
    return createSecretKey(secret)
  }
  try {
    return use === 'sign' ? createPrivateKey(text) : createPublicKey(text)
  } catch {
    throw new BadBundle('the key is PEM that cannot be read')
  }
}

/** HS256, RS256 or ES256. @throws BadBundle for another kind of key */
function algorithmOf(key: KeyObject): 'HS256' | 'RS256' | 'ES256' {
  if (key.type === 'secret') return 'HS256'
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RS256'
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  throw new BadBundle('the key is neither RSA of 2048 bits and more, P-256 nor a secret')
}

/** Files whose content is hashed by what it says, not by its bytes. */
function isStructured(path: string): boolean {
  return path === '.manifest' || /(?:^|\/)data\.(?:json|yaml)$/.test(path)
}

/** Hexadecimal SHA-256 of a file, as `opa sign` has it. */
export function fileHash(file: TarFile): string {
  const { path, bytes } = file
  const content = isStructured(path) ? canonicalJson(path, jsonText(file)) : bytes
  return createHash('sha256').update(content).digest('hex')
}

/**
 * That each of these files is as it was signed, and that none which was signed is missing.
 * @throws BadBundle
 */
export async function verifyFiles(
  files: readonly TarFile[],
  signatures: TarFile | undefined,
  key: KeyObject,
): Promise<void> {
  if (signatures === undefined) throw new BadBundle('is not signed, and a key is set')
  const signed = signedHashes(payloadOf(signatures, key))
  for (const file of files) {
    const { path } = file
    const hash = signed.get(path)
    if (hash === undefined) throw new BadBundle(`${path} is not among what was signed`)
    if (fileHash(file) !== hash) throw new BadBundle(`${path} is not as it was signed`)
    signed.delete(path)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [missing] = signed.keys()
  if (missing !== undefined)
    throw new BadBundle(`${missing.slice(0, 64)} was signed and is not there`)
}

function signedHashes(payload: unknown): Map<string, string> {
  const hashes = new Map<string, string>()
  const files = fieldOf(payload, 'files')
  if (!Array.isArray(files) || files.length > BUNDLE_LIMITS.entries)
    throw new BadBundle('is signed without a list of files')
  for (const file of files as unknown[]) {
    const [name, hash] = [fieldOf(file, 'name'), fieldOf(file, 'hash')]
    const algorithm = fieldOf(file, 'algorithm') ?? 'SHA-256'
    if (typeof name !== 'string' || typeof hash !== 'string' || algorithm !== 'SHA-256')
      throw new BadBundle('is signed by hashes other than SHA-256')
    hashes.set(name.replace(/^\.?\//, ''), hash.toLowerCase())
  }
  hashes.delete(SIGNATURES)
  return hashes
}

function payloadOf({ bytes }: TarFile, key: KeyObject): unknown {
  if (bytes.length > BUNDLE_LIMITS.dataBytes)
    throw new BadBundle(`${SIGNATURES} is longer than ${BUNDLE_LIMITS.dataBytes} bytes`)
  const tokens = fieldOf(jsonOf(bytes), 'signatures')
  const [token] =
    Array.isArray(tokens) && tokens.length === 1 ? (tokens as unknown[]) : []
  const parts = typeof token === 'string' ? token.split('.') : []
  const [header, payload, signature] = parts
  if (header === undefined || payload === undefined || signature === undefined)
    throw new BadBundle(`${SIGNATURES} does not hold one token`)
  if (parts.length !== 3) throw new BadBundle(`${SIGNATURES} does not hold one token`)
  const algorithm = algorithmOf(key)
  const head = jsonOf(Buffer.from(header, 'base64url'))
  if (fieldOf(head, 'alg') !== algorithm)
    throw new BadBundle(`is signed by another algorithm than ${algorithm} of the key`)
  const input = Buffer.from(`${header}.${payload}`)
  if (!isSigned(input, Buffer.from(signature, 'base64url'), key))
    throw new BadBundle('is signed by another key')
  return jsonOf(Buffer.from(payload, 'base64url'))
}

function isSigned(input: Buffer, signature: Buffer, key: KeyObject): boolean {
  if (key.type === 'secret') {
    const made = createHmac('sha256', key).update(input).digest()
    return made.length === signature.length && timingSafeEqual(made, signature)
  }
  return verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** `.signatures.json` for these files. @throws BadBundle */
export function signFiles(
  files: readonly TarFile[],
  key: KeyObject,
  { keyId, atMs }: { readonly keyId: string | undefined; readonly atMs: number },
): TarFile {
  const listed = files
    .filter(({ path }) => path !== SIGNATURES)
    .map((file) => ({ name: file.path, hash: fileHash(file), algorithm: 'SHA-256' }))
  const part = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url')
  const named = keyId === undefined ? {} : { keyid: keyId }
  const header = {
    alg: algorithmOf(key),
    typ: 'JWT',
    ...(keyId === undefined ? {} : { kid: keyId }),
  }
  const input = `${part(header)}.${part({ files: listed, iat: Math.floor(atMs / 1000), ...named })}`
  const signature =
    key.type === 'secret'
      ? createHmac('sha256', key).update(input).digest()
      : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  const token = `${input}.${signature.toString('base64url')}`
  const bytes = Buffer.from(`${JSON.stringify({ signatures: [token] })}\n`)
  return { path: SIGNATURES, bytes }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    throw new BadBundle(`${SIGNATURES} does not hold JSON`)
  }
}

export function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
    return undefined
  return (value as Record<string, unknown>)[key]
}
