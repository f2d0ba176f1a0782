/**
 * Steering as values: which clients, interfaces and families are led to YORI, and by which
 * rules; each value carries the configuration entry that it comes from. Everything from outside
 * is read into addresses and checked names (`rules-read.ts`), so that rendering never pastes a
 * text. Pure; the texts are written by `render-*.ts`.
 */
import { formatAddress } from '../src/core/address.js'

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
  /** While no listener answers: LLM traffic goes direct, or is refused. */
  readonly onFailure: { readonly value: OnFailure; readonly from: string }
  /** Addresses, prefixes, MAC addresses and names of aliases. */
  readonly exempt: readonly Entry[]
  readonly blocked: readonly Entry[]
  /** Addresses and prefixes that may call the listener itself, wherever they are. */
  readonly direct: readonly Entry[]
  /** Interfaces whose clients may. */
  readonly directInterfaces: readonly Entry[]
  /** Where pf sends IPv6: an address of this machine, or `interface`. */
  readonly address6: Entry
  readonly tables: {
    readonly llm: Entry
    readonly exempt: Entry
    readonly blocked: Entry
    readonly clients: Entry
  }
  /** Seconds that nftables leads packets here without the supervisor's word. */
  readonly tableTimeout: number
  /** Seconds that an address stays after a resolver last gave it. */
  readonly keptSeconds: number
  /** A further port of the page with the certificate. */
  readonly page?: { readonly port: number; readonly from: string }
  /** The machine that does YORI's work, where it is another one. */
  readonly appliance?: {
    readonly interface: Entry
    readonly address?: Entry
    readonly address6?: Entry
  }
}

export type Family = 'inet' | 'inet6'

export type OnFailure = 'open' | 'closed_llm'

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
  /** Every listener that an address can name, steered to or not. */
  readonly listeners: readonly Sourced<Target>[]
  readonly targets: readonly Sourced<Target>[]
  /** Those that are to be steered, answering or not. */
  readonly families: readonly Family[]
  readonly onFailure: SteerSettings['onFailure']
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
    readonly clients: string
  }
  readonly tableTimeout: number
  readonly keptSeconds: number
  /** A port of this machine that leads to the listener, and what of it others can reach. */
  readonly page?: Sourced<{ readonly port: number }>
  /** nftables only: led to YORI from that interface alone, whatever the sets hold. */
  readonly probe?: {
    readonly interface: string
    readonly dialled: Readonly<Record<Family, string>>
  }
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
  /** The page with the certificate, at a port of this machine that is not the listener's. */
  | {
      readonly kind: 'page'
      readonly target: Target
      readonly port: number
      readonly from: string
    }
  /** A listener that other networks than the steered ones must not reach. */
  | { readonly kind: 'guard'; readonly target: Target; readonly from: string }
  | {
      readonly kind: 'refuse-quic'
      readonly family: Family | 'both'
      readonly from: string
    }
  /** New connections that no listener took. */
  | {
      readonly kind: 'refuse-llm'
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

/** `yo` in ASCII: marks a packet for the local socket, with a routing table for the mark. */
export const TPROXY_MARK = 0x796f
export const TPROXY_MARK_TEXT = `0x${TPROXY_MARK.toString(16)}`
export const TPROXY_ROUTES = 796

/** In the order in which they must hold: whom the operator blocked comes first. */
export function steeringRules(steering: Steering): SteerRule[] {
  const { targets, listeners, blocked, interfaces, families, onFailure } = steering
  const family = together(targets.map((target) => target.family))
  const all = together(families)
  const where = sources(interfaces)
  const rules: SteerRule[] = []
  // Also in a family whose listener does not answer.
  if (all !== undefined && blocked.length > 0)
    rules.push({ kind: 'block', family: all, from: sources(blocked) })
  if (family !== undefined) {
    for (const target of targets)
      rules.push({ kind: 'redirect', target, from: `${where}, ${target.from}` })
    rules.push({ kind: 'refuse-quic', family, from: where })
  }
  if (steering.page !== undefined)
    for (const { from, ...target } of pageTargets(steering))
      rules.push({
        ...{ kind: 'page', target, port: steering.page.port },
        from: `${steering.page.from}, ${from}`,
      })
  for (const { from, ...target } of listeners)
    if (!isLoopback(target)) rules.push({ kind: 'guard', target, from })
  if (onFailure.value === 'closed_llm' && all !== undefined)
    rules.push({ kind: 'refuse-llm', family: all, from: onFailure.from })
  return rules
}

/** The first listener of each family that a device can reach. */
export function pageTargets({
  listeners,
}: Pick<Steering, 'listeners'>): Sourced<Target>[] {
  return (['inet', 'inet6'] as const).flatMap((family) => {
    const found = listeners.find((one) => one.family === family && !isLoopback(one))
    return found === undefined ? [] : [found]
  })
}

/** Nobody else reaches that. */
export function isLoopback({ address }: Target): boolean {
  return address === '::1' || address?.startsWith('127.') === true
}

function together(families: readonly Family[]): Family | 'both' | undefined {
  return families.length === 2 ? 'both' : families[0]
}

/** Which listeners answer; `closed`: none does, and that is not to open the way. */
export type SteerState = 'both' | Family | 'closed'

/** The same steering with the listeners that answer. */
export function steeringIn(steering: Steering, state: SteerState): Steering {
  const answers = (family: Family): boolean => state === 'both' || state === family
  return {
    ...steering,
    targets: steering.targets.filter(({ family }) => answers(family)),
  }
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

/** Is an address among them? An interface or alias is none. */
export function hasAddresses(devices: readonly Device[]): boolean {
  return devices.some(({ kind }) => kind === 'address')
}

export function addressesOf(devices: readonly Device[], family: Family): string[] {
  return devices.flatMap((device) =>
    device.kind === 'address' && device.family === family ? [device.text] : [],
  )
}

export function macsOf(devices: readonly Device[]): string[] {
  return devices.flatMap((device) => (device.kind === 'mac' ? [device.text] : []))
}

/** A whole address stands without its length. */
export function formatPrefix(bytes: Uint8Array, bits: number): string {
  const address = formatAddress(bytes)
  return bits === bytes.length * 8 ? address : `${address}/${bits}`
}
