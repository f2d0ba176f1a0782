/**
 * ClickHouse as where records go, by its HTTP interface and nothing else: a POST a table and batch
 * of JSON lines, with a token by which the server knows a batch that is sent again. Tables are
 * ReplacingMergeTree by the link that told of a row last, so that what the token does not catch
 * goes at the next merge; ask with FINAL for one row an exchange. Our place is a file here.
 * https://clickhouse.com/docs/interfaces/http
 */
import { hash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Pool } from 'undici'
import { clickhouseProblem } from '../../../../config/check-fleet.js'
import { FEED_START } from '../../../audit/feed.js'
import type { FedRow, FeedPiece, FeedPlace } from '../../../audit/feed.js'
import { TABLES } from '../../../audit/evidence/chain-format.js'
import type { TableName } from '../../../audit/evidence/chain-format.js'
import { shippedColumns } from '../postgres/tables.js'
import type { SqlType } from '../postgres/arrays.js'
import { passwordIn } from '../../password-file.js'
import type { Destination, Sent } from '../words.js'

const HEAD_MS = 30_000
const BODY_MS = 60_000
/** Of what a server says when it refuses. */
const MOST_SAID = 300

export interface ClickHouseOptions {
  /** `http://user:password@host:8123/database`; https likewise. */
  readonly url: string
  readonly gateway: string
  readonly passwordFile?: string | undefined
  readonly caFile?: string | undefined
  readonly placeFile: string
}

const TYPES: Readonly<Record<SqlType, string>> = {
  timestamptz: "DateTime64(3, 'UTC')",
  text: 'Nullable(String)',
  bigint: 'Nullable(Int64)',
  'double precision': 'Nullable(Float64)',
}

export function clickhouseTable(table: TableName): string {
  const own = shippedColumns[table].map(({ name, type }) => `${name} ${TYPES[type]}`)
  return `CREATE TABLE IF NOT EXISTS ${table} (gateway LowCardinality(String), record String, id UInt64, link UInt64, ${own.join(', ')}) ENGINE = ReplacingMergeTree(link) PARTITION BY toYYYYMM(timestamp) ORDER BY (gateway, record, id, timestamp) SETTINGS non_replicated_deduplication_window = 1000`
}

export function clickhouseColumns(table: TableName): string {
  const added = shippedColumns[table].map(
    ({ name, type }) => `ADD COLUMN IF NOT EXISTS ${name} ${TYPES[type]}`,
  )
  return `ALTER TABLE ${table} ${added.join(', ')}`
}

export class ClickHouse implements Destination {
  readonly #options: ClickHouseOptions
  #pool: Pool | undefined
  #record = ''
  #fields: Readonly<Record<string, string>> = {}

  constructor(options: ClickHouseOptions) {
    this.#options = options
  }

  async open(record: string): Promise<FeedPlace> {
    await this.close()
    const { url: text, passwordFile, caFile } = this.#options
    const problem = clickhouseProblem(text)
    if (problem !== undefined) throw new Error(`the URL ${problem}`)
    const url = new URL(text)
    this.#pool = new Pool(url.origin, {
      connections: 1,
      headersTimeout: HEAD_MS,
      bodyTimeout: BODY_MS,
      ...(caFile === undefined ? {} : { connect: { ca: readFileSync(caFile) } }),
    })
    this.#record = record
    const password =
      passwordFile === undefined
        ? decodeURIComponent(url.password)
        : passwordIn(passwordFile)
    this.#fields = {
      'x-clickhouse-user': decodeURIComponent(url.username) || 'default',
      ...(password === '' ? {} : { 'x-clickhouse-key': password }),
      'x-clickhouse-database': url.pathname.slice(1) || 'default',
    }
    for (const table of TABLES) {
      await this.#post({}, clickhouseTable(table))
      await this.#post({}, clickhouseColumns(table))
    }
    return this.#kept()
  }

  async send(piece: FeedPiece): Promise<Sent> {
    let [batches, forgotten] = [0, 0]
    const sent = { exchanges: 0, connections: 0, events: 0 }
    for (const table of TABLES) {
      const ids = piece.forgotten[table]
      if (ids.length > 0) {
        const { gateway } = this.#options
        const whose = `gateway = {gateway:String} AND record = {record:String}`
        await this.#post(
          { param_gateway: gateway, param_record: this.#record, mutations_sync: '1' },
          `ALTER TABLE ${table} DELETE WHERE ${whose} AND id IN (${ids.join(',')})`,
        )
        forgotten += ids.length
        batches++
      }
      const rows = piece.rows[table]
      if (rows.length === 0) continue
      await this.#insert(table, rows)
      sent[table] += rows.length
      batches++
    }
    this.#keep(piece.next)
    return { ...sent, batches, rejected: 0, forgotten }
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.destroy()
  }

  async #insert(table: TableName, rows: readonly FedRow[]): Promise<void> {
    const columns = shippedColumns[table]
    const { gateway } = this.#options
    const lines = rows.map(({ id, link, values }) => {
      const row: Record<string, unknown> = { gateway, record: this.#record, id, link }
      for (let at = 0; at < columns.length; at++)
        if (values[at] !== null) row[columns[at]?.name ?? ''] = values[at]
      return `${JSON.stringify(row)}\n`
    })
    // The same rows as they stood then have the same token.
    const said = rows.map(({ id, link }) => `${id}.${link}`).join(' ')
    const token = hash('sha256', `${gateway} ${this.#record} ${table} ${said}`)
    await this.#post(
      {
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        insert_deduplicate: '1',
        insert_deduplication_token: token,
        date_time_input_format: 'best_effort',
        input_format_skip_unknown_fields: '1',
        async_insert: '0',
      },
      lines.join(''),
    )
  }

  async #post(query: Readonly<Record<string, string>>, body: string): Promise<void> {
    if (this.#pool === undefined) throw new Error('not connected')
    const answer = await this.#pool.request({
      path: '/',
      method: 'POST',
      query: { ...query },
      headers: { ...this.#fields, 'content-type': 'text/plain; charset=utf-8' },
      body,
    })
    const text = await answer.body.text()
    // A failure after the head has come stands in the body alone.
    const failed = answer.headers['x-clickhouse-exception-code'] !== undefined
    if (answer.statusCode === 200 && !failed) return
    throw new Error(
      `ClickHouse answered ${answer.statusCode}: ${text.slice(0, MOST_SAID)}`,
    )
  }

  #kept(): FeedPlace {
    try {
      const kept = JSON.parse(readFileSync(this.#options.placeFile, 'utf8')) as Partial<
        FeedPlace & { record: string; url: string }
      >
      const isHere = kept.record === this.#record && kept.url === this.#where
      const { seq, part } = kept
      return isHere && Number.isSafeInteger(seq) && Number.isSafeInteger(part)
        ? ({ seq, part } as FeedPlace)
        : FEED_START
    } catch {
      return FEED_START
    }
  }

  #keep(place: FeedPlace): void {
    const { placeFile } = this.#options
    const kept = { record: this.#record, url: this.#where, ...place }
    writeFileSync(`${placeFile}.new`, JSON.stringify(kept), { mode: 0o600 })
    renameSync(`${placeFile}.new`, placeFile)
  }

  /** Without name and password. */
  get #where(): string {
    const { origin, pathname } = new URL(this.#options.url)
    return `${origin}${pathname} ${this.#options.gateway}`
  }
}
