/**
 * Makes sense of the copies that an exchange leaves behind: request and response have gone on
 * before anything here looks at them. Fills the record; what cannot be read stays undefined,
 * and the record says that it was not read.
 */
import type { ExchangeRecord, Uninspectable } from '../core/record.js'
import { contentCoding, ContentDecoder } from '../http/content-coding.js'
import type { JsonLimits } from '../http/json-bounds.js'
import type { Catalogue } from '../providers/catalogue.js'
import type { Recognised } from '../providers/index.js'
import { recordPace, recordRequest, recordResponse } from '../providers/into-record.js'
import { readNamedIds } from '../providers/named-ids.js'
import type { ResponseReader } from '../providers/provider.js'
import type { Session } from '../providers/sessions.js'
import type { Hold } from './byte-budget.js'
import { unreadable } from './content.js'
import type { Content } from './content.js'
import type { Conversations } from './conversations.js'
import { standOf } from './conversations.js'
import { readRequest } from './request-reading.js'
import type { RequestHeadFacts } from './request-reading.js'

/** What a reader of a response may hold: a JSON body of unknown length, or a stream's text. */
const READER_BYTES = 128 * 1024
const MAX_JSON_BODY_BYTES = 1024 * 1024

export interface ReadingOptions {
  readonly json: JsonLimits
  readonly previewChars: number
  readonly catalogue: Catalogue | undefined
  readonly conversations: Conversations | undefined
}

export interface ReadingAbout {
  readonly record: ExchangeRecord
  readonly path: string
  readonly hold: Hold
  /** `RequestHead.own`. */
  readonly own: ReadonlyMap<string, string> | undefined
  /** Milliseconds since the request began. */
  readonly elapsed: () => number
}

export interface ResponseHeadFacts extends RequestHeadFacts {
  readonly contentLength: number | undefined
}

export class Reading {
  readonly #recognised: Recognised
  readonly #about: ReadingAbout
  readonly #options: ReadingOptions
  #promptChars: number | undefined
  #reader: ResponseReader | undefined
  #decoder: ContentDecoder | undefined
  #session: Session | undefined

  constructor(recognised: Recognised, about: ReadingAbout, options: ReadingOptions) {
    this.#recognised = recognised
    this.#about = about
    this.#options = options
  }

  /** The beginning of the request body, or all of it; gives what policies may rely on. */
  request(bytes: Buffer, whole: boolean, head: RequestHeadFacts): Content {
    let content = unreadable('invalid', 'reading it failed')
    this.#guarded(() => {
      const { path, record, own } = this.#about
      const { json, previewChars, conversations } = this.#options
      const read = readRequest(this.#recognised, { bytes, whole, head, path }, json)
      if (read.unread !== undefined) this.#unread(read.unread)
      recordRequest(record, read.facts, previewChars)
      this.#promptChars = read.facts.promptChars
      record.promptChars = read.facts.promptChars
      const { toolsOffered } = read.facts
      if (toolsOffered.length > 0) record.toolsOffered = toolsOffered
      this.#session = conversations?.asked(record, read.facts, readNamedIds(own))
      const session = this.#session
      content =
        session === undefined
          ? read.content
          : { ...read.content, session: standOf(session) }
    })
    return content
  }

  responseHead(status: number, head: ResponseHeadFacts): void {
    const coding = contentCoding(head.contentEncoding)
    if (coding === undefined) return this.#unread('content-coding')
    const bytes = Math.min(head.contentLength ?? READER_BYTES, MAX_JSON_BODY_BYTES)
    if (!this.#about.hold.take(bytes)) return this.#unread('no-room')
    const { api, provider } = this.#recognised
    const reader = provider.reader({
      api,
      path: this.#about.path,
      status,
      contentType: head.contentType,
      promptChars: this.#promptChars,
    })
    this.#reader = reader
    if (coding !== 'identity') {
      this.#decoder = new ContentDecoder(coding, (piece) => this.#read(piece))
    }
  }

  push(chunk: Buffer): void {
    if (this.#decoder !== undefined) this.#decoder.push(chunk)
    else this.#read(chunk)
  }

  /** `done` is called once all has been read, at once unless a coding is still being undone. */
  end(whole: boolean, done: () => void): void {
    const finish = (complete: boolean): void => {
      this.#guarded(() => this.#answered(complete))
      this.#about.hold.release()
      done()
    }
    if (this.#decoder === undefined) finish(whole)
    else void this.#decoder.end().then((end) => finish(whole && end === 'whole'))
  }

  #read(piece: Uint8Array): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.#guarded(() => {
      reader.push(piece)
      const { record, elapsed } = this.#about
      if (record.firstTokenMs === undefined && reader.wrote)
        record.firstTokenMs = elapsed()
    })
  }

  #answered(complete: boolean): void {
    const { record } = this.#about
    const { catalogue, conversations } = this.#options
    const facts = this.#reader?.end(complete)
    if (facts !== undefined) {
      recordResponse(record, facts, catalogue)
      recordPace(record)
    }
    if (this.#session !== undefined) conversations?.answered(record, this.#session, facts)
  }

  /** A fault in what only looks must not cost the exchange. */
  #guarded(step: () => void): void {
    try {
      step()
    } catch {
      this.#reader = undefined
      this.#about.record.uninspectable = 'failed'
    }
  }

  /** The first reason counts. */
  #unread(why: Uninspectable): void {
    this.#about.record.uninspectable ??= why
  }
}
