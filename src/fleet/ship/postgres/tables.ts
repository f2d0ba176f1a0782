/**
 * The tables of a fleet in PostgreSQL, as statements. Where TimescaleDB is there they are
 * hypertables with a continuous aggregate, else partitions by month with BRIN. The key of a row is
 * (gateway, id): its time stands in it, too, since PostgreSQL wants what it partitions by in every
 * key, and never changes. Pure.
 */
import {
  connectionColumns,
  eventColumns,
  exchangeColumns,
} from '../../../audit/tables.js'
import type { Column } from '../../../audit/tables.js'
import type { TableName } from '../../../audit/evidence/chain-format.js'
import { auditEventsColumns } from '../../../audit/views.js'
import { sqlType } from './arrays.js'
import type { SqlColumn } from './arrays.js'

/** Of what these statements make; goes up when that changes otherwise than by a column. */
export const TABLES_VERSION = 1

const columns = (all: readonly Column<never>[]): readonly SqlColumn[] =>
  all.map((column) => ({ name: column.name, type: sqlType(column) }))

export const shippedColumns: Readonly<Record<TableName, readonly SqlColumn[]>> = {
  exchanges: columns(exchangeColumns),
  connections: columns(connectionColumns),
  events: columns(eventColumns),
}

/** Rows of other months go into one partition: a clock was wrong. */
const FIRST_YEAR = 2020
const LAST_YEAR = 2099

/** How far records have come: one row for each that a gateway has had. */
const gateways = `create table if not exists gateways (
  gateway text not null,
  record text not null,
  number integer not null,
  seq bigint not null default 0,
  part bigint not null default 0,
  shipped_at timestamptz,
  primary key (gateway, record),
  unique (gateway, number)
)`

export function tableStatements(
  table: TableName,
  hasTimescale: boolean,
): readonly string[] {
  const own = shippedColumns[table].map(({ name, type }) =>
    name === 'timestamp' ? `${name} ${type} not null` : `${name} ${type}`,
  )
  const made = [
    'gateway text not null',
    'id bigint not null',
    'link bigint not null',
    ...own,
    'primary key (gateway, id, timestamp)',
  ]
  const create = `create table if not exists ${table} (\n  ${made.join(',\n  ')}\n)`
  const added = shippedColumns[table]
    .filter(({ name }) => name !== 'timestamp')
    .map(({ name, type }) => `add column if not exists ${name} ${type}`)
  const add = `alter table ${table} ${added.join(', ')}`
  if (hasTimescale)
    return [
      create,
      `select create_hypertable('${table}', 'timestamp', chunk_time_interval => interval '7 days', if_not_exists => true, migrate_data => true)`,
      add,
    ]
  return [
    `${create} partition by range (timestamp)`,
    `create table if not exists ${table}_other partition of ${table} default`,
    `create index if not exists ${table}_timestamp on ${table} using brin (timestamp)`,
    add,
  ]
}

const HOURLY = `gateway, provider, model, event_type,
  count(*) as exchanges, sum(prompt_tokens) as prompt_tokens,
  sum(response_tokens) as response_tokens, sum(cost_micro_usd) as cost_micro_usd,
  sum(cost_at_most_micro_usd) as cost_at_most_micro_usd, sum(latency_ms) as latency_ms
from exchanges group by 1, 2, 3, 4, 5`

/** All of it, in order; each may be run again. */
export function schemaStatements(hasTimescale: boolean): readonly string[] {
  return [
    gateways,
    ...tableStatements('exchanges', hasTimescale),
    ...tableStatements('connections', hasTimescale),
    ...tableStatements('events', hasTimescale),
    'create index if not exists exchanges_request_id on exchanges (request_id)',
    // Whoever has built upon the view keeps it as it was.
    `do $$ begin
  drop view if exists audit_events;
  create view audit_events as select gateway, ${auditEventsColumns} from exchanges;
exception when dependent_objects_still_exist then
  raise notice 'audit_events stays as it is: others stand upon it';
end $$`,
    ...(hasTimescale
      ? [
          `create materialized view if not exists exchanges_hourly with (timescaledb.continuous) as
select time_bucket(interval '1 hour', timestamp) as hour, ${HOURLY} with no data`,
          `select add_continuous_aggregate_policy('exchanges_hourly', start_offset => interval '3 days', end_offset => interval '1 hour', schedule_interval => interval '1 hour', if_not_exists => true)`,
        ]
      : [
          `create or replace view exchanges_hourly as
select date_trunc('hour', timestamp) as hour, ${HOURLY}`,
        ]),
  ]
}

/** The month of a timestamp as the record has it, `2026_03`; undefined: of none that has a partition. */
export function monthOf(timestamp: string): string | undefined {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])-/.exec(timestamp) ?? []
  const number = Number(year)
  if (month === undefined || number < FIRST_YEAR || number > LAST_YEAR) return undefined
  return `${year}_${month}`
}

export function partitionStatement(table: TableName, month: string): string {
  const [year = 0, number = 0] = month.split('_').map(Number)
  const first = (y: number, m: number): string =>
    `${y}-${String(m).padStart(2, '0')}-01 00:00:00+00`
  const to = number === 12 ? first(year + 1, 1) : first(year, number + 1)
  return `create table if not exists ${table}_${month} partition of ${table} for values from ('${first(year, number)}') to ('${to}')`
}

/** Of the columns by their places, behind `gateway`, `id` and `link`. */
export function insertStatement(table: TableName, present: readonly number[]): string {
  const all = shippedColumns[table]
  const some = present.map((at) => all[at] as SqlColumn)
  const names = ['id', 'link', ...some.map(({ name }) => name)].join(', ')
  const types = ['bigint', 'bigint', ...some.map(({ type }) => type)]
  const arrays = types.map((type, at) => `$${at + 2}::${type}[]`).join(', ')
  // A column that is not named stands as NULL in `excluded`: what was taken out goes there, too.
  const set = ['link', ...all.map(({ name }) => name)]
    .filter((name) => name !== 'timestamp')
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')
  return `insert into ${table} (gateway, ${names})
select $1, fed.* from unnest(${arrays}) as fed (${names})
on conflict (gateway, id, timestamp) do update set ${set} where ${table}.link < excluded.link`
}
