/**
 * A sink of the record as a destination of the shipper: exchanges that the chain tells of, in the
 * sink's form, and the heads that were signed. Its place stands in a file here, behind what was
 * taken: each document comes at least once, and an exchange again when it changes.
 */
import type { Database } from 'better-sqlite3'
import type { Link } from '../../audit/evidence/chain-format.js'
import type { FeedPiece, FeedPlace } from '../../audit/feed.js'
import { openDatabase } from '../../audit/queries.js'
import { exchangeColumns } from '../../audit/tables.js'
import type { Listed } from '../../audit/where.js'
import type { Destination, Sent } from '../ship/words.js'
import { exchangeDocument, headDocument } from './documents.js'
import { keepPlace, readPlace } from './place-file.js'
import type { Carrier, Document, SinkSettings } from './words.js'

/** Documents, and bytes of them, of one request; one that is longer goes alone. */
export const MOST_DOCUMENTS = 500
export const MOST_BYTES = 2 ** 20

const REQUEST_ID = exchangeColumns.findIndex(({ name }) => name === 'request_id')

export interface RecordSinkOptions {
  readonly sink: SinkSettings
  readonly database: string
  readonly placeFile: string
  /** Of YORI. */
  readonly version: string
  readonly carrier: Carrier
}

export class RecordSink implements Destination {
  readonly #options: RecordSinkOptions
  #db: Database | undefined
  #record = ''
  #head = 0

  constructor(options: RecordSinkOptions) {
    this.#options = options
  }

  async open(record: string): Promise<FeedPlace> {
    await this.close()
    const { database, placeFile, carrier } = this.#options
    this.#db = openDatabase(database, true)
    this.#record = record
    const place = readPlace(placeFile, record, this.#where)
    this.#head = place.head
    await carrier.open()
    return { seq: place.seq, part: place.part }
  }

  async send(piece: FeedPiece): Promise<Sent> {
    const { carrier } = this.#options
    const exchanges = this.#exchanges(piece)
    const [heads, newest] = this.#heads(piece)
    let [batches, rejected] = [0, 0]
    for (const batch of batchesOf([...exchanges, ...heads])) {
      rejected += await carrier.send(batch)
      batches++
    }
    this.#head = newest
    this.#keep(piece.next)
    const sent = Math.max(0, exchanges.length - rejected)
    return {
      exchanges: sent,
      events: heads.length,
      ...{ connections: 0, batches, rejected, forgotten: 0 },
    }
  }

  async close(): Promise<void> {
    this.#db?.close()
    this.#db = undefined
    await this.#options.carrier.close()
  }

  /** As they stand in the view, by its names. */
  #exchanges({ rows }: FeedPiece): Document[] {
    const { sink, version } = this.#options
    const ids = rows.exchanges.map(({ values }) => values[REQUEST_ID])
    if (ids.length === 0 || this.#db === undefined) return []
    return this.#db
      .prepare<[string], Listed>(
        `SELECT * FROM audit_events WHERE request_id IN (SELECT value FROM json_each(?))
         ORDER BY id`,
      )
      .all(JSON.stringify(ids))
      .map((row) => exchangeDocument(row, sink.format, version))
  }

  /** Those that were signed since, up to where the piece goes, and the newest of all. */
  #heads({ next }: FeedPiece): readonly [Document[], number] {
    const { sink, version } = this.#options
    const due =
      this.#db
        ?.prepare<[number, number], Pick<Link, 'seq' | 'at' | 'digest' | 'signature'>>(
          `SELECT seq, at, digest, signature FROM chain
           WHERE signature IS NOT NULL AND seq > ? AND seq <= ? ORDER BY seq`,
        )
        .all(this.#head, next.seq) ?? []
    const heads = due.map(({ seq, at, digest, signature }) => ({
      ...{ chain: this.#record, seq, at, digest: digest.toString('hex') },
      signature: signature?.toString('base64') ?? '',
    }))
    return [
      heads.map((head) => headDocument(head, sink.format, version)),
      heads.at(-1)?.seq ?? this.#head,
    ]
  }

  #keep(place: FeedPlace): void {
    const { placeFile } = this.#options
    const [record, where, head] = [this.#record, this.#where, this.#head]
    keepPlace(placeFile, { ...place, head, record, where })
  }

  get #where(): string {
    const { type, path, url, host, port } = this.#options.sink
    return [type, path ?? url ?? `${host ?? ''}:${port ?? ''}`].join(' ')
  }
}

export function* batchesOf(documents: readonly Document[]): Generator<Document[]> {
  let batch: Document[] = []
  let bytes = 0
  for (const document of documents) {
    const size = Buffer.byteLength(document.text)
    if (
      batch.length > 0 &&
      (batch.length === MOST_DOCUMENTS || bytes + size > MOST_BYTES)
    ) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(document)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
