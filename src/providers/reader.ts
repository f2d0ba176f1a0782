/**
 * Turns response bytes into the values that a provider's shape understands: one JSON body,
 * server-sent events, JSON lines, or AWS event-stream messages. The framing follows the
 * first byte, the Content-Type and the path: streams are announced as JSON by some servers,
 * and JSON as anything. Never throws, never keeps more
 * than its limits, never looks at an event twice.
 */
import { EventStreamReader } from '../http/event-stream.js'
import type { EventStreamMessage } from '../http/event-stream.js'
import { isInFrames } from '../http/grpc.js'
import { FrameReader } from '../http/grpc-frames.js'
import type { GrpcFrame } from '../http/grpc-frames.js'
import { unpackedAtOnce } from '../http/content-coding.js'
import { JSON_LIMITS, measureJson } from '../json/json-bounds.js'
import { JsonSkimmer, SKIM_LIMITS } from '../json/json-skim.js'
import { NdjsonReader } from '../http/ndjson.js'
import type { NdjsonLine } from '../http/ndjson.js'
import { SseReader } from '../http/sse.js'
import { mayBeResult, mayBeResults } from './results-lines.js'
import { FactsBuilder } from './facts.js'
import { tierInHead } from './tier.js'
import { withoutQuery } from './paths.js'
import { asRecord } from './json.js'
import type { Json } from './json.js'
import { readError } from './provider-error.js'
import { READER_LIMITS } from './provider.js'
import type {
  ReaderLimits,
  ResponseContext,
  ResponseFacts,
  ResponseReader,
} from './provider.js'

/**
 * What a provider's API says, in terms of facts. What it is given has been parsed within
 * the limits; whatever it does not know it passes over.
 */
export interface Shape {
  /** A whole JSON body of a call that did not fail. */
  body(value: Json, facts: FactsBuilder): void
  /** The data of one event; `name` is the SSE event or the AWS event type, or empty. */
  event?(value: Json, facts: FactsBuilder, name: string): void
  /** True for events that say nothing of interest: they are counted, not parsed. */
  ignores?(name: string): boolean
}

/** Parsing below this cannot hold the event loop; above it the text is measured first. */
const UNMEASURED_BYTES = 32 * 1024

/** A body, or an event of a stream, longer than this is shortened as it comes: images and embeddings. */
const UNSKIMMED_BYTES = 128 * 1024

interface Framing {
  push(chunk: Uint8Array): void
  end(): void
}

/**
 * Reads one response body by a shape; `facts` may hold what the head has said already.
 * Neither `push` nor `end` throws: bodies and events that cannot be read are counted in
 * `unread`.
 */
export function readResponse(
  shape: Shape,
  context: ResponseContext,
  facts = new FactsBuilder(context.limits ?? READER_LIMITS),
): ResponseReader {
  return new BodyReader(shape, context, facts)
}

class BodyReader implements ResponseReader {
  readonly #shape: Shape
  readonly #context: ResponseContext
  readonly #limits: ReaderLimits
  readonly #facts: FactsBuilder
  #framing: Framing | undefined

  constructor(shape: Shape, context: ResponseContext, facts: FactsBuilder) {
    this.#shape = shape
    this.#context = context
    this.#facts = facts
    this.#limits = facts.limits
    facts.eachAnswer = context.eachAnswer
    this.#framing = this.#byContentType(mediaType(context.contentType))
    if (this.#framing !== NO_FRAMING && mayBeResults(context))
      this.#framing = this.#results()
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#framing === undefined) {
      const first = chunk[firstWord(chunk)]
      // Blanks before the body say nothing, and mean nothing.
      if (first === undefined) return
      this.#framing = this.#byFirstByte(first)
    }
    this.#framing.push(chunk)
  }

  get wrote(): boolean {
    return this.#facts.wrote
  }

