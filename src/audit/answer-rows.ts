/**
 * Answers that are paid for, in the audit database: written by its worker in the transaction of
 * the rows that they are about, read once at a start.
 */
import type { Database } from 'better-sqlite3'
import { ANSWER_DAYS, MAX_ANSWERS } from '../policy/paid-answers.js'
import type { PaidAnswer } from '../policy/paid-answers.js'
import { openDatabase } from './queries.js'

const DAY_MS = 86_400_000
/** Rows written before it is looked how many there are. */
const FORGET_EVERY = 256

const UPSERT = `
INSERT OR REPLACE INTO answers
  (key, request_id, at, device_ip, device_mac, policy_name, model, is_call,
   prompt_tokens, response_tokens, cost_micro_usd, cost_at_most_micro_usd, estimated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const FORGET = `
DELETE FROM answers WHERE at < :earliest
  OR at < (SELECT at FROM answers ORDER BY at DESC LIMIT 1 OFFSET ${MAX_ANSWERS})`

export interface AnswersWriter {
  /** Within the caller's transaction. */
  write(rows: readonly PaidAnswer[]): void
}

export function answersWriter(db: Database): AnswersWriter {
  const upsert = db.prepare<unknown[]>(UPSERT)
  const forget = db.prepare(FORGET)
  let written = FORGET_EVERY
  return {
    write: (rows) => {
      for (const row of rows) {
        upsert.run(...valuesOf(row))
        if (written++ < FORGET_EVERY) continue
        written = 0
        forget.run({ earliest: row.at - ANSWER_DAYS * DAY_MS })
      }
    },
  }
}

function valuesOf(row: PaidAnswer): (string | number | null)[] {
  const { key, requestId, at, device, policyName, model } = row
  return [
    ...[key, requestId, at, device.ip, device.mac ?? null],
    ...[policyName ?? null, model ?? null, row.isCall ? 1 : 0],
    ...[row.inputTokens ?? null, row.outputTokens ?? null, row.microUsd ?? null],
    ...[row.atMostMicroUsd ?? null, row.estimated ? 1 : 0],
  ]
}

interface Kept {
  readonly key: string
  readonly request_id: string
  readonly at: number
  readonly device_ip: string
  readonly device_mac: string | null
  readonly policy_name: string | null
  readonly model: string | null
  readonly is_call: number
  readonly prompt_tokens: number | null
  readonly response_tokens: number | null
  readonly cost_micro_usd: number | null
  readonly cost_at_most_micro_usd: number | null
  readonly estimated: number
}

/**
 * The newest, the oldest of them first.
 * @throws YORI_AUDIT_UNAVAILABLE
 */
export function readAnswers(database: string): PaidAnswer[] {
  const db = openDatabase(database, true)
  try {
    const rows = db
      .prepare<unknown[], Kept>(`SELECT * FROM answers ORDER BY at DESC LIMIT ?`)
      .all(MAX_ANSWERS)
    return rows.reverse().map(answerOf)
  } finally {
    db.close()
  }
}

function answerOf(kept: Kept): PaidAnswer {
  const { device_mac: mac, policy_name: policyName, model } = kept
  const { prompt_tokens: inputTokens, response_tokens: outputTokens } = kept
  const { cost_micro_usd: microUsd, cost_at_most_micro_usd: atMostMicroUsd } = kept
  return {
    key: kept.key,
    requestId: kept.request_id,
    at: kept.at,
    device: { ip: kept.device_ip, ...(mac === null ? {} : { mac }) },
    ...(policyName === null ? {} : { policyName }),
    ...(model === null ? {} : { model }),
    isCall: kept.is_call === 1,
    ...(inputTokens === null ? {} : { inputTokens }),
    ...(outputTokens === null ? {} : { outputTokens }),
    ...(microUsd === null ? {} : { microUsd }),
    ...(atMostMicroUsd === null ? {} : { atMostMicroUsd }),
    estimated: kept.estimated === 1,
  }
}
