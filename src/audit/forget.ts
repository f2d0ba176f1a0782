/**
 * Takes out of the record what is somebody's: rows of their devices, or only what was said. In
 * steps, each a transaction that tells the chain, so that `verify` still holds; deleted bytes are
 * overwritten, in the file and in its log. What the counters of limits hold (how many, not what)
 * stays until their periods end.
 */
import type { Database } from 'better-sqlite3'
import type { ChainWriter } from './evidence/chain-writer.js'
import type { TableName } from './evidence/chain-format.js'

const STEP_ROWS = 200

export interface ForgetRequest {
  /** MAC addresses in small letters, or addresses of devices that show none. */
  readonly devices: readonly string[]
  /** Rows stay, with who, when, whom and how much; previews and bodies go. */
  readonly contentOnly: boolean
}

export interface Forgotten {
  readonly exchanges: number
  readonly connections: number
  readonly events: number
}

/** Yields what is gone between steps. Throws what SQLite throws, with all earlier steps done. */
export function* forget(
  db: Database,
  { devices, contentOnly }: ForgetRequest,
  chain: ChainWriter | undefined,
): Generator<Forgotten, Forgotten> {
  db.pragma('secure_delete = ON')
  const gone = { exchanges: 0, connections: 0, events: 0 }
  if (devices.length > 0) {
    const addresses = addressesOf(db, devices)
    for (const table of contentOnly ? CONTENT : ROWS) {
      const isEvents = table === 'events'
      const asked = isEvents ? addresses : devices
      const step = stepOf(db, table, asked.length, { contentOnly, chain })
      const values = isEvents ? [...asked] : [...asked, ...asked]
      for (let last = -1; last !== 0; yield gone) {
        last = step(values)
        gone[table] += last
      }
    }
    if (!contentOnly) deleteCounts(db, devices)
    if (chain !== undefined) {
      db.transaction(() => chain.link('forgotten', Date.now(), true)).immediate()
      chain.committed()
    }
  }
  // Nothing of it stays in the log or in pages that are free.
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.pragma('incremental_vacuum')
  return gone
}

const ROWS = ['exchanges', 'connections', 'events'] as const
const CONTENT = ['exchanges'] as const

/** What was said, as far as it is kept. */
const SAID = [
  'prompt_preview',
  'request_body',
  'response_body',
  'tags',
  'found_marks',
] as const

const marks = (count: number): string =>
  Array.from({ length: count }, () => '?').join(', ')

/** Returns how many rows of the next few were met. */
function stepOf(
  db: Database,
  table: TableName,
  count: number,
  how: { readonly contentOnly: boolean; readonly chain: ChainWriter | undefined },
): (values: readonly string[]) => number {
  const { contentOnly, chain } = how
  const whose =
    table === 'events'
      ? `client_ip IN (${marks(count)})`
      : `(lower(device_mac) IN (${marks(count)})
          OR (device_mac IS NULL AND device_ip IN (${marks(count)})))`
  const some = contentOnly
    ? `(${SAID.map((name) => `${name} IS NOT NULL`).join(' OR ')})`
    : '1'
  // What is open is written once more when it ends.
  const ended = table === 'exchanges' ? `event_type <> 'request'` : '1'
  const chosen = `SELECT id FROM ${table} WHERE ${whose} AND ${some} AND ${ended} LIMIT ${STEP_ROWS}`
  const change = contentOnly
    ? `UPDATE ${table} SET ${SAID.map((name) => `${name} = NULL`).join(', ')}`
    : `DELETE FROM ${table}`
  const statement = db
    .prepare<string[], number>(`${change} WHERE id IN (${chosen}) RETURNING id`)
    .pluck()
  const step = db.transaction((values: readonly string[]): number => {
    const ids = statement.all(...values)
    for (const id of ids)
      if (contentOnly) chain?.changed(table, id)
      else chain?.gone(table, id)
    chain?.link('forgotten', Date.now())
    return ids.length
  })
  return (values) => {
    try {
      return step.immediate(values)
    } catch (cause) {
      chain?.forget()
      throw cause
    }
  }
}

/** Addresses that these devices had, which is how events name them. */
function addressesOf(db: Database, devices: readonly string[]): readonly string[] {
  const known = db
    .prepare<string[], string>(
      `SELECT DISTINCT device_ip FROM exchanges WHERE lower(device_mac) IN (${marks(devices.length)})
       UNION SELECT DISTINCT device_ip FROM connections
       WHERE lower(device_mac) IN (${marks(devices.length)})`,
    )
    .pluck()
    .all(...devices, ...devices)
  return [...new Set([...devices, ...known])]
}

function deleteCounts(db: Database, devices: readonly string[]): void {
  db.prepare<string[]>(
    `DELETE FROM coverage WHERE lower(device) IN (${marks(devices.length)})`,
  ).run(...devices)
  db.prepare<string[]>(
    `DELETE FROM answers WHERE lower(coalesce(device_mac, device_ip)) IN (${marks(devices.length)})`,
  ).run(...devices)
}
