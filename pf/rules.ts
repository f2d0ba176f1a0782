/**
 * Steering as values: which clients, interfaces and families are led to YORI, and by which
 * rules; each value carries the configuration entry that it comes from. Everything from outside
 * is read into addresses and checked names here, so that rendering never pastes a text. Pure;
 * the texts are written by `render-*.ts`.
 */
import { formatAddress, parsePrefix, parseSocketAddress } from '../src/core/address.js'
import { nameProblem } from './rules-names.js'

/** A text of the configuration, and its key, such as `steer.exempt[2]`. */
export interface Entry {
  readonly value: string
  readonly from: string
}

export interface SteerSettings {
  readonly interfaces: readonly Entry[]
  /** Further interfaces, of networks that are not the household's own. */
  readonly guests: readonly Entry[]
  /** `host:port` of every listener. */
  readonly listen: readonly Entry[]
  readonly families: { readonly value: 'both' | 'ipv4' | 'ipv6'; readonly from: string }
  /** Addresses, prefixes, MAC addresses and names of aliases. */
  readonly exempt: readonly Entry[]
  readonly blocked: readonly Entry[]
  /** Addresses and prefixes that may call the listener itself. */
  readonly direct: readonly Entry[]
  /** Interfaces whose clients may. */
  readonly directInterfaces: readonly Entry[]
  /** Where pf sends IPv6: an address of this machine, or `interface`. */
  readonly address6: Entry
  readonly tables: {
    readonly llm: Entry
    readonly exempt: Entry
    readonly blocked: Entry
  }
  /** Seconds that an address stays in an nftables set without being renewed. */
  readonly tableTimeout: number
  /** The machine that does YORI's work, where it is another one. */
  readonly appliance?: {
    readonly interface: Entry
    readonly address?: Entry
    readonly address6?: Entry
  }
}

export type Family = 'inet' | 'inet6'

/** An address or prefix in its one spelling, a MAC address in lower case, or an alias. */
export type Device =
  | { readonly kind: 'address'; readonly family: Family; readonly text: string }
  | { readonly kind: 'mac'; readonly text: string }
  | { readonly kind: 'alias'; readonly text: string }

export type Sourced<T> = T & { readonly from: string }

export interface Target {
  readonly family: Family
  /** Where the listener is bound; undefined for every address of the machine. */
  readonly address: string | undefined
  readonly port: number
}

export interface Steering {
  readonly interfaces: readonly Sourced<{ readonly name: string }>[]
  readonly targets: readonly Sourced<Target>[]
  readonly exempt: readonly Sourced<Device>[]
  readonly blocked: readonly Sourced<Device>[]
  readonly direct: readonly Sourced<Device>[]
  readonly directInterfaces: readonly Sourced<{ readonly name: string }>[]
  /** Undefined: the first address of the interface on which the packet came. */
  readonly address6: Sourced<{ readonly address: string | undefined }>
  readonly tables: {
    readonly llm: string
    readonly exempt: string
    readonly blocked: string
  }
  readonly tableTimeout: number
  readonly appliance?: Sourced<{
    readonly interface: string
    readonly addresses: readonly Sourced<{
      readonly family: Family
      readonly address: string
    }>[]
  }>
}

/** What a packet filter is told, whatever its language. `from`: the entries behind it. */
export type SteerRule =
  | { readonly kind: 'block'; readonly family: Family | 'both'; readonly from: string }
  | { readonly kind: 'redirect'; readonly target: Target; readonly from: string }
  | { readonly kind: 'guard'; readonly target: Target; readonly from: string }
  | {
      readonly kind: 'refuse-quic'
      readonly family: Family | 'both'
      readonly from: string
    }

export interface SteerProblem {
  readonly key: string
  readonly wrong: string
  readonly right: string
}

export type SteeringResult =
  | { readonly kind: 'ok'; readonly steering: Steering }
  | { readonly kind: 'invalid'; readonly problems: readonly SteerProblem[] }

/** Every TLS connection of the LLM table is steered from this port, QUIC refused on it. */
export const STEERED_PORT = 443

/** An exemption wider than this would switch steering off by mistake. Bits. */
const WIDEST_DEVICES: Readonly<Record<Family, number>> = { inet: 8, inet6: 7 }

const MAX_ENTRIES = 4096
const MAX_TIMEOUT_SECONDS = 86_400

