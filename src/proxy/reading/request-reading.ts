/**
 * What a request says, from the copy of its body: facts for the record, content for the
 * policies, and all of its text. Where not all of it can be read, it says why: *partly unseen*
 * is only what a bound cut, *not text* what holds none.
 */
import { LongTexts } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import type { Uninspectable } from '../../core/record.js'
import { contentCoding } from '../../http/content-coding.js'
import { isInFrames, isProtobuf } from '../../http/grpc.js'
import { boundaryOf } from '../../http/multipart.js'
import { parsePrefix } from '../../json/json-bounds.js'
import type { BoundedJson } from '../../json/json-bounds.js'
import { parseInSlices, partialInSlices, prefixInSlices } from '../../json/json-slices.js'
import { BodyTextReader } from '../../providers/body-text.js'
import type { BodyText } from '../../providers/body-text.js'
import { MEDIA_ELSEWHERE } from '../../providers/elsewhere.js'
import type { Recognised } from '../../providers/index.js'
import { NamedInBody } from '../../providers/named-in-body.js'
import { withoutQuery } from '../../providers/paths.js'
import { GENERATING_APIS } from '../../providers/provider.js'
import type { Api, RequestFacts } from '../../providers/provider.js'
import { RequestBuilder } from '../../providers/request.js'
import { noContent, unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'
import { mediaOf } from '../../detect/text-shape.js'
import { asUtf8 } from '../../detect/wide-text.js'
import {
  addOffer,
  addText,
  addWords,
  beginsWithComment,
  isTextType,
  looksLikeJson,
} from './body-words.js'
import { readMessages } from './call-reading.js'
import type { CallRead } from './call-reading.js'
import { isKnownCharset } from './charset.js'
import { addNewestParts, readParts } from './form-reading.js'
import { readJson, readShortJson } from './json-reading.js'
import { readNewest, withNewest } from './newest-words.js'
import type { BodyPart, RequestCopy } from './request-copy.js'
import { about, factsInSlices, factsOf, withNames } from './request-facts.js'
import type { Copy, RequestOptions, RequestRead } from './request-facts.js'

export type { RequestOptions, RequestRead } from './request-facts.js'

/** Of a body that is not whole, this much is read: its beginning names model and prompt. */
const MAX_PREFIX_BYTES = 64 * 1024
/** So far the names of its model and the like are looked for. */
const MAX_FIELDS_BYTES = 1024 * 1024

/** Of so many media types it is kept whether they are JSON and nothing else. */
const MAX_TYPES = 64
const plainTypes = new Map<string, boolean>()

/** No charset but those that are read, no messages with heads of their own, no parts. */
function isPlainType(contentType = ''): boolean {
  const known = plainTypes.get(contentType)
  if (known !== undefined) return known
  const isPlain =
    isKnownCharset(contentType) &&
    !isInFrames(contentType) &&
    !isProtobuf(contentType) &&
    boundaryOf(contentType) === undefined
  if (plainTypes.size < MAX_TYPES) plainTypes.set(contentType, isPlain)
  return isPlain
}

/**
 * As `readRequest`, in one go, of what is short, whole and JSON, as nearly all are; undefined:
 * it is not, or somebody wants more of it than its facts.
 */
export function readShortRequest(
  recognised: Recognised,
  copy: RequestCopy,
  options: RequestOptions,
): RequestRead | undefined {
  const { bytes, whole, head } = copy
  // In UTF-8 and without a mark: text in two bytes a character has a zero here.
  const isObject = bytes[0] === OBJECT && bytes[1] !== 0
  if (!isObject || !whole || copy.newest !== undefined) return undefined
  if (recognised.api === 'session' || !isPlainType(head.contentType)) return undefined
  if (contentCoding(head.contentEncoding) !== 'identity') return undefined
  const long = new LongTexts()
  const read = readShortJson(recognised, { ...copy, long }, options)
  return read?.shaped?.api === 'session' ? undefined : read
}

const OBJECT = 0x7b

export function* readRequest(
  recognised: Recognised,
  copy: RequestCopy,
  options: RequestOptions,
): Resting<RequestRead> {
  const read = yield* readOfCharset(recognised, copy, options)
  if ((read.shaped ?? recognised).api !== 'session') return read
  const { content } = read
  const uninspectable = content.uninspectable ?? MEDIA_ELSEWHERE
  return { ...read, content: { ...content, uninspectable }, unread: 'media-elsewhere' }
}

/** What it says is looked at as UTF-8 and its like, as providers take JSON; it is told. */
function* readOfCharset(
  recognised: Recognised,
  copy: RequestCopy,
  options: RequestOptions,
): Resting<RequestRead> {
  const read = yield* readBody(recognised, { ...copy, long: new LongTexts() }, options)
  if (copy.bytes.length === 0 || isKnownCharset(copy.head.contentType)) return read
  const uninspectable = read.content.uninspectable ?? 'its charset is not read here'
  const content = { ...read.content, uninspectable }
  return { ...read, content, unread: read.unread ?? 'content-coding' }
}

function* readBody(
  recognised: Recognised,
  copy: Copy,
  options: RequestOptions,
): Resting<RequestRead> {
  const { bytes, whole, head } = copy
  const nothing = (): RequestFacts => factsOf(recognised, copy, undefined)
  if (bytes.length === 0) {
    const content = whole ? noContent() : unreadable('truncated', unseen(copy))
    const unread = whole ? undefined : 'partly-unseen'
    return { facts: nothing(), content, unread, text: undefined }
  }
  if (contentCoding(head.contentEncoding) !== 'identity') {
    const content = unreadable('invalid', 'its body is compressed')
    return { facts: nothing(), content, unread: 'content-coding', text: undefined }
  }
  const messages = yield* readMessages(recognised, copy, options.json)
  if (messages !== undefined) return yield* readCall(recognised, copy, messages, options)
  const boundary = boundaryOf(head.contentType)
  if (boundary !== undefined) return yield* readForm(recognised, copy, boundary, options)
  const utf8 = { ...copy, bytes: yield* asUtf8(bytes) }
  if (whole && mayBeJson(utf8)) {
    const body = yield* parseInSlices(utf8.bytes, options.json, copy.long)
    if (body.kind === 'whole') return yield* readJson(recognised, utf8, body, options)
    if (body.kind === 'absent')
      return {
        facts: nothing(),
        content: noContent(),
        unread: undefined,
        text: undefined,
      }
    return yield* readBroken(recognised, utf8, body, options)
  }
  if (!whole) return yield* readPart(recognised, utf8, options)
  return yield* readOther(recognised, utf8, options)
}

const UNSEEN = 'its body is larger than what is inspected'

function unseen({ cutBy }: BodyPart): string {
  return cutBy === undefined ? UNSEEN : `${UNSEEN} (${cutBy})`
}

/** Of a known service it is read as JSON of its provider is; of any other, text is known. */
function* readCall(
  recognised: Recognised,
  copy: Copy,
  { body, texts, words, isMute, uninspectable: why }: CallRead,
  { wantsText }: RequestOptions,
): Resting<RequestRead> {
  const { api } = recognised
  const asked =
    body === undefined
      ? ofTexts(texts, api)
      : yield* factsInSlices(recognised, copy, body)
  const named = new NamedInBody()
  yield* named.add(body)
  const facts = yield* withNames(asked, copy, named)
  const text = yield* words.ended()
  const isCut = copy.cutBy !== undefined
  if (isMute && !isCut && why === undefined) return notText(facts)
  const isKnown = body !== undefined && !isCut && why === undefined
  const content: Content = {
    ...about(facts),
    body: isKnown ? body : undefined,
    words: facts.newestWords,
    state: isCut ? 'truncated' : isKnown ? 'whole' : 'invalid',
    uninspectable: isCut ? unseen(copy) : why && CALL_UNREAD[why],
  }
  const unread = isCut ? 'partly-unseen' : why === 'compressed' ? 'content-coding' : why
  const other = recognised.call === undefined ? 'unknown-api' : undefined
  return {
    facts,
    content,
    unread: unread ?? unreadIn(text) ?? other,
    text: wantsText ? text : undefined,
  }
}

const CALL_UNREAD = {
  compressed: 'its messages are compressed in a way that is not undone here',
  'too-deep': 'a message of its call is nested too deep',
  'too-many-values': 'a message of its call has too many fields',
} as const

/** What nobody knows is what a person asks. */
function ofTexts(texts: readonly string[], api: Api): RequestFacts {
  const builder = new RequestBuilder()
  builder.message('user', texts.join('\n'))
  return builder.build(api)
}

/** By its first byte; a number or a word alone only where it is called JSON. */
function mayBeJson({ bytes, head }: Copy): boolean {
  const said = head.contentType?.toLowerCase() ?? ''
  return looksLikeJson(bytes) || said === '' || said.includes('json')
}

/** JSON that is none, or too much of it to be built: all of its text, and nothing else of it. */
function* readBroken(
  recognised: Recognised,
  copy: Copy,
  body: Exclude<BoundedJson, { kind: 'whole' | 'absent' }>,
  options: RequestOptions,
): Resting<RequestRead> {
  const isLike = looksLikeJson(copy.bytes) || beginsWithComment(copy.bytes)
  const named = new NamedInBody()
  const began = yield* readBeginning(recognised, copy, named, options)
  const words = new BodyTextReader()
  const isWords = yield* body.kind === 'over-limit'
    ? addText(words, copy.bytes, true)
    : addWords(words, copy.bytes, options.json, { isCalledText: true, named })
  const facts = yield* withNames(began, copy, named)
  if (!isWords) return notText(facts)
  const text = options.wantsText ? yield* words.ended() : undefined
  const isLines = body.kind === 'invalid' && words.fields > 0
  const isStructured = isLike && !isLines && !isPartOfUpload(recognised, copy)
  const unstructured = isStructured ? whyUnstructured(body) : undefined
  const state = body.kind === 'over-limit' ? 'truncated' : 'invalid'
  const content: Content = { ...about(facts), ...NO_BODY, state, unstructured }
  const other = recognised.api === 'other' ? 'unknown-api' : undefined
  // Called JSON, and bytes: what was looked at are no words.
  const none = mediaOf(copy.bytes) === undefined ? undefined : 'not-text'
  const unread = unstructured === undefined ? (none ?? other) : whyUnread(body)
  return { facts, content, text, unread }
}

/** A file that is uploaded in ranges is cut anywhere: it is text, or none, and no request. */
function isPartOfUpload({ api }: Recognised, { head, path }: Copy): boolean {
  if (head.isRange !== true || GENERATING_APIS.has(api)) return false
  return /\b(?:uploads?|files?)\b/i.test(withoutQuery(path))
}

const NO_BODY = { body: undefined, uninspectable: undefined }

function whyUnstructured(body: Exclude<BoundedJson, { kind: 'whole' | 'absent' }>) {
  return body.kind === 'over-limit'
    ? `the JSON of its body is over the ${body.limit} limit`
    : 'its body is not JSON'
}

function whyUnread(
  body: Exclude<BoundedJson, { kind: 'whole' | 'absent' }>,
): Uninspectable {
  if (body.kind !== 'over-limit') return 'malformed'
  if (body.limit === 'depth') return 'too-deep'
  return body.limit === 'values' ? 'too-many-values' : 'partly-unseen'
}

/** What a bound cut: its first part and its newest are read, and what is between nobody saw. */
function* readPart(
  recognised: Recognised,
  copy: Copy,
  options: RequestOptions,
): Resting<RequestRead> {
  const named = new NamedInBody()
  const first = yield* readBeginning(recognised, copy, named, options)
  const words = new BodyTextReader(copy.long)
  const isWords = options.wantsText && (yield* addPart(words, copy, options))
  const newest = yield* readNewest(copy, options)
  const both = yield* withNewest(first, newest, named, (body) =>
    factsInSlices(recognised, copy, body),
  )
  const facts = yield* withNames(both, copy, named)
  const says = newest !== undefined && options.wantsText
  if (says) yield* newest.addTo(words)
  const content = { ...about(facts), body: undefined, state: 'truncated' } as const
  return {
    facts,
    content: { ...content, uninspectable: unseen(copy) },
    text: isWords || says ? yield* words.ended() : undefined,
    unread: 'partly-unseen',
  }
}

/** By whose words it is, where it begins as JSON does; what is no text has none, cut or not. */
function* addPart(
  words: BodyTextReader,
  { bytes, head }: Copy,
  { json }: RequestOptions,
): Resting<boolean> {
  const value = looksLikeJson(bytes)
    ? yield* prefixInSlices(bytes, json, words.long)
    : undefined
  if (value === undefined)
    return yield* addText(words, bytes, isTextType(head.contentType))
  yield* words.read(value)
  return true
}

/** Text under any other name; or none. */
function* readOther(
  recognised: Recognised,
  copy: Copy,
  options: RequestOptions,
): Resting<RequestRead> {
  const words = new BodyTextReader()
  const named = new NamedInBody()
  const isCalledText = isTextType(copy.head.contentType)
  const isWords =
    addOffer(words, copy.bytes, copy.head.contentType) ||
    (yield* addWords(words, copy.bytes, options.json, { isCalledText, named }))
  const facts = yield* withNames(factsOf(recognised, copy, undefined), copy, named)
  if (!isWords) return notText(facts)
  const content: Content = { ...about(facts), ...NO_BODY, state: 'invalid' }
  const unread = recognised.api === 'other' ? 'unknown-api' : undefined
  return {
    facts,
    content,
    unread,
    text: options.wantsText ? yield* words.ended() : undefined,
  }
}

function notText(facts: RequestFacts): RequestRead {
  const content: Content = { ...about(facts), ...NO_BODY, state: 'invalid' }
  return { facts, content, unread: 'not-text', text: undefined }
}

/** A form is no JSON: policies see its model, its prompt and its text, and no body. */
function* readForm(
  recognised: Recognised,
  copy: Copy,
  boundary: string,
  options: RequestOptions,
): Resting<RequestRead> {
  const form = yield* readParts(recognised, { ...copy, boundary }, options)
  const { words, named, isText, uninspectable, unstructured } = form
  if (options.wantsText) yield* addNewestParts(form, { ...copy, boundary }, options)
  const facts = yield* withNames(form.facts, copy, named)
  const text = options.wantsText ? yield* words.ended() : undefined
  const content = { ...about(facts), body: undefined, state: 'invalid' } as const
  if (!copy.whole)
    return {
      facts,
      content: { ...content, state: 'truncated', uninspectable: unseen(copy) },
      unread: 'partly-unseen',
      text,
    }
  const unread = isText ? unreadIn(text) : 'not-text'
  return { facts, content: { ...content, uninspectable, unstructured }, unread, text }
}

function unreadIn(text: BodyText | undefined): Uninspectable | undefined {
  return text?.unreadDocument === true ? 'not-text' : undefined
}

/**
 * A text in a prefix may be cut short, and a model's name that is cut names another: these
 * count only where they stand whole.
 */
function* readBeginning(
  recognised: Recognised,
  copy: Copy,
  names: NamedInBody,
  { json }: RequestOptions,
): Resting<RequestFacts> {
  const prefix = copy.bytes.subarray(0, MAX_PREFIX_BYTES)
  const named = factsOf(recognised, copy, undefined).model
  const began = parsePrefix(prefix, json)
  const facts = yield* factsInSlices(recognised, copy, began)
  yield
  yield* names.add(began)
  const fields = yield* partialInSlices(copy.bytes.subarray(0, MAX_FIELDS_BYTES), json)
  const model = fields.get('model')
  const stream = fields.get('stream')
  return {
    ...facts,
    model: typeof model === 'string' ? model : named,
    stream: typeof stream === 'boolean' ? stream : undefined,
  }
}
