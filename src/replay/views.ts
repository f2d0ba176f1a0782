/**
 * Texts that stand in a text: behind escapes, in pieces, one inside the other; each with the way
 * back from a span of it to where its characters stand. So what is found in what somebody said
 * is taken out of the bytes that say it. Pure.
 */

export type Range = readonly [start: number, end: number]

export interface View {
  readonly text: string
  /** Where the characters of that span stand in the whole, in order. */
  ranges(start: number, end: number): Range[]
}

/** A part of the whole as it is. */
export function plainView(text: string, at: number): View {
  return { text, ranges: (start, end) => [[at + start, at + end]] }
}

/** Runs that stand as they are have the same length in both. */
interface Run {
  readonly at: number
  readonly length: number
  readonly from: number
  readonly to: number
}

function viewOf(text: string, runs: readonly Run[], parent: View): View {
  return {
    text,
    ranges: (start, end) => {
      const found: Range[] = []
      for (let i = firstFrom(runs, start); i < runs.length; i++) {
        const run = runs[i] as Run
        if (run.at >= end) break
        const isSame = run.length === run.to - run.from
        const from = isSame ? run.from + Math.max(0, start - run.at) : run.from
        const to = isSame ? run.from + Math.min(run.length, end - run.at) : run.to
        found.push(...parent.ranges(from, to))
      }
      return joined(found)
    },
  }
}

/** The first run that ends behind that place. */
function firstFrom(runs: readonly Run[], place: number): number {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const run = runs[middle] as Run
    if (run.at + run.length > place) high = middle
    else low = middle + 1
  }
  return low
}

function joined(ranges: readonly Range[]): Range[] {
  const all: [number, number][] = []
  for (const [start, end] of ranges) {
    const last = all.at(-1)
    if (last !== undefined && last[1] === start) last[1] = end
    else if (end > start) all.push([start, end])
  }
  return all
}

const ESCAPED: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' },
  ...{ '"': '"', '\\': '\\', '/': '/', "'": "'" },
}

/** With what backslashes stand for (RFC 8259 §7); undefined: there are none. */
export function unescaped(view: View): View | undefined {
  return rewritten(view, '\\', (text, at) => {
    const next = text[at + 1] ?? ''
    if (next === 'u') {
      const digits = text.slice(at + 2, at + 6)
      return /^[0-9a-fA-F]{4}$/.test(digits)
        ? { char: String.fromCharCode(parseInt(digits, 16)), length: 6 }
        : undefined
    }
    const char = ESCAPED[next]
    return char === undefined ? undefined : { char, length: 2 }
  })
}

/** With what percent signs stand for, one byte each; `+` is a blank where forms have it. */
export function percentDecoded(view: View): View | undefined {
  return rewritten(view, '%', (text, at) => {
    const digits = text.slice(at + 1, at + 3)
    return /^[0-9a-fA-F]{2}$/.test(digits)
      ? { char: String.fromCharCode(parseInt(digits, 16)), length: 3 }
      : undefined
  })
}

function rewritten(
  view: View,
  sign: string,
  read: (text: string, at: number) => { char: string; length: number } | undefined,
): View | undefined {
  const { text } = view
  let next = text.indexOf(sign)
  if (next < 0) return undefined
  const runs: Run[] = []
  const parts: string[] = []
  let size = 0
  let at = 0
  const keep = (to: number): void => {
    if (to <= at) return
    runs.push({ at: size, length: to - at, from: at, to })
    parts.push(text.slice(at, to))
    size += to - at
    at = to
  }
  for (; next >= 0; next = text.indexOf(sign, Math.max(at, next + 1))) {
    const found = read(text, next)
    if (found === undefined) continue
    keep(next)
    runs.push({ at: size, length: 1, from: at, to: at + found.length })
    parts.push(found.char)
    size += 1
    at += found.length
  }
  if (runs.length === 0) return undefined
  keep(text.length)
  return viewOf(parts.join(''), runs, view)
}

/** Several as one: what is said in pieces. */
export function chained(views: readonly View[]): View {
  const starts: number[] = []
  let size = 0
  for (const { text } of views) {
    starts.push(size)
    size += text.length
  }
  return {
    text: views.map(({ text }) => text).join(''),
    ranges: (start, end) => {
      const found: Range[] = []
      views.forEach((view, i) => {
        const at = starts[i] as number
        const from = Math.max(0, start - at)
        const to = Math.min(view.text.length, end - at)
        if (to > from) found.push(...view.ranges(from, to))
      })
      return joined(found)
    },
  }
}

/** Behind a name, which is not part of it: what a value is, its name tells. */
export function named(name: string, view: View): View {
  const lead = `${name}: `
  return {
    text: lead + view.text,
    ranges: (start, end) =>
      end <= lead.length
        ? []
        : view.ranges(Math.max(0, start - lead.length), end - lead.length),
  }
}
