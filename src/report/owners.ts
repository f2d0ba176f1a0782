/** Whose device it is: a person, else what the household or the device itself calls it. */
import type { Database } from 'better-sqlite3'
import type { HouseholdDevice, ReportAsked } from './report.js'

/** Devices of one report; further ones are one line together. */
export const MOST_DEVICES = 500
const OTHERS = '…'

export interface Owner {
  readonly name: string
  readonly isPerson: boolean
  readonly devices: Set<string>
  /** Of every device of theirs, so far. */
  isExempt: boolean
}

export class Owners {
  readonly isForOne: boolean
  /** By the id of a device: its MAC, else its address. */
  readonly #of = new Map<string, string>()
  readonly #owners = new Map<string, Owner>()

  private constructor(isForOne: boolean) {
    this.isForOne = isForOne
  }

  static of(
    db: Database,
    { household, person }: ReportAsked,
    range: readonly [string, string],
  ): Owners {
    const owners = new Owners(person !== undefined)
    const rows = db
      .prepare<[string, string], { id: string; ip: string; hostname: string | null }>(
        `SELECT coalesce(device_mac, device_ip) AS id, max(device_ip) AS ip,
           max(device_hostname) AS hostname
         FROM exchanges WHERE timestamp >= ? AND timestamp < ?
         GROUP BY 1 ORDER BY count(*) DESC LIMIT 10000`,
      )
      .all(...range)
    const known = new Map<string, HouseholdDevice>()
    for (const device of household)
      for (const id of [device.mac, device.ip])
        if (id !== undefined) known.set(id, { ...known.get(id), ...device })
    for (const { id, ip, hostname } of rows) {
      const found = known.get(id) ?? known.get(ip) ?? {}
      const { name = hostname ?? ip, person: whose, isExempt = false } = found
      if (person !== undefined && whose !== person) continue
      owners.#add(id, { device: name, person: whose, isExempt })
    }
    return owners
  }

  /** Undefined: it is not asked for. */
  ofDevice(id: string): string | undefined {
    return this.#of.get(id)
  }

  nameOf(owner: string): string {
    return this.#owners.get(owner)?.name ?? owner
  }

  get all(): readonly (readonly [string, Owner])[] {
    return [...this.#owners]
  }

  #add(
    id: string,
    {
      device,
      person,
      isExempt,
    }: { device: string; person: string | undefined; isExempt: boolean },
  ): void {
    const isFull = this.#owners.size >= MOST_DEVICES && person === undefined
    const key =
      person !== undefined ? `person ${person}` : isFull ? OTHERS : `device ${id}`
    const name = person ?? (isFull ? OTHERS : device)
    const owner = this.#owners.get(key) ?? {
      ...{ name, isPerson: person !== undefined },
      devices: new Set<string>(),
      isExempt: false,
    }
    owner.isExempt ||= isExempt
    if (owner.devices.size < 20) owner.devices.add(device)
    this.#owners.set(key, owner)
    this.#of.set(id, key)
  }
}
