/**
 * Who a client says it is: `Proxy-Authorization: Basic` (RFC 7617) against the users of the
 * configuration. Checking is slow on purpose, so an outcome is kept for a while under a keyed
 * digest of the field; neither field nor password is kept.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { Recent } from '../core/recent.js'
import { hashPassword, parsePasswordHash, verifyPassword } from './password.js'
import type { PasswordHash } from './password.js'

const KEPT_MS = 5 * 60_000
/** A wrong password is soon asked again, since the operator may have set it right. */
const KEPT_WRONG_MS = 10_000
const MAX_KEPT = 4_096
/** Each takes a thread and 16 MiB for its time; whoever comes beyond is not let in. */
const MAX_CHECKS = 8
const MAX_FIELD_CHARS = 1_024

/** One of `access.users`. */
export interface ProxyUser {
  readonly name: string
  /** In a form that `parsePasswordHash` takes. */
  readonly passwordHash: string
}

interface Kept {
  readonly right: boolean
  /** Monotonic milliseconds. */
  readonly until: number
}

/**
 * Outcomes are kept, the right ones for five minutes, the wrong ones for ten seconds,
 * 4,096 in all (`MAX_KEPT`). At most eight passwords are checked at once (`MAX_CHECKS`):
 * whoever comes beyond is refused, right or not.
 */
export class ProxyUsers {
  readonly #users = new Map<string, PasswordHash>()
  readonly #clock: Clock
  readonly #key = randomBytes(32)
  readonly #kept = new Recent<string, Kept>({ max: MAX_KEPT })
  readonly #checking = new Map<string, Promise<boolean>>()
  /** Nobody's: an unknown name takes as long as a wrong password. */
  #nobody: Promise<PasswordHash | undefined> | undefined

  /** @throws YORI_CONFIG_INVALID naming a user whose hash cannot be checked here */
  constructor(users: readonly ProxyUser[], clock: Clock) {
    this.#clock = clock
    for (const { name, passwordHash } of users) {
      const hash = parsePasswordHash(passwordHash)
      if (hash === undefined || name.includes(':')) {
        throw new YoriError(
          'YORI_CONFIG_INVALID',
          hash === undefined
            ? `access.users: the hash of ${name} is none that can be checked; expected scrypt:N:r:p:salt:hash`
            : `access.users: ${name} holds a colon, which Basic cannot carry`,
        )
      }
      this.#users.set(name, hash)
    }
  }

  /**
   * `field`: the value of `Proxy-Authorization`. At once for what was checked lately, and
   * for what cannot be right (no field, over 1,024 characters, not Basic); no promise
   * then. Never throws nor rejects.
   */
  check(field: string | undefined): boolean | Promise<boolean> {
    if (field === undefined || field.length > MAX_FIELD_CHARS) return false
    const digest = createHmac('sha256', this.#key).update(field).digest('base64')
    const kept = this.#kept.get(digest)
    if (kept !== undefined && this.#clock.monotonic() < kept.until) return kept.right
    const running = this.#checking.get(digest)
    if (running !== undefined) return running
    const credentials = basicCredentials(field)
    if (credentials === undefined || this.#checking.size >= MAX_CHECKS) return false
    const checking = this.#verify(credentials)
      .catch(() => false)
      .then((right) => {
        const until = this.#clock.monotonic() + (right ? KEPT_MS : KEPT_WRONG_MS)
        this.#kept.set(digest, { right, until })
        this.#checking.delete(digest)
        return right
      })
    this.#checking.set(digest, checking)
    return checking
  }

  async #verify(credentials: { name: string; password: string }): Promise<boolean> {
    const hash = this.#users.get(credentials.name)
    if (hash !== undefined) return verifyPassword(hash, credentials.password)
    this.#nobody ??= hashPassword(randomBytes(16).toString('hex')).then(parsePasswordHash)
    const nobody = await this.#nobody
    if (nobody !== undefined) await verifyPassword(nobody, credentials.password)
    return false
  }
}

/** RFC 7617 §2: UTF-8, split at the first colon. */
function basicCredentials(field: string): { name: string; password: string } | undefined {
  const match = /^basic[ \t]+([A-Za-z\d+/=]+)[ \t]*$/i.exec(field)
  if (match === null) return undefined
  const text = Buffer.from(match[1] as string, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  return { name: text.slice(0, colon), password: text.slice(colon + 1) }
}
