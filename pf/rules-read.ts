/**
 * Settings of steering, read into values: each text is an address, a prefix or a checked name
 * afterwards, or a problem that names its key. Pure.
 */
import { formatAddress, parsePrefix, parseSocketAddress } from '../src/core/address.js'
import { nameProblem } from './rules-names.js'
import { formatPrefix, pageTargets, STEERED_PORT } from './rules.js'
import type {
  Device,
  Entry,
  Family,
  SteerProblem,
  SteerSettings,
  Sourced,
  Steering,
  SteeringResult,
  Target,
} from './rules.js'

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
  const listeners = readListeners(settings)
  const targets = readTargets(settings, listeners, problems)
  const page = readPage(settings, listeners, problems)
  const { tableTimeout } = settings
  if (!(tableTimeout >= 1 && tableTimeout <= MAX_TIMEOUT_SECONDS))
    problems.push({
      key: 'steer.table_timeout',
      wrong: `${tableTimeout} is not a usable time`,
      right: `expected 1 to ${MAX_TIMEOUT_SECONDS} seconds`,
    })
  const steering: Steering = {
    interfaces,
    listeners,
    targets,
    families: targets.map(({ family }) => family),
    onFailure: settings.onFailure,
    exempt: devices(settings.exempt),
    blocked: devices(settings.blocked),
    direct: devices(settings.direct),
    directInterfaces: readInterfaces(directInterfaces, problems),
    address6,
    tables,
    tableTimeout: Math.round(tableTimeout),
    keptSeconds: Math.round(settings.keptSeconds),
    ...(page === undefined ? {} : { page }),
    ...(appliance === undefined ? {} : { appliance }),
  }
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'ok', steering }
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

/** Listeners by address; names, and ports that the system chooses, cannot be steered to. */
function readListeners({ listen }: SteerSettings): Sourced<Target>[] {
  return listen.flatMap(({ value, from }) => {
    const read = parseSocketAddress(value)
    if (read === undefined || read.port === 0) return []
    const family = read.address.includes(':') ? 'inet6' : 'inet'
    const every = read.address === '0.0.0.0' || read.address === '::'
    const address = every ? undefined : read.address
    return [{ family, address, port: read.port, from }]
  })
}

function readPage(
  { page }: SteerSettings,
  listeners: readonly Sourced<Target>[],
  problems: SteerProblem[],
): Steering['page'] {
  if (page === undefined) return undefined
  const { port, from } = page
  const right = 'name another port such as 80, or leave it out'
  if (listeners.some((listener) => listener.port === port))
    problems.push({ key: from, wrong: `${port} is a listener's own port`, right })
  else if (port === STEERED_PORT)
    problems.push({
      key: from,
      wrong: `${port} is the port of TLS, and the page is asked for in the clear`,
      right,
    })
  else if (pageTargets({ listeners }).length === 0)
    problems.push({
      key: from,
      wrong: 'no listener has an address that a device could reach',
      right: 'listen on 0.0.0.0:8443, or leave it out',
    })
  return { port, from }
}

/** One listener a family: the first that steering can use. */
function readTargets(
  { families }: SteerSettings,
  listeners: readonly Sourced<Target>[],
  problems: SteerProblem[],
): Sourced<Target>[] {
  const found = new Map<Family, Sourced<Target>>()
  for (const listener of listeners)
    if (!found.has(listener.family)) found.set(listener.family, listener)
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

/**
 * What passes unseen although both families are wished for: one without a listener. In words
 * for people; undefined when there is nothing to say.
 */
export function unledFamily(
  { families }: Pick<SteerSettings, 'families'>,
  { targets }: Pick<Steering, 'targets'>,
): string | undefined {
  const [only, more] = targets
  if (families.value !== 'both' || only === undefined || more !== undefined)
    return undefined
  const [name, add, instead] =
    only.family === 'inet'
      ? ['IPv6', `[::]:${only.port}`, 'ipv4']
      : ['IPv4', `0.0.0.0:${only.port}`, 'ipv6']
  return (
    `${name} is not led here, as no listener has an address of it: what devices send to LLM ` +
    `hosts over ${name}, QUIC too, passes unseen; add ${add} to listen, or set ${families.from}: ${instead}`
  )
}

/** `unledFamily` of settings that may be wrong, or steer nothing: undefined then. */
export function unledOf(settings: SteerSettings): string | undefined {
  const read = readSteering(settings)
  if (read.kind === 'invalid' || read.steering.interfaces.length === 0) return undefined
  return unledFamily(settings, read.steering)
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
  const all = [tables.llm, tables.exempt, tables.blocked, tables.clients]
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
    clients: tables.clients.value,
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
