/**
 * Holds the record to its chain: each link to the one before it, signed heads to their key, each
 * row to its digest, and the heads that were kept elsewhere to the chain. A generator, so that
 * whoever drives it can tell how far it is; on a snapshot, so that a running YORI may go on.
 */
import type { KeyObject } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import type { Row } from '../tables.js'
import { TABLES } from './chain-format.js'
import type { TableName } from './chain-format.js'
import { columnsOf } from './chain-writer.js'
import { Findings, MAX_FINDINGS, nameOf, who } from './findings.js'
import type { Finding } from './findings.js'
import type { Head } from './heads.js'
import { PLANS } from './digest-columns.js'
import { plainSql, withReal } from './digest-sql.js'
import { digestOf, fullDigest, rowDigest } from './row-digest.js'
import { RowStates } from './row-states.js'
import { verifyChain } from './verify-chain.js'
import type { ChainSeen, States } from './verify-chain.js'

export { MAX_FINDINGS } from './findings.js'
export type { Finding } from './findings.js'

/** Rows between two words about progress. */
const STEP_ROWS = 2000

export interface Verdict {
  readonly findings: readonly Finding[]
  /** All, also those that are not named. */
  readonly wrong: number
  /** Rows that are as they were written. */
  readonly rows: number
  /** Rows of before the chain, which it does not vouch for. */
  readonly earlier: number
  /** Exchanges without an end yet. */
  readonly open: number
  readonly links: number
  /** Since when; the time of the first link that is left. */
  readonly since: string
  /** Time of the newest link that is signed, and the links behind it. */
  readonly signedAt?: string
  readonly unsigned: number
  /** The newest head that was kept of an earlier record: its file was replaced or set aside. */
  readonly others?: Pick<Head, 'chain' | 'seq' | 'at'>
  readonly newest: Pick<Head, 'chain' | 'seq' | 'digest'>
}

export interface VerifyOptions {
  /** Undefined: signatures are not looked at; the caller says so. */
  readonly key?: KeyObject
  readonly heads: readonly Head[]
}

export interface Progress {
  readonly done: number
  readonly total: number
}

/** Undefined: the record has no chain, and never had. Throws what SQLite throws. */
export function* verifyRecord(
  db: Database,
  options: VerifyOptions,
): Generator<Progress, Verdict | undefined> {
  db.exec('BEGIN')
  try {
    return yield* verified(db, options)
  } finally {
    db.exec('COMMIT')
  }
}

function* verified(
  db: Database,
  { key, heads }: VerifyOptions,
): Generator<Progress, Verdict | undefined> {
  const links = countOf(db, 'chain')
  if (links === 0 && heads.length === 0) return undefined
  const total = links + TABLES.reduce((sum, table) => sum + countOf(db, table), 0)
  const findings = new Findings()
  const states = {
    exchanges: new RowStates(),
    connections: new RowStates(),
    events: new RowStates(),
  }
  let done = 0
  const steps = verifyChain({ db, key, heads, states, findings })
  let step = steps.next()
  for (; step.done !== true; step = steps.next())
    yield { done: (done += step.value), total }
  const chain = step.value
  const check = new RowCheck(db, states, findings, chain)
  for (const table of TABLES)
    for (const rows of check.table(table)) yield { done: (done += rows), total }
  check.moved()
  const others = othersOf(heads, chain, check.earlier, findings)
  const { seq, digest, since, signedAt, unsigned } = chain
  return {
    findings: findings.list,
    wrong: findings.count,
    ...{ rows: check.rows, earlier: check.earlier, open: check.open },
    ...{ links, since, unsigned },
    ...(signedAt === undefined ? {} : { signedAt }),
    ...(others === undefined ? {} : { others }),
    newest: { chain: chain.chain, seq, digest: digest.toString('hex') },
  }
}

const countOf = (db: Database, table: string): number =>
  db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0

/** An earlier chain of rows that are still here was taken out, and another begun. */
function othersOf(
  heads: readonly Head[],
  { chain }: ChainSeen,
  earlier: number,
  findings: Findings,
): Verdict['others'] {
  const last = heads.filter((head) => head.chain !== chain).at(-1)
  if (last === undefined) return undefined
  if (earlier > 0)
    findings.add(
      'head',
      `another chain was at link ${last.seq} on ${last.at}, and this one began over rows that were there: it was written anew`,
    )
  return { chain: last.chain, seq: last.seq, at: last.at }
}

