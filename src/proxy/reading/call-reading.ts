/**
 * What a call of gRPC says, and what is one message of Protocol Buffers under another name:
 * by the description of its service where it is known, else by all text that it holds. A
 * message of which more comes is looked at when it is whole.
 */
import type { Resting } from '../../core/resting.js'
import { isInFrames, isProtobuf } from '../../http/grpc.js'
import { leadingFrames } from '../../http/grpc-frames.js'
import type { GrpcFrame } from '../../http/grpc-frames.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import { parseInSlices } from '../../json/json-slices.js'
import { BodyTextReader } from '../../providers/body-text.js'
import type { Recognised } from '../../providers/index.js'
import type { Json } from '../../providers/json.js'
import { asRecord } from '../../providers/json.js'
import { protoTexts } from '../../providers/protobuf-text.js'
import type { ProtoLimits } from '../../protobuf/schema.js'
import { addText, looksLikeJson } from './body-words.js'
import type { RequestCopy } from './request-copy.js'

export interface CallRead {
  /** As one request of the provider's API; undefined where nobody knows the service. */
  readonly body: Json | undefined
  /** What all of its messages say, where it is not known. */
  readonly texts: readonly string[]
  readonly words: BodyTextReader
  /** A message was there, and held no text at all. */
  readonly isMute: boolean
  /** Why policies cannot rely on it. */
  readonly uninspectable: 'compressed' | 'too-deep' | 'too-many-values' | undefined
}

/** Messages without a head of their own are one. Undefined: it is nothing of the kind. */
function messagesIn({ bytes, head }: RequestCopy): Messages | undefined {
  if (isInFrames(head.contentType)) {
    const found = leadingFrames(bytes)
    return found.frames.length === 0 && found.rest !== undefined ? undefined : found
  }
  if (!isProtobuf(head.contentType) || looksLikeJson(bytes)) return undefined
  const only = { bytes, isCompressed: false, isEnd: false, isPart: false }
  return { frames: [only], rest: undefined }
}

type Messages = ReturnType<typeof leadingFrames>

/** Undefined: its body is in no messages, whatever it is called. */
export function* readMessages(
  { call }: Recognised,
  copy: RequestCopy,
  json: JsonLimits,
): Resting<CallRead | undefined> {
  const messages = messagesIn(copy)
  if (messages === undefined) return undefined
  const { frames, rest } = messages
  const reader = new MessageReader(call, json)
  for (const frame of frames) {
    if (!frame.isPart) yield* reader.add(frame)
    else if (copy.whole || copy.cutBy !== undefined) yield* reader.addPart(frame.bytes)
  }
  // Behind messages, and none: whoever takes it takes it as a text.
  if (rest !== undefined) yield* reader.addRest(rest)
  if (copy.newest !== undefined) yield* reader.addPart(copy.newest)
  return reader.read
}

class MessageReader {
  readonly #call: Recognised['call']
  readonly #json: JsonLimits
  readonly #limits: ProtoLimits
  readonly #known: Json[] = []
  readonly #texts: string[] = []
  readonly #words = new BodyTextReader()
  #bytes = 0
  #uninspectable: CallRead['uninspectable']

  constructor(call: Recognised['call'], json: JsonLimits) {
    this.#call = call
    this.#json = json
    this.#limits = { maxDepth: json.maxDepth, maxFields: json.maxValues }
  }

  get read(): CallRead {
    return {
      body: this.#known.length === 0 ? undefined : this.#call?.body(this.#known),
      texts: this.#texts,
      words: this.#words,
      isMute: this.#bytes > 0 && this.#known.length + this.#texts.length === 0,
      uninspectable: this.#uninspectable,
    }
  }

  *add({ bytes, isCompressed, isEnd }: GrpcFrame): Resting<void> {
    this.#bytes += bytes.length
    if (isCompressed) {
      this.#uninspectable ??= 'compressed'
      return
    }
    if (isEnd) this.#words.plain(bytes.toString(), 'program')
    else if (!(yield* this.#addJson(bytes)) && !(yield* this.#addKnown(bytes)))
      yield* this.#addTexts(bytes)
  }

  *addRest(bytes: Buffer): Resting<void> {
    this.#texts.push(bytes.toString())
    yield* addText(this.#words, bytes, true)
  }

  /** The runs of text in it: where a message is cut, its fields have no end. */
  *addPart(bytes: Buffer): Resting<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES).toString()
      for (const run of piece.split(NO_TEXT)) if (run.length >= LEAST_RUN) this.#say(run)
      yield
    }
  }

  *#addJson(bytes: Buffer): Resting<boolean> {
    if (!looksLikeJson(bytes)) return false
    const body = yield* parseInSlices(bytes, this.#json)
    if (body.kind !== 'whole') return false
    this.#texts.push('')
    yield* this.#words.read(body.value)
    const value = asRecord(body.value)
    if (value !== undefined && this.#call !== undefined) this.#known.push(value)
    return true
  }

  *#addKnown(bytes: Buffer): Resting<boolean> {
    const read = this.#call && (yield* this.#call.message(bytes, this.#limits))
    if (read === undefined || read.kind === 'invalid') return false
    if (read.kind === 'over-limit') {
      this.#uninspectable ??= read.limit === 'depth' ? 'too-deep' : 'too-many-values'
      return false
    }
    this.#known.push(read.value)
    // As the provider takes it: a role is a word by then.
    yield* this.#words.read(this.#call?.body([read.value]) ?? read.value)
    return true
  }

  *#addTexts(bytes: Buffer): Resting<void> {
    const { texts, again, hasBytes, over } = yield* protoTexts(bytes, this.#limits)
    for (const text of texts) this.#texts.push(text)
    yield* this.#words.message(texts, again, hasBytes)
    if (over !== undefined)
      this.#uninspectable ??= over === 'depth' ? 'too-deep' : 'too-many-values'
  }

  #say(text: string): void {
    this.#texts.push(text)
    this.#words.plain(text)
  }
}

const PIECE_BYTES = 64 * 1024
/** Shorter ones are numbers that look like letters. */
const LEAST_RUN = 4
const NO_TEXT = /[\u0000-\u0008\u000e-\u001f\u007f\ufffd]+/