/** Everything of the settings as values, or everything that is wrong with them. */
export function readSteering(settings: SteerSettings): SteeringResult {
  const problems: SteerProblem[] = []
  const { guests, directInterfaces } = settings
  const interfaces = readInterfaces([...settings.interfaces, ...guests], problems)
  const address6 = readAddress6(settings.address6, problems)
  const tables = readTables(settings, problems)
  const appliance = readAppliance(settings, problems)
  const devices = (entries: readonly Entry[]): Sourced<Device>[] =>
    readDevices(entries, problems)
  const { tableTimeout } = settings
  if (!(tableTimeout >= 1 && tableTimeout <= MAX_TIMEOUT_SECONDS))
    problems.push({
      key: 'steer.table_timeout',
      wrong: `${tableTimeout} is not a usable time`,
      right: `expected 1 to ${MAX_TIMEOUT_SECONDS} seconds`,
    })
  const steering: Steering = {
    interfaces,
    targets: readTargets(settings, problems),
    exempt: devices(settings.exempt),
    blocked: devices(settings.blocked),
    direct: devices(settings.direct),
    directInterfaces: readInterfaces(directInterfaces, problems),
    address6,
    tables,
    tableTimeout: Math.round(tableTimeout),
    ...(appliance === undefined ? {} : { appliance }),
  }
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'ok', steering }
}

/** In the order in which they must hold: whom the operator blocked comes first. */
export function steeringRules(steering: Steering): SteerRule[] {
  const { targets, blocked, interfaces } = steering
  const families = targets.map(({ family }) => family)
  const family = families.length === 2 ? 'both' : families[0]
  if (family === undefined) return []
  const where = sources(interfaces)
  const rules: SteerRule[] = []
  if (blocked.length > 0) rules.push({ kind: 'block', family, from: sources(blocked) })
  for (const target of targets)
    rules.push({ kind: 'redirect', target, from: `${where}, ${target.from}` })
  for (const target of targets) rules.push({ kind: 'guard', target, from: target.from })
  rules.push({ kind: 'refuse-quic', family, from: where })
  return rules
}

/** Rules without an interface would take everybody's packets: there are none. */
export function interfaceProblems({ interfaces }: Steering): SteerProblem[] {
  if (interfaces.length > 0) return []
  return [
    {
      key: 'steer.interfaces',
      wrong: 'no interface is named',
      right: 'name those of the local network, such as em1 (or --lan em1)',
    },
  ]
}

/** `steer.exempt[0], steer.exempt[1]`, each once. */
export function sources(entries: readonly { readonly from: string }[]): string {
  return [...new Set(entries.map(({ from }) => from))].join(', ')
}

export function addressesOf(devices: readonly Device[], family: Family): string[] {
  return devices.flatMap((device) =>
    device.kind === 'address' && device.family === family ? [device.text] : [],
  )
}

export function macsOf(devices: readonly Device[]): string[] {
  return devices.flatMap((device) => (device.kind === 'mac' ? [device.text] : []))
}

function readInterfaces(
  entries: readonly Entry[],
  problems: SteerProblem[],
): Sourced<{ name: string }>[] {
  const seen = new Map<string, Sourced<{ name: string }>>()
  for (const { value, from } of entries) {
    const wrong = nameProblem('interface', value)
    if (wrong !== undefined)
      problems.push({ key: from, wrong, right: 'expected an interface such as em1' })
    else if (isLoopback(value))
      problems.push({
        key: from,
        wrong: `${value} is the loopback interface`,
        right: 'name the interface of the local network',
      })
    else if (!seen.has(value)) seen.set(value, { name: value, from })
  }
  return [...seen.values()]
}

function isLoopback(name: string): boolean {
  return /^lo\d*$/.test(name)
}

/** One listener a family: the first that steering can use. */
function readTargets(
  { listen, families }: SteerSettings,
  problems: SteerProblem[],
): Sourced<Target>[] {
  const found = new Map<Family, Sourced<Target>>()
  for (const { value, from } of listen) {
    const read = parseSocketAddress(value)
    if (read === undefined || read.port === 0) continue
    const family = read.address.includes(':') ? 'inet6' : 'inet'
    if (found.has(family)) continue
    const every = read.address === '0.0.0.0' || read.address === '::'
    found.set(family, {
      family,
      address: every ? undefined : read.address,
      port: read.port,
      from,
    })
  }
  const wanted: Family[] = []
  if (families.value !== 'ipv6') wanted.push('inet')
  if (families.value !== 'ipv4') wanted.push('inet6')
  const targets = wanted.flatMap((family) => found.get(family) ?? [])
  for (const family of wanted) {
    if (found.has(family)) continue
    if (families.value === 'both' && targets.length > 0) continue
    problems.push({
      key: 'listen',
      wrong: `no ${family === 'inet' ? 'IPv4' : 'IPv6'} listener to steer to (names and port 0 cannot be)`,
      right: 'add an address with a port, such as 0.0.0.0:8443',
    })
  }
  return targets
}

