/**
 * What a request says, from the copy of its body: facts for the record and content for the
 * policies. Where not all of it can be read, it says why.
 */
import type { Uninspectable } from '../../core/record.js'
import { contentCoding } from '../../http/content-coding.js'
import { parseBounded, parsePrefix, partialJson } from '../../json/json-bounds.js'
import type { BoundedJson, JsonLimits } from '../../json/json-bounds.js'
import { boundaryOf, MultipartReader } from '../../http/multipart.js'
import { recogniseBody } from '../../providers/index.js'
import type { Recognised } from '../../providers/index.js'
import { readMultipartRequest } from '../../providers/multipart-request.js'
import type { RequestFacts } from '../../providers/provider.js'
import { noContent, unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'

/** Of a body that is not whole, this much is read: its beginning names model and prompt. */
const MAX_PREFIX_BYTES = 64 * 1024

export interface RequestHeadFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

export interface RequestCopy {
  readonly bytes: Buffer
  /** `bytes` are all of the body. */
  readonly whole: boolean
  readonly head: RequestHeadFacts
  readonly path: string
}

export interface RequestRead {
  readonly facts: RequestFacts
  readonly content: Content
  /** Why the record cannot be sure of it. */
  readonly unread: Uninspectable | undefined
  /** Who is spoken to, where host and path did not tell, and the body does. */
  readonly shaped?: Recognised
}

export function readRequest(
  recognised: Recognised,
  copy: RequestCopy,
  limits: JsonLimits,
): RequestRead {
  const { api, provider } = recognised
  const { bytes, whole, head, path } = copy
  const read = (body: unknown): RequestFacts => provider.readRequest(body, { api, path })
  if (bytes.length === 0) {
    const content = whole
      ? noContent()
      : unreadable('truncated', 'its body is not inspected')
    return { facts: read(undefined), content, unread: whole ? undefined : 'too-large' }
  }
  if (contentCoding(head.contentEncoding) !== 'identity') {
    const content = unreadable('invalid', 'its body is compressed')
    return { facts: read(undefined), content, unread: 'content-coding' }
  }
  const boundary = boundaryOf(head.contentType)
  if (boundary !== undefined) return readForm(recognised, copy, boundary)
  const body = whole ? parseBounded(bytes, limits) : undefined
  if (body?.kind === 'whole') {
    const shaped = api === 'other' ? recogniseBody(body.value) : undefined
    if (shaped !== undefined) return { ...readRequest(shaped, copy, limits), shaped }
    const facts = read(body.value)
    const [twice] = body.duplicateKeys
    const why = twice === undefined ? undefined : 'a key of its body stands twice'
    const content = {
      ...about(facts),
      body: body.value,
      state: 'whole',
      uninspectable: why,
    } as const
    return { facts, content, unread: api === 'other' ? 'unknown-api' : undefined }
  }
  const prefix = bytes.subarray(0, MAX_PREFIX_BYTES)
  const facts: RequestFacts = {
    ...read(parsePrefix(prefix, limits)),
    // What was scanned up to a limit once is not scanned so far again.
    ...certain(body === undefined ? bytes : prefix, limits, read(undefined).model),
  }
  if (body?.kind === 'absent') return { facts, content: noContent(), unread: undefined }
  const unread = body === undefined ? 'too-large' : unreadJson(body, head.contentType)
  return { facts, content: { ...about(facts), ...unfinished(body) }, unread }
}

/**
 * A text in a prefix may be cut short, and a model's name that is cut names another: these
 * count only where they stand whole. `named`: the model that the path names.
 */
function certain(
  bytes: Buffer,
  limits: JsonLimits,
  named: string | undefined,
): Pick<RequestFacts, 'model' | 'stream'> {
  const fields = partialJson(bytes, limits)
  const model = fields.get('model')
  const stream = fields.get('stream')
  return {
    model: typeof model === 'string' ? model : named,
    stream: typeof stream === 'boolean' ? stream : undefined,
  }
}

/** A form is no JSON: policies see its model and prompt, and no body. */
function readForm(
  recognised: Recognised,
  copy: RequestCopy,
  boundary: string,
): RequestRead {
  const form = new MultipartReader(boundary)
  form.push(copy.bytes)
  const facts = readMultipartRequest(form.end(), recognised.api)
  const content = { ...about(facts), body: undefined, state: 'invalid' } as const
  if (!copy.whole) {
    const uninspectable = 'its body is larger than what is inspected'
    return {
      facts,
      content: { ...content, state: 'truncated', uninspectable },
      unread: 'too-large',
    }
  }
  if (facts.cut) {
    const uninspectable = 'its form cannot be read whole'
    return { facts, content: { ...content, uninspectable }, unread: 'malformed' }
  }
  return { facts, content: { ...content, uninspectable: undefined }, unread: undefined }
}

function about(
  facts: RequestFacts,
): Pick<Content, 'model' | 'prompt' | 'promptChars' | 'toolsOffered'> {
  const { model, promptText: prompt, promptChars, toolsOffered } = facts
  return { model, prompt, promptChars, toolsOffered }
}

function unfinished(
  body: BoundedJson | undefined,
): Pick<Content, 'body' | 'state' | 'uninspectable'> {
  const none = { body: undefined }
  switch (body?.kind) {
    case undefined:
    case 'truncated':
      return {
        ...none,
        state: 'truncated',
        uninspectable: 'its body is larger than what is inspected',
      }
    case 'over-limit': {
      const uninspectable = `the JSON of its body is over the ${body.limit} limit`
      return { ...none, state: 'truncated', uninspectable }
    }
    default:
      return { ...none, state: 'invalid', uninspectable: 'its body is not JSON' }
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
