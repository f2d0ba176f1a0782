/**
 * PostgreSQL as where records go: a connection of our own, its tables brought up to date under an
 * advisory lock, and a statement a table and batch. Our place in the record stands beside the rows
 * and moves once they are committed; what is sent again because somebody was killed between is
 * known by its key and its link, and is nothing. Of one gateway only one process ships at a time.
 */
import { createRequire } from 'node:module'
import type Pg from 'pg'
import { FEED_START } from '../../../audit/feed.js'
import type { FedRow, FeedPiece, FeedPlace } from '../../../audit/feed.js'
import { TABLES } from '../../../audit/evidence/chain-format.js'
import type { TableName } from '../../../audit/evidence/chain-format.js'
import type { Destination, Sent } from '../words.js'
import { columnArrays, numbersLiteral } from './arrays.js'
import type { PostgresAddress } from './address.js'
import {
  TABLES_VERSION,
  insertStatement,
  monthOf,
  partitionStatement,
  schemaStatements,
  shippedColumns,
} from './tables.js'

const CONNECT_MS = 10_000
/** Of one statement; the server that takes longer is asked anew. */
const QUERY_MS = 60_000
const CLOSE_MS = 2_000
/** `YYYY-MM-` of a timestamp. */
const MONTH_CHARS = 8
/** Sets of columns that have a statement of their own there. */
const MAX_PREPARED = 32
/** A record that began anew counts on from here, so that its ids are no others'. */
export const IDS_A_RECORD = 2 ** 48
/** Two to the fifteenth times that is what a bigint holds. */
const MOST_RECORDS = 2 ** 15
/** Of the session that ships as one gateway, and of whoever changes tables. */
const [LOCK_GATEWAY, LOCK_TABLES] = [0x796f7269, 0x796f7274] as const

/** What of `pg` is asked for; a test answers in its place. */
export type SqlClient = Pick<Pg.Client, 'connect' | 'end' | 'on'> & {
  query(query: SqlQuery): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
}

export interface SqlQuery {
  readonly text: string
  readonly values?: readonly unknown[]
  /** It is prepared under that name. */
  readonly name?: string
}

interface Statement {
  readonly text: string
  readonly name: string | undefined
}

export interface PostgresOptions {
  readonly address: () => PostgresAddress
  readonly gateway: string
  readonly client?: (address: PostgresAddress) => SqlClient
}

export class Postgres implements Destination {
  readonly #options: PostgresOptions
  readonly #months = new Set<string>()
  /** By the columns that have values. */
  readonly #prepared = new Map<string, Statement>()
  #client: SqlClient | undefined
  #hasTimescale = false
  #record = ''
  /** Of this record among those of the gateway. */
  #number = 0

  constructor(options: PostgresOptions) {
    this.#options = options
  }

