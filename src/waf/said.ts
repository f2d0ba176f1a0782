/**
 * What the engine said of one transaction, read: which rules, where, and the score. A line has
 * what a client sent in it, unescaped before `[file` and escaped after, and none of that is kept.
 * Pure.
 */
import type { EngineSaid } from './libmodsecurity.js'

/** By which the score is said where nothing stops the request: a rule of ours (`directives.ts`). */
export const SCORE_RULE = 9_500_100

const MAX_WHERE = 96
const MAX_HITS = 256

export interface Hit {
  readonly rule: number
  /** `ARGS:id`, `REQUEST_HEADERS:user-agent`; empty: it does not say. */
  readonly where: string
}

export interface Said {
  /** Of each rule the first place. */
  readonly hits: readonly Hit[]
  /** Anomaly score of what came in. */
  readonly score: number
  /** Over its threshold, or a rule that stops by itself. */
  readonly isStopped: boolean
}

/** The last of a line counts: a client's own words stand before it, or cannot have its quotes. */
const PLACE = /\[file "[^"]{0,1024}"\] \[line "\d{1,9}"\] \[id "(\d{1,12})"\] \[rev "/g
const AGAINST = /against variable `([^']{1,512})' \(Value: /
const WITHIN = /\bfound within ([A-Z_]+(?::[^:"\]]{1,256})?)/
const SAID_SCORE = /\[msg "score (-?\d{1,9})"\]/
const TOTAL_SCORE = /\(Total Score: (-?\d{1,9})\b/

export function readSaid({ lines, stops }: EngineSaid): Said {
  const hits = new Map<number, Hit>()
  let score = 0
  // A rule that stops says so there alone.
  for (const line of stops === undefined ? lines : [...lines, stops.log]) {
    const place = [...line.matchAll(PLACE)].at(-1)
    if (place === undefined) continue
    const rule = Number(place[1])
    if (rule === SCORE_RULE) {
      score = Number(SAID_SCORE.exec(line.slice(place.index))?.[1] ?? 0)
      continue
    }
    if (hits.has(rule) || hits.size >= MAX_HITS) continue
    hits.set(rule, { rule, where: whereOf(line, place.index) })
  }
  const total = stops === undefined ? undefined : TOTAL_SCORE.exec(stops.log)?.[1]
  if (total !== undefined) score = Number(total)
  return { hits: [...hits.values()], score, isStopped: stops !== undefined }
}

function whereOf(line: string, end: number): string {
  const found =
    AGAINST.exec(line.slice(0, end))?.[1] ?? WITHIN.exec(line.slice(end))?.[1] ?? ''
  // What a client named is to stand in a row, and in a directive.
  return found.replace(/[^\w.:/[\]-]/g, '?').slice(0, MAX_WHERE)
}
