/** Texts, numbers and times in the language of the page. */
import type { TextKey, Texts } from '../texts.js'

declare global {
  var yoriTexts: Texts | undefined
}

export const language = document.documentElement.lang || 'en'

/** The text of that name; `{n}` in it is replaced by `values.n`. */
export function say(
  key: TextKey,
  values: Readonly<Record<string, string | number>> = {},
): string {
  const text = globalThis.yoriTexts?.[key] ?? key
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  )
}

const plain = new Intl.NumberFormat(language)
const short = new Intl.NumberFormat(language, {
  notation: 'compact',
  maximumFractionDigits: 1,
})

export const number = (value: number): string => plain.format(value)
/** Large ones as `12.3K`. */
export const brief = (value: number): string =>
  Math.abs(value) < 10_000 ? plain.format(value) : short.format(value)

/** US dollars; small amounts keep two figures that count. */
export function money(microUsd: number): string {
  const dollars = microUsd / 1e6
  const small = dollars !== 0 && Math.abs(dollars) < 0.1
  return new Intl.NumberFormat(language, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    ...(small
      ? { minimumSignificantDigits: 1, maximumSignificantDigits: 2 }
      : { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  }).format(dollars)
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${plain.format(Math.round(ms / 100) / 10)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const clock = new Intl.DateTimeFormat(language, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const dayAndClock = new Intl.DateTimeFormat(language, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const hourOnly = new Intl.DateTimeFormat(language, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const whole = new Intl.DateTimeFormat(language, {
  dateStyle: 'full',
  timeStyle: 'medium',
})

const DAY_MS = 86_400_000

/** Of the last 20 hours the time alone; nothing for what is no time. */
export function moment(iso: unknown): string {
  const ms = typeof iso === 'number' ? iso : Date.parse(String(iso))
  if (!Number.isFinite(ms)) return ''
  const isRecent = Math.abs(Date.now() - ms) < (20 / 24) * DAY_MS
  return (isRecent ? clock : dayAndClock).format(ms)
}

export const hour = (iso: string): string => hourOnly.format(Date.parse(iso))
export function exactly(iso: unknown): string {
  const ms = typeof iso === 'number' ? iso : Date.parse(String(iso))
  return Number.isFinite(ms) ? whole.format(ms) : ''
}

const relative = new Intl.RelativeTimeFormat(language, {
  numeric: 'auto',
  style: 'short',
})

export function ago(iso: unknown): string {
  const ms = Date.parse(String(iso)) - Date.now()
  if (!Number.isFinite(ms)) return ''
  const seconds = Math.round(ms / 1000)
  if (Math.abs(seconds) < 60) return relative.format(seconds, 'second')
  if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), 'minute')
  if (Math.abs(seconds) < 86_400)
    return relative.format(Math.round(seconds / 3600), 'hour')
  return relative.format(Math.round(seconds / 86_400), 'day')
}
