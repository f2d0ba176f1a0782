/**
 * What a processor may say, whatever it does say: fields that a message cannot have, texts that
 * nobody would print and lists without end are left out here. Pure.
 */
import type { AuditNote, FieldChange } from './words.js'

/** Of one verdict; more are left out. */
const MAX_CHANGES = 64
const MAX_VALUE = 8192
const MAX_NOTED = 32
const MAX_NOTE = 128
/** Of a sentence that people read. */
const MAX_TEXT = 500
const MAX_URL = 2048

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
/** RFC 9110 §5.5, without the obsolete octets. */
const VALUE = /^[\t\x20-\x7e]*$/

/** Undefined: no field of HTTP could be so called, or say that. */
export function fieldChange(
  kind: FieldChange['kind'],
  name: unknown,
  value: unknown = '',
): FieldChange | undefined {
  if (typeof name !== 'string' || !NAME.test(name)) return undefined
  if (typeof value !== 'string' || value.length > MAX_VALUE || !VALUE.test(value))
    return undefined
  return { kind, name: name.toLowerCase(), value: kind === 'remove' ? '' : value.trim() }
}

export function fieldChanges(
  changes: Iterable<FieldChange | undefined>,
): readonly FieldChange[] {
  const kept: FieldChange[] = []
  for (const change of changes) {
    if (kept.length >= MAX_CHANGES) break
    if (change !== undefined) kept.push(change)
  }
  return kept
}

/** One line that can be printed, of at most `most` characters; undefined: nothing is left. */
export function plainText(text: unknown, most: number = MAX_TEXT): string | undefined {
  if (typeof text !== 'string') return undefined
  const line = text
    .slice(0, 4 * most)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, most)
  return line === '' ? undefined : line
}

export function auditNote(note: {
  readonly tags?: unknown
  readonly ruleIds?: unknown
  readonly reasons?: unknown
  readonly confidence?: unknown
}): AuditNote {
  const { confidence } = note
  const isShare = typeof confidence === 'number' && confidence >= 0 && confidence <= 1
  return {
    tags: noted(note.tags),
    ruleIds: noted(note.ruleIds),
    reasons: noted(note.reasons),
    confidence: isShare ? confidence : undefined,
  }
}

/** What stands in the row, in a line; empty: it wants nothing to stand there. */
export function noteText({ tags, ruleIds, reasons, confidence }: AuditNote): string {
  return [
    ...(ruleIds.length === 0 ? [] : [`rules ${ruleIds.join(', ')}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.join(', ')}`]),
    ...(reasons.length === 0 ? [] : [`reasons ${reasons.join(', ')}`]),
    ...(confidence === undefined ? [] : [`confidence ${confidence}`]),
  ].join('; ')
}

export function bothNotes(first: AuditNote, second: AuditNote): AuditNote {
  const both = (a: readonly string[], b: readonly string[]): readonly string[] =>
    b.length === 0 ? a : [...new Set([...a, ...b])].slice(0, MAX_NOTED)
  return {
    tags: both(first.tags, second.tags),
    ruleIds: both(first.ruleIds, second.ruleIds),
    reasons: both(first.reasons, second.reasons),
    confidence: second.confidence ?? first.confidence,
  }
}

/** A status that a block can have; undefined: it is none. */
export function blockStatus(status: unknown): number | undefined {
  return isStatus(status) && status >= 400 && status <= 599 ? status : undefined
}

const REDIRECTS: ReadonlySet<unknown> = new Set([301, 302, 303, 307, 308])

/** Undefined: nobody could be sent there. */
export function redirectTo(
  url: unknown,
  status: unknown,
): { readonly url: string; readonly status: number } | undefined {
  if (typeof url !== 'string' || url.length > MAX_URL) return undefined
  if (!/^(?:https?:\/\/|\/(?!\/))[\x21-\x7e]*$/i.test(url)) return undefined
  return { url, status: REDIRECTS.has(status) ? (status as number) : 302 }
}

function isStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status)
}

function noted(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return []
  return (list as readonly unknown[])
    .slice(0, MAX_NOTED)
    .map((one) => plainText(typeof one === 'number' ? String(one) : one, MAX_NOTE))
    .filter((one) => one !== undefined)
}
