/**
 * The addresses of this machine's own interfaces: never dialled for others, since what answers
 * there is YORI itself or its router. Read from the system and kept for a few seconds.
 */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { canonicalAddress, Prefixes } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import { readKernelAddresses } from './own-addresses-linux.js'
import type { Clock } from '../core/clock.js'

/** How often the system is asked, and how. */
export interface OwnAddressesOptions {
  readonly clock: Clock
  /** How long one reading holds. 5 s unless given. */
  readonly maxAgeMs?: number
  /** The system's list, shaped as node gives it; for tests. */
  readonly read?: () => NodeJS.Dict<NetworkInterfaceInfo[]>
  /** Addresses beyond that list; the kernel's own on Linux unless given. */
  readonly readMore?: () => Iterable<string>
}

interface Reading {
  readonly at: number
  readonly addresses: ReadonlySet<string>
  readonly networks: ReadonlyMap<string, Prefixes>
}

const DEFAULT_MAX_AGE_MS = 5_000
/** Of what `holds` goes by. */
const RECENT_MS = 1_000
/** Of what `hasByNow` goes by. */
const FRESH_MS = 100
/** RFC 1918, RFC 4193, RFC 3927, RFC 4291 §2.5.6. */
const PRIVATE = new Prefixes([
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10'],
])

/**
 * Asked synchronously, at most once in `maxAgeMs`: to `has`, an address that this machine has
 * just got counts that much later.
 */
export class OwnAddresses {
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #read: () => NodeJS.Dict<NetworkInterfaceInfo[]>
  readonly #readMore: () => Iterable<string>
  #reading: Reading | undefined
  /** Node's list alone, which is read in a tenth of a millisecond. */
  #recent: { readonly at: number; readonly listed: ReadonlySet<string> } | undefined

  constructor(options: OwnAddressesOptions) {
    this.#clock = options.clock
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS
    this.#read = options.read ?? networkInterfaces
    this.#readMore = options.readMore ?? readKernelAddresses
  }

  /**
   * Is this an address of one of our interfaces? All of 127/8 and `::1` count; what is no
   * address is none of ours.
   */
  has(address: string): boolean {
    const canonical = canonicalAddress(address)
    if (canonical === undefined) return false
    if (canonical === '::1' || canonical.startsWith('127.')) return true
    return this.#current().addresses.has(canonical)
  }

  /**
   * As `has`, but of a second ago at most: is an address that we once sent from still ours?
   */
  holds(address: string): boolean {
    const now = this.#clock.monotonic()
    if (this.#listedSince(now, RECENT_MS).has(address)) return true
    if (this.#reading !== undefined && now - this.#reading.at >= RECENT_MS)
      this.#reading = undefined
    return this.has(address)
  }

  /**
   * As `has`, but an address that an interface got counts a tenth of a second later: for what
   * takes a wrong no for a way to somebody else.
   */
  hasByNow(address: string): boolean {
    const canonical = canonicalAddress(address)
    if (canonical === undefined) return false
    if (this.has(canonical)) return true
    return this.#listedSince(this.#clock.monotonic(), FRESH_MS).has(canonical)
  }

  /** The networks on an interface, as its addresses and masks say; undefined when unknown. */
  onInterface(name: string): Prefixes | undefined {
    return this.#current().networks.get(name)
  }

  /** A private address on a network of ours: never anybody beyond a router. */
  isPrivateNeighbour(address: string): boolean {
    if (!PRIVATE.has(address)) return false
    const { networks } = this.#current()
    return [...networks.values()].some((network) => network.has(address))
  }

  /** Where others of our private networks reach what listens so: IPv4 first. */
  reachableAt(listening: readonly SocketAddress[]): SocketAddress[] {
    const own = [...this.#current().addresses].filter((address) => PRIVATE.has(address))
    const found = listening.flatMap(({ address, port }) => {
      const isV6 = address.includes(':')
      const isAny = address === '0.0.0.0' || address === '::'
      const same = own.filter((one) => one.includes(':') === isV6)
      return (isAny ? same : same.filter((one) => one === address)).map((one) => ({
        address: one,
        port,
      }))
    })
    const usable = found.filter(({ address }) => !address.startsWith('fe80:'))
    return usable.sort((a, b) => Number(isIpv6(a)) - Number(isIpv6(b)))
  }

  /** Canonical, as read then or later. */
  #listedSince(now: number, maxAgeMs: number): ReadonlySet<string> {
    if (this.#recent === undefined || now - this.#recent.at >= maxAgeMs) {
      const listed = Object.values(this.#read()).flatMap((infos) =>
        (infos ?? []).map(({ address }) => canonicalAddress(address) ?? address),
      )
      this.#recent = { at: now, listed: new Set(listed) }
    }
    return this.#recent.listed
  }

  #current(): Reading {
    const now = this.#clock.monotonic()
    if (this.#reading === undefined || now - this.#reading.at >= this.#maxAgeMs)
      this.#reading = this.#take(now)
    return this.#reading
  }

  #take(at: number): Reading {
    const addresses = new Set<string>()
    const networks = new Map<string, Prefixes>()
    for (const [name, infos = []] of Object.entries(this.#read())) {
      const prefixes: string[] = []
      for (const info of infos) {
        const address = canonicalAddress(info.address)
        if (address === undefined) continue
        addresses.add(address)
        prefixes.push(info.cidr ?? address)
      }
      networks.set(name, new Prefixes(prefixes))
    }
    // Node leaves out interfaces without a carrier, whose addresses answer all the same.
    for (const text of this.#readMore()) {
      const address = canonicalAddress(text)
      if (address !== undefined) addresses.add(address)
    }
    return { at, addresses, networks }
  }
}

function isIpv6({ address }: SocketAddress): boolean {
  return address.includes(':')
}
