/**
 * Makes sense of the copies that an exchange leaves behind: request and response have gone on
 * before anything here looks at them. Fills the record; what cannot be read stays undefined.
 */
import type { ExchangeRecord } from '../core/record.js'
import { contentCoding, ContentDecoder } from '../http/content-coding.js'
import { parseBounded, partialJson } from '../http/json-bounds.js'
import type { BoundedJson, JsonLimits } from '../http/json-bounds.js'
import type { Recognised } from '../providers/index.js'
import type {
  RequestFacts,
  ResponseFacts,
  ResponseReader,
} from '../providers/provider.js'
import type { Hold } from './byte-budget.js'
import { noContent, unreadable } from './content.js'
import type { Content } from './content.js'

/** What a reader of a response may hold: a JSON body of unknown length, or a stream's text. */
const READER_BYTES = 128 * 1024
const MAX_JSON_BODY_BYTES = 1024 * 1024
const MAX_TOOL_CALLS = 64

export interface ReadingOptions {
  readonly json: JsonLimits
  readonly previewChars: number
}

export class Reading {
  readonly #recognised: Recognised
  readonly #record: ExchangeRecord
  readonly #path: string
  readonly #hold: Hold
  readonly #options: ReadingOptions
  #promptChars: number | undefined
  #reader: ResponseReader | undefined
  #decoder: ContentDecoder | undefined

  constructor(
    recognised: Recognised,
    about: { record: ExchangeRecord; path: string; hold: Hold },
    options: ReadingOptions,
  ) {
    this.#recognised = recognised
    this.#record = about.record
    this.#path = about.path
    this.#hold = about.hold
    this.#options = options
  }

  /** The beginning of the request body, or all of it; gives what policies may rely on. */
  request(bytes: Buffer, whole: boolean, contentEncoding: string | undefined): Content {
    if (bytes.length === 0 && whole) return noContent()
    if (contentCoding(contentEncoding) !== 'identity') {
      return unreadable('invalid', 'its body is compressed')
    }
    const { api, provider } = this.#recognised
    const body = whole ? parseBounded(bytes, this.#options.json) : undefined
    if (body?.kind === 'whole') {
      const facts = provider.readRequest(body.value, { api, path: this.#path })
      this.#asked(facts)
      const [twice] = body.duplicateKeys
      const why = twice === undefined ? undefined : 'a key of its body stands twice'
      return {
        body: body.value,
        state: 'whole',
        uninspectable: why,
        model: facts.model,
        prompt: facts.promptText,
      }
    }
    const fields = partialJson(bytes, this.#options.json)
    const model = fields.get('model')
    const stream = fields.get('stream')
    if (typeof model === 'string') this.#record.model = model
    if (typeof stream === 'boolean') this.#record.stream = stream
    if (body?.kind === 'absent') return noContent()
    const content = unfinished(body)
    return typeof model === 'string' ? { ...content, model } : content
  }

  responseHead(status: number, head: ResponseHeadFacts): void {
    const coding = contentCoding(head.contentEncoding)
    const bytes = Math.min(head.contentLength ?? READER_BYTES, MAX_JSON_BODY_BYTES)
    if (coding === undefined || !this.#hold.take(bytes)) return
    const { api, provider } = this.#recognised
    const reader = provider.reader({
      api,
      path: this.#path,
      status,
      contentType: head.contentType,
      promptChars: this.#promptChars,
    })
    this.#reader = reader
    if (coding !== 'identity') {
      this.#decoder = new ContentDecoder(coding, (piece) => reader.push(piece))
    }
  }

  push(chunk: Buffer): void {
    if (this.#decoder !== undefined) this.#decoder.push(chunk)
    else this.#reader?.push(chunk)
  }

  /** `done` is called once all has been read, at once unless a coding is still being undone. */
  end(whole: boolean, done: () => void): void {
    const reader = this.#reader
    const finish = (complete: boolean): void => {
      if (reader !== undefined) this.#answered(reader.end(complete))
      this.#hold.release()
      done()
    }
    if (this.#decoder === undefined) finish(whole)
    else void this.#decoder.end().then((end) => finish(whole && end === 'whole'))
  }

  #asked(facts: RequestFacts): void {
    const record = this.#record
    if (facts.model !== undefined) record.model = facts.model
    if (facts.stream !== undefined) record.stream = facts.stream
    this.#promptChars = facts.promptChars
    const preview = facts.lastUserText.slice(0, this.#options.previewChars)
    if (preview !== '') record.promptPreview = preview
  }

  #answered(facts: ResponseFacts): void {
    const record = this.#record
    const { usage } = facts
    record.model ??= facts.model ?? ''
    if (record.model === '') delete record.model
    if (usage.inputTokens !== undefined) record.inputTokens = usage.inputTokens
    if (usage.outputTokens !== undefined) record.outputTokens = usage.outputTokens
    if (usage.cachedTokens !== undefined) record.cachedTokens = usage.cachedTokens
    if (usage.reasoningTokens !== undefined)
      record.reasoningTokens = usage.reasoningTokens
    const counted = record.inputTokens !== undefined || record.outputTokens !== undefined
    if (counted) record.tokensEstimated = usage.estimated
    if (facts.finishReason !== undefined) record.finishReason = facts.finishReason
    if (facts.toolCalls.length > 0) {
      record.toolCalls = facts.toolCalls.slice(0, MAX_TOOL_CALLS).map(({ name }) => name)
    }
    if (facts.error !== undefined) record.reason ??= facts.error.message
  }
}

function unfinished(body: BoundedJson | undefined): Content {
  switch (body?.kind) {
    case undefined:
    case 'truncated':
      return unreadable('truncated', 'its body is larger than what is inspected')
    case 'over-limit':
      return unreadable(
        'truncated',
        `the JSON of its body is over the ${body.limit} limit`,
      )
    default:
      return unreadable('invalid', 'its body is not JSON')
  }
}

export interface ResponseHeadFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly contentLength: number | undefined
}
