/**
 * What frees a device from a policy: the password, for a while; a PIN, for one request. By the
 * form of the block page, by JSON, or by the header `X-YORI-Override`. And the token of an
 * administrator, which ends all enforcement for a while. Checked by scrypt off the loop, limited
 * before they are checked, and never written anywhere; every attempt is an event.
 */
import { boundTo, deviceId } from '../core/device-id.js'
import { randomUUID } from 'node:crypto'
import type { Elsewhere } from './elsewhere.js'
import type { Clock } from '../core/clock.js'
import type {
  AuditSink,
  Device,
  ExchangeRecord,
  RefusedFor,
  RepeatedRow,
} from '../core/record.js'
import { parsePasswordHash, verifyPassword } from '../net/password.js'
import type { PasswordHash } from '../net/password.js'
import type { Attempts } from '../policy/attempts.js'
import type { EmergencyChange, EmergencyRequest } from '../policy/emergency.js'
import { readToken, signToken, TOKEN_MS } from '../policy/override-token.js'
import type { OverrideClaims } from '../policy/override-token.js'
import { pinsFor } from '../policy/pin.js'
import type { Pin, PinAbout } from '../policy/pin.js'
import type { Grant } from '../policy/state.js'
import { ASKED_EVENT } from './approvals.js'
import type { PassedContent } from './passed-content.js'
import type { RecentBlocks } from './recent-blocks.js'
import type { RepeatedBlocks } from './repeated-blocks.js'

/** Lasts as long as the process: a reload forgets no attempt. */
export interface OverrideMemory {
  readonly tokenKey: Buffer
  readonly attempts: Attempts
  /** Other gateways; undefined: this is the only one. */
  readonly elsewhere?: Elsewhere | undefined
  /** Request ids whose token has been used, with the end of their time. */
  readonly used: Map<string, number>
  /** Those that somebody has asked for, with the end of their token's time. */
  readonly asked: Map<string, number>
  readonly blocks: RecentBlocks
  /** What was approved and let past. */
  readonly passed: PassedContent
  readonly repeated: RepeatedBlocks
}

/** The part of the policy state that overrides read and change. */
export interface OverrideState {
  readonly pins: readonly Pin[]
  readonly grants: readonly Grant[]
  mint(grant: Grant): void
  /** False: it is used up already. */
  usePin(id: string): boolean
  activate(request: EmergencyRequest): EmergencyChange
}

export interface OverridesOptions {
  /** Undefined: overrides are off. Without a password PINs are all that is taken. */
  readonly taken: { readonly password: PasswordHash | undefined } | undefined
  /** Undefined: nobody can end all enforcement from here. */
  readonly adminToken: PasswordHash | undefined
  readonly grantMs: number
  /** How long a quiet conversation lives. */
  readonly sessionIdleMs: number
  readonly memory: OverrideMemory
  readonly state: OverrideState
  readonly audit: AuditSink
  readonly clock: Clock
}

export type Attempted = 'granted' | 'once' | 'wrong' | 'limited' | 'off' | 'stale'

export type EmergencyAttempted =
  | { readonly kind: Exclude<Attempted, 'granted' | 'once' | 'stale'> }
  | Extract<EmergencyChange, { kind: 'ok' | 'refused' }>

/** Of passwords, PINs and tokens alike. */
const MAX_PASSWORD = 256
/** How long a PIN's permission waits for the request, where that is still to come. */
const ONCE_MS = 10 * 60 * 1000

export interface BlockedFor {
  readonly device: Device
  readonly policy: string
  readonly endpoint: string
  readonly requestId: string
  /** The path of a GET, for going on afterwards. */
  readonly back?: string
}

interface Tried {
  /** Which PINs may be meant. */
  readonly asked: PinAbout
  readonly token: string | undefined
  /** A PIN serves the request at hand, and needs no permission that waits for another. */
  readonly spent: boolean
}

export class Overrides {
  readonly #options: OverridesOptions

  constructor(options: OverridesOptions) {
    this.#options = options
  }

  get enabled(): boolean {
    const { taken, adminToken } = this.#options
    return taken !== undefined || adminToken !== undefined
  }

  /** What was approved and let past in that conversation. */
  passed(key: string, nowMs: number): ReadonlySet<string> {
    const { memory, sessionIdleMs } = this.#options
    return memory.passed.marks(key, nowMs, sessionIdleMs)
  }

  pass(key: string, marks: Iterable<string>, nowMs: number): void {
    this.#options.memory.passed.add(key, marks, nowMs)
  }

