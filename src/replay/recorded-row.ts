/** Values of a row of the record by their kind. Pure. */
import type { Listed } from '../audit/where.js'

export function text(row: Listed, column: string): string {
  return optional(row, column) ?? ''
}

export function optional(row: Listed, column: string): string | undefined {
  const value = row[column]
  return typeof value === 'string' ? value : undefined
}

export function count(row: Listed, column: string): number | undefined {
  const value = row[column]
  return typeof value === 'number' ? value : undefined
}

export function names(row: Listed, column: string): string[] | undefined {
  const kept = optional(row, column)
  const list = kept === undefined ? undefined : parsed(kept)
  return Array.isArray(list) ? list.map(String) : undefined
}

/** Undefined for what is no JSON. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
