/**
 * Tuning by what was seen: which rules spoke on whom, out of the rows of the record, and the
 * exclusion that would keep each from it. Pure.
 */
import type { Exclusion } from './settings.js'

/** Rules and places that are told apart; what is beyond is counted as others. */
const MAX_FOUND = 10_000
const MAX_DEVICES = 100
const MAX_DAYS = 90
const DAY_MS = 86_400_000

/** A row of the record, as far as it matters here. */
export interface SeenRow {
  readonly at: string
  readonly device: string
  readonly host: string
  /** With its query. */
  readonly path: string
  /** What processors have noted. */
  readonly note: string
  /** It was blocked by the firewall, or would have been. */
  readonly isObjection: boolean
}

export interface Found {
  readonly rule: number
  /** `ARGS:q`; `text`: in a prompt, where it gives a score and no more. */
  readonly where: string
  readonly route: string
  readonly requests: number
  readonly objections: number
  readonly devices: readonly { readonly name: string; readonly count: number }[]
  readonly first: string
  readonly last: string
  /** Undefined: it blocks nothing. */
  readonly exclusion: Exclusion | undefined
}

export interface TuneReport {
  /** Rows in which a rule had matched, and those that it objected to. */
  readonly rows: number
  readonly objections: number
  readonly found: readonly Found[]
  readonly leftOut: number
}

interface Sum {
  readonly rule: number
  readonly where: string
  readonly route: string
  readonly devices: Map<string, number>
  readonly first: string
  last: string
  requests: number
  objections: number
}

/** That the sum is over its threshold is no rule of its own: its parts are. */
const SUMS: ReadonlySet<number> = new Set([949_110, 949_111])

export class Tuning {
  readonly #sums = new Map<string, Sum>()
  #rows = 0
  #objections = 0
  #leftOut = 0

  look(row: SeenRow): void {
    const places = placesIn(row.note)
    if (places.length === 0) return
    this.#rows++
    if (row.isObjection) this.#objections++
    const route = `${row.host}${row.path.split('?', 1)[0] ?? ''}`
    for (const { rule, where } of places) {
      const key = `${rule} ${where} ${route}`
      let sum = this.#sums.get(key)
      if (sum === undefined) {
        if (this.#sums.size >= MAX_FOUND) {
          this.#leftOut++
          continue
        }
        const begun = { first: row.at, last: row.at, requests: 0, objections: 0 }
        sum = { rule, where, route, devices: new Map(), ...begun }
        this.#sums.set(key, sum)
      }
      sum.requests++
      if (row.isObjection && where !== 'text') sum.objections++
      sum.last = row.at
      const { devices } = sum
      const name =
        devices.has(row.device) || devices.size < MAX_DEVICES ? row.device : 'others'
      devices.set(name, (devices.get(name) ?? 0) + 1)
    }
  }

  /** The most objections first. `nowMs`: from when exclusions are dated. */
  report(nowMs: number): TuneReport {
    const found = [...this.#sums.values()]
      .toSorted((a, b) => b.objections - a.objections || b.requests - a.requests)
      .map((sum) => ({
        ...sum,
        devices: [...sum.devices]
          .map(([name, count]) => ({ name, count }))
          .toSorted((a, b) => b.count - a.count),
        exclusion: sum.objections === 0 ? undefined : exclusionOf(sum, nowMs),
      }))
    return {
      rows: this.#rows,
      objections: this.#objections,
      found,
      leftOut: this.#leftOut,
    }
  }
}

function exclusionOf(sum: Sum, nowMs: number): Exclusion {
  const { rule, where, route, objections, devices, first, last } = sum
  const isPlace = /^[A-Z][A-Z_]*(?::[\w.:/[\]-]+)?$/.test(where)
  const isRoute = /^[\w.-]+(?:\/[\w./~:-]*)?$/.test(route)
  const when = `${first.slice(0, 10)} to ${last.slice(0, 10)}`
  return {
    route: isRoute ? route : (route.split('/', 1)[0] ?? ''),
    rule: String(rule),
    ...(isPlace ? { argument: where } : {}),
    reason: `${objections} harmless requests of ${devices.size} devices, ${when}`,
    until: new Date(nowMs + MAX_DAYS * DAY_MS).toISOString().slice(0, 10),
  }
}

/** What the firewall has noted of a request: `942100 in ARGS:id`. */
export function placesIn(note: string): { rule: number; where: string }[] {
  const own = /(?:^|; )waf: (rules [^]*)/.exec(note)?.[1]
  if (own === undefined) return []
  const reasons = /; reasons ([^;]*)/.exec(own)?.[1] ?? ''
  return reasons.split(', ').flatMap((reason) => {
    const [, rule, where] = /^(\d{1,9}) in ([^ ]{1,128}|the request)$/.exec(reason) ?? []
    if (rule === undefined || where === undefined || SUMS.has(Number(rule))) return []
    return [{ rule: Number(rule), where }]
  })
}

/** As lines of YAML, to be pasted into the configuration. */
export function exclusionText({
  route,
  rule,
  argument,
  reason,
  until,
}: Exclusion): string {
  return [
    `    - rule: '${rule}'`,
    ...(route === undefined ? [] : [`      route: ${route}`]),
    ...(argument === undefined ? [] : [`      argument: '${argument}'`]),
    `      reason: ${reason}`,
    `      until: '${until}'`,
  ].join('\n')
}
