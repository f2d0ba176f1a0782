/**
 * Keys of our own, which programs send where their library sends the vendor's: whose it is, and
 * for which models and how long it is good. A key is kept as its digest alone. These limits are
 * access, not policy: they hold in every mode. Pure.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** By which a key of ours is told from a vendor's. */
export const KEY_PREFIX = 'yori-'
const KEY_BYTES = 32

/** What a minute or a month of somebody is worth; what is absent has no bound. */
export interface AccessLimits {
  /** Names, or patterns with one `*`; empty: all. */
  readonly models: readonly string[]
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  /** US dollars in a month of the household's clock. */
  readonly usdPerMonth?: number
}

/** As it is kept. */
export interface AccessKey extends AccessLimits {
  readonly name: string
  /** SHA-256 of the key, in base64url: it is 256 random bits, which nobody guesses. */
  readonly digest: string
  /** Milliseconds since the Unix epoch: from then on it is good for nothing. */
  readonly expiresAt?: number
  /** Whose spending it counts for as well; without an app, that is called as the key is. */
  readonly app?: string
  readonly person?: string
  readonly group?: string
  /** `name` or `name:value`. */
  readonly tags?: readonly string[]
}

export type KeyRefusal = 'unknown' | 'expired'

/** A new one: nobody has it but whoever is told it now. */
export function newKey(): { readonly key: string; readonly digest: string } {
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url')
  return { key, digest: digestOfKey(key) }
}

/** The digest under which a key is kept. */
export function digestOfKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}

/** Every key is compared, and each in constant time: how long it takes tells nothing. */
export class AccessKeys {
  readonly #keys: readonly (readonly [AccessKey, Buffer])[]
  readonly #byDigest: ReadonlyMap<string, AccessKey>

  constructor(keys: readonly AccessKey[]) {
    this.#keys = keys.map((key) => [key, Buffer.from(key.digest, 'base64url')])
    this.#byDigest = new Map(keys.map((key) => [key.digest, key]))
  }

  /** `nowMs` is since the Unix epoch. */
  find(given: string, nowMs: number): AccessKey | KeyRefusal {
    const digest = Buffer.from(digestOfKey(given), 'base64url')
    let found: AccessKey | undefined
    for (const [key, kept] of this.#keys)
      if (kept.length === digest.length && timingSafeEqual(kept, digest)) found = key
    if (found === undefined) return 'unknown'
    return isOver(found, nowMs) ? 'expired' : found
  }

  /** Of a key that was found once: `digest` is ours, and tells nobody anything. */
  refuses(digest: string, nowMs: number): KeyRefusal | undefined {
    const key = this.#byDigest.get(digest)
    if (key === undefined) return 'unknown'
    return isOver(key, nowMs) ? 'expired' : undefined
  }
}

function isOver({ expiresAt }: AccessKey, nowMs: number): boolean {
  return expiresAt !== undefined && nowMs >= expiresAt
}

/** May who has these limits ask for that model? One that cannot be read is none of a list. */
export function allowsModel(
  { models }: Pick<AccessLimits, 'models'>,
  model: string | undefined,
): boolean {
  if (models.length === 0) return true
  return model !== undefined && models.some((pattern) => fits(pattern, model))
}

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text
  const [front, end] = [pattern.slice(0, star), pattern.slice(star + 1)]
  const isLong = text.length >= front.length + end.length
  return isLong && text.startsWith(front) && text.endsWith(end)
}
