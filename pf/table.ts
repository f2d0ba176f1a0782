/**
 * Which addresses are steered: what the resolver said for the endpoints' names, kept for a
 * while after it was last said, and the providers' own ranges. Private addresses, our own and
 * prefixes that are too wide never enter: they would lead foreign traffic here, or our own in a
 * circle. Pure: time and answers come as arguments; resolving and writing are the caller's.
 */
import {
  canonicalAddress,
  parsePrefix,
  refusedRange,
  refusedWithin,
} from '../src/core/address.js'
import type { Prefix } from '../src/core/address.js'
import { canonicalHostname, matchesHostname } from '../src/core/hostname.js'
import type { CatalogueEntry } from '../src/providers/catalogue.js'
import { formatPrefix } from './rules.js'
import type { Entry, Family } from './rules.js'

export interface TableSettings {
  readonly endpoints: readonly {
    readonly domain: string
    readonly enabled: boolean
    readonly route: 'intercept' | 'tunnel' | 'refuse' | 'by-policy'
  }[]
  /** Patterns that are always tunnelled. */
  readonly never: readonly string[]
  /** Providers or hosts that are steered although their addresses serve much else. */
  readonly shared: readonly string[]
  /** Fixed addresses and prefixes of the operator. */
  readonly ranges: readonly Entry[]
}

export interface LeftOut {
  readonly name: string
  readonly why: string
}

export interface TablePlan {
  /** Names to look up, each with the endpoint it comes from; sorted. */
  readonly names: readonly { readonly name: string; readonly from: string }[]
  /** In their one spelling, none inside another. */
  readonly ranges: readonly string[]
  readonly leftOut: readonly LeftOut[]
}

/** How long an address stays after it was last answered. */
export const KEPT_MS = 30 * 60_000
/** More would be no list of LLM hosts any more; the oldest go first. */
export const MAX_ADDRESSES = 16_384
/** Wider prefixes than these take in whole hosting companies. Bits. */
const WIDEST: Readonly<Record<Family, number>> = { inet: 12, inet6: 28 }