/** Its number, whether it is open, the number that is not whole, and its plain text. */
type ReadRow = readonly [number, number, unknown, string | null]

const isReal = (real: unknown): real is number | null =>
  real === null || typeof real === 'number'

class RowCheck {
  readonly #db: Database
  readonly #states: States
  readonly #findings: Findings
  readonly #chain: ChainSeen
  /** What rows that were altered are now, and what they should be: to find what was moved. */
  readonly #altered: {
    readonly finding: Partial<Finding>
    readonly is: readonly string[]
    readonly was: string
  }[] = []
  readonly #whole
  rows = 0
  earlier = 0
  open = 0

  constructor(db: Database, states: States, findings: Findings, chain: ChainSeen) {
    this.#db = db
    this.#states = states
    this.#findings = findings
    this.#chain = chain
    const whole = (table: TableName) =>
      db
        .prepare<[number], Row>(`SELECT ${columnsOf(table)} FROM ${table} WHERE id = ?`)
        .raw()
    this.#whole = {
      exchanges: whole('exchanges'),
      connections: whole('connections'),
      events: whole('events'),
    }
  }

  *table(table: TableName): Generator<number> {
    const open = table === 'exchanges' ? `event_type = 'request'` : '0'
    const { realName = 'NULL' } = PLANS[table]
    const rows = this.#db
      .prepare<[], Row>(
        `SELECT id, ${open}, ${realName}, ${plainSql(table)} FROM ${table} ORDER BY id`,
      )
      .raw()
      .iterate()
    const states = this.#states[table]
    let seen = 0
    for (const [id, isOpen, real, text] of rows as Iterable<ReadRow>) {
      if (!states.found(id)) this.#unknown(table, id, isOpen === 1)
      else if (
        text !== null &&
        isReal(real) &&
        states.matches(id, digestOf(withReal(real, text)))
      )
        this.rows += 1
      else this.#look(table, id)
      if (++seen % STEP_ROWS === 0) yield STEP_ROWS
    }
    for (const id of states.missing()) this.#removed(table, id)
  }

  /** All of its columns, either way: rows of before the plain way, and those that it is not for. */
  #look(table: TableName, id: number): void {
    const row = this.#whole[table].get(id) ?? []
    const states = this.#states[table]
    const is = [rowDigest(table, row), fullDigest(row)]
    if (is.some((digest) => states.matches(id, digest))) this.rows += 1
    else if (this.#altered.length >= MAX_FINDINGS) this.#findings.addUnnamed()
    else
      this.#altered.push({
        finding: who(this.#db, table, id),
        is,
        was: states.digest(id),
      })
  }

  #unknown(table: TableName, id: number, open: boolean): void {
    if (open) this.open += 1
    else if (id <= (this.#chain.bounds?.[table] ?? 0)) this.earlier += 1
    else if (this.#findings.isFull) this.#findings.addUnnamed()
    else
      this.#findings.add(
        'added',
        'nobody wrote it through YORI',
        who(this.#db, table, id),
      )
  }

  #removed(table: TableName, id: number): void {
    if (this.#findings.isFull) return this.#findings.addUnnamed()
    const before = this.#near(table, `id < ? ORDER BY id DESC`, id)
    const after = this.#near(table, `id > ? ORDER BY id`, id)
    this.#findings.add(
      'removed',
      `it is gone; it stood between ${before ?? 'the beginning'} and ${after ?? 'the end'}`,
      {
        ...{ table, id },
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      },
    )
  }

  #near(table: TableName, where: string, id: number): string | undefined {
    const found = this.#db
      .prepare<[number], number>(`SELECT id FROM ${table} WHERE ${where} LIMIT 1`)
      .pluck()
      .get(id)
    return found === undefined ? undefined : nameOf(this.#db, table, found)
  }

  /** Of rows that are not as they were, those whose values are another's. */
  moved(): void {
    const owners = new Map(this.#altered.map(({ finding, was }) => [was, finding]))
    for (const { finding, is } of this.#altered) {
      const owner = is.map((digest) => owners.get(digest)).find((found) => found)
      if (owner === undefined)
        this.#findings.add('altered', 'it is not what was written', finding)
      else
        this.#findings.add(
          'moved',
          `it stands at number ${finding.id ?? ''}, and was written at ${owner.id ?? ''}`,
          finding,
        )
    }
  }
}
