/** An exchange as `audit_events` will show it, before it is written: for whoever sees it live. */
import type { ExchangeRecord } from '../core/record.js'
import { exchangeColumns } from './tables.js'
import type { Value } from './tables.js'
import { timestampText } from './rows.js'
import type { Listed } from './where.js'

/** Without bodies and the row's number. Texts are not cut. */
export function seenRow(record: Readonly<ExchangeRecord>): Listed {
  const row: Record<string, Value> = {}
  for (const column of exchangeColumns)
    if (column.body !== true) row[column.name] = column.read(record) ?? null
  row['timestamp'] = timestampText(record.startedAt)
  row['client_ip'] = record.device.ip
  row['endpoint'] = record.endpointDomain
  row['enforcement_action'] = actionOf(record)
  return row
}

/** As the view has it. */
function actionOf(record: Readonly<ExchangeRecord>): string {
  if (record.outcome === 'block') return 'block'
  if ((record.redacted ?? 0) > 0) return 'redact'
  if (record.bypass !== undefined)
    return record.bypass.startsWith('allowlist') ? 'allowlist_bypass' : 'override'
  return record.policyDecision === 'alert' ? 'alert' : 'allow'
}