/** What to look up, and what is in the table without looking. */
export function planTable(
  settings: TableSettings,
  catalogue: readonly CatalogueEntry[],
): TablePlan {
  const { chosen, leftOut } = chooseEndpoints(settings, catalogue)
  const names = new Map<string, string>()
  const ranges: string[] = []
  for (const { value, from, entry } of chosen) {
    ranges.push(...(entry?.ranges ?? []))
    const found = namesOf(value, entry)
    if (found.length === 0)
      leftOut.push({ name: value, why: 'a pattern has no single name to look up' })
    for (const name of found) if (!names.has(name)) names.set(name, from)
  }
  const own = settings.ranges.map(({ value }) => value)
  const fixed: string[] = []
  for (const range of [...ranges, ...own]) {
    const why = rangeProblem(range)
    if (why === undefined) fixed.push(range)
    else leftOut.push({ name: range, why })
  }
  return {
    names: [...names]
      .map(([name, from]) => ({ name, from }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ranges: collapse(fixed),
    leftOut,
  }
}

interface Chosen extends Entry {
  readonly entry: CatalogueEntry | undefined
}

/** Endpoints, patterns among them, whose addresses are to be steered; and why others are not. */
function chooseEndpoints(
  settings: TableSettings,
  catalogue: readonly CatalogueEntry[],
): { chosen: Chosen[]; leftOut: LeftOut[] } {
  const shared = new Set(settings.shared.map((text) => text.toLowerCase()))
  const chosen: Chosen[] = []
  const leftOut: LeftOut[] = []
  settings.endpoints.forEach(({ domain, enabled, route }, index) => {
    const value = domain.toLowerCase()
    const entry = entryFor(value, catalogue)
    const broad = entry?.shared === 'broad' && !shared.has(entry.name)
    if (!enabled || route === 'tunnel')
      leftOut.push({ name: value, why: 'its traffic is left untouched' })
    else if (settings.never.some((pattern) => covers(pattern.toLowerCase(), value)))
      leftOut.push({ name: value, why: 'intercept.never names it' })
    else if (broad && !shared.has(value))
      leftOut.push({
        name: value,
        why: `its addresses serve much else; steer.shared may name ${entry.name}`,
      })
    else chosen.push({ value, from: `endpoints[${index}]`, entry })
  })
  return { chosen, leftOut }
}

/** The names for resolvers: endpoints that are steered, patterns among them. */
export function steeredHosts(
  settings: TableSettings,
  catalogue: readonly CatalogueEntry[],
): Entry[] {
  return chooseEndpoints(settings, catalogue).chosen.map(({ value, from }) => ({
    value,
    from,
  }))
}

/** The last entry that names the host; one that names it exactly before a pattern. */
function entryFor(
  host: string,
  catalogue: readonly CatalogueEntry[],
): CatalogueEntry | undefined {
  const base = host.startsWith('*.') ? host.slice(2) : host
  const exact = catalogue.findLast(({ hosts }) => hosts.includes(host))
  return (
    exact ??
    catalogue.findLast(({ hosts }) => hosts.some((pattern) => covers(pattern, base)))
  )
}

/** A host itself; of a pattern the names below it that the catalogue knows. */
function namesOf(host: string, entry: CatalogueEntry | undefined): string[] {
  if (!host.startsWith('*.')) return canonicalHostname(host) === undefined ? [] : [host]
  const known = [...(entry?.resolve ?? []), ...(entry?.hosts ?? [])]
  return known.filter((name) => !name.startsWith('*.') && matchesHostname(host, name))
}

function covers(pattern: string, host: string): boolean {
  return pattern === host || matchesHostname(pattern, host)
}

/** Why a fixed address or prefix may not be steered; undefined when it may. */
export function rangeProblem(text: string): string | undefined {
  const prefix = parsePrefix(text)
  if (prefix === undefined) return 'it is neither an address nor a prefix'
  const family = familyOf(prefix.bytes)
  if (prefix.bits < WIDEST[family]) return `it is wider than /${WIDEST[family]}`
  const refused = refusedWithin(prefix)
  return refused === undefined ? undefined : `it meets ${refused}`
}

/** How many bits of the byte belong to the prefix. */
function bitsIn({ bits }: Prefix, at: number): number {
  return Math.min(8, Math.max(0, bits - 8 * at))
}

export interface TableContent {
  readonly inet: readonly string[]
  readonly inet6: readonly string[]
  /** Answers that did not enter. */
  readonly refused: readonly LeftOut[]
}

/** The addresses seen so far. Holds at most `MAX_ADDRESSES`. */
export class LlmTable {
  readonly #seen = new Map<string, number>()
  readonly #refused = new Map<string, LeftOut>()
  readonly #keptMs: number

  constructor(keptMs = KEPT_MS) {
    this.#keptMs = keptMs
  }

  /** A resolver's answer. `own`: is it an address of this machine? */
  answered(
    name: string,
    addresses: readonly string[],
    {
      nowMs,
      own,
    }: { readonly nowMs: number; readonly own: (address: string) => boolean },
  ): void {
    for (const text of addresses) {
      const address = canonicalAddress(text)
      const why =
        address === undefined
          ? 'it is no address'
          : own(address)
            ? 'it is an address of this machine'
            : refusedRange(address)
      if (address === undefined || why !== undefined) {
        this.#refuse(name, text, why ?? '')
        continue
      }
      // Set again, so that the order is that of the last answer.
      this.#seen.delete(address)
      this.#seen.set(address, nowMs)
      if (this.#seen.size > MAX_ADDRESSES) {
        const [oldest] = this.#seen.keys()
        if (oldest !== undefined) this.#seen.delete(oldest)
      }
    }
  }

  /** What is steered at that time, with the plan's ranges; sorted, none inside another. */
  content(plan: TablePlan, nowMs: number): TableContent {
    for (const [address, at] of this.#seen)
      if (nowMs - at > this.#keptMs) this.#seen.delete(address)
    const all = collapse([...plan.ranges, ...this.#seen.keys()])
    return {
      inet: all.filter((text) => !text.includes(':')),
      inet6: all.filter((text) => text.includes(':')),
      refused: [...this.#refused.values()],
    }
  }

  #refuse(name: string, text: string, why: string): void {
    if (this.#refused.size < 1000)
      this.#refused.set(`${name} ${text}`, { name: text, why })
  }
}

/** One a line, as `pfctl -T replace -f` reads it. */
export function tableText({ inet, inet6 }: Pick<TableContent, 'inet' | 'inet6'>): string {
  return [...inet, ...inet6].map((line) => `${line}\n`).join('')
}

/** One spelling, sorted by bytes, and nothing that lies inside another. */
export function collapse(texts: Iterable<string>): string[] {
  const prefixes: Prefix[] = []
  for (const text of texts) {
    const prefix = parsePrefix(text)
    if (prefix !== undefined) prefixes.push(prefix)
  }
  prefixes.sort(byBytes)
  const kept: Prefix[] = []
  for (const prefix of prefixes) {
    const last = kept.at(-1)
    // In this order only the last kept one can hold it.
    if (last === undefined || !holds(last, prefix)) kept.push(prefix)
  }
  return kept.map(({ bytes, bits }) => formatPrefix(bytes, bits))
}

function byBytes(a: Prefix, b: Prefix): number {
  if (a.bytes.length !== b.bytes.length) return a.bytes.length - b.bytes.length
  return Buffer.compare(a.bytes, b.bytes) || a.bits - b.bits
}

function holds(outer: Prefix, inner: Prefix): boolean {
  if (outer.bytes.length !== inner.bytes.length || inner.bits < outer.bits) return false
  return inner.bytes.every((byte, at) => {
    const mask = (0xff00 >> bitsIn(outer, at)) & 0xff
    return (byte & mask) === outer.bytes[at]
  })
}

function familyOf(bytes: Uint8Array): Family {
  return bytes.length === 4 ? 'inet' : 'inet6'
}