  end(whole = true): ResponseFacts {
    this.#framing?.end()
    const facts = this.#facts
    const closed = facts.ended || (whole && hasOutcome(facts))
    // A stream is whole by its own closing event, a body by the transport.
    const complete = facts.streamed ? closed : whole
    const { api, promptChars = 0, status, generates = true } = this.#context
    if (this.#context.header !== undefined)
      facts.tier ??= tierInHead(this.#context.header)
    if (api === 'batches') facts.tier = 'batch'
    // A call that failed used nothing that could be guessed.
    const guessed = generates && status < 400
    return facts.build(guessed ? { api, promptChars } : undefined, complete)
  }

  #byContentType(type: string): Framing | undefined {
    switch (type) {
      case 'application/x-ndjson':
      case 'application/jsonl':
      case 'application/x-jsonlines':
      case 'application/stream+json':
        return this.#lines()
      case 'application/vnd.amazon.eventstream':
        return this.#eventStream()
      default:
        if (isInFrames(type)) return this.#messages()
        return isMedia(type) ? NO_FRAMING : undefined
    }
  }

  /** gRPC: one message, or many. */
  #messages(): Framing {
    const { message } = this.#context
    if (message === undefined) return NO_FRAMING
    const reader = new FrameReader(this.#limits.maxJsonBytes)
    return {
      push: (chunk) => {
        for (const frame of reader.push(chunk)) {
          const bytes = this.#unpacked(frame)
          const value = bytes && message(bytes)
          if (value === undefined) this.#facts.unread++
          else this.#value(value, '')
        }
      },
      end: () => {
        this.#facts.unread += reader.skipped
      },
    }
  }

  #unpacked({ bytes, isCompressed }: GrpcFrame): Buffer | undefined {
    if (!isCompressed) return bytes
    return unpackedAtOnce(bytes, this.#context.header?.('grpc-encoding'))
  }

  /**
   * Servers announce JSON and streams as anything (`application/octet-stream`, `text/html`):
   * the body's first byte tells, and where that says nothing, the type or the path.
   */
  #byFirstByte(first: number): Framing {
    const { contentType, path } = this.#context
    const type = mediaType(contentType)
    switch (first) {
      case 0x7b: // {
      case 0x5b: // [
        return this.#json()
      case 0x64: // data:
      case 0x65: // event:
      case 0x3a: // a comment
        return this.#sse()
      default:
        if (type === 'text/event-stream') return this.#sse()
        if (isJson(type)) return this.#json()
        if (isEventStreamPath(path)) return this.#eventStream()
        return isSsePath(path) ? this.#sse() : NO_FRAMING
    }
  }

