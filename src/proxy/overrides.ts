/**
 * Passwords that free a device from a policy for a while: by the form of the block page or by
 * the header `X-YORI-Override`. Checked by scrypt off the loop, limited before they are
 * checked, and never written anywhere; every attempt is an event.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import type { AuditSink, Device } from '../core/record.js'
import { verifyPassword } from '../net/password.js'
import type { PasswordHash } from '../net/password.js'
import type { Attempts } from '../policy/attempts.js'
import { readToken, signToken, TOKEN_MS } from '../policy/override-token.js'
import type { OverrideClaims } from '../policy/override-token.js'
import type { Grant } from '../policy/state.js'

/** Lasts as long as the process: a reload forgets no attempt. */
export interface OverrideMemory {
  readonly tokenKey: Buffer
  readonly attempts: Attempts
  /** Request ids whose token has been used, with the end of their time. */
  readonly used: Map<string, number>
}

export interface OverridesOptions {
  /** Undefined: overrides are off. */
  readonly hash: PasswordHash | undefined
  readonly grantMs: number
  readonly memory: OverrideMemory
  readonly mint: (grant: Grant) => void
  readonly audit: AuditSink
  readonly clock: Clock
}

export type Attempted = 'granted' | 'wrong' | 'limited' | 'off' | 'stale'

const MAX_PASSWORD = 256

interface For {
  readonly device: Device
  readonly policy: string
  readonly endpoint: string
  readonly requestId: string
}

export class Overrides {
  readonly #options: OverridesOptions

  constructor(options: OverridesOptions) {
    this.#options = options
  }

  get enabled(): boolean {
    return this.#options.hash !== undefined
  }

  /** For the form; undefined when overrides are off. */
  token(about: For): string | undefined {
    const { hash, memory, clock } = this.#options
    if (hash === undefined) return undefined
    const { requestId, policy, endpoint, device } = about
    const expiresAt = clock.now() + TOKEN_MS
    const claims = { requestId, ip: device.ip, policy, endpoint, expiresAt }
    return signToken(memory.tokenKey, claims)
  }

  /** By the form: the token says what for, and the device must be the one that got it. */
  async byToken(token: string, password: string, device: Device): Promise<Attempted> {
    const { memory, clock, hash } = this.#options
    if (hash === undefined) return 'off'
    const claims = readToken(memory.tokenKey, token, clock.now())
    if (claims === undefined || claims.ip !== device.ip) return 'stale'
    if (memory.used.has(claims.requestId)) return 'stale'
    const result = await this.#attempt({ ...claims, device }, password, claims.requestId)
    if (result === 'granted') this.#use(claims)
    return result
  }

  /** By the header of a request that a policy would block. */
  byHeader(password: string, about: For): Promise<Attempted> {
    return this.#attempt(about, password, undefined)
  }

  async #attempt(
    about: For,
    password: string,
    token: string | undefined,
  ): Promise<Attempted> {
    const { hash, memory, clock } = this.#options
    if (hash === undefined) return 'off'
    const { device } = about
    if (!memory.attempts.allow(device.ip, token, clock.now())) {
      this.#event('override_limited', about)
      return 'limited'
    }
    const right =
      password.length <= MAX_PASSWORD && (await verifyPassword(hash, password))
    if (!right) {
      this.#event('override_failed', about)
      return 'wrong'
    }
    memory.attempts.succeeded(device.ip, clock.now())
    this.#grant(about)
    return 'granted'
  }

  #grant(about: For): void {
    const { device, policy, endpoint } = about
    const { mint, clock, grantMs } = this.#options
    mint({
      id: randomUUID(),
      policy,
      endpoint,
      until: clock.now() + grantMs,
      once: false,
      ...(device.mac === undefined ? { ip: device.ip } : { mac: device.mac }),
    })
    this.#event('override_success', about)
  }

  #use({ requestId, expiresAt }: OverrideClaims): void {
    const { memory, clock } = this.#options
    for (const [id, end] of memory.used) if (clock.now() >= end) memory.used.delete(id)
    memory.used.set(requestId, expiresAt)
  }

  #event(kind: string, { device, policy, endpoint, requestId }: For): void {
    const details = { policy, endpoint, requestId }
    const at = this.#options.clock.now()
    this.#options.audit.event({ at, kind, fromIp: device.ip, details })
  }
}
