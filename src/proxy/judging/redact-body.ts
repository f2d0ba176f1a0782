/**
 * Takes out of one request's body what policies want out of it, while it is held. What cannot
 * be changed without breaking it (a body that was not read whole, one that the client signed)
 * is left as it is, and whoever asked is told.
 */
import type { Passage, Redaction } from '../../core/redaction.js'
import { atOnce } from '../../core/resting.js'
import { folded } from '../../detect/fold.js'
import { foldedWithPlaces } from '../../detect/fold-places.js'
import { findPersonal } from '../../detect/personal.js'
import type { Decision } from '../../policy/engine.js'
import { contentCoding } from '../../http/content-coding.js'
import { redactJson } from '../../json/json-redact.js'
import type { UpstreamBody } from '../../net/upstream-words.js'
import { BodyTextReader } from '../../providers/body-text.js'

/** They speak of the body's bytes: RFC 9530, and the older ones. */
const DIGESTS: ReadonlySet<string> = new Set([
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
])

export class BodyRedaction {
  /** What goes on instead; undefined: the body as it came. */
  body: Extract<UpstreamBody, { kind: 'whole' }> | undefined
  passages: number | undefined
  #bytes: Buffer | undefined

  /** `body`: held as a whole, else nothing can be taken out of it. */
  constructor(body: UpstreamBody | undefined, rawHeaders: readonly string[]) {
    this.#bytes = body?.kind === 'whole' && !isSealed(rawHeaders) ? body.bytes : undefined
  }

  /** It is no JSON that was read whole. */
  leave(): void {
    this.#bytes = undefined
  }

  /** For a question that is put for comparison: nothing comes of what it takes out. */
  aside(): BodyRedaction {
    const other = new BodyRedaction(undefined, [])
    other.#bytes = this.#bytes
    return other
  }

  /** See `Question.redact`. */
  readonly redact = (redactions: readonly Redaction[]): number | undefined => {
    if (this.#bytes === undefined) return undefined
    const { body, passages } = sorted(redactions)
    const bytes = body === undefined ? this.#bytes : Buffer.from(body)
    const done =
      passages.length === 0 ? { bytes, passages: 0 } : redactJson(bytes, passages, find)
    if (done === undefined || isLeft(done.bytes, redactions)) return undefined
    this.body = { kind: 'whole', bytes: done.bytes }
    this.passages = done.passages + (body === undefined ? 0 : 1)
    return this.passages
  }

  /** What the record may keep of the request. */
  outcome(
    decision: Decision | undefined,
  ): { readonly redacted: Buffer } | 'as-it-came' | 'nothing' {
    if (this.body !== undefined) return { redacted: this.body.bytes }
    return decision?.wantsRedaction === true ? 'nothing' : 'as-it-came'
  }

  /** The fields that go with the body. */
  fields(fields: readonly string[]): readonly string[] {
    if (this.body === undefined) return fields
    return fields.filter((_field, i) => {
      const name = fields[i - (i % 2)] ?? ''
      return !DIGESTS.has(name.toLowerCase())
    })
  }
}

/** Of several that want another body the first has its way: what is left is taken out of that. */
function sorted(redactions: readonly Redaction[]): {
  readonly body: string | undefined
  readonly passages: readonly Passage[]
} {
  const whole = redactions.find((one) => one.kind === 'body')
  return {
    body: whole?.text,
    passages: redactions.filter((one) => one.kind !== 'body'),
  }
}

/** Signed over the body (AWS Signature Version 4, RFC 9421), or in a content coding. */
function isSealed(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    const value = (rawHeaders[i + 1] as string).toLowerCase()
    if (name === 'signature-input') return true
    if (name === 'authorization' && value.startsWith('aws4-')) return true
    if (name === 'content-encoding' && contentCoding(value) !== 'identity') return true
  }
  return false
}

/** As policies see it, at its places in the text as it stands. */
function find(text: string): ReturnType<typeof findPersonal> {
  const plain = foldedWithPlaces(text)
  return findPersonal(plain.text).map(({ kind, start, end }) => ({
    kind,
    start: plain.start(start),
    end: plain.end(end),
  }))
}

/** What is joined of parts, or in base64, is found and stands nowhere: it cannot be taken out. */
function isLeft(bytes: Buffer, redactions: readonly Redaction[]): boolean {
  const kinds = redactions.flatMap((one) => (one.kind === 'finding' ? [one.of] : []))
  if (kinds.length === 0) return false
  const words = new BodyTextReader()
  atOnce(words.read(JSON.parse(bytes.toString()) as unknown))
  const isWanted = (kind: string): boolean => kinds.includes('*') || kinds.includes(kind)
  return words
    .end()
    .units.flatMap(({ pieces, joined }) => [...pieces, ...joined])
    .filter(({ who }) => who !== 'program')
    .some(({ text }) => findPersonal(folded(text)).some(({ kind }) => isWanted(kind)))
}
