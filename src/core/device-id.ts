import { addressBytes } from './address.js'
import type { Device } from './record.js'

/** What a device is known by for longer than a connection: its MAC, else its address. */
export function deviceId(device: Device): string {
  return device.mac ?? device.ip
}

/**
 * What counts as one where devices have shares: its MAC, however many addresses it has; of a
 * device behind another router its IPv4 address or its /64, in which it may choose any (RFC
 * 4291 §2.5.1).
 */
export function shareOf(device: Device): string {
  if (device.mac !== undefined) return device.mac
  const bytes = addressBytes(device.ip)
  if (bytes?.length !== 16) return device.ip
  return `${Buffer.from(bytes.subarray(0, 8)).toString('hex')}/64`
}
