/**
 * What the running appliance knows of the policy database: read whole at the start, and again
 * when another process has changed it. The question whether something changed is asked twice a
 * second and costs microseconds; it never waits for a lock, since it runs on the loop that
 * serves connections.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import { YoriError } from '../core/errors.js'
import { activated } from '../policy/emergency.js'
import type { EmergencyChange, EmergencyRequest } from '../policy/emergency.js'
import { EMPTY_STATE } from '../policy/state.js'
import type { Emergency, Grant, PolicyState } from '../policy/state.js'
import { PolicyDatabase } from './policy-database.js'

const CHECK_MS = 500
const MARK_KEY = 'mark_key'
const MARK_KEY_BYTES = 32
/** So often, and so far apart, a change is tried while another process has the lock. */
const CHANGE_TRIES = 80
const CHANGE_AGAIN_MS = 25
/** More are not made in half a second; passwords are limited to 30 an hour. */
const MAX_MINTED = 64

export interface PolicyStateOptions {
  readonly file: string
  readonly clock: Clock
  readonly log: Log
  /** An emergency override has come to its end by itself. */
  readonly onExpired: (emergency: Emergency) => void
  /** For tests. */
  readonly checkMs?: number
}

/** Fails open: without a database nothing is listed, and the log says so. */
export class LivePolicyState {
  readonly #options: PolicyStateOptions
  #database: PolicyDatabase | undefined
  #timer: NodeJS.Timeout | undefined
  #state: PolicyState = EMPTY_STATE
  #version: number | undefined
  #troubled = false
  /** One of this process until the database has one: approvals outlive a restart by it. */
  #markKey = randomBytes(MARK_KEY_BYTES)
  #hasMarkKey = false
  /** Used up here, until the database says the same. */
  readonly #spent = new Map<string, 'grant' | 'pin'>()
  /** Made here, until the database has them. */
  #minted: Grant[] = []
  /** Begun here, until the database has it. */
  #begun: Emergency | undefined

  constructor(options: PolicyStateOptions) {
    this.#options = options
  }

  get current(): PolicyState {
    return this.#state
  }

  get markKey(): Buffer {
    return this.#markKey
  }

  /** What a command has just changed holds from now on, not from the next look on. */
  refresh(): void {
    if (this.#timer !== undefined) this.check()
  }

  /**
   * A change that somebody waits for: in force when this resolves. The loop waits for no lock.
   * @throws YORI_STATE_UNUSABLE, also when another process holds the database for 2 s
   */
  async change<Result>(work: (database: PolicyDatabase) => Result): Promise<Result> {
    for (let left = CHANGE_TRIES; ; left--) {
      try {
        this.#database ??= new PolicyDatabase(this.#options.file, { patient: false })
        const result = work(this.#database)
        // Of what it changed itself a connection tells no new version.
        this.#version = undefined
        this.check()
        return result
      } catch (cause) {
        if (!isBusy(cause)) throw cause
        if (left > 0) await new Promise((resolve) => setTimeout(resolve, CHANGE_AGAIN_MS))
        else throw new YoriError('YORI_STATE_UNUSABLE', BUSY, { cause })
      }
    }
  }

  start(): void {
    this.check()
    const { checkMs = CHECK_MS } = this.#options
    this.#timer = setInterval(() => this.check(), checkMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#database?.[Symbol.dispose]()
    this.#database = undefined
  }

  /** Reads again when something has changed. Never throws. */
  check(): void {
    try {
      this.#database ??= new PolicyDatabase(this.#options.file, { patient: false })
      for (const value of this.#minted) {
        const addedAt = this.#options.clock.now()
        const addedBy = 'password'
        this.#database.put('grant', { key: value.id, value, addedAt, addedBy })
        this.#minted = this.#minted.filter((other) => other !== value)
      }
      for (const [id, kind] of this.#spent) {
        this.#database.remove(kind, id)
        this.#spent.delete(id)
      }
      if (this.#begun !== undefined) {
        this.#database.activate(this.#begun)
        this.#begun = undefined
      }
      this.#keepMarkKey(this.#database)
      this.#endEmergency(this.#database)
      const { version } = this.#database
      if (version === this.#version) return
      // Before it is read: what is changed meanwhile is read the next time.
      const { revision } = this.#database
      this.#read(this.#database)
      this.#database.take(revision)
      this.#version = version
      this.#troubled = false
    } catch (cause) {
      if (isBusy(cause)) return
      if (!this.#troubled) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        this.#options.log.error({ reason }, 'the policy database cannot be read')
      }
      this.#troubled = true
      this.#version = undefined
    }
  }

  mint(grant: Grant): void {
    if (this.#minted.length >= MAX_MINTED) this.#minted.shift()
    this.#minted.push(grant)
    this.#state = { ...this.#state, grants: [...this.#state.grants, grant] }
  }

  spend(grantId: string): void {
    this.#spent.set(grantId, 'grant')
    const { grants, ...rest } = this.#state
    this.#state = { ...rest, grants: grants.filter(({ id }) => id !== grantId) }
  }

  /** False: there is no such PIN (any more). */
  usePin(pinId: string): boolean {
    const { pins, ...rest } = this.#state
    const left = pins.filter(({ id }) => id !== pinId)
    if (left.length === pins.length) return false
    this.#spent.set(pinId, 'pin')
    this.#state = { ...rest, pins: left }
    return true
  }

  /** Ends all enforcement at once, from this process. */
  activate(request: EmergencyRequest): EmergencyChange {
    const { emergency } = this.#state
    const change = activated(emergency, request, this.#options.clock.now())
    if (change.kind === 'ok') {
      this.#begun = change.emergency
      this.#state = { ...this.#state, emergency: change.emergency }
    }
    return change
  }

  #keepMarkKey(database: PolicyDatabase): void {
    if (this.#hasMarkKey) return
    const kept = database.setting(MARK_KEY)
    if (kept === undefined) database.set(MARK_KEY, this.#markKey.toString('base64'))
    else this.#markKey = Buffer.from(kept, 'base64')
    this.#hasMarkKey = true
  }

  /** It has no effect any more; the database is told, so that it is said once. */
  #endEmergency(database: PolicyDatabase): void {
    const { emergency, ...rest } = this.#state
    if (emergency === undefined || this.#options.clock.now() < emergency.expiresAt) return
    const { expiresAt } = database.emergency() ?? {}
    if (expiresAt === emergency.expiresAt) {
      database.deactivate(expiresAt, 'its time')
      this.#options.onExpired(emergency)
    }
    this.#state = rest
  }

  #read(database: PolicyDatabase): void {
    const state = database.state(this.#options.clock.now())
    const kept = state.grants.filter(({ id }) => !this.#spent.has(id))
    const grants = [...kept, ...this.#minted]
    const pins = state.pins.filter(({ id }) => !this.#spent.has(id))
    const emergency = this.#begun ?? state.emergency
    this.#state = {
      ...state,
      grants,
      pins,
      ...(emergency === undefined ? {} : { emergency }),
    }
  }
}

const BUSY = 'another process holds the policy database; try again'

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_BUSY'
}
