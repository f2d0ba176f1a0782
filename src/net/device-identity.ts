/**
 * Which device an address belongs to: its MAC by the neighbour table, its name by the DHCP
 * leases. Reads both in the background, at most once at a time, and answers from memory.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import type { Device } from '../core/record.js'
import { Recent } from '../core/recent.js'
import type { Lease } from './leases.js'
import { isLocallyAdministered, type Neighbours } from './neighbours.js'

/** Where it reads, and how often. What a source rejects with counts as nothing in it. */
export interface DeviceIdentityOptions {
  readonly clock: Clock
  readonly neighbours: () => Promise<Neighbours>
  readonly leases: () => Promise<readonly Lease[]>
  /** How long one reading holds. 60 s unless given. */
  readonly maxAgeMs?: number
  /** The shortest time between two readings, however many strangers come. 250 ms unless given. */
  readonly minIntervalMs?: number
  /** How long a connection waits for a reading. 500 ms unless given. */
  readonly waitMs?: number
}

interface Reading {
  readonly at: number
  readonly neighbours: Neighbours
  readonly nameByAddress: ReadonlyMap<string, string>
  readonly nameByMac: ReadonlyMap<string, string>
}

const DEFAULT_MAX_AGE_MS = 60_000
const DEFAULT_MIN_INTERVAL_MS = 250
const DEFAULT_WAIT_MS = 500
/** Share of its age at which a reading is renewed in the background. */
const READ_AHEAD = 0.75
/** Addresses that the tables do not know: asked about again after this time. */
const STRANGER_MS = 10_000
const MAX_STRANGERS = 1_024

const NOTHING: Reading = {
  at: Number.NEGATIVE_INFINITY,
  neighbours: new Map(),
  nameByAddress: new Map(),
  nameByMac: new Map(),
}

/**
 * Answers from the last reading; one older than twice `maxAgeMs` counts as none, so that
 * no address keeps the device it had before. An address that no table knows is looked for
 * again after 10 s (`STRANGER_MS`); 1,024 of them are remembered. Loopback is nobody's
 * device.
 */
export class DeviceIdentity {
  readonly #options: DeviceIdentityOptions
  readonly #maxAgeMs: number
  readonly #minIntervalMs: number
  readonly #waitMs: number
  /** When each stranger was last looked for. */
  readonly #strangers = new Recent<string, number>({ max: MAX_STRANGERS })
  #reading = NOTHING
  #running: Promise<void> | undefined

  constructor(options: DeviceIdentityOptions) {
    this.#options = options
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS
    this.#minIntervalMs = options.minIntervalMs ?? DEFAULT_MIN_INTERVAL_MS
    this.#waitMs = options.waitMs ?? DEFAULT_WAIT_MS
  }

  /**
   * What is known at this moment; starts a reading when that is old or the address new.
   * `ip` of the device is canonical, or `address` where that is none. Never throws.
   */
  of(address: string): Device {
    const ip = canonicalAddress(address) ?? address
    if (this.#wantsReading(ip)) void this.#lookFor(ip)
    else this.#readAhead()
    return this.#device(ip)
  }

  /**
   * The same after a reading, when one is due: a device's first connection then has its MAC.
   * Waits at most `waitMs`; never rejects.
   */
  async resolve(address: string): Promise<Device> {
    const ip = canonicalAddress(address) ?? address
    if (this.#wantsReading(ip)) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.#waitMs)
      })
      await Promise.race([this.#lookFor(ip), late])
      clearTimeout(timer)
    } else this.#readAhead()
    return this.#device(ip)
  }

  /** A reading that began before the question may be too old to know; the next one is not. */
  async #lookFor(ip: string): Promise<void> {
    const asked = this.#options.clock.monotonic()
    await this.#read()
    if (!this.#knows(ip) && this.#reading.at < asked) await this.#read()
    if (!this.#knows(ip)) this.#strangers.set(ip, this.#options.clock.monotonic())
  }

  /** In time, so that in steady traffic nobody waits for the next reading. */
  #readAhead(): void {
    const age = this.#options.clock.monotonic() - this.#reading.at
    if (age >= READ_AHEAD * this.#maxAgeMs && age < this.#maxAgeMs) void this.#read()
  }

  #knows(ip: string): boolean {
    return this.#reading.neighbours.has(ip) || this.#reading.nameByAddress.has(ip)
  }

  #wantsReading(ip: string): boolean {
    if (ip === '::1' || ip.startsWith('127.')) return false
    const now = this.#options.clock.monotonic()
    const age = now - this.#reading.at
    if (age >= this.#maxAgeMs) return true
    if (this.#knows(ip)) return false
    const looked = this.#strangers.get(ip)
    return looked === undefined || now - looked >= STRANGER_MS
  }

  #device(ip: string): Device {
    // A reading that could not be renewed stops counting before addresses change hands.
    const age = this.#options.clock.monotonic() - this.#reading.at
    const { neighbours, nameByAddress, nameByMac } =
      age < 2 * this.#maxAgeMs ? this.#reading : NOTHING
    const mac = neighbours.get(ip)
    const hostname =
      nameByAddress.get(ip) ?? (mac === undefined ? undefined : nameByMac.get(mac))
    return {
      ip,
      ...(mac === undefined
        ? {}
        : { mac, locallyAdministered: isLocallyAdministered(mac) }),
      ...(hostname === undefined ? {} : { hostname }),
    }
  }

  #read(): Promise<void> {
    this.#running ??= this.#take().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #take(): Promise<void> {
    const { clock, neighbours, leases } = this.#options
    const early = this.#minIntervalMs - (clock.monotonic() - this.#reading.at)
    if (early > 0) await sleep(early, undefined, { ref: false })
    const at = clock.monotonic()
    const [table, named] = await Promise.all([
      neighbours().catch((): Neighbours => new Map()),
      leases().catch((): readonly Lease[] => []),
    ])
    const nameByAddress = new Map<string, string>()
    const nameByMac = new Map<string, string>()
    for (const { address, mac, hostname, expiresAt } of named) {
      if (hostname === undefined) continue
      if (expiresAt !== undefined && expiresAt <= clock.now()) continue
      // Another device may sit at the address by now.
      const present = table.get(address)
      if (mac === undefined || present === undefined || present === mac)
        nameByAddress.set(address, hostname)
      if (mac !== undefined) nameByMac.set(mac, hostname)
    }
    this.#reading = { at, neighbours: table, nameByAddress, nameByMac }
  }
}
