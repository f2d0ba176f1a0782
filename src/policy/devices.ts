/**
 * Who a device is to the household: the entries and groups that name it, and whether an entry
 * lets it past the policies. Built once a change of the lists, asked once an exchange.
 *
 * An address is easily taken by another device, a MAC less so. An entry with both needs both.
 * An entry with an address alone is bound to the MAC that had the address when the entry was
 * made, or, for entries of the file, when the device was first seen: with another MAC, or none
 * where there was one, the entry is suspended.
 */
import type { Device } from '../core/record.js'
import { isBoundTo, listedId } from '../core/device-id.js'
import type {
  Act,
  Audience,
  DeviceGroup,
  KnownDevice,
  ListedDevice,
  Person,
} from './state.js'

/** Devices with a MAC that software chose, and devices that no entry and no group names. */
export const UNKNOWN_GROUP = 'unknown'

export type Allowance =
  | { readonly kind: 'listed'; readonly name: string }
  | { readonly kind: 'unlisted' }
  /** An entry names the address, but another device has it now. */
  | { readonly kind: 'suspended'; readonly name: string; readonly boundMac: string }

export interface Identity {
  readonly name: string | undefined
  /** The person whose it is among them. */
  readonly groups: readonly string[]
}

/** Whom nothing names. */
const NOBODY: Identity = { name: undefined, groups: [UNKNOWN_GROUP] }

export interface DeviceLists {
  readonly devices: readonly ListedDevice[]
  readonly groups: readonly DeviceGroup[]
  readonly known?: readonly KnownDevice[]
  readonly people?: readonly Person[]
  readonly acts?: readonly Act[]
}

/** Address to MAC, for entries that carry none; outlives a reload. */
export type Bindings = Map<string, string>

export class DeviceBook {
  readonly #byIp = new Map<string, ListedDevice[]>()
  readonly #byMac = new Map<string, ListedDevice[]>()
  readonly #groupsByIp = new Map<string, string[]>()
  readonly #groupsByMac = new Map<string, string[]>()
  readonly #suspended = new Set<string>()
  readonly #naming = new Set<string>()
  readonly #unknownListed: boolean
  readonly #bindings: Bindings
  readonly #known = new Map<string, KnownDevice>()
  readonly #people = new Map<string, Person>()
  readonly #acts: readonly Act[]

