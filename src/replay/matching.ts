/**
 * Which recording answers a request: by method, path and body, whoever sends it with whichever
 * key. Bodies are compared by what they mean: JSON whatever the order of its names, forms
 * whatever their boundary, all as the sanitiser leaves them. Several that are the same answer in
 * their order, and the last of them again. Pure.
 */
import { pathWithout } from './credential-fields.js'
import { fieldOf } from './recording.js'
import type { Content, Fields, Recording } from './recording.js'

/** `order`: whatever the body says; `nearest`: the most alike, where none is the same. */
export const MATCHES = ['exact', 'order', 'nearest'] as const
export type Match = (typeof MATCHES)[number]

export interface Asked {
  readonly method: string
  readonly host: string
  /** With its query. */
  readonly path: string
  readonly fields: Fields
  /** Without content coding, sanitised. */
  readonly body: Content
}

export type Answer =
  | { readonly kind: 'found'; readonly recording: Recording; readonly again: boolean }
  | { readonly kind: 'missed'; readonly why: string }

interface Candidate {
  readonly recording: Recording
  readonly host: string
  readonly body: string
  uses: number
}

export class Matcher {
  readonly #match: Match
  /** By method and path. */
  readonly #places = new Map<string, Candidate[]>()
  readonly #all: Candidate[] = []

  constructor(recordings: readonly Recording[], match: Match) {
    this.#match = match
    for (const recording of recordings) {
      const { method, url, fields, body } = recording.request
      const { host, pathname, search } = new URL(url)
      const one = { recording, host, body: meaning(body, fields), uses: 0 }
      const place = placeOf(method, pathname + search)
      this.#places.set(place, [...(this.#places.get(place) ?? []), one])
      this.#all.push(one)
    }
  }

  /** Those that nobody asked for. */
  get unasked(): readonly Recording[] {
    return this.#all.filter(({ uses }) => uses === 0).map(({ recording }) => recording)
  }

  answer(asked: Asked): Answer {
    const here = this.#places.get(placeOf(asked.method, asked.path)) ?? []
    if (here.length === 0)
      return { kind: 'missed', why: 'nothing is recorded of that method and path' }
    // Of the same host, where it was recorded at all.
    const same = here.filter(({ host }) => host === asked.host)
    const candidates = same.length > 0 ? same : here
    const body = meaning(asked.body, asked.fields)
    const equal =
      this.#match === 'order'
        ? candidates
        : candidates.filter((one) => one.body === body && one.recording.request.isWhole)
    const found = equal.length > 0 ? equal : this.#alike(candidates, body)
    const next = found.find(({ uses }) => uses === 0) ?? found.at(-1)
    if (next === undefined)
      return {
        kind: 'missed',
        why: `${candidates.length} of that method and path are recorded, and none with this body`,
      }
    const again = next.uses++ > 0
    return { kind: 'found', recording: next.recording, again }
  }

  #alike(candidates: readonly Candidate[], body: string): readonly Candidate[] {
    if (this.#match !== 'nearest') return []
    const fresh = candidates.filter(({ uses }) => uses === 0)
    const among = fresh.length > 0 ? fresh : candidates
    const words = wordsOf(body)
    let best: Candidate | undefined
    let most = -1
    for (const one of among) {
      const score = likeness(words, wordsOf(one.body))
      if (score > most) [best, most] = [one, score]
    }
    return best === undefined ? [] : [best]
  }
}

function placeOf(method: string, path: string): string {
  const { path: kept } = pathWithout(normal(path))
  const [name = '', query = ''] = kept.split('?', 2)
  const pairs = query.split('&').filter((pair) => pair !== '')
  // A key in a query is another one in another place, or in a field.
  const rest = pairs.filter((pair) => !/=%5Bredacted%5D$|=\[redacted\]$/i.test(pair))
  return `${method} ${name}?${rest.sort().join('&')}`
}

/** As URLs have it: `%7E` may stand for `~`, and dots go. */
function normal(path: string): string {
  const url = `http://localhost${path}`
  if (!URL.canParse(url)) return path
  const { pathname, search } = new URL(url)
  return pathname + search
}

/** The same for bodies that mean the same. */
function meaning(body: Content, fields: Fields): string {
  if (body.kind === 'bytes') return unbounded(body.bytes.toString('latin1'), fields)
  const { text } = body
  const first = text.trimStart()[0]
  if (first === '{' || first === '[')
    try {
      return JSON.stringify(inOrder(JSON.parse(text), 0))
    } catch {
      // It is no JSON.
    }
  return unbounded(text, fields)
}

/** Forms of several parts have a boundary that is drawn anew each time, RFC 2046 §5.1.1. */
function unbounded(text: string, fields: Fields): string {
  const type = fieldOf(fields, 'content-type') ?? ''
  const boundary = /boundary="?([^";]+)/i.exec(type)?.[1]
  return boundary === undefined ? text : text.replaceAll(boundary, 'boundary')
}

const MAX_DEPTH = 200

function inOrder(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((one) => inOrder(one, depth + 1))
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, one]) => [name, inOrder(one, depth + 1)])
}

const MAX_WORDS = 20_000

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(/[^\p{L}\p{N}]+/u, MAX_WORDS))
}

/** What both have of what either has (Jaccard). */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0
  for (const word of a) if (b.has(word)) both++
  return both / (a.size + b.size - both)
}
