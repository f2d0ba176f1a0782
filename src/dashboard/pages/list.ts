/** Rows that are shown, so that one exchange knows what is next to it under the same filter. */
import { signal } from '@preact/signals'
import type { Row, RowFilter } from '../filter.js'
import { ask } from './api.js'
import { idOf } from './rows.js'

export interface Page {
  readonly exchanges: readonly Row[]
  readonly next: string | null
}

export interface Listed {
  /** The filter, as text. */
  readonly of: string
  readonly rows: readonly Row[]
  /** Where older ones begin; null: there are none. */
  readonly next: string | null
}

/** Of one list; a page that follows for hours keeps no more. */
export const MOST_LISTED = 400

export const listed = signal<Listed | undefined>(undefined)

export const keyOf = (filter: RowFilter): string =>
  new URLSearchParams(Object.entries(filter).sort()).toString()

export function pathOf(filter: RowFilter, before?: string | null): string {
  const query = new URLSearchParams(filter)
  if (before) query.set('before', before)
  const text = query.toString()
  return `/api/exchanges${text === '' ? '' : `?${text}`}`
}

/** The newest page under a filter takes the place of what was listed. */
export async function openList(filter: RowFilter): Promise<void> {
  const of = keyOf(filter)
  const { exchanges, next } = await ask<Page>(pathOf(filter))
  listed.value = { of, rows: exchanges, next }
}

/** One page more of the same list. */
export async function moreOf(filter: RowFilter): Promise<void> {
  const before = listed.peek()
  if (before === undefined || before.of !== keyOf(filter) || before.next === null) return
  const { exchanges, next } = await ask<Page>(pathOf(filter, before.next))
  if (listed.peek()?.of !== before.of) return
  const rows = [...(listed.peek()?.rows ?? []), ...exchanges]
  listed.value = { of: before.of, rows, next }
}

/** What has come goes to the top; what was told before is told anew in its place. */
export function withNew(
  rows: readonly Row[],
  come: readonly Row[],
): { readonly rows: readonly Row[]; readonly fresh: ReadonlySet<string> } {
  const known = new Map(rows.map((row) => [idOf(row), row]))
  const fresh = new Set<string>()
  for (const row of come) {
    if (!known.has(idOf(row))) fresh.add(idOf(row))
    known.set(idOf(row), row)
  }
  const sorted = [...known.values()].sort((a, b) =>
    String(a['timestamp']) < String(b['timestamp']) ? 1 : -1,
  )
  return { rows: sorted.slice(0, MOST_LISTED), fresh }
}
