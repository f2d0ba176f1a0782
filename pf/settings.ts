/** Takes what steering needs out of the configuration, each value with its key. Pure. */
import { parsePrefix } from '../src/core/address.js'
import type { Config } from '../config/schema.js'
import type { Entry, SteerSettings } from './rules.js'
import type { TableSettings } from './table.js'

/** What the command line says in place of the configuration, or besides it. */
export interface SteerFlags {
  /** In place of `steer.interfaces` and `steer.guests`. */
  readonly lan?: readonly string[]
  /** Besides `steer.exempt`. */
  readonly exempt?: readonly string[]
}

export function steerSettings(config: Config, flags: SteerFlags = {}): SteerSettings {
  const { steer, listen, intercept, access } = config
  const { appliance, tables } = steer
  const lan = flags.lan ?? []
  return {
    interfaces:
      lan.length > 0
        ? entries('--lan', lan)
        : entries('steer.interfaces', steer.interfaces),
    guests: lan.length > 0 ? [] : entries('steer.guests', steer.guests),
    listen: entries('listen', listen),
    families: { value: steer.families, from: 'steer.families' },
    onFailure: { value: steer.on_failure, from: 'steer.on_failure' },
    exempt: [
      ...entries('--exempt', flags.exempt ?? []),
      ...entries('steer.exempt', steer.exempt),
      ...entries('intercept.exempt_devices', intercept.exempt_devices),
    ],
    blocked: entries('steer.blocked', steer.blocked),
    direct: entries('access.clients', access.clients).filter(isAddress),
    directInterfaces: entries('access.clients', access.clients).filter(
      (entry) => !isAddress(entry),
    ),
    address6: { value: steer.address6, from: 'steer.address6' },
    tables: {
      llm: { value: tables.llm, from: 'steer.tables.llm' },
      exempt: { value: tables.exempt, from: 'steer.tables.exempt' },
      blocked: { value: tables.blocked, from: 'steer.tables.blocked' },
      clients: { value: tables.clients, from: 'steer.tables.clients' },
    },
    tableTimeout: steer.table_timeout,
    keptSeconds: steer.keep,
    ...(access.trust_page_port === undefined
      ? {}
      : { page: { port: access.trust_page_port, from: 'access.trust_page_port' } }),
    ...(appliance.interface === undefined
      ? {}
      : {
          appliance: {
            interface: { value: appliance.interface, from: 'steer.appliance.interface' },
            ...optional('address', appliance.address),
            ...optional('address6', appliance.address6),
          },
        }),
  }
}

export function tableSettings({ endpoints, intercept, steer }: Config): TableSettings {
  return {
    endpoints,
    never: intercept.never,
    shared: steer.shared,
    ranges: entries('steer.ranges', steer.ranges),
  }
}

function isAddress({ value }: Entry): boolean {
  return parsePrefix(value) !== undefined
}

function entries(key: string, values: readonly string[]): Entry[] {
  return values.map((value, index) => ({
    value,
    from: key.startsWith('--') ? `${key} ${printable(value)}` : `${key}[${index}]`,
  }))
}

/** The key goes into comments. */
function printable(value: string): string {
  return value.slice(0, 64).replace(/[^\w.:/-]/g, '?')
}

function optional<K extends 'address' | 'address6'>(
  key: K,
  value: string | undefined,
): { [P in K]?: Entry } {
  if (value === undefined) return {}
  return { [key]: { value, from: `steer.appliance.${key}` } } as { [P in K]?: Entry }
}
