/**
 * Holds the chain to itself, to its key, and to the heads that were kept elsewhere; and gathers
 * what each row should be. Yields how many links it has seen since the last time.
 */
import type { KeyObject } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { entriesOf, linkDigest, openingOf, readEntries } from './chain-format.js'
import type { Bounds, Link, Opening, TableName } from './chain-format.js'
import type { Findings } from './findings.js'
import { nameOf } from './findings.js'
import type { Head } from './heads.js'
import { isSigned } from './heads.js'
import type { RowStates } from './row-states.js'

/** Of a link that does not fit, so many of its rows. */
const MOST_NAMED = 20
const STEP_LINKS = 200

export type States = Readonly<Record<TableName, RowStates>>

export interface ChainSeen {
  /** Hexadecimal; empty where it cannot be read. */
  readonly chain: string
  readonly bounds: Bounds | undefined
  readonly seq: number
  readonly digest: Buffer
  /** Of the first link that is left. */
  readonly since: string
  /** Of the newest that is signed. */
  readonly signedAt?: string
  /** Links behind it. */
  readonly unsigned: number
}

export interface ChainCheck {
  readonly db: Database
  readonly key: KeyObject | undefined
  readonly heads: readonly Head[]
  readonly states: States
  readonly findings: Findings
}

export function* verifyChain(check: ChainCheck): Generator<number, ChainSeen> {
  const { db, findings } = check
  const opening = openingIn(check)
  const chain = opening?.name.toString('hex') ?? ''
  let before: Pick<Link, 'seq' | 'digest'> = {
    seq: opening?.through ?? 0,
    digest: opening?.digest ?? Buffer.alloc(0),
  }
  let since = ''
  let signedAt: string | undefined
  let unsigned = 0
  let seen = 0
  for (const link of db.prepare<[], Link>('SELECT * FROM chain ORDER BY seq').iterate()) {
    if (since === '') since = link.at
    follows(check, link, before)
    if (link.kind !== 'began' && link.kind !== 'shortened')
      apply(check, link.entries, link.seq)
    unsigned += 1
    if (link.signature !== null && isOurs(check, chain, link, link.signature)) {
      signedAt = link.at
      unsigned = 0
    }
    before = { seq: link.seq, digest: Buffer.from(link.digest) }
    if (++seen % STEP_LINKS === 0) yield STEP_LINKS
  }
  const newest = db
    .prepare<[], Pick<Link, 'seq' | 'digest'>>('SELECT seq, digest FROM chain_head')
    .get()
  if (newest?.seq !== before.seq || !newest.digest.equals(before.digest))
    findings.add(
      'link',
      `the chain ends at link ${before.seq}, and was at ${newest?.seq ?? 'no link'}`,
    )
  keptHeads(check, chain, before.seq)
  return {
    chain,
    bounds: opening?.bounds,
    ...before,
    since,
    unsigned,
    ...(signedAt === undefined ? {} : { signedAt }),
  }
}

/** Where the chain begins: at its first link, or behind those that are gone. */
function openingIn(check: ChainCheck): Opening | undefined {
  const { db, findings } = check
  const link = db
    .prepare<[], Link>(
      `SELECT * FROM chain WHERE kind IN ('began', 'shortened') ORDER BY seq DESC LIMIT 1`,
    )
    .get()
  if (link === undefined) {
    findings.add('link', 'the link with which the chain begins is gone')
    return undefined
  }
  try {
    const opening = openingOf(link.entries)
    apply(check, opening.entries, link.seq)
    return opening
  } catch {
    findings.add('link', `link ${link.seq} cannot be read`)
    return undefined
  }
}

function apply({ states, findings }: ChainCheck, entries: Buffer, seq: number): void {
  try {
    readEntries(entries, {
      is: (table, id, bytes, at) => states[table].is(id, bytes, at),
      gone: (table, id) => states[table].gone(id),
    })
  } catch {
    findings.add('link', `link ${seq} cannot be read`)
  }
}

function follows(
  check: ChainCheck,
  link: Link,
  before: Pick<Link, 'seq' | 'digest'>,
): void {
  const { seq, at } = link
  if (seq !== before.seq + 1)
    check.findings.add(
      'link',
      `link ${seq} of ${at} follows ${before.seq}: links between are gone`,
    )
  else if (!linkDigest(before.digest, link).equals(link.digest))
    check.findings.add(
      'link',
      `link ${seq} of ${at} is not what was written; it vouched for ${namesIn(check, link)}`,
    )
}

function isOurs(
  { key, findings }: ChainCheck,
  chain: string,
  { seq, at, digest }: Link,
  signature: Buffer,
): boolean {
  if (key === undefined) return true
  if (isSigned({ chain, seq, at, digest: digest.toString('hex') }, signature, key))
    return true
  findings.add('signature', `link ${seq} of ${at} was not signed by this record's key`)
  return false
}

function namesIn({ db }: ChainCheck, link: Link): string {
  const names: string[] = []
  let more = 0
  try {
    for (const { table, id } of entriesOf(link.entries))
      if (names.length < MOST_NAMED) names.push(nameOf(db, table, id) ?? `${table} ${id}`)
      else more += 1
  } catch {
    return 'rows that cannot be read any more'
  }
  if (names.length === 0) return 'no row'
  return more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more`
}

function keptHeads(
  { db, key, heads, findings }: ChainCheck,
  chain: string,
  last: number,
): void {
  const at = db.prepare<[number], { digest: Buffer }>(
    'SELECT digest FROM chain WHERE seq = ?',
  )
  for (const head of heads) {
    if (head.chain !== chain) continue
    const signature = Buffer.from(head.signature, 'base64')
    if (key !== undefined && !isSigned(head, signature, key)) {
      findings.add(
        'signature',
        `the head of ${head.at} that was kept was not signed by this record's key`,
      )
      continue
    }
    const link = at.get(head.seq)
    // Links that were let go of are before the first.
    if (link === undefined && head.seq <= last) continue
    if (link?.digest.toString('hex') === head.digest) continue
    findings.add(
      'head',
      link === undefined
        ? `the chain was at link ${head.seq} on ${head.at}, and ends at ${last}: its end was cut off`
        : `link ${head.seq} is not the one that was signed on ${head.at}: the chain was written anew`,
    )
  }
}
