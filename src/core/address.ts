/**
 * IP addresses as text and as bytes: one spelling each (RFC 5952), prefixes, and the ranges
 * that YORI never dials on behalf of others (RFC 6890). Pure; our own interfaces' addresses
 * are not known here.
 */
import { isIP } from 'node:net'

export interface SocketAddress {
  /** Canonical, see `canonicalAddress`. */
  readonly address: string
  readonly port: number
}

const IPV4_MAPPED_BYTES = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** Reads `192.0.2.1:443` or `[2001:db8::1]:443`; undefined for anything else, names included. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const colon = text.lastIndexOf(':')
  if (colon < 0) return undefined
  const port = parsePort(text.slice(colon + 1))
  const host = text.slice(0, colon)
  const bracketed = host.startsWith('[') && host.endsWith(']')
  const inner = bracketed ? host.slice(1, -1) : host
  if (port === undefined || isIP(inner) !== (bracketed ? 6 : 4)) return undefined
  const address = canonicalAddress(inner)
  return address === undefined ? undefined : { address, port }
}

/** The other way: IPv6 in brackets (RFC 3986 §3.2.2). */
export function formatSocketAddress(socketAddress: SocketAddress): string {
  const { address, port } = socketAddress
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port <= 65_535 ? port : undefined
}

/**
 * The one spelling of an address: RFC 5952 for IPv6, dotted decimal for IPv4 and for IPv4
 * mapped into IPv6; a zone id is dropped. Undefined when it is no IP address: `127.1`,
 * `0x7f.0.0.1` and the like are none.
 */
export function canonicalAddress(text: string): string | undefined {
  const bytes = addressBytes(text)
  return bytes === undefined ? undefined : formatAddress(bytes)
}

/** The 4 or 16 bytes of an address in network order; v4-mapped gives 4. */
export function addressBytes(text: string): Uint8Array | undefined {
  const family = isIP(text)
  if (family === 4) return Uint8Array.from(text.split('.'), Number)
  if (family !== 6) return undefined
  const zone = text.indexOf('%')
  return unmapped(ipv6Bytes(zone < 0 ? text : text.slice(0, zone)))
}

/** Text for 4 or 16 bytes in network order. Other lengths are a mistake of the caller. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new RangeError(`an address of ${bytes.length} bytes`)
  const short = unmapped(bytes)
  return short.length === 4 ? short.join('.') : formatIpv6(short)
}

function unmapped(bytes: Uint8Array): Uint8Array {
  return IPV4_MAPPED_BYTES.every((value, index) => bytes[index] === value)
    ? bytes.slice(12)
    : bytes
}

/** `text` is known to be IPv6 without a zone. */
function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  const gap = text.indexOf('::')
  const head = groupBytes(gap < 0 ? text : text.slice(0, gap))
  const tail = gap < 0 ? [] : groupBytes(text.slice(gap + 2))
  bytes.set(head, 0)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

function groupBytes(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

/** RFC 5952 §4: lower case, no leading zeroes, the first longest run of two or more as `::`. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  )
  let best = { start: 0, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.length < 2) return groups.join(':')
  const head = groups.slice(0, best.start).join(':')
  const tail = groups.slice(best.start + best.length).join(':')
  return `${head}::${tail}`
}

export interface Prefix {
  /** 4 or 16 bytes, the bits beyond `bits` are zero. */
  readonly bytes: Uint8Array
  readonly bits: number
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address. Undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const bytes = addressBytes(address)
  if (bytes === undefined) return undefined
  const written = isIP(address) === 4 ? 32 : 128
  const length = slash < 0 ? String(written) : text.slice(slash + 1)
  if (!/^[0-9]{1,3}$/.test(length) || Number(length) > written) return undefined
  // A v4-mapped prefix is the IPv4 prefix inside it; one shorter than 96 is no such thing.
  const bits = Number(length) - (written - bytes.length * 8)
  return bits < 0 ? undefined : { bytes: masked(bytes, bits), bits }
}

function masked(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((value, index) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * index))
    return value & (0xff00 >> kept)
  })
}

function inPrefix(bytes: Uint8Array, prefix: Prefix): boolean {
  if (bytes.length !== prefix.bytes.length) return false
  const whole = prefix.bits >> 3
  for (let i = 0; i < whole; i++) if (bytes[i] !== prefix.bytes[i]) return false
  const rest = prefix.bits & 7
  if (rest === 0) return true
  return ((bytes[whole] ?? 0) & (0xff00 >> rest) & 0xff) === prefix.bytes[whole]
}

/** A list of addresses and prefixes of both families. A look-up costs one comparison each. */
export class Prefixes {
  readonly #prefixes: readonly Prefix[]

  /** Throws `RangeError` naming the first entry that is no address and no prefix. */
  constructor(entries: Iterable<string>) {
    this.#prefixes = Array.from(entries, (entry) => {
      const prefix = parsePrefix(entry)
      if (prefix === undefined) throw new RangeError(`no address or prefix: ${entry}`)
      return prefix
    })
  }

  get size(): number {
    return this.#prefixes.length
  }

  /** False for what is no address. */
  has(address: string): boolean {
    const bytes = addressBytes(address)
    if (bytes === undefined) return false
    return this.#prefixes.some((prefix) => inPrefix(bytes, prefix))
  }
}

/** IANA's special-purpose registries (RFC 6890), and what older standards meant for inside. */
const REFUSED: readonly (readonly [range: string, why: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['224.0.0.0/3', 'multicast or reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'IPv4-compatible'],
  // RFC 8215: where the IPv4 address lies inside depends on the local network, so all of it.
  ['64:ff9b:1::/48', 'local NAT64'],
  ['100::/64', 'discarded'],
  ['2001::/32', 'Teredo'],
  ['2001:2::/48', 'benchmarking'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
]

const refused = REFUSED.map(([range, why]) => ({
  prefix: knownPrefix(range),
  name: `${range} (${why})`,
}))

/** Ranges that lead to the IPv4 address inside: where it starts, in bytes. RFC 6052, RFC 3056. */
const translated = [
  { prefix: knownPrefix('64:ff9b::/96'), at: 12 },
  { prefix: knownPrefix('2002::/16'), at: 2 },
]

function knownPrefix(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix === undefined) throw new RangeError(text)
  return prefix
}

/**
 * Names the range when the address is one that YORI never dials for others; undefined when it
 * may be dialled. What is no address is refused too: the guard is for resolved addresses.
 */
export function refusedRange(address: string): string | undefined {
  const bytes = addressBytes(address)
  if (bytes === undefined) return 'not an IP address'
  return rangeOf(bytes)
}

function rangeOf(bytes: Uint8Array): string | undefined {
  for (const { prefix, at } of translated) {
    if (inPrefix(bytes, prefix)) return rangeOf(bytes.slice(at, at + 4))
  }
  return refused.find(({ prefix }) => inPrefix(bytes, prefix))?.name
}

/** The same for a whole prefix: names the range when any address of it is refused. */
export function refusedWithin(prefix: Prefix): string | undefined {
  const inner = refused.find(
    (range) => range.prefix.bits >= prefix.bits && inPrefix(range.prefix.bytes, prefix),
  )
  return inner?.name ?? rangeOf(prefix.bytes)
}