function readDevices(
  entries: readonly Entry[],
  problems: SteerProblem[],
): Sourced<Device>[] {
  if (entries.length > MAX_ENTRIES)
    problems.push({
      key: entries[0]?.from ?? '',
      wrong: `more than ${MAX_ENTRIES} entries`,
      right: 'use prefixes or an alias',
    })
  const seen = new Map<string, Sourced<Device>>()
  for (const { value, from } of entries.slice(0, MAX_ENTRIES)) {
    const device = readDevice(value)
    if (typeof device === 'string')
      problems.push({
        key: from,
        wrong: device,
        right: 'expected an address, a prefix, a MAC address or the name of an alias',
      })
    else if (!seen.has(device.text)) seen.set(device.text, { ...device, from })
  }
  return [...seen.values()]
}

const MAC_FORMS = [
  /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i,
  /^(?:[\da-f]{4}\.){2}[\da-f]{4}$/i,
]

/** What is wrong, as text, where it is no device. */
function readDevice(value: string): Device | string {
  if (MAC_FORMS.some((form) => form.test(value))) {
    const digits = value.replace(/[^\da-f]/gi, '').toLowerCase()
    return { kind: 'mac', text: digits.replace(/(..)(?!$)/g, '$1:') }
  }
  const prefix = value.includes('%') ? undefined : parsePrefix(value)
  if (prefix !== undefined) {
    const family = prefix.bytes.length === 4 ? 'inet' : 'inet6'
    if (prefix.bits < WIDEST_DEVICES[family])
      return `${quote(value)} is wider than /${WIDEST_DEVICES[family]}: it would take in everybody`
    return { kind: 'address', family, text: formatPrefix(prefix.bytes, prefix.bits) }
  }
  if (/^[\w.-]*\.[\w.-]*$/.test(value))
    return `${quote(value)} is a name of a host, not an address`
  const wrong = nameProblem('table', value)
  return wrong ?? { kind: 'alias', text: value }
}

/** A whole address stands without its length. */
export function formatPrefix(bytes: Uint8Array, bits: number): string {
  const address = formatAddress(bytes)
  return bits === bytes.length * 8 ? address : `${address}/${bits}`
}

function readAddress6(
  { value, from }: Entry,
  problems: SteerProblem[],
): Steering['address6'] {
  if (value === 'interface') return { address: undefined, from }
  const address = readAddress(value, 'inet6')
  if (address === undefined || address === '::1' || address === '::')
    problems.push({
      key: from,
      wrong:
        address === '::1'
          ? '::1 is never reached from another interface'
          : `${quote(value)} is not an IPv6 address of this machine`,
      right: 'expected one on lo0 such as fd79:6f72:6900::1, or the word interface',
    })
  return { address, from }
}

/** The address in its one spelling; undefined when it is none of that family. */
function readAddress(value: string, family: Family): string | undefined {
  const prefix = /[/%]/.test(value) ? undefined : parsePrefix(value)
  if (prefix?.bytes.length !== (family === 'inet' ? 4 : 16)) return undefined
  return formatAddress(prefix.bytes)
}

function readTables(
  { tables }: SteerSettings,
  problems: SteerProblem[],
): Steering['tables'] {
  const all = [tables.llm, tables.exempt, tables.blocked]
  all.forEach(({ value, from }, index) => {
    const wrong = nameProblem('table', value)
    const right = 'expected up to 31 letters, digits and _'
    if (wrong !== undefined) problems.push({ key: from, wrong, right })
    else if (all.findIndex((other) => other.value === value) < index)
      problems.push({
        key: from,
        wrong: `${value} is another table's name`,
        right: 'give each its own',
      })
  })
  return {
    llm: tables.llm.value,
    exempt: tables.exempt.value,
    blocked: tables.blocked.value,
  }
}

function readAppliance(
  { appliance }: SteerSettings,
  problems: SteerProblem[],
): Steering['appliance'] {
  if (appliance === undefined) return undefined
  const { interface: device } = appliance
  const wrong = nameProblem('interface', device.value)
  if (wrong !== undefined)
    problems.push({ key: device.from, wrong, right: 'expected an interface such as em2' })
  const addresses = [
    { family: 'inet', entry: appliance.address },
    { family: 'inet6', entry: appliance.address6 },
  ] as const
  const read = addresses.flatMap(({ family, entry }) => {
    if (entry === undefined) return []
    const address = readAddress(entry.value, family)
    if (address !== undefined) return [{ family, address, from: entry.from }]
    problems.push({
      key: entry.from,
      wrong: `${quote(entry.value)} is not an ${family === 'inet' ? 'IPv4' : 'IPv6'} address`,
      right: "expected the appliance's own address",
    })
    return []
  })
  return { interface: device.value, addresses: read, from: device.from }
}

/** Shortened and escaped, for a line that a person reads. */
function quote(value: string): string {
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value)
}
