/**
 * Makes sense of the copies that an exchange leaves behind: request and response have gone on
 * before anything here looks at them. Fills the record; what cannot be read stays undefined,
 * and the record says that it was not read.
 */
import type { ExchangeRecord, Uninspectable } from '../core/record.js'
import { contentCoding, ContentDecoder } from '../http/content-coding.js'
import { parseBounded, parsePrefix } from '../http/json-bounds.js'
import type { BoundedJson, JsonLimits } from '../http/json-bounds.js'
import { boundaryOf, MultipartReader } from '../http/multipart.js'
import type { Catalogue } from '../providers/catalogue.js'
import type { Recognised } from '../providers/index.js'
import { recordPace, recordRequest, recordResponse } from '../providers/into-record.js'
import { readMultipartRequest } from '../providers/multipart-request.js'
import { readNamedIds } from '../providers/named-ids.js'
import type { RequestFacts, ResponseReader } from '../providers/provider.js'
import type { Session } from '../providers/sessions.js'
import type { Hold } from './byte-budget.js'
import type { Conversations } from './conversations.js'

/** What a reader of a response may hold: a JSON body of unknown length, or a stream's text. */
const READER_BYTES = 128 * 1024
const MAX_JSON_BODY_BYTES = 1024 * 1024
/** Of a body that is not whole, this much is read: its beginning names model and prompt. */
const MAX_PREFIX_BYTES = 64 * 1024

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

export interface RequestHeadFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
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

  /** The beginning of the request body, or all of it. */
  request(bytes: Buffer, whole: boolean, head: RequestHeadFacts): void {
    this.#guarded(() => {
      const facts = this.#requestFacts(bytes, whole, head)
      const { record, own } = this.#about
      recordRequest(record, facts, this.#options.previewChars)
      this.#promptChars = facts.promptChars
      this.#session = this.#options.conversations?.asked(record, facts, readNamedIds(own))
    })
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

  #requestFacts(bytes: Buffer, whole: boolean, head: RequestHeadFacts): RequestFacts {
    const { api, provider } = this.#recognised
    const read = (body: unknown): RequestFacts =>
      provider.readRequest(body, { api, path: this.#about.path })
    if (bytes.length === 0) return read(undefined)
    if (contentCoding(head.contentEncoding) !== 'identity') {
      this.#unread('content-coding')
      return read(undefined)
    }
    const boundary = boundaryOf(head.contentType)
    if (boundary !== undefined) {
      const form = new MultipartReader(boundary)
      form.push(bytes)
      const facts = readMultipartRequest(form.end(), api)
      if (!whole) this.#unread('too-large')
      else if (facts.cut) this.#unread('malformed')
      return facts
    }
    if (whole) {
      const body = parseBounded(bytes, this.#options.json)
      if (body.kind === 'whole') {
        if (api === 'other') this.#unread('unknown-api')
        return read(body.value)
      }
      this.#unread(unreadJson(body, head.contentType))
    } else this.#unread('too-large')
    const prefix = bytes.subarray(0, MAX_PREFIX_BYTES)
    return read(parsePrefix(prefix, this.#options.json))
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

/** Text and binary kinds that are no JSON are another reason than broken JSON. */
function unreadJson(
  body: Exclude<BoundedJson, { kind: 'whole' }>,
  contentType: string | undefined,
): Uninspectable {
  if (body.kind === 'over-limit')
    return body.limit === 'depth'
      ? 'too-deep'
      : body.limit === 'values'
        ? 'too-many-values'
        : 'too-large'
  const said = contentType?.toLowerCase() ?? ''
  return said === '' || said.includes('json') ? 'malformed' : 'unknown-kind'
}
