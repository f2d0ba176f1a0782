/**
 * The record in the forms that other tools read: lines out of rows, oldest first, so that a
 * million of them take no more room than one. Every text that a client chose is escaped by the
 * form's own rules. Pure.
 */
import { unreachable } from '../../core/unreachable.js'
import { harEntry } from '../exchange-forms.js'
import { csvField, jsonLine } from '../printable.js'
import type { Listed } from '../where.js'
import { cefLine } from './cef.js'
import { ecsDocument } from './ecs.js'
import { ocsfEvent } from './ocsf.js'
import { otlpTraces } from './otlp.js'
import { ExportRow } from './row.js'

export const FORMATS = ['csv', 'jsonl', 'har', 'otlp', 'ecs', 'ocsf', 'cef'] as const
export type Format = (typeof FORMATS)[number]

/** Forms of which the columns can be chosen. */
export const BY_COLUMN: ReadonlySet<Format> = new Set(['csv', 'jsonl'])

export interface ExportOptions {
  /** Of `csv` and `jsonl`; the others take what they have a member for. */
  readonly columns: readonly string[]
  /** Of YORI. */
  readonly version: string
}

export function exportLines(
  format: Format,
  rows: Iterable<Listed>,
  { columns, version }: ExportOptions,
): Iterable<string> {
  switch (format) {
    case 'csv':
      return csvLines(columns, rows)
    case 'jsonl':
      return documents(rows, (row) => row)
    case 'har':
      return harLines(rows, version)
    case 'otlp':
      return documents(rows, (row) => otlpTraces(new ExportRow(row), version))
    case 'ecs':
      return documents(rows, (row) => ecsDocument(new ExportRow(row)))
    case 'ocsf':
      return documents(rows, (row) => ocsfEvent(new ExportRow(row)))
    case 'cef':
      return cefLines(rows, version)
    default:
      return unreachable(format)
  }
}

function* documents(
  rows: Iterable<Listed>,
  documentOf: (row: Listed) => object,
): Iterable<string> {
  for (const row of rows) yield `${jsonLine(documentOf(row))}\n`
}

function* cefLines(rows: Iterable<Listed>, version: string): Iterable<string> {
  for (const row of rows) yield `${cefLine(new ExportRow(row), version)}\n`
}

/** RFC 4180. */
export function* csvLines(
  columns: readonly string[],
  rows: Iterable<Listed>,
): Iterable<string> {
  yield `${columns.join(',')}\r\n`
  for (const row of rows)
    yield `${columns.map((name) => csvField(row[name] ?? null)).join(',')}\r\n`
}

/** One document, an entry a line. */
function* harLines(rows: Iterable<Listed>, version: string): Iterable<string> {
  const creator = JSON.stringify({ name: 'YORI', version })
  yield `{"log":{"version":"1.2","creator":${creator},"entries":[`
  let before = '\n'
  for (const row of rows) {
    yield before + jsonLine(harEntry(row))
    before = ',\n'
  }
  yield '\n]}}\n'
}
