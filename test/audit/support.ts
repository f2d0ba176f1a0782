/** Records, stores in temporary folders, and the `sqlite3` program as the outside judge. */
import { execFileSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { has } from '../support/needs.js'
import {
  headsFileOf,
  keyFileOf,
  readHeads,
  verifyingKey,
} from '../../src/audit/evidence/heads.js'
import { verifyRecord } from '../../src/audit/evidence/verify.js'
import type { Verdict } from '../../src/audit/evidence/verify.js'
import type { AuditStore, AuditStoreOptions } from '../../src/audit/store.js'
import { openAuditStore } from '../../src/audit/store.js'
import { systemClock } from '../../src/core/clock.js'
import { NAME_CLASSES } from '../../src/core/coverage.js'
import type { Log } from '../../src/core/log.js'
import { silentLog } from '../../src/core/log.js'
import type {
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
  WritableRow,
} from '../../src/core/record.js'

export interface TemporaryFolder extends Disposable {
  readonly path: string
  readonly database: string
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'yori-audit-'))
  return {
    path,
    database: join(path, 'state', 'audit.db'),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

export type OpenStore = AuditStore & AsyncDisposable

export async function startStore(
  database: string,
  options: Partial<AuditStoreOptions> = {},
): Promise<OpenStore> {
  const store = openAuditStore({
    database,
    log: silentLog,
    clock: systemClock,
    ...options,
  })
  await store.start()
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() })
}

/** A log that can be waited for. */
export class ListeningLog implements Log {
  readonly lines: {
    readonly level: string
    readonly fields: object
    readonly message: string
  }[] = []
  readonly #said = new EventEmitter()

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#add('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#add('warn', fields, message)
  }
  error(fields: object, message: string): void {
    this.#add('error', fields, message)
  }

  /** Resolves with the fields of the first line, past or to come, that says this. */
  async said(part: string): Promise<object> {
    for (;;) {
      const line = this.lines.find(({ message }) => message.includes(part))
      if (line !== undefined) return line.fields
      await once(this.#said, 'line')
    }
  }

  #add(level: string, fields: object, message: string): void {
    this.lines.push({ level, fields, message })
    this.#said.emit('line')
  }
}

let serial = 0

export function exchange(
  fields: Partial<ExchangeRecord> = {},
): WritableRow<ExchangeRecord> {
  serial++
  return {
    requestId: `request-${serial}`,
    connectionId: 'connection-1',
    device: { ip: '192.168.1.23', mac: 'aa:bb:cc:00:11:22', hostname: 'desk' },
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6) + serial,
    endpointDomain: 'api.openai.com',
    httpVersion: '1.1',
    method: 'POST',
    path: '/v1/chat/completions',
    userAgent: 'curl/8.5.0',
    requestBytes: 100,
    responseBytes: 0,
    ...fields,
  }
}

export function closed(
  fields: Partial<ExchangeRecord> = {},
): WritableRow<ExchangeRecord> {
  return exchange({
    outcome: 'response',
    status: 200,
    model: 'gpt-4o-mini',
    latencyMs: 812.4,
    responseBytes: 2048,
    ...fields,
  })
}

export function connection(fields: Partial<ConnectionRecord> = {}): ConnectionRecord {
  serial++
  const openedAt = Date.UTC(2026, 0, 2, 3, 4, 5, 6) + serial
  return {
    connectionId: `connection-${serial}`,
    device: { ip: '192.168.1.23' },
    clientPort: 50123,
    way: 'redirected',
    openedAt,
    closedAt: openedAt + 1500,
    nameClass: NAME_CLASSES.other,
    coverage: 'tunnel-not-endpoint',
    bytesFromClient: 1000,
    bytesToClient: 2000,
    exchanges: 0,
    ...fields,
  }
}

export function event(fields: Partial<EventRecord> = {}): EventRecord {
  return { at: Date.UTC(2026, 0, 2, 3, 4, 5, 6), kind: 'start', details: {}, ...fields }
}

export const hasSqlite3: boolean = has('sqlite3')

/** What the `sqlite3` program answers: rows of text cells. */
export function sqlite3(database: string, sql: string): string[][] {
  const arguments_ = ['-batch', '-noheader', '-separator', '\u001f', database, sql]
  const text = execFileSync('sqlite3', arguments_, { encoding: 'utf8' })
  const lines = text.split('\n')
  return lines.slice(0, -1).map((line) => line.split('\u001f'))
}

/** What the database holds, by a connection of the test's own. */
export function query(database: string, sql: string): unknown[] {
  const db = new Sqlite(database, { readonly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

export function single(database: string, sql: string): unknown {
  const [row] = query(database, sql) as Record<string, unknown>[]
  return row === undefined ? undefined : Object.values(row)[0]
}

/** What `yori audit verify` finds. */
export function verdictOf(database: string): Verdict {
  const db = new Sqlite(database, { readonly: true })
  try {
    const key = verifyingKey(keyFileOf(database))
    const { heads } = readHeads(headsFileOf(database))
    const steps = verifyRecord(db, { heads, ...(key === undefined ? {} : { key }) })
    for (;;) {
      const step = steps.next()
      if (step.done !== true) continue
      if (step.value === undefined) throw new Error('there is no chain')
      return step.value
    }
  } finally {
    db.close()
  }
}
