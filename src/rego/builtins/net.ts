/** CIDR blocks. Nothing here asks the network. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import { RegoObject, RegoSet, SetBuilder, isArray, setOf } from '../value.js'
import type { Value } from '../value.js'
import { define, membersOf, refuse, refuseType, stringAt, valueAt } from './define.js'
import {
  addressText,
  blockOf,
  blockText,
  contains,
  lastOf,
  mergeBlocks,
  parseAddress,
  parseBlock,
} from './ip.js'
import type { Address, Block } from './ip.js'

/** Addresses that a block may be expanded to, whatever the step budget. */
export const maxExpanded = 1_000_000

function block(text: string): Block {
  return parseBlock(text) ?? refuse(`invalid CIDR address: ${text}`)
}

function stringOperand(value: Value): string {
  return typeof value === 'string' ? value : refuseType(1, value, 'string')
}

function blockContains(whole: Value, part: Value): boolean {
  const outer = block(stringOperand(whole))
  const text = stringOperand(part)
  const address = parseAddress(text)
  if (address !== undefined) return contains(outer, address)
  const inner =
    parseBlock(text) ??
    refuse(`not a valid textual representation of an IP address or CIDR: ${text}`)
  const { bits, first } = inner
  return (
    contains(outer, { bits, value: first }) &&
    contains(outer, { bits, value: lastOf(inner) })
  )
}

function intersects(args: readonly Value[]): Value {
  const a = block(stringOperand(valueAt(args, 0)))
  const b = block(stringOperand(valueAt(args, 1)))
  return (
    contains(a, { bits: b.bits, value: b.first }) ||
    contains(b, { bits: a.bits, value: a.first })
  )
}

/** Blocks or addresses, each with what tells it from the others in the answer. */
function candidates(args: readonly Value[], index: number): readonly [Value, Value][] {
  const value = valueAt(args, index)
  const subject = (member: Value): Value => {
    if (typeof member === 'string') return member
    const first = isArray(member) ? member[0] : undefined
    return (
      first ?? refuse(`operand ${index + 1}: element must be string or non-empty array`)
    )
  }
  if (typeof value === 'string') return [[value, value]]
  if (isArray(value)) return value.map((member, at) => [subject(member), at])
  if (value instanceof RegoSet)
    return value.values().map((member) => [subject(member), member])
  if (value instanceof RegoObject)
    return [...value.entries()].map(([key, member]) => [subject(member), key])
  return []
}

function containsMatches(args: readonly Value[], context: BuiltinContext): Value {
  const matches = new SetBuilder()
  const blocks = candidates(args, 0)
  if (blocks.length === 0) return matches.build()
  const others = candidates(args, 1)
  context.step(blocks.length * others.length)
  for (const [whole, name] of blocks)
    for (const [part, otherName] of others)
      if (blockContains(whole, part)) matches.add([name, otherName])
  return matches.build()
}

function expand(args: readonly Value[], context: BuiltinContext): Value {
  const { bits, first, prefix } = block(stringAt(args, 0))
  const count = 1n << BigInt(bits - prefix)
  if (count > BigInt(maxExpanded))
    refuse(`CIDR is over the limit of ${maxExpanded} addresses`)
  context.step(Number(count))
  const addresses: Value[] = []
  for (let value = first; value < first + count; value++)
    addresses.push(addressText({ bits, value }))
  return setOf(addresses)
}

function merge(args: readonly Value[], context: BuiltinContext): Value {
  const members = membersOf(valueAt(args, 0)) ?? refuse('operand must be an array')
  context.step(members.length)
  return setOf(mergeBlocks(members.map(mergeable)).map(blockText))
}

/** An IPv4 address alone stands for the network of its class. */
function mergeable(member: Value): Block {
  if (typeof member !== 'string') refuse('element must be string')
  const address = parseAddress(member)
  if (address === undefined) return block(member)
  if (address.bits === 128) refuse('IPv6 invalid: needs prefix length')
  return blockOf(address, classPrefix(address))
}

function classPrefix({ value }: Address): number {
  const first = Number(value >> 24n)
  return first < 0x80 ? 8 : first < 0xc0 ? 16 : 24
}

const matchable = t.oneOf(
  t.string,
  t.array(t.oneOf(t.string, t.array())),
  t.set(t.oneOf(t.string, t.array())),
  t.object(t.string, t.oneOf(t.string, t.array())),
)
const two = [t.string, t.string] as const
const several = t.oneOf(t.array(t.string), t.set(t.string))

function test(name: string): Builtin {
  return define(name, two, t.boolean, (args) =>
    blockContains(valueAt(args, 0), valueAt(args, 1)),
  )
}

export const networks: readonly Builtin[] = [
  test('net.cidr_contains'),
  test('net.cidr_overlap'),
  define('net.cidr_intersects', two, t.boolean, intersects),
  define(
    'net.cidr_contains_matches',
    [matchable, matchable],
    t.set(t.tuple(t.any, t.any)),
    containsMatches,
  ),
  define('net.cidr_expand', [t.string], t.set(t.string), expand),
  define('net.cidr_merge', [several], t.set(t.string), merge),
  define('net.cidr_is_valid', [t.string], t.boolean, (args) => {
    const text = valueAt(args, 0)
    return typeof text === 'string' && parseBlock(text) !== undefined
  }),
]
