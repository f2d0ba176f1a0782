/**
 * Exchanges and signed heads in the form that a sink is to have. Bodies stay here, whatever the
 * form; of prompts goes along what the record keeps of them.
 */
import { hostname } from 'node:os'
import { cefLine } from '../../audit/exports/cef.js'
import { ecsDocument } from '../../audit/exports/ecs.js'
import { ocsfEvent } from '../../audit/exports/ocsf.js'
import { ExportRow } from '../../audit/exports/row.js'
import type { Head } from '../../audit/evidence/heads.js'
import { jsonLine } from '../../audit/printable.js'
import type { Listed } from '../../audit/where.js'
import type { Document, SinkFormat } from './words.js'

const BODIES: ReadonlySet<string> = new Set(['request_body', 'response_body'])

export function exchangeDocument(
  row: Listed,
  format: SinkFormat,
  version: string,
): Document {
  const read = new ExportRow(row)
  const { outcome, requestId, startedMs } = read
  return {
    id: requestId,
    at: startedMs,
    kind: outcome === 'request' ? 'error' : outcome,
    text: textOf(row, read, format, version),
  }
}

function textOf(
  row: Listed,
  read: ExportRow,
  format: SinkFormat,
  version: string,
): string {
  switch (format) {
    case 'ecs':
      return jsonLine(ecsDocument(read))
    case 'ocsf':
      return jsonLine(ocsfEvent(read))
    case 'cef':
      return cefLine(read, version)
    default:
      return jsonLine(
        Object.fromEntries(
          Object.entries(row).filter(
            ([name, value]) => value !== null && !BODIES.has(name),
          ),
        ),
      )
  }
}

/** What `yori audit verify --heads` reads again, out of whatever a server puts around it. */
export function headDocument(head: Head, format: SinkFormat, version: string): Document {
  const at = Date.parse(`${head.at.replace(' ', 'T')}Z`)
  const document = {
    '@timestamp': new Date(at).toISOString(),
    event: { kind: 'state', dataset: 'yori.head' },
    host: { name: hostname() },
    yori: { head },
  }
  const json = jsonLine(document)
  const text =
    format === 'cef'
      ? `CEF:0|YORI|YORI|${version}|record.head|Signed head of the record|1|rt=${at} msg=${json.replaceAll('\\', '\\\\').replaceAll('=', '\\=')}`
      : json
  return { id: `head-${head.chain}-${head.seq}`, at, kind: 'head', text }
}
