/**
 * IP addresses and CIDR blocks as numbers. IPv4 addresses inside IPv6 (`::ffff:1.2.3.4`) count
 * as IPv4. RFC 4632, RFC 4291 §2.2, RFC 5952.
 */
import { isIPv4, isIPv6 } from 'node:net'

export type Address = { readonly bits: 32 | 128; readonly value: bigint }
/** `first` is the lowest address of the block. */
export type Block = {
  readonly bits: 32 | 128
  readonly first: bigint
  readonly prefix: number
}

const mapped = 0xffffn << 32n

export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: ipv4(text) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const value = ipv6(text)
  return value >> 32n === 0xffffn
    ? { bits: 32, value: value - mapped }
    : { bits: 128, value }
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function ipv6(text: string): bigint {
  const dot = text.includes('.') ? text.lastIndexOf(':') + 1 : -1
  const tail = dot < 0 ? 0n : ipv4(text.slice(dot))
  const plain =
    dot < 0
      ? text
      : `${text.slice(0, dot)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  const [head = '', rest] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (rest !== undefined) {
    const last = rest === '' ? [] : rest.split(':')
    const zeros = 8 - groups.length - last.length
    groups.push(...Array.from({ length: zeros }, () => '0'), ...last)
  }
  return groups.reduce((value, group) => (value << 16n) | BigInt('0x' + group), 0n)
}

/** A block; the address may lie anywhere in it. */
export function parseBlock(text: string): Block | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (address === undefined || !/^[0-9]{1,4}$/.test(length)) return undefined
  const written = text.includes(':') ? 128 : 32
  const prefix = Number(length)
  if (prefix > written) return undefined
  // A mapped address has 96 bits before those of IPv4.
  const own = Math.max(prefix - (written - address.bits), 0)
  return blockOf(address, own)
}

export function blockOf({ bits, value }: Address, prefix: number): Block {
  const host = BigInt(bits - prefix)
  return { bits, first: (value >> host) << host, prefix }
}

export function lastOf({ bits, first, prefix }: Block): bigint {
  return first | ((1n << BigInt(bits - prefix)) - 1n)
}

export function contains(block: Block, address: Address): boolean {
  if (block.bits !== address.bits) return false
  return address.value >= block.first && address.value <= lastOf(block)
}

export function addressText({ bits, value }: Address): string {
  if (bits === 32)
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  )
  const run = longestZeros(groups)
  if (run.length < 2) return groups.join(':')
  const before = groups.slice(0, run.start).join(':')
  const after = groups.slice(run.start + run.length).join(':')
  return `${before}::${after}`
}

export function blockText(block: Block): string {
  return `${addressText({ bits: block.bits, value: block.first })}/${block.prefix}`
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === '0') end++
    if (end - start > best.length) best = { start, length: end - start }
  }
  return best
}

/** The fewest blocks that cover just the same addresses, whatever order they come in. */
export function mergeBlocks(blocks: readonly Block[]): Block[] {
  const sorted = [...blocks].sort(
    (a, b) => a.bits - b.bits || order(a.first, b.first) || a.prefix - b.prefix,
  )
  const merged: Block[] = []
  let current: { bits: 32 | 128; first: bigint; last: bigint } | undefined
  for (const block of sorted) {
    const last = lastOf(block)
    if (current?.bits === block.bits && block.first <= current.last + 1n) {
      if (last > current.last) current.last = last
      continue
    }
    if (current !== undefined) merged.push(...cover(current))
    current = { bits: block.bits, first: block.first, last }
  }
  if (current !== undefined) merged.push(...cover(current))
  return merged
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The blocks of a range of addresses, largest first at each place. */
function* cover({
  bits,
  first,
  last,
}: {
  bits: 32 | 128
  first: bigint
  last: bigint
}): Generator<Block> {
  let next = first
  while (next <= last) {
    let host = 0n
    while (host < BigInt(bits)) {
      const size = 1n << (host + 1n)
      if (next % size !== 0n || next + size - 1n > last) break
      host++
    }
    yield { bits, first: next, prefix: bits - Number(host) }
    next += 1n << host
  }
}