  /**
   * Counts this block, once: gives the row that does, its own or that of the first like it.
   * Undefined: nothing tells it from others, and it counts by itself.
   */
  counted(record: Readonly<ExchangeRecord>): RepeatedRow | undefined {
    const { refusedFor, requestId, foundMarks: marks = [] } = record
    if (refusedFor === undefined || record.repeated !== undefined) return record.repeated
    const { repeated } = this.#options.memory
    return repeated.count(refusedFor, { requestId, marks }, this.#now)
  }

  /** What was refused within the last minute, and counts those that say it again. */
  refused(place: string): readonly (RepeatedRow & RefusedFor)[] {
    return this.#options.memory.repeated.recent(place, this.#now)
  }

  get #now(): { nowMs: number; isSettled: (requestId: string) => boolean } {
    const { memory, state, clock } = this.#options
    const isSettled = (id: string): boolean =>
      memory.used.has(id) || state.grants.some(({ request }) => request === id)
    return { nowMs: clock.now(), isSettled }
  }

  /** For the form of a request that was blocked; undefined when overrides are off. */
  token({ device, ...about }: BlockedFor): string | undefined {
    const { taken, memory } = this.#options
    if (taken === undefined) return undefined
    const claims = this.#claims(device, about)
    memory.blocks.add(claims)
    return signToken(memory.tokenKey, claims)
  }

  /** For the button that asks the household; it frees from nothing. */
  askToken({ device, ...about }: BlockedFor): string {
    return signToken(this.#options.memory.tokenKey, this.#claims(device, about))
  }

  /**
   * Puts a blocked request before the household, as an event, once; the device must be the one
   * that got the token. `back`: from where it can be tried again.
   */
  ask(
    token: string,
    device: Device,
  ): { readonly asked: boolean; readonly back?: string } {
    const { memory, clock } = this.#options
    const claims = readToken(memory.tokenKey, token, clock.now())
    if (claims === undefined || claims.ip !== device.ip) return { asked: false }
    const { requestId, expiresAt, back } = claims
    if (!memory.asked.has(requestId)) {
      remember(memory.asked, { requestId, expiresAt, nowMs: clock.now() })
      this.#event(ASKED_EVENT, { ...claims, device })
    }
    return { asked: true, ...(back === undefined ? {} : { back }) }
  }

  #claims(device: Device, about: Omit<BlockedFor, 'device'>): OverrideClaims {
    const expiresAt = this.#options.clock.now() + TOKEN_MS
    return { ...about, ip: device.ip, expiresAt }
  }

  /** By the form: the token says what for, and the device must be the one that got it. */
  async byToken(
    token: string,
    password: string,
    device: Device,
  ): Promise<{ readonly result: Attempted; readonly back?: string }> {
    const { memory, clock } = this.#options
    const claims = readToken(memory.tokenKey, token, clock.now())
    const result = await this.#byClaims(claims, password, device)
    const { back } = claims ?? {}
    return back === undefined ? { result } : { result, back }
  }

  /** By JSON: the id of the request that was blocked says what for. */
  byRequest(
    asked: { requestId: string; policy: string | undefined; password: string },
    device: Device,
  ): Promise<Attempted> {
    const { memory, clock } = this.#options
    const claims = memory.blocks.find(asked.requestId, clock.now())
    const agrees = asked.policy === undefined || asked.policy === claims?.policy
    return this.#byClaims(agrees ? claims : undefined, asked.password, device)
  }

  /**
   * By the header of a request that a policy would block. `alone`: no other policy does, so
   * that a PIN is used up by this request itself.
   */
  byHeader(password: string, about: BlockedFor, alone: boolean): Promise<Attempted> {
    const asked = { ...about, requestId: undefined }
    return this.#attempt(about, password, { asked, token: undefined, spent: alone })
  }

