/**
 * The chain in bytes. A link says what became of rows: that one now is as its digest says, or is
 * gone; its own digest covers the one before it, so that no link can be changed, taken out or
 * put elsewhere without all that follow. Pure.
 */
import { hash } from 'node:crypto'

export const TABLES = ['exchanges', 'connections', 'events'] as const
export type TableName = (typeof TABLES)[number]

/**
 * `began`: entries are the last rows of before the chain, which it does not vouch for. `rows`:
 * as they were written. `pruned`, `forgotten`: rows that were taken out, or of which something
 * was, on purpose. `head`: none; it is signed. `shortened`: what earlier links still vouched for,
 * of which those up to `through` are gone.
 */
export const KINDS = [
  'began',
  'rows',
  'pruned',
  'forgotten',
  'head',
  'shortened',
] as const
export type LinkKind = (typeof KINDS)[number]

/** A row of the table `chain`. */
export interface Link {
  readonly seq: number
  /** As `timestampText` has it. */
  readonly at: string
  readonly kind: LinkKind
  readonly entries: Buffer
  readonly digest: Buffer
  /** Ed25519 over `digest`; links between two signed ones are covered by the second. */
  readonly signature: Buffer | null
}

export interface Entry {
  readonly table: TableName
  readonly id: number
  /** Latin-1; undefined: the row is gone. */
  readonly digest?: string
}

/** 128 bits of SHA-256: who wants another row with the same digest has to try that many. */
export const DIGEST_BYTES = 16
const GONE = 0x80
const ID_BYTES = 6
/** 48 bits. */
export const MAX_ID = 2 ** 48 - 1

/** Room for the entries of a batch of usual size; more is made when there are more. */
const FIRST_ROOM = 4096
const ENTRY_BYTES = 1 + ID_BYTES + DIGEST_BYTES

/** Entries of one link, as they come. Its room is kept for the next. */
export class EntryList {
  #room = Buffer.allocUnsafe(FIRST_ROOM)
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** `digest` is latin-1. */
  is(table: TableName, id: number, digest: string): void {
    this.#begin(TABLES.indexOf(table), id)
    this.#room.write(digest, this.#length, DIGEST_BYTES, 'latin1')
    this.#length += DIGEST_BYTES
  }

  gone(table: TableName, id: number): void {
    this.#begin(TABLES.indexOf(table) | GONE, id)
  }

  /** All of them; the list is empty then. */
  take(): Buffer {
    const bytes = Buffer.from(this.#room.subarray(0, this.#length))
    this.clear()
    return bytes
  }

  clear(): void {
    this.#length = 0
    if (this.#room.length > MOST_KEPT_ROOM) this.#room = Buffer.allocUnsafe(FIRST_ROOM)
  }

  #begin(mark: number, id: number): void {
    if (this.#length + ENTRY_BYTES > this.#room.length) {
      const more = Buffer.allocUnsafe(2 * this.#room.length)
      this.#room.copy(more, 0, 0, this.#length)
      this.#room = more
    }
    this.#room[this.#length] = mark
    this.#room.writeUIntBE(id, this.#length + 1, ID_BYTES)
    this.#length += 1 + ID_BYTES
  }
}

const MOST_KEPT_ROOM = 64 * 1024

/** Who is told of entries one by one: `at` is where the digest stands in `bytes`. */
export interface EntryReader {
  is(table: TableName, id: number, bytes: Buffer, at: number): void
  gone(table: TableName, id: number): void
}

/** Tells of each as it stands; costs no object an entry. @throws RangeError for bytes that are no entries */
export function readEntries(bytes: Buffer, reader: EntryReader): void {
  for (let at = 0; at < bytes.length;) {
    const mark = bytes[at] as number
    const table = TABLES[mark & ~GONE]
    if (table === undefined) throw new RangeError(`no table ${mark}`)
    const id = bytes.readUIntBE(at + 1, ID_BYTES)
    at += 1 + ID_BYTES
    if ((mark & GONE) !== 0) {
      reader.gone(table, id)
      continue
    }
    if (at + DIGEST_BYTES > bytes.length) throw new RangeError('a digest is cut')
    reader.is(table, id, bytes, at)
    at += DIGEST_BYTES
  }
}

/** @throws RangeError for bytes that are no entries */
export function entriesOf(bytes: Buffer): readonly Entry[] {
  const entries: Entry[] = []
  readEntries(bytes, {
    is: (table, id, _bytes, at) =>
      entries.push({
        table,
        id,
        digest: bytes.toString('latin1', at, at + DIGEST_BYTES),
      }),
    gone: (table, id) => entries.push({ table, id }),
  })
  return entries
}

/** SHA-256 over the digest before, and everything that the link says. */
export function linkDigest(
  before: Buffer,
  { seq, at, kind, entries }: Pick<Link, 'seq' | 'at' | 'kind' | 'entries'>,
): Buffer {
  const said = `${before.length} ${seq} ${at} ${kind} ${entries.length}\n`
  const bytes = Buffer.allocUnsafe(3 * said.length + before.length + entries.length)
  let length = bytes.write(said, 'utf8')
  length += before.copy(bytes, length)
  length += entries.copy(bytes, length)
  const digest = hash('sha256', bytes.subarray(0, length), 'binary')
  return Buffer.from(digest, 'latin1')
}

/** Names one chain: a record that began anew has another. */
export const NAME_BYTES = 16

/** Rows up to these were there before the chain, which says nothing of them; 0: none. */
export type Bounds = Readonly<Record<TableName, number>>

/** What stands before the entries of `began` and `shortened`. */
export interface Opening {
  readonly name: Buffer
  readonly bounds: Bounds
  /** Of `shortened`: the last link that is gone, and its digest. Of `began`: 0 and nothing. */
  readonly through: number
  readonly digest: Buffer
}

const SHA256_BYTES = 32

export function openingBytes({ name, bounds, through, digest }: Opening): Buffer {
  const numbers = [...TABLES.map((table) => bounds[table]), through]
  const bytes = Buffer.alloc(numbers.length * ID_BYTES)
  numbers.forEach((number, i) => bytes.writeUIntBE(number, i * ID_BYTES, ID_BYTES))
  const last = digest.length === 0 ? Buffer.alloc(SHA256_BYTES) : digest
  return Buffer.concat([name, bytes, last])
}

const OPENING_BYTES = NAME_BYTES + (TABLES.length + 1) * ID_BYTES + SHA256_BYTES

/** And the entries that stand behind it. @throws RangeError when it is cut */
export function openingOf(bytes: Buffer): Opening & { readonly entries: Buffer } {
  if (bytes.length < OPENING_BYTES) throw new RangeError('an opening is cut')
  const number = (i: number): number =>
    bytes.readUIntBE(NAME_BYTES + i * ID_BYTES, ID_BYTES)
  const [exchanges, connections, events, through] = [0, 1, 2, 3].map(number) as [
    number,
    number,
    number,
    number,
  ]
  const digest = bytes.subarray(OPENING_BYTES - SHA256_BYTES, OPENING_BYTES)
  return {
    name: bytes.subarray(0, NAME_BYTES),
    bounds: { exchanges, connections, events },
    through,
    digest: through === 0 ? Buffer.alloc(0) : digest,
    entries: bytes.subarray(OPENING_BYTES),
  }
}
