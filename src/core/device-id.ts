import type { Device } from './record.js'

/** What a device is known by for longer than a connection: its MAC, else its address. */
export function deviceId(device: Device): string {
  return device.mac ?? device.ip
}
