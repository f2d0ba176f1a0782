/** A record as a household or an office fills it: so many exchanges over some days up to now. */
import { ChainWriter } from '../../src/audit/evidence/chain-writer.js'
import { storableDigest } from '../../src/audit/evidence/row-digest.js'
import { Insert } from '../../src/audit/insert.js'
import { encode, timestampText } from '../../src/audit/rows.js'
import { connectionColumns, exchangeColumns } from '../../src/audit/tables.js'
import type { Column, Row } from '../../src/audit/tables.js'
import { openWriter } from '../../src/audit/writer.js'
import type { ConnectionRecord, ExchangeRecord } from '../../src/core/record.js'

const DAY_MS = 86_400_000
const BATCH = 500
const LIMITS = { textLength: 2048, bodyLength: 2 ** 20 }

const PROVIDERS = [
  ['openai', 'api.openai.com', ['gpt-4o', 'gpt-4o-mini', 'o3']],
  ['anthropic', 'api.anthropic.com', ['claude-sonnet-4-5', 'claude-haiku-4-5']],
  ['gemini', 'generativelanguage.googleapis.com', ['gemini-2.5-pro', 'gemini-2.5-flash']],
  ['mistral', 'api.mistral.ai', ['mistral-large']],
] as const
const TOOLS = ['search', 'read_file', 'write_file', 'run', 'fetch', 'ask'] as const
const PREVIEW = 'Write a short story about a dragon who learns to code. '.repeat(4)
/** Exchanges of one conversation. */
const TURNS = 12
export const DEVICES = 24
/** Stands in one prompt of 50,000. */
export const RARE = 'a quagga'

/** Always the same for the same number. */
function exchange(n: number, startedAt: number): ExchangeRecord {
  const session = Math.floor(n / TURNS)
  const device = session % DEVICES
  const [provider, endpointDomain, models] = PROVIDERS[session % PROVIDERS.length] ?? [
    'openai',
    'api.openai.com',
    ['gpt-4o'],
  ]
  const isBlocked = n % 97 === 0
  const isError = n % 53 === 0
  return {
    requestId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    connectionId: `connection-${n >> 3}`,
    device: {
      ip: `192.168.1.${device + 10}`,
      mac: `aa:bb:cc:00:11:${String(device + 10)}`,
      hostname: `desk-${device}`,
    },
    startedAt,
    endpointDomain,
    httpVersion: '2',
    method: 'POST',
    path: '/v1/chat/completions',
    userAgent: 'OpenAI/JS 6.49.0',
    requestBytes: 900,
    responseBytes: 4000,
    outcome: isBlocked ? 'block' : isError ? 'error' : 'response',
    status: isBlocked ? 403 : isError ? 502 : 200,
    ...(isError && !isBlocked ? { code: 'YORI_UPSTREAM_RESET' } : {}),
    ...(isBlocked ? { policyName: 'privacy', reason: 'a card number' } : {}),
    provider,
    model: models[n % models.length] ?? '',
    promptPreview: `${n % 50_000 === 0 ? RARE : 'A'} ${PREVIEW.slice(0, 180)} ${n}`,
    policyDecision: isBlocked ? 'deny' : 'allow',
    latencyMs: 400 + (n % 900),
    firstByteMs: 120,
    inputTokens: 200 + (n % 50),
    outputTokens: 300,
    cachedTokens: 100,
    costMicroUsd: 1234 + (n % 1000),
    finishReason: 'stop',
    stream: n % 2 === 0,
    call: true,
    sessionId: `session-${session}`,
    ...(session % 2 === 0 ? { agentId: `agent-${session % 16}` } : {}),
    ...(n % 3 === 0
      ? { toolCalls: [TOOLS[n % TOOLS.length] ?? 'run'], toolsOffered: TOOLS }
      : {}),
    ...(n % 10 === 0 ? { tags: { team: n % 20 === 0 ? 'web' : 'data' } } : {}),
  }
}

function connection(n: number, openedAt: number): ConnectionRecord {
  return {
    connectionId: `connection-${n >> 3}`,
    device: exchange(n, openedAt).device,
    clientPort: 50_000,
    way: 'explicit',
    openedAt,
    closedAt: openedAt + 30_000,
    serverName: 'api.openai.com',
    nameClass: 'api.openai.com',
    coverage: 'inspected',
    bytesFromClient: 9000,
    bytesToClient: 40_000,
    exchanges: 8,
  }
}

/** With the chain, as the writer does it, in transactions of 500. */
export function fillRecord(
  file: string,
  { rows, days, nowMs }: { rows: number; days: number; nowMs: number },
): void {
  const writer = openWriter(file)
  const { db } = writer
  const insert = new Insert(db, 'exchanges', exchangeColumns)
  const insertConnection = new Insert(db, 'connections', connectionColumns)
  const chain = new ChainWriter(db, file)
  const stepMs = (days * DAY_MS) / rows
  const start = nowMs - days * DAY_MS
  const batch = db.transaction((first: number) => {
    for (let n = first; n < Math.min(rows, first + BATCH); n++) {
      const startedAt = Math.round(start + n * stepMs)
      const row = rowOf(exchangeColumns, exchange(n, startedAt), startedAt)
      const digest = storableDigest('exchanges', row)
      chain.is('exchanges', insert.run(row), digest)
      if (n % 8 !== 0) continue
      const ended = rowOf(connectionColumns, connection(n, startedAt), startedAt)
      const of = storableDigest('connections', ended)
      chain.is('connections', insertConnection.run(ended), of)
    }
    chain.link('rows', nowMs)
  })
  for (let first = 0; first < rows; first += BATCH) {
    batch.immediate(first)
    chain.committed()
  }
  writer.close()
}

function rowOf<Record>(
  columns: readonly Column<Record>[],
  record: Record,
  startedAt: number,
): Row {
  const { row } = encode(columns, record, LIMITS)
  row[0] = timestampText(startedAt)
  return row
}
