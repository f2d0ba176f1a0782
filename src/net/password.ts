/**
 * Password hashes: made and checked off the event loop by scrypt (RFC 7914). Written is
 * `scrypt:N:r:p:<salt>:<hash>` in base64; read is also `$scrypt$ln=..,r=..,p=..$<salt>$<hash>`
 * and, for files of old, `sha256:<hex>` without salt. Knows no users.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** 16 MiB and about 50 ms of one core. */
const COST = { n: 16_384, r: 8, p: 1 } as const
const SALT_BYTES = 16
const HASH_BYTES = 32
/** A hash that asks for more memory than this is refused. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024
const MAX_PARALLEL = 16

export type PasswordHash =
  | {
      readonly kind: 'scrypt'
      readonly n: number
      readonly r: number
      readonly p: number
      readonly salt: Buffer
      readonly hash: Buffer
    }
  | { readonly kind: 'sha256'; readonly hash: Buffer }

/**
 * Undefined when it is no hash that can be checked here: another form, a cost over 64 MiB
 * (`MAX_MEMORY_BYTES`) or `p` over 16, a hash of fewer than 16 bytes.
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const old = /^sha256:([\da-f]{64})$/i.exec(text)
  if (old !== null) return { kind: 'sha256', hash: Buffer.from(old[1] as string, 'hex') }
  const ours = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([^:$]+):([^:$]+)$/.exec(text)
  if (ours !== null) {
    return scryptHash(Number(ours[1]), Number(ours[2]), Number(ours[3]), ours)
  }
  const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([^:$]+)\$([^:$]+)$/
  const common = form.exec(text)
  if (common === null) return undefined
  return scryptHash(2 ** Number(common[1]), Number(common[2]), Number(common[3]), common)
}

function scryptHash(
  n: number,
  r: number,
  p: number,
  found: RegExpExecArray,
): PasswordHash | undefined {
  const [salt, hash] = [base64(found[4] as string), base64(found[5] as string)]
  const isPower = n > 1 && Number.isInteger(Math.log2(n))
  if (!isPower || r < 1 || p < 1 || p > MAX_PARALLEL || memoryOf(n, r) > MAX_MEMORY_BYTES)
    return undefined
  if (salt === undefined || hash === undefined || hash.length < 16) return undefined
  return { kind: 'scrypt', n, r, p, salt, hash }
}

/** Standard or URL alphabet, padded or not; undefined for anything else. */
function base64(text: string): Buffer | undefined {
  if (!/^[A-Za-z\d+/_-]{1,512}={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

const memoryOf = (n: number, r: number): number => 128 * n * r

/**
 * Does the password belong to the hash? Compared in constant time; scrypt takes its own
 * cost on the thread pool, and the password in NFC (Unicode UAX #15).
 * @throws what the runtime says when scrypt fails
 */
export async function verifyPassword(
  hash: PasswordHash,
  password: string,
): Promise<boolean> {
  if (hash.kind === 'sha256') {
    return timingSafeEqual(createHash('sha256').update(password).digest(), hash.hash)
  }
  const derived = await derive(password, hash.salt, hash, hash.hash.length)
  return timingSafeEqual(derived, hash.hash)
}

/**
 * A new hash in the form that the configuration takes, with a salt of its own: 16 MiB and
 * some 50 ms on the thread pool.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST, HASH_BYTES)
  const { n, r, p } = COST
  return `scrypt:${n}:${r}:${p}:${salt.toString('base64')}:${hash.toString('base64')}`
}

function derive(
  password: string,
  salt: Buffer,
  cost: { readonly n: number; readonly r: number; readonly p: number },
  bytes: number,
): Promise<Buffer> {
  const { n, r, p } = cost
  // The library counts a little more than the formula.
  const options = { N: n, r, p, maxmem: 2 * memoryOf(n, r) + 1024 * 1024 }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, bytes, options, (error, derived) => {
      if (error === null) resolve(derived)
      else reject(error)
    })
  })
}