  /** By the token of an administrator. */
  async emergency(
    adminToken: string,
    request: Pick<EmergencyRequest, 'minutes' | 'reason'>,
    device: Device,
  ): Promise<EmergencyAttempted> {
    const { adminToken: hash, memory, clock, state, audit } = this.#options
    if (hash === undefined) return { kind: 'off' }
    const event = (kind: string, details: object): void =>
      audit.event({
        at: clock.now(),
        kind,
        actor: 'admin token',
        fromIp: device.ip,
        details: { ...details, via: 'override address' },
      })
    const key = deviceId(device)
    if (!memory.attempts.allow(key, undefined, clock.now())) {
      event('emergency_limited', {})
      return { kind: 'limited' }
    }
    const elsewhere = memory.elsewhere?.attempt(key, undefined)
    const right =
      adminToken.length <= MAX_PASSWORD && (await verifyPassword(hash, adminToken))
    if ((await elsewhere?.()) === false) {
      event('emergency_limited', {})
      return { kind: 'limited' }
    }
    if (!right) {
      event('emergency_attempt_failed', {})
      return { kind: 'wrong' }
    }
    memory.attempts.succeeded(key, clock.now())
    memory.elsewhere?.succeeded(key)
    const change = state.activate({ ...request, by: `admin token from ${device.ip}` })
    if (change.kind === 'ok') event('emergency_activated', request)
    return change
  }

  async #byClaims(
    claims: OverrideClaims | undefined,
    password: string,
    device: Device,
  ): Promise<Attempted> {
    const { memory, taken } = this.#options
    if (taken === undefined) return 'off'
    if (claims === undefined || claims.ip !== device.ip) return 'stale'
    const { requestId } = claims
    if (memory.used.has(requestId)) return 'stale'
    const about = { ...claims, device }
    const result = await this.#attempt(about, password, {
      asked: about,
      token: requestId,
      spent: false,
    })
    if (result === 'granted' || result === 'once') this.#use(claims)
    return result
  }

  async #attempt(about: BlockedFor, password: string, by: Tried): Promise<Attempted> {
    const { taken, memory, clock } = this.#options
    if (taken === undefined) return 'off'
    const key = deviceId(about.device)
    if (!memory.attempts.allow(key, by.token, clock.now())) {
      this.#event('override_limited', about)
      return 'limited'
    }
    const elsewhere = memory.elsewhere?.attempt(key, by.token)
    const result =
      password.length > MAX_PASSWORD
        ? 'wrong'
        : ((await this.#byPassword(taken.password, password)) ??
          (await this.#byPin(password, by.asked)) ??
          'wrong')
    if ((await elsewhere?.()) === false) {
      this.#event('override_limited', about)
      return 'limited'
    }
    if (result === 'wrong') {
      this.#event('override_failed', about)
      return result
    }
    memory.attempts.succeeded(key, clock.now())
    memory.elsewhere?.succeeded(key)
    const once = result === 'once'
    if (!once || !by.spent) this.#grant(about, once)
    this.#event('override_success', about, { by: once ? 'pin' : 'password' })
    return result
  }

  async #byPassword(
    hash: PasswordHash | undefined,
    password: string,
  ): Promise<'granted' | undefined> {
    const right = hash !== undefined && (await verifyPassword(hash, password))
    return right ? 'granted' : undefined
  }

  async #byPin(typed: string, asked: PinAbout): Promise<'once' | undefined> {
    const { state, clock, memory } = this.#options
    for (const pin of pinsFor(state.pins, typed, asked, clock.now())) {
      const hash = parsePasswordHash(pin.hash)
      if (hash === undefined || !(await verifyPassword(hash, typed))) continue
      // Another may have been quicker with it while it was checked.
      if (!state.usePin(pin.id)) continue
      if ((await memory.elsewhere?.usePin(pin.id)) !== false) return 'once'
    }
    return undefined
  }

  #grant(about: BlockedFor, once: boolean): void {
    const { device, policy, endpoint } = about
    const { state, clock, grantMs } = this.#options
    state.mint({
      id: randomUUID(),
      policy,
      endpoint,
      until: clock.now() + (once ? ONCE_MS : grantMs),
      once,
      ...boundTo(device),
    })
  }

  #use({ requestId, expiresAt }: OverrideClaims): void {
    const { memory, clock } = this.#options
    remember(memory.used, { requestId, expiresAt, nowMs: clock.now() })
  }

  #event(kind: string, about: BlockedFor, more: Record<string, unknown> = {}): void {
    const { device, policy, endpoint, requestId } = about
    const details = { policy, endpoint, requestId, ...more }
    const at = this.#options.clock.now()
    this.#options.audit.event({ at, kind, fromIp: device.ip, details })
  }
}

/** Bounded by what is blocked within the time of a token. */
function remember(
  until: Map<string, number>,
  one: { readonly requestId: string; readonly expiresAt: number; readonly nowMs: number },
): void {
  for (const [id, end] of until) if (one.nowMs >= end) until.delete(id)
  until.set(one.requestId, one.expiresAt)
}
