/**
 * Our HTTP/1.1 codec against llhttp (strict) in this process, and one input in ten against
 * node:http over the wire. What we take, they take, and as the same: the same messages, fields,
 * bodies and trailers, with the same end. That we refuse more is meant. However the bytes are
 * cut, we say the same; one request in ten goes through the front towards clients, too.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { readH1 } from '../../test/support/h1-read.js'
import type { H1Message, H1Read } from '../../test/support/h1-read.js'
import { throughFront } from './http1-front.js'
import { bend, messages } from './http1-inputs.js'
import { Llhttp } from './llhttp.js'
import type { LlMessage, LlRead } from './llhttp.js'
import { askNode } from './node-http.js'
import type { NodeMessage } from './node-http.js'
import type { Broken, FuzzTarget } from './target.js'

const LIMITS = {
  maxHeadBytes: 100_000,
  maxExtensionBytes: 8_192,
  maxTrailerBytes: 100_000,
}
const ON_THE_WIRE = 0.1
const THROUGH_FRONT = 0.1

type Side = 'request' | 'response'

interface Pending {
  readonly input: Buffer
  readonly side: Side
  readonly ours: readonly H1Message[]
}

interface ForFront {
  readonly input: Buffer
  readonly cut: number
  readonly ours: readonly H1Message[]
}

let llhttp: Llhttp | undefined
const pending: Pending[] = []
const forFront: ForFront[] = []

export const http1Target: FuzzTarget = {
  name: 'http1',
  about: 'HTTP/1.1 messages: ours, llhttp and node:http',
  seeds: messages,
  check: (start, random) => {
    const input = random() < 0.7 ? bend(start, random) : start
    const side = random() < 0.5 ? 'request' : 'response'
    const methods = side === 'response' && random() < 0.2 ? ['HEAD'] : []
    const ours = readH1([input], { side, methods, limits: LIMITS })
    llhttp ??= new Llhttp()
    const wrong =
      cutOtherwise(input, { side, methods, ours }, random) ??
      difference(ours, llhttp.read(input, side, methods), side)
    if (wrong !== undefined) {
      const text = JSON.stringify(input.toString('latin1'))
      assert.fail(`${wrong}: ${side} ${methods[0] ?? ''} ${text}`)
    }
    if (random() < ON_THE_WIRE && methods.length === 0)
      pending.push(onTheWire(input, side, upToEnd(ours.messages, side)))
    if (side === 'request' && random() < THROUGH_FRONT) {
      const cut = Math.floor(random() * (input.length + 1))
      forFront.push({ input, cut, ours: upToEnd(ours.messages, side) })
    }
  },
  settle,
}

function cutOtherwise(
  input: Buffer,
  about: { side: Side; methods: readonly string[]; ours: H1Read },
  random: () => number,
): string | undefined {
  const at = Math.floor(random() * (input.length + 1))
  const pieces = [input.subarray(0, at), input.subarray(at)]
  const cut = readH1(pieces, { side: about.side, methods: about.methods, limits: LIMITS })
  return isDeepStrictEqual(cut, about.ours) ? undefined : `otherwise when cut at ${at}`
}

/** Those after which nobody reads on: what follows is another protocol, or dropped. */
function upToEnd(all: readonly H1Message[], side: Side): readonly H1Message[] {
  const last = all.findIndex((each) => isLast(each, side))
  return last < 0 ? all : all.slice(0, last + 1)
}

function isLast({ start, upgrade, persists }: H1Message, side: Side): boolean {
  const [first, second] = start
  return (
    !persists || (side === 'request' ? upgrade || first === 'CONNECT' : second === '101')
  )
}