  #sse(): Framing {
    this.#facts.streamed = true
    const reader = new SseReader({
      maxEventBytes: this.#limits.maxJsonBytes,
      shortenBytes: UNSKIMMED_BYTES,
    })
    return {
      push: (chunk) => {
        for (const event of reader.push(chunk)) this.#event(event.data, event.event)
      },
      end: () => {
        for (const event of reader.end()) this.#event(event.data, event.event)
        this.#facts.unread += reader.skipped
      },
    }
  }

  #lines(): Framing {
    this.#facts.streamed = true
    const reader = new NdjsonReader({ maxLineBytes: this.#limits.maxJsonBytes })
    return {
      push: (chunk) => {
        for (const line of reader.push(chunk)) this.#event(line.text, '')
      },
      end: () => {
        for (const line of reader.end()) this.#event(line.text, '')
        this.#facts.unread += reader.skipped
      },
    }
  }

  /** The answers of a batch, or any file: of that, nothing is said. */
  #results(): Framing {
    const reader = new NdjsonReader({ maxLineBytes: this.#limits.maxJsonBytes })
    const isBatch = this.#context.api === 'batches'
    let results = 0
    const read = ({ text }: NdjsonLine): void => {
      if (!isBatch && !mayBeResult(text)) return
      results++
      const value = asRecord(parseText(text, undefined, this.#limits))
      if (value === undefined) this.#facts.unread++
      else this.#shape.body(value, this.#facts)
    }
    return {
      push: (chunk) => reader.push(chunk).forEach(read),
      end: () => {
        reader.end().forEach(read)
        if (results > 0) this.#facts.unread += reader.skipped
      },
    }
  }

  #eventStream(): Framing {
    this.#facts.streamed = true
    const reader = new EventStreamReader({
      maxMessageBytes: this.#limits.maxJsonBytes,
      maxHeaders: 64,
    })
    return {
      push: (chunk) => {
        for (const message of reader.push(chunk)) this.#message(message)
      },
      end: () => {
        this.#facts.unread += reader.skipped + (reader.broken ? 1 : 0)
      },
    }
  }

  #json(): Framing {
    const pieces: Buffer[] = []
    let size = 0
    let skimmer: JsonSkimmer | undefined
    return {
      push: (chunk) => {
        size += chunk.length
        if (skimmer !== undefined) skimmer.push(chunk)
        else if (size <= UNSKIMMED_BYTES) pieces.push(Buffer.from(chunk))
        else {
          const { maxJsonBytes, maxTextChars } = this.#limits
          skimmer = new JsonSkimmer({
            maxStringBytes: maxTextChars,
            maxNumbers: SKIM_LIMITS.maxNumbers,
            maxValues: SKIM_LIMITS.maxValues,
            maxOutputBytes: maxJsonBytes,
          })
          for (const piece of pieces) skimmer.push(piece)
          skimmer.push(chunk)
        }
      },
      end: () => {
        const [only] = pieces
        const one = pieces.length === 1 && only !== undefined ? only : undefined
        const bytes =
          skimmer === undefined ? (one ?? Buffer.concat(pieces, size)) : skimmer.end()
        if (bytes === undefined) this.#facts.unread++
        else if (size > 0) this.#body(bytes)
      },
    }
  }

  #body(bytes: Buffer): void {
    const value = parseText(withoutMark(bytes.toString()), bytes, this.#limits)
    if (value === undefined && bytes.includes('}\n{')) {
      // Lines of JSON that nobody announced.
      const lines = this.#lines()
      lines.push(bytes)
      lines.end()
      return
    }
    const body = asRecord(value)
    if (body !== undefined) this.#one(body)
    else if (Array.isArray(value)) {
      // A stream written as one array, as Gemini does without `alt=sse`.
      for (const item of value as unknown[]) {
        const event = asRecord(item)
        if (event !== undefined) this.#value(event, '')
      }
    } else this.#facts.unread++
  }

  #one(body: Json): void {
    const error = readError(body, this.#context.status >= 400)
    if (error !== undefined) this.#facts.error = error
    else this.#shape.body(body, this.#facts)
  }

  #event(data: string, name: string): void {
    this.#facts.events++
    if (data === '[DONE]') {
      this.#facts.ended = true
      return
    }
    if (this.#shape.ignores?.(name) === true) return
    const value = asRecord(parseText(data, undefined, this.#limits))
    if (value === undefined) this.#facts.unread++
    else this.#value(value, name)
  }

  #message(message: EventStreamMessage): void {
    this.#facts.events++
    const name = message.headers.get(':event-type') ?? ''
    const failure = message.headers.get(':exception-type')
    const value = asRecord(
      parseText(message.payload.toString(), message.payload, this.#limits),
    )
    if (failure !== undefined) {
      const says = value === undefined ? undefined : readError(value, true)
      this.#facts.error = { message: says?.message ?? '', type: failure }
    } else if (value === undefined) this.#facts.unread++
    else this.#value(value, name)
  }

  #value(value: Json, name: string): void {
    // An error can come with the last usage, or in the last choice: both are read.
    this.#facts.error = readError(value, false) ?? this.#facts.error
    if (this.#shape.event === undefined) this.#shape.body(value, this.#facts)
    else this.#shape.event(value, this.#facts, name)
  }
}

/** Sound and pictures, of which nothing is read. */
function isMedia(type: string): boolean {
  return /^(?:image|audio|video|font|multipart)\//.test(type)
}

function isJson(type: string): boolean {
  return type.endsWith('/json') || type.endsWith('+json')
}

/** Bedrock's calls whose answer is AWS's event stream, whatever it is announced as. */
function isEventStreamPath(path: string): boolean {
  const bare = withoutQuery(path)
  return bare.startsWith('/model/')
    ? bare.endsWith('-stream')
    : /^\/(?:agents|flows)\/|^\/retrieveAndGenerateStream$/.test(bare)
}

/** Gemini's streams are server-sent events when they are asked for as such. */
function isSsePath(path: string): boolean {
  return new URLSearchParams(path.split('?')[1] ?? '').get('alt') === 'sse'
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** Blanks, and the three bytes of a byte order mark. */
const BLANKS: ReadonlySet<number | undefined> = new Set([
  ...[0x20, 0x09, 0x0a, 0x0d],
  ...[0xef, 0xbb, 0xbf],
])

/** Where the body's first byte stands. */
function firstWord(chunk: Uint8Array): number {
  let at = 0
  while (BLANKS.has(chunk[at])) at++
  return at
}

const NO_FRAMING: Framing = {
  push: () => undefined,
  end: () => undefined,
}

/** A stream without a closing event has still ended when it said how. */
function hasOutcome(facts: FactsBuilder): boolean {
  return (
    facts.finishReason !== undefined ||
    facts.error !== undefined ||
    facts.refused !== undefined
  )
}

/**
 * Undefined when the text is no JSON, or over `maxJsonBytes` or `JSON_LIMITS`, which are
 * looked at above `UNMEASURED_BYTES` (32 Ki UTF-16 units). `bytes`: the text as UTF-8,
 * where it is at hand.
 */
export function parseText(
  text: string,
  bytes: Buffer | undefined,
  limits: ReaderLimits,
): unknown {
  if (text.length > UNMEASURED_BYTES) {
    const bounds = { ...JSON_LIMITS, maxBytes: limits.maxJsonBytes }
    if (measureJson(bytes ?? Buffer.from(text), bounds).kind !== 'ok') return undefined
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The type without its parameters, in lower case. */
function mediaType(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
