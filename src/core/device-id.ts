/**
 * Which device is it? The one answer to that: a device takes another address more easily than
 * another MAC, so it is known by its MAC wherever that is known.
 */
import { addressBytes } from './address.js'
import type { Device } from './record.js'

/** Some rows and documents write `null` for what is not known. */
export interface Known {
  readonly ip: string
  readonly mac?: string | null | undefined
}

/** What a promise to a device is bound to. */
export type Bound = { readonly mac: string } | { readonly ip: string }

/** What a device is known by for longer than a connection: its MAC, else its address. */
export function deviceId({ mac, ip }: Known): string {
  return mac ?? ip
}

/** The same of an entry in a list, which may have either; undefined: it has neither. */
export function listedId({ mac, ip }: Partial<Known>): string | undefined {
  return mac ?? ip
}

export function boundTo({ mac, ip }: Known): Bound {
  return mac === undefined || mac === null ? { ip } : { mac }
}

/** Is this the device that something is bound to? One that has moved is another. */
export function isBoundTo(
  bound: { readonly mac?: string | undefined; readonly ip?: string | undefined },
  { mac, ip }: Known,
): boolean {
  return bound.mac === undefined ? bound.ip === ip : bound.mac === mac
}

/**
 * What counts as one where devices have shares: its MAC, however many addresses it has; of a
 * device behind another router its IPv4 address or its /64, in which it may choose any (RFC
 * 4291 §2.5.1).
 */
export function shareOf(device: Device): string {
  if (device.mac !== undefined) return device.mac
  if (!device.ip.includes(':')) return device.ip
  const bytes = addressBytes(device.ip)
  if (bytes?.length !== 16) return device.ip
  return `${Buffer.from(bytes.subarray(0, 8)).toString('hex')}/64`
}