/** How they differ where we took something; undefined: not at all. */
function difference(ours: H1Read, theirs: LlRead, side: Side): string | undefined {
  const taken = upToEnd(ours.messages, side)
  for (const [at, message] of taken.entries()) {
    const other = theirs.messages[at]
    if (other === undefined) return `llhttp: ${theirs.refused ?? 'no such message'}`
    // The body of a request that asks for an upgrade is not read by either of them alike.
    const isSwitch = side === 'request' && message.upgrade
    if (!other.complete && !isSwitch) return `llhttp: ${theirs.refused ?? 'not whole'}`
    if (!isSameHead(message, other, side)) return `llhttp read head ${at} otherwise`
    if (isSwitch) return undefined
    if (message.body !== other.body) return `llhttp read body ${at} otherwise`
    if (!isSameList(message.trailers, other.trailers))
      return `llhttp read trailers ${at} otherwise`
    if (isLast(message, side)) return undefined
  }
  const { partial, rest } = ours
  if (partial === undefined) return undefined
  const other = theirs.messages[taken.length]
  if (other === undefined) return `llhttp: ${theirs.refused ?? 'no such head'}`
  if (!isSameHead(partial, other, side)) return 'llhttp read the last head otherwise'
  if (side === 'request' && partial.upgrade) return undefined
  // Where we refused what followed, they may have gone on.
  if (rest === 'malformed' && other.body.startsWith(partial.body)) return undefined
  return other.complete || partial.body !== other.body
    ? 'llhttp read the last body otherwise'
    : undefined
}

function isSameHead(ours: H1Message, theirs: LlMessage, side: Side): boolean {
  const [a, b, c] = ours.start
  const [first, second] = side === 'request' ? [a, b] : [b, c]
  return (
    first === theirs.first &&
    second === theirs.second &&
    isSameList(ours.fields, theirs.fields)
  )
}

function isSameList(ours: readonly string[], theirs: readonly string[]): boolean {
  const others = trimmed(theirs)
  return ours.length === others.length && ours.every((text, at) => text === others[at])
}

/** llhttp leaves blanks behind a value to its caller. */
function trimmed(fields: readonly string[]): string[] {
  return fields.map((text) => text.replace(/[ \t]+$/, ''))
}

/** A client of Node gives its answer up when more bytes come with it: they are cut off. */
function onTheWire(input: Buffer, side: Side, all: readonly H1Message[]): Pending {
  if (side === 'request') return { input, side, ours: all }
  const answer = all.find(({ start }) => !start[1].startsWith('1'))
  if (answer === undefined) return { input, side, ours: [] }
  return { input: input.subarray(0, answer.end), side, ours: [answer] }
}

async function settle(): Promise<Broken | undefined> {
  llhttp ??= new Llhttp()
  for (const { input, cut, ours } of forFront.splice(0)) {
    const why = await throughFront({ input, cut, ours, limits: LIMITS, llhttp })
    if (why !== undefined) return { input, why: `the front, cut at ${cut}: ${why}` }
  }
  const all = pending.splice(0)
  const answers = await askNode(all)
  for (const [index, { input, side, ours }] of all.entries()) {
    const theirs = answers[index] ?? []
    const wrong = ours.findIndex((each, at) => !isSame(each, theirs[at], side))
    if (wrong < 0) continue
    const text = JSON.stringify({ ours, theirs }, undefined, 1)
    return { input, why: `node:http read ${side} ${wrong} otherwise: ${text}` }
  }
  return undefined
}

function isSame(ours: H1Message, theirs: NodeMessage | undefined, side: Side): boolean {
  // Node hands a request to upgrade on with its body unread.
  if (isLast(ours, side) && ours.upgrade) return true
  if (theirs === undefined) return false
  const [a, b, c] = ours.start
  const [first, second] = side === 'request' ? [a, b] : [b, c]
  const mine = [first, second, ours.fields, ours.trailers, ours.body]
  const { fields, trailers } = theirs
  const other = [
    theirs.first,
    theirs.second,
    trimmed(fields),
    trimmed(trailers),
    theirs.body,
  ]
  return JSON.stringify(mine) === JSON.stringify(other)
}
