/**
 * Who trusts us: for each device and root, when it last used a certificate of ours and when
 * and why it last turned one away. Bounded, and kept over a restart.
 */
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type { Device } from '../core/record.js'
import type { Service } from '../core/service.js'
import type { TrustEntry } from '../core/trust.js'
import type { Watched } from '../core/watched.js'
import type { Deadlines } from '../net/deadlines.js'
import { readTrust, writeTrust } from '../net/trust-file.js'
import { deviceId } from '../core/device-id.js'
import { Recent } from '../core/recent.js'

/** A device and a root each; those least recently met go first. */
const MAX_ENTRIES = 1_024
/** A success is written down anew after so long: a busy device costs no write a second. */
const FRESH_MS = 10 * 60_000
/** Between two writes of the file. */
const WRITE_EVERY_MS = 5_000

export interface TrustLedgerOptions {
  readonly path: string
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: Log
}

export class TrustLedger implements Service, Watched {
  readonly name = 'trust-ledger'
  readonly #options: TrustLedgerOptions
  readonly #entries = new Recent<string, TrustEntry>({ max: MAX_ENTRIES })
  #changed = false
  #nextWrite = -Infinity
  #busy: Promise<void> | undefined

  constructor(options: TrustLedgerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { path, deadlines } = this.#options
    try {
      for (const entry of (await readTrust(path)).slice(0, MAX_ENTRIES).reverse())
        this.#entries.set(`${entry.device} ${entry.root}`, entry)
    } catch (cause) {
      this.#warn(cause)
    }
    deadlines.watch(this)
  }

  async stop(): Promise<void> {
    this.#options.deadlines.unwatch(this)
    await this.#busy
    if (this.#changed) await this.#write()
  }

  /** The most recently met first. */
  entries(): TrustEntry[] {
    return this.#entries.newestFirst().map(([, entry]) => entry)
  }

  /** It sent a request under a certificate of this root. */
  accepted(device: Device, name: string, root: string): void {
    const now = this.#options.clock.now()
    const before = this.#of(device, root)
    const { trustedAt = 0, refusedAt = 0 } = before ?? {}
    const isFresh = Math.abs(now - trustedAt) < FRESH_MS && trustedAt >= refusedAt
    if (isFresh && before?.ip === device.ip) return
    this.#keep(device, root, { ...before, trustedAt: now, trustedName: name })
  }

  refused(device: Device, name: string, { root, cause }: RefusedUnder): void {
    this.#keep(device, root, {
      ...this.#of(device, root),
      refusedAt: this.#options.clock.now(),
      refusedName: name,
      refusedCause: cause,
    })
  }

  tick(now: number): void {
    if (!this.#changed || now < this.#nextWrite) return
    this.#nextWrite = now + WRITE_EVERY_MS
    this.#busy ??= this.#write().finally(() => {
      this.#busy = undefined
    })
  }

  #of(device: Device, root: string): TrustEntry | undefined {
    return this.#entries.get(`${deviceId(device)} ${root}`)
  }

  #keep(device: Device, root: string, what: Partial<TrustEntry>): void {
    const { ip, hostname } = device
    const id = deviceId(device)
    const name = hostname === undefined ? {} : { hostname }
    this.#entries.set(`${id} ${root}`, { ...what, ...name, device: id, ip, root })
    this.#changed = true
  }

  /** A disk that fails costs no traffic. */
  async #write(): Promise<void> {
    this.#changed = false
    try {
      await writeTrust(this.#options.path, this.entries())
    } catch (cause) {
      this.#warn(cause)
    }
  }

  #warn(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const { log, path } = this.#options
    log.warn({ path, reason }, 'who trusts us could not be kept')
  }
}

export interface RefusedUnder {
  /** SHA-256 of the root certificate. */
  readonly root: string
  /** In the words of TLS: `unknown_ca`, or that it closed without one. */
  readonly cause: string
}
