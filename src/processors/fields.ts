/**
 * What processors, and routes, may change of the fields of a head: never how it is framed, whom
 * it is for, or what belongs to one connection; a credential only where that was named. Pure.
 */
import { HOP_BY_HOP, isOurs, OURS_ON_REQUEST } from '../http/head.js'
import { isCredentialField } from './credentials.js'
import type { FieldChange } from './words.js'

/** Beside what no proxy passes and what YORI sets itself: codings, and a change of protocol. */
const NEVER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...OURS_ON_REQUEST,
  ...['content-encoding', 'accept-encoding', 'alt-svc'],
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
])

/** `named`: credentials that may be written; lower-case. */
export function mayChange(name: string, named: ReadonlySet<string>): boolean {
  if (NEVER.has(name) || name.startsWith(':') || isOurs(name)) return false
  return !isCredentialField(name) || named.has(name)
}

/** Flat fields, with the changes in their order; what was not changed stays as it came. */
export function changedFields(
  fields: readonly string[],
  changes: readonly FieldChange[],
): readonly string[] {
  let changed = fields
  for (const { kind, name, value } of changes) {
    if (kind === 'add') changed = [...changed, name, value]
    else {
      const left = without(changed, name)
      changed = kind === 'set' ? [...left, name, value] : left
    }
  }
  return changed
}

function without(fields: readonly string[], lowerName: string): readonly string[] {
  return fields.filter(
    (_field, i) => (fields[i - (i % 2)] as string).toLowerCase() !== lowerName,
  )
}
