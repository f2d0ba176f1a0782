/** What was found wrong with the record: so many are named, all are counted. */
import type { Database } from 'better-sqlite3'
import type { TableName } from './chain-format.js'

/** So many findings are named; the rest is counted. */
export const MAX_FINDINGS = 1000

/** What is wrong, and where. */
export interface Finding {
  readonly kind:
    | 'altered'
    /** A row's values stand in another's place. */
    | 'moved'
    | 'removed'
    /** Nobody wrote it through YORI. */
    | 'added'
    /** A link does not follow from the one before it. */
    | 'link'
    /** A signature is not of this record's key. */
    | 'signature'
    /** A head that was kept elsewhere is not in the chain: the end was cut off, or written anew. */
    | 'head'
  readonly table?: TableName
  readonly id?: number
  /** `request_id`, `connection_id`, or the kind of an event. */
  readonly name?: string
  /** Of a row that is gone: its neighbours. */
  readonly before?: string
  readonly after?: string
  readonly says: string
}

export class Findings {
  readonly #list: Finding[] = []
  #count = 0

  get list(): readonly Finding[] {
    return this.#list
  }

  /** All, also those that are not named. */
  get count(): number {
    return this.#count
  }

  add(kind: Finding['kind'], says: string, more: Partial<Finding> = {}): void {
    this.#count += 1
    if (!this.isFull) this.#list.push({ kind, ...more, says })
  }

  /** One that is not named, which spares asking what it is called. */
  addUnnamed(): void {
    this.#count += 1
  }

  get isFull(): boolean {
    return this.#list.length >= MAX_FINDINGS
  }
}

/** How a row is called. */
const NAMES: Readonly<Record<TableName, string>> = {
  exchanges: 'request_id',
  connections: 'connection_id',
  events: `event_type || ' of ' || timestamp`,
}

/** Undefined: there is no such row. */
export function nameOf(db: Database, table: TableName, id: number): string | undefined {
  return db
    .prepare<[number], string>(`SELECT ${NAMES[table]} FROM ${table} WHERE id = ?`)
    .pluck()
    .get(id)
}

export function who(
  db: Database,
  table: TableName,
  id: number,
): Pick<Finding, 'table' | 'id' | 'name'> {
  const name = nameOf(db, table, id)
  return { table, id, ...(name === undefined ? {} : { name }) }
}
