/**
 * Go's time layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` taken apart into fields
 * and the text between them. https://pkg.go.dev/time#pkg-constants
 */

export type Field =
  | 'long-month'
  | 'month'
  | 'number-month'
  | 'zero-month'
  | 'long-weekday'
  | 'weekday'
  | 'day'
  | 'space-day'
  | 'zero-day'
  | 'space-year-day'
  | 'zero-year-day'
  | 'hour'
  | 'hour-12'
  | 'zero-hour-12'
  | 'minute'
  | 'zero-minute'
  | 'second'
  | 'zero-second'
  | 'long-year'
  | 'year'
  | 'upper-pm'
  | 'lower-pm'
  | 'zone-name'
  | 'zone'
  | 'fraction'

export type Chunk =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'field'
      readonly field: Field
      /** As it stands in the layout. */
      readonly text: string
    }

const named: readonly (readonly [string, Field])[] = [
  ['January', 'long-month'],
  ['Jan', 'month'],
  ['Monday', 'long-weekday'],
  ['Mon', 'weekday'],
  ['MST', 'zone-name'],
  ['01', 'zero-month'],
  ['02', 'zero-day'],
  ['03', 'zero-hour-12'],
  ['04', 'zero-minute'],
  ['05', 'zero-second'],
  ['06', 'year'],
  ['002', 'zero-year-day'],
  ['15', 'hour'],
  ['1', 'number-month'],
  ['2006', 'long-year'],
  ['2', 'day'],
  ['__2', 'space-year-day'],
  ['_2', 'space-day'],
  ['3', 'hour-12'],
  ['4', 'minute'],
  ['5', 'second'],
  ['PM', 'upper-pm'],
  ['pm', 'lower-pm'],
  ['-070000', 'zone'],
  ['-07:00:00', 'zone'],
  ['-0700', 'zone'],
  ['-07:00', 'zone'],
  ['-07', 'zone'],
  ['Z070000', 'zone'],
  ['Z07:00:00', 'zone'],
  ['Z0700', 'zone'],
  ['Z07:00', 'zone'],
  ['Z07', 'zone'],
]

/** Text and fields in turn; text may be missing between two fields. */
export function readLayout(layout: string): Chunk[] {
  const chunks: Chunk[] = []
  let from = 0
  let at = 0
  while (at < layout.length) {
    const found = fieldAt(layout, at)
    if (found === undefined) {
      at++
      continue
    }
    if (at > from) chunks.push({ kind: 'text', text: layout.slice(from, at) })
    chunks.push(found)
    at += found.text.length
    from = at
  }
  if (from < layout.length) chunks.push({ kind: 'text', text: layout.slice(from) })
  return chunks
}

function fieldAt(
  layout: string,
  at: number,
): Extract<Chunk, { kind: 'field' }> | undefined {
  const char = layout[at]
  if (char === '.' || char === ',') return fractionAt(layout, at)
  // `_2006` is an underscore and a year.
  if (layout.startsWith('_2006', at)) return undefined
  for (const [text, field] of named) {
    if (!layout.startsWith(text, at)) continue
    const short = field === 'month' || field === 'weekday'
    if (short && isLowerCase(layout.charCodeAt(at + 3))) continue
    return { kind: 'field', field, text }
  }
  return undefined
}

/** `.000` or `.999`, unless another digit follows. */
function fractionAt(layout: string, at: number) {
  const digit = layout[at + 1]
  if (digit !== '0' && digit !== '9') return undefined
  let end = at + 1
  while (layout[end] === digit) end++
  if (isDigit(layout.charCodeAt(end))) return undefined
  return { kind: 'field', field: 'fraction', text: layout.slice(at, end) } as const
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export const monthNames: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

export const dayNames: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]

/** Layouts that go by a name. */
export const layouts: ReadonlyMap<string, string> = new Map([
  ['ANSIC', 'Mon Jan _2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['RubyDate', 'Mon Jan 02 15:04:05 -0700 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
])
