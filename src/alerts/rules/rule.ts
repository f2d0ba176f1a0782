/** What rules are given, and what they give. */
import type { AlertRule } from '../../../config/schema-alerts.js'
import { deviceId } from '../../core/device-id.js'
import type { Device } from '../../core/record.js'
import type { AlertDevice, AlertEvent } from '../words.js'

/** An event without what all have in common. */
export type Happened = Omit<AlertEvent, 'mode' | 'at' | 'user' | 'metadata'> &
  Partial<Pick<AlertEvent, 'metadata'>>

export type Tell = (happened: Happened) => void

export function alertDevice(device: Device): AlertDevice {
  const { ip, mac, hostname } = device
  return {
    id: deviceId(device),
    ip,
    ...(mac === undefined ? {} : { mac }),
    ...(hostname === undefined ? {} : { hostname }),
  }
}

/** Without those that are not known. */
export function known(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    ),
  )
}

/**
 * Told to the inbox alone unless the configuration names them: they are true of every new
 * household for its first days.
 */
export const QUIET_RULES: ReadonlySet<AlertRule> = new Set([
  'new_device',
  'new_service',
  'unusual',
])