  constructor(lists: DeviceLists, bindings: Bindings) {
    this.#bindings = bindings
    this.#acts = lists.acts ?? []
    for (const entry of lists.known ?? []) this.#known.set(listedId(entry) ?? '', entry)
    for (const person of lists.people ?? []) this.#people.set(person.name, person)
    for (const entry of lists.devices) {
      if (entry.ip !== undefined) add(this.#byIp, entry.ip, entry)
      else if (entry.mac !== undefined) add(this.#byMac, entry.mac, entry)
    }
    for (const { name, enabled, namesOnly, ips, macs } of lists.groups) {
      if (namesOnly === true) this.#naming.add(name)
      if (!enabled) {
        this.#suspended.add(name)
        continue
      }
      for (const ip of ips) add(this.#groupsByIp, ip, name)
      for (const mac of macs) add(this.#groupsByMac, mac, name)
    }
    this.#unknownListed = lists.groups.some(
      ({ name, enabled, namesOnly }) =>
        enabled && namesOnly !== true && name === UNKNOWN_GROUP,
    )
  }

  /** By address first, then by MAC, then by group. */
  allowance(device: Device, nowMs: number): Allowance {
    let suspended: Allowance | undefined
    for (const entry of this.#entriesOf(device)) {
      if (!isActive(entry, nowMs)) continue
      const found = this.#matched(entry, device)
      if (found?.kind === 'listed') return found
      suspended ??= found
    }
    const group = this.#listedGroups(device).find((name) => !this.#naming.has(name))
    if (group !== undefined) return { kind: 'listed', name: `group ${group}` }
    if (this.#unknownListed && this.identity(device).groups.includes(UNKNOWN_GROUP)) {
      return { kind: 'listed', name: `group ${UNKNOWN_GROUP}` }
    }
    return suspended ?? { kind: 'unlisted' }
  }

  /** Entries tell who a device is even when they are off or expired. */
  identity(device: Device): Identity {
    if (this.#isEmpty) return NOBODY
    const groups = new Set(this.#listedGroups(device))
    const known = this.known(device)
    const person = this.person(device)
    for (const group of [known?.group, person?.name, person?.group])
      if (group !== undefined && !this.#suspended.has(group)) groups.add(group)
    let name = known?.name
    for (const entry of this.#entriesOf(device)) {
      if (this.#matched(entry, device)?.kind !== 'listed') continue
      name ??= entry.name
      if (entry.group !== undefined && !this.#suspended.has(entry.group)) {
        groups.add(entry.group)
      }
    }
    const named = name !== undefined || groups.size > 0
    const isNameless = name === undefined && known === undefined
    if (!named || (device.locallyAdministered === true && isNameless)) {
      groups.add(UNKNOWN_GROUP)
    }
    return { name, groups: [...groups] }
  }

  /** It tells no device from another. */
  get #isEmpty(): boolean {
    const groups = this.#groupsByIp.size + this.#groupsByMac.size
    return this.#byIp.size + this.#byMac.size + this.#known.size + groups === 0
  }

  /** Whose it is. */
  person(device: Device): Person | undefined {
    return this.#people.get(this.known(device)?.person ?? '')
  }

  /** What was said last of it, or else of its person; undefined: nothing that still holds. */
  act(device: Device, nowMs: number): Act | undefined {
    if (this.#acts.length === 0) return undefined
    const present = this.#acts.filter(({ until }) => nowMs < until)
    const person = this.person(device)?.name
    return (
      present.find((act) => act.person === undefined && isBoundTo(act, device)) ??
      present.find((act) => act.person !== undefined && act.person === person)
    )
  }

  /** An entry of an address is that of the device which was first seen there. */
  known({ ip, mac }: Device): KnownDevice | undefined {
    const byMac = mac === undefined ? undefined : this.#known.get(mac)
    const entry = byMac ?? this.#known.get(ip)
    if (entry === undefined || byMac !== undefined) return entry
    const bound = this.#bindings.get(ip)
    if (bound === undefined && mac !== undefined) this.#bindings.set(ip, mac)
    return bound === undefined || bound === mac ? entry : undefined
  }

  isFor(audience: Audience, device: Device): boolean {
    const { ips, macs, groups } = audience
    if (ips.length + macs.length + groups.length === 0) return true
    if (ips.includes(device.ip)) return true
    if (device.mac !== undefined && macs.includes(device.mac)) return true
    if (groups.length === 0) return false
    const own = this.identity(device).groups
    return groups.some((group) => own.includes(group))
  }

  *#entriesOf(device: Device): Generator<ListedDevice> {
    yield* this.#byIp.get(device.ip) ?? []
    if (device.mac !== undefined) yield* this.#byMac.get(device.mac) ?? []
  }

  #listedGroups({ ip, mac }: Device): string[] {
    const byMac = mac === undefined ? undefined : this.#groupsByMac.get(mac)
    return [...(this.#groupsByIp.get(ip) ?? []), ...(byMac ?? [])]
  }

  #matched(entry: ListedDevice, device: Device): Allowance | undefined {
    const { ip, mac, name } = entry
    if (mac !== undefined) {
      if (mac !== device.mac) return undefined
      return ip === undefined || ip === device.ip ? { kind: 'listed', name } : undefined
    }
    const bound = entry.boundMac ?? this.#bindings.get(device.ip)
    if (bound === undefined) {
      if (device.mac !== undefined) this.#bindings.set(device.ip, device.mac)
      return { kind: 'listed', name }
    }
    if (bound === device.mac) return { kind: 'listed', name }
    return { kind: 'suspended', name, boundMac: bound }
  }
}

/** Permanent outlives everything; at `expiresAt` itself the entry is over. */
export function isActive(entry: ListedDevice, nowMs: number): boolean {
  if (entry.permanent) return true
  if (!entry.enabled) return false
  return entry.expiresAt === undefined || nowMs < entry.expiresAt
}

function add<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