  async open(record: string): Promise<FeedPlace> {
    const { address, gateway, client = pgClient } = this.#options
    await this.close()
    const opened = client(address())
    this.#client = opened
    opened.on('error', () => undefined)
    await opened.connect()
    await this.#ask(`set timezone to 'UTC'`)
    await this.#ask('set application_name to $$yori ship$$')
    const [lock] = await this.#ask(
      'select pg_try_advisory_lock($1, hashtext(current_schema() || $$ $$ || $2)) as taken',
      [LOCK_GATEWAY, gateway],
    )
    if (lock?.['taken'] !== true)
      throw new Error(`another YORI ships as ${JSON.stringify(gateway)}`)
    await this.#migrate()
    this.#record = record
    return this.#place()
  }

  async send(piece: FeedPiece): Promise<Sent> {
    let [batches, rejected, forgotten] = [0, 0, 0]
    const sent = { exchanges: 0, connections: 0, events: 0 }
    for (const table of TABLES) {
      const ids = piece.forgotten[table]
      if (ids.length > 0) {
        const gone = await this.#ask(
          `delete from ${table} where gateway = $1 and id = any($2::bigint[]) returning 1`,
          [this.#options.gateway, numbersLiteral(ids.map((id) => this.#idOf(id)))],
        )
        forgotten += gone.length
        batches++
      }
      const rows = piece.rows[table]
      if (rows.length === 0) continue
      await this.#makeMonths(table, rows)
      const refused = await this.#insert(table, rows)
      sent[table] += rows.length - refused
      rejected += refused
      batches++
    }
    const { seq, part } = piece.next
    await this.#ask(
      `update gateways set seq = $3, part = $4, shipped_at = now()
       where gateway = $1 and record = $2`,
      [this.#options.gateway, this.#record, seq, part],
    )
    return { ...sent, batches, rejected, forgotten }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    this.#prepared.clear()
    this.#months.clear()
    if (client === undefined) return
    const ended = client.end().catch(() => undefined)
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref())
    await Promise.race([ended, late])
  }

  async #migrate(): Promise<void> {
    await this.#ask('begin')
    await this.#ask('select pg_advisory_xact_lock($1, hashtext(current_schema()))', [
      LOCK_TABLES,
    ])
    const [extension] = await this.#ask(
      `select extversion from pg_extension where extname = 'timescaledb'`,
    )
    this.#hasTimescale = extension !== undefined
    await this.#ask(
      'create table if not exists yori_tables (id integer primary key default 1 check (id = 1), version integer not null, shape text not null)',
    )
    const [known] = await this.#ask('select version, shape from yori_tables')
    if (Number(known?.['version'] ?? 0) > TABLES_VERSION)
      throw new Error('its tables are of a later YORI than this one')
    const shape = TABLES.map((table) => shippedColumns[table].length).join(' ')
    if (known?.['version'] !== TABLES_VERSION || !isOf(known['shape'], shape)) {
      for (const statement of schemaStatements(this.#hasTimescale))
        await this.#ask(statement)
      await this.#ask(
        `insert into yori_tables (version, shape) values ($1, $2)
         on conflict (id) do update set version = $1, shape = $2`,
        [TABLES_VERSION, shape],
      )
    }
    await this.#ask('commit')
  }

  async #place(): Promise<FeedPlace> {
    const { gateway } = this.#options
    const [row] = await this.#ask(
      `insert into gateways (gateway, record, number)
       select $1, $2, coalesce(max(number) + 1, 0) from gateways where gateway = $1
       on conflict (gateway, record) do update set number = gateways.number
       returning number, seq, part`,
      [gateway, this.#record],
    )
    this.#number = Number(row?.['number'])
    if (!(this.#number < MOST_RECORDS))
      throw new Error(`${gateway} has had ${MOST_RECORDS} records`)
    return row === undefined
      ? FEED_START
      : { seq: Number(row['seq']), part: Number(row['part']) }
  }

  async #makeMonths(table: TableName, rows: readonly FedRow[]): Promise<void> {
    if (this.#hasTimescale) return
    const months = new Set(
      rows.map(({ values }) => String(values[0]).slice(0, MONTH_CHARS)),
    )
    for (const text of months) {
      const month = monthOf(text)
      const key = `${table} ${month}`
      if (month === undefined || this.#months.has(key)) continue
      await this.#ask('begin')
      await this.#ask('select pg_advisory_xact_lock($1, hashtext(current_schema()))', [
        LOCK_TABLES,
      ])
      await this.#ask(partitionStatement(table, month))
      await this.#ask('commit')
      this.#months.add(key)
    }
  }

  /** Returns how many rows the server refuses for what they are. */
  async #insert(table: TableName, rows: readonly FedRow[]): Promise<number> {
    const { present, literals } = columnArrays(shippedColumns[table], rows)
    const { text, name } = this.#statement(table, present)
    const values = [
      this.#options.gateway,
      numbersLiteral(rows.map(({ id }) => this.#idOf(id))),
      numbersLiteral(rows.map(({ link }) => link)),
      ...literals,
    ]
    try {
      await this.#query({ text, values, ...(name === undefined ? {} : { name }) })
      return 0
    } catch (cause) {
      if (!isOfTheRow(cause)) throw cause
      if (rows.length === 1) return 1
      const half = rows.length >> 1
      const first = await this.#insert(table, rows.slice(0, half))
      return first + (await this.#insert(table, rows.slice(half)))
    }
  }

  #statement(table: TableName, present: readonly number[]): Statement {
    const key = `${table} ${present.join(' ')}`
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    const text = insertStatement(table, present)
    if (this.#prepared.size >= MAX_PREPARED) return { text, name: undefined }
    const statement = { text, name: `ship_${this.#prepared.size}` }
    this.#prepared.set(key, statement)
    return statement
  }

  #idOf(id: number): number | string {
    if (this.#number === 0) return id
    return String(BigInt(this.#number) * BigInt(IDS_A_RECORD) + BigInt(id))
  }

  async #ask(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Record<string, unknown>[]> {
    return (await this.#query({ text, values })).rows
  }

  #query(query: SqlQuery) {
    if (this.#client === undefined) throw new Error('not connected')
    return this.#client.query(query)
  }
}

/** At least the columns of ours: a later YORI may have added some. */
function isOf(shape: unknown, own: string): boolean {
  const counts = String(shape).split(' ').map(Number)
  return own.split(' ').every((count, at) => (counts[at] ?? 0) >= Number(count))
}

/** By SQLSTATE: data, integrity, too much of something. Anything else may pass another time. */
function isOfTheRow(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^(?:22|23|54)[0-9A-Z]{3}$/.test(code)
}

/** @throws Error where the package is not there */
function pgClient({ tls, ...address }: PostgresAddress): SqlClient {
  const pg = loadPg()
  return new pg.Client({
    ...address,
    ssl: tls,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    keepAlive: true,
  })
}

function loadPg(): typeof Pg {
  try {
    return createRequire(import.meta.url)('pg') as typeof Pg
  } catch (cause) {
    throw new Error('this needs a package that is not here: npm install pg', { cause })
  }
}
