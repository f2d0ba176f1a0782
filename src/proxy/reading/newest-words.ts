/**
 * The end of a body whose middle was not kept: its words, by whose they are where it is JSON,
 * and what it says of the request. Whose words the message is in which it begins is not known:
 * they count as a person's.
 */
import { PIECE_CHARS } from '../../core/long-text.js'
import type { LongTexts } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import { decoded } from '../../detect/text-shape.js'
import { asUtf8 } from '../../detect/wide-text.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import { parseInSlices } from '../../json/json-slices.js'
import { jsonTail } from '../../json/json-tail.js'
import type { BodyTextReader } from '../../providers/body-text.js'
import type { NamedInBody } from '../../providers/named-in-body.js'
import type { RequestFacts } from '../../providers/provider.js'
import { addText, isTextType, looksLikeJson } from './body-words.js'
import type { RequestCopy } from './request-copy.js'

export interface Newest {
  /** Its values as they stood in the body; undefined where it is no JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  addTo(words: BodyTextReader): Resting<void>
}

/** Fields in which conversations stand. */
const CONVERSATIONS = ['messages', 'input', 'contents'] as const

/** Undefined where nothing was left out. */
export function* readNewest(
  { bytes: first, newest, head, long }: RequestCopy & { readonly long: LongTexts },
  { json }: { readonly json: JsonLimits },
): Resting<Newest | undefined> {
  if (newest === undefined) return undefined
  const bytes = yield* asUtf8(newest)
  const isCalledText = isTextType(head.contentType)
  const plain: Newest = {
    body: undefined,
    *addTo(words) {
      yield* addText(words, bytes, isCalledText)
    },
  }
  if (!looksLikeJson(first)) return plain
  const tail = yield* jsonTail(bytes, conversationOf(first), json)
  if (tail === undefined) return plain
  const { text, json: rest } = tail
  const limits = { ...json, maxBytes: json.maxBytes + MAX_ADDED_BYTES }
  const read = rest === undefined ? undefined : yield* parseInSlices(rest, limits, long)
  if (read !== undefined && read.kind !== 'whole') return plain
  const value = read?.value
  return {
    body: isObject(value) ? value : undefined,
    *addTo(words) {
      if (text !== undefined) yield* addCut(words, text)
      if (value !== undefined) yield* words.read(value)
    },
  }
}

/** Shorter, it is a text whatever it looks like. */
const LEAST_DATA = 4096

/**
 * What is left of a text whose beginning is not there: of an attachment in base64 what is in
 * it, which mostly is no text. Nobody knows where its groups began.
 */
function* addCut(words: BodyTextReader, cut: Buffer): Resting<void> {
  const texts: string[] = []
  for (let at = 0; at < cut.length; at += PIECE_CHARS)
    texts.push(cut.toString('latin1', at, at + PIECE_CHARS))
  const [first = '', ...rest] = texts
  if (cut.length < LEAST_DATA) return void (yield* addText(words, cut, true))
  for (let missing = 0; missing < GROUP_CHARS; missing++) {
    const data = yield* decoded([first.slice(missing), ...rest], true)
    if (data === undefined) return void (yield* addText(words, cut, true))
    if (data.kind === 'text') return words.plain(data.texts)
  }
}

/** Of base64, RFC 4648 §4. */
const GROUP_CHARS = 4

/** Brackets and names that were not there. */
const MAX_ADDED_BYTES = 64 * 1024
/** So far the name is looked for. */
const MAX_NAMED_BYTES = 64 * 1024

/** Where they stand in this body. */
function conversationOf(first: Buffer): string {
  const head = first.subarray(0, MAX_NAMED_BYTES)
  return CONVERSATIONS.find((name) => head.includes(`"${name}"`)) ?? 'messages'
}

/** What the newest says of the request, where the first part does not. */
export function* withNewest(
  first: RequestFacts,
  newest: Newest | undefined,
  named: NamedInBody,
  factsOf: (body: unknown) => Resting<RequestFacts>,
): Resting<RequestFacts> {
  const body = newest?.body
  if (body === undefined) return first
  const last = yield* factsOf(body)
  yield* named.add(body)
  const tools = [...first.toolsOffered, ...last.toolsOffered]
  return {
    ...first,
    model: first.model ?? (typeof body['model'] === 'string' ? last.model : undefined),
    stream: first.stream ?? last.stream,
    toolsOffered: [...new Set(tools)],
    lastUserText: last.lastUserText || first.lastUserText,
    newestWords: last.newestWords || first.newestWords,
    promptChars: first.promptChars + last.promptChars,
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
