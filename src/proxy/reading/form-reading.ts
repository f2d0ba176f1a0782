/**
 * What a form says (RFC 7578): facts by the names of its fields, and the words of each of its
 * parts, files among them. A field that holds the session of a live conversation is JSON, and
 * read as the body of one.
 */
import type { Resting } from '../../core/resting.js'
import { MultipartReader } from '../../http/multipart.js'
import type { MultipartContent, MultipartPart } from '../../http/multipart.js'
import type { BoundedJson, JsonLimits } from '../../json/json-bounds.js'
import { parseInSlices } from '../../json/json-slices.js'
import { BodyTextReader } from '../../providers/body-text.js'
import type { Recognised } from '../../providers/index.js'
import { readMultipartRequest } from '../../providers/multipart-request.js'
import { NamedInBody } from '../../providers/named-in-body.js'
import type { RequestFacts } from '../../providers/provider.js'
import { addOffer, addText, addWords, isTextType } from './body-words.js'

export interface FormCopy {
  readonly bytes: Buffer
  readonly whole: boolean
  /** Its end, of one whose middle was not kept. */
  readonly newest?: Buffer | undefined
  readonly path: string
  readonly boundary: string
}

export interface FormRead {
  readonly facts: RequestFacts
  readonly words: BodyTextReader
  readonly named: NamedInBody
  /** False: there is a file in it that is no text. */
  readonly isText: boolean
  /** As in what is made of a body of JSON. */
  readonly uninspectable: string | undefined
  readonly unstructured: string | undefined
}

export function* readParts(
  recognised: Recognised,
  copy: FormCopy,
  options: { readonly json: JsonLimits; readonly wantsText: boolean },
): Resting<FormRead> {
  const form = yield* formOf(copy.bytes, copy.boundary)
  const words = new BodyTextReader()
  const session = yield* sessionIn(recognised, copy, form, { ...options, words })
  const named = new NamedInBody()
  const isText = yield* addForm({ words, named }, copy, form, options)
  const isKnown = session === undefined || session.kind === 'whole'
  return {
    facts: factsOf(recognised, copy, form, session),
    words,
    named,
    isText,
    uninspectable: whyUnsure(form, session),
    unstructured: isKnown ? undefined : 'the session in its form is not JSON',
  }
}

/** Bytes that are gone through at once: what is no delimiter may look like one all along. */
const PIECE_BYTES = 16 * 1024

function* formOf(bytes: Buffer, boundary: string): Resting<MultipartContent> {
  const reader = new MultipartReader(boundary)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    reader.push(bytes.subarray(at, at + PIECE_BYTES))
    yield
  }
  return reader.end()
}

function* sessionIn(
  { api }: Recognised,
  { bytes }: FormCopy,
  form: MultipartContent,
  { json, words }: { readonly json: JsonLimits; readonly words: BodyTextReader },
): Resting<BoundedJson | undefined> {
  if (api !== 'session') return undefined
  const part = form.parts.find(({ name }) => name === 'session')
  return part && (yield* parseInSlices(contentOf(part, bytes), json, words.long))
}

function factsOf(
  { provider, api }: Recognised,
  { path }: FormCopy,
  form: MultipartContent,
  session: BoundedJson | undefined,
): RequestFacts {
  if (api !== 'session') return readMultipartRequest(form, api)
  const body = session?.kind === 'whole' ? { session: session.value } : undefined
  return provider.readRequest(body, { api, path })
}

/** Fields of which a form has one; of two, who answers takes the one or the other. */
const SINGLE: ReadonlySet<string> = new Set(['model', 'session'])

function whyUnsure(
  { parts }: MultipartContent,
  session: BoundedJson | undefined,
): string | undefined {
  const names = parts.flatMap(({ name = '' }) => (SINGLE.has(name) ? [name] : []))
  if (new Set(names).size < names.length) return 'a field of its form stands twice'
  return session?.kind === 'whole' && session.duplicateKeys.length > 0
    ? 'a key of its session stands twice'
    : undefined
}

/** False: there is a file in it that is no text. */
function* addForm(
  { words, named }: Pick<FormRead, 'words' | 'named'>,
  { bytes, whole }: FormCopy,
  form: MultipartContent,
  { json, wantsText }: { readonly json: JsonLimits; readonly wantsText: boolean },
): Resting<boolean> {
  let isText = true
  for (const part of form.parts) {
    const { name, filename, mediaType, others = [] } = part
    const content = contentOf(part, bytes)
    for (const said of [name, filename, ...others])
      if (said !== undefined) yield* words.read(said, 'type')
    const isWords =
      content.length === 0 ||
      addOffer(words, content, name === 'sdp' ? 'application/sdp' : mediaType) ||
      (yield* addWords(words, content, json, {
        isCalledText: isTextType(mediaType),
        named,
      }))
    const inner = requestIn(content, mediaType)
    if (inner !== undefined) yield* addWords(words, inner, json, { named })
    if (!isWords) isText = false
    if (part.quoted === true) yield* addText(words, yield* unquoted(content), true)
  }
  // What its own delimiters do not tell apart is still looked at.
  if ((!form.complete || form.beside === true) && wantsText)
    yield* addText(words, bytes, whole)
  return isText
}

/** The body of a request that stands in a part as it would on the wire (RFC 9112 §10.1). */
function requestIn(content: Buffer, mediaType: string | undefined): Buffer | undefined {
  if (mediaType?.toLowerCase().startsWith('application/http') !== true) return undefined
  const end = content.indexOf('\r\n\r\n')
  return end < 0 ? undefined : content.subarray(end + 4)
}

/** Quoted-printable undone (RFC 2045 §6.7). */
function* unquoted(content: Buffer): Resting<Buffer> {
  const plain = Buffer.allocUnsafeSlow(content.length)
  let size = 0
  let rest = ''
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const isLast = at + PIECE_BYTES >= content.length
    const text = rest + content.toString('latin1', at, at + PIECE_BYTES)
    // What stands behind the last `=` may go on in the next piece: no more than a line's padding.
    const equals = text.lastIndexOf('=')
    const isCut = !isLast && equals > text.length - MAX_SOFT_BREAK
    const end = isCut && equals >= 0 ? equals : text.length
    size += plain.write(
      text
        .slice(0, end)
        .replace(/=[ \t]{0,76}\r?\n/g, '')
        .replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
          String.fromCharCode(parseInt(hex, 16)),
        ),
      size,
      'latin1',
    )
    rest = text.slice(end)
    yield
  }
  return plain.subarray(0, size)
}

/** `=`, white space and a line's end. */
const MAX_SOFT_BREAK = 80

/** The parts that begin in what is there of its end, and what stands before them. */
export function* addNewestParts(
  into: Pick<FormRead, 'words' | 'named'>,
  copy: FormCopy,
  options: { readonly json: JsonLimits; readonly wantsText: boolean },
): Resting<void> {
  const { newest, boundary } = copy
  if (newest === undefined) return
  const at = newest.indexOf(`\r\n--${boundary}`, 0, 'latin1')
  yield* addText(into.words, at < 0 ? newest : newest.subarray(0, at))
  if (at < 0) return
  const bytes = newest.subarray(at + 2)
  const form = yield* formOf(bytes, boundary)
  yield* addForm(into, { ...copy, bytes }, form, options)
}

function contentOf({ at, bytes: size }: MultipartPart, bytes: Buffer): Buffer {
  return bytes.subarray(at, at + size)
}
