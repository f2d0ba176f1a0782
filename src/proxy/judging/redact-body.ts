/**
 * Takes out of one request's body what policies want out of it, while it is held. What cannot
 * be changed without breaking it (a body that was not read whole, one that the client signed)
 * is left as it is, and whoever asked is told.
 */
import type { Passage, Redaction } from '../../core/redaction.js'
import { atOnce } from '../../core/resting.js'
import { shippedDetector } from '../../../config/read-detect.js'
import { folded } from '../../detect/fold.js'
import { foldedWithPlaces } from '../../detect/fold-places.js'
import type { Detector } from '../../detect/detector.js'
import type { Finding } from '../../detect/rule.js'
import { MAX_OF_KIND } from '../../detect/detector.js'
import { entityOf, knownKind } from '../../detect/personal-kinds.js'
import type { Decision } from '../../policy/engine.js'
import { contentCoding } from '../../http/content-coding.js'
import { redactJson } from '../../json/json-redact.js'
import type { Found } from '../../core/redaction.js'
import type { Placeholders } from '../../placeholders/placeholders.js'
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
  /** As it came, where something else may go up; it need not be JSON. */
  readonly #whole: Buffer | undefined
  readonly #wordsOf: () => RedactionWords
  #made: RedactionWords | undefined

  /** `body`: held as a whole, else nothing can be taken out of it. */
  constructor(
    body: UpstreamBody | undefined,
    rawHeaders: readonly string[],
    words: () => RedactionWords,
  ) {
    this.#wordsOf = words
    this.#whole = body?.kind === 'whole' && !isSealed(rawHeaders) ? body.bytes : undefined
    this.#bytes = this.#whole
  }

  /** It is no JSON that was read whole. */
  leave(): void {
    this.#bytes = undefined
  }

  /** For a question that is put for comparison: nothing comes of what it takes out. */
  aside(): BodyRedaction {
    const other = new BodyRedaction(undefined, [], this.#wordsOf)
    other.#bytes = this.#bytes
    return other
  }

  /** Another body goes up, whatever was taken out of it before. False: it cannot. */
  replace(bytes: Buffer): boolean {
    if (this.#whole === undefined) return false
    this.body = { kind: 'whole', bytes }
    return true
  }

  /** What its answer is to have back; undefined: nothing was taken out. */
  get placeholders(): Placeholders | undefined {
    const placeholders = this.body === undefined ? undefined : this.#made?.placeholders
    return placeholders?.isEmpty === false ? placeholders : undefined
  }

  /** See `Question.redact`. */
  readonly redact = (given: readonly Redaction[]): number | undefined => {
    if (this.#bytes === undefined) return undefined
    const { body, passages } = sorted(given)
    const bytes = body === undefined ? this.#bytes : Buffer.from(body)
    const words = (this.#made ??= this.#wordsOf())
    const { detector = shippedDetector(), placeholders } = words
    const wanted = new Wanted(passages)
    const search = new Search(detector, wanted)
    const mark = (label: string, text: string): string =>
      placeholders.of(entityOf(label), text)
    const done =
      passages.length === 0
        ? { bytes, passages: 0 }
        : redactJson(bytes, passages, search.find, mark)
    if (done === undefined || search.isCut) return undefined
    if (wanted.isAny && isLeft(done.bytes, wanted, detector)) return undefined
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
    const isRestored = this.placeholders !== undefined
    const left = fields.filter((_field, i) => {
      const name = (fields[i - (i % 2)] ?? '').toLowerCase()
      return !DIGESTS.has(name) && !(isRestored && name === 'accept-encoding')
    })
    // What is put back is put into the answer as it is.
    return isRestored ? [...left, 'Accept-Encoding', 'identity'] : left
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
    passages: redactions.flatMap((one): Passage[] => {
      if (one.kind === 'body') return []
      return one.kind === 'finding' ? [{ ...one, of: knownKind(one.of) }] : [one]
    }),
  }
}

/** By which it is looked for, and what goes up in its place. */
export interface RedactionWords {
  /** Undefined: by the rules that come with YORI. */
  readonly detector: Detector | undefined
  readonly placeholders: Placeholders
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

/** Kinds that are to go; `*` is all but orders to the model, which are nobody's data. */
class Wanted {
  readonly #kinds: ReadonlySet<string>

  constructor(redactions: readonly Passage[]) {
    this.#kinds = new Set(
      redactions.flatMap((one) => (one.kind === 'finding' ? [one.of] : [])),
    )
  }

  get isAny(): boolean {
    return this.#kinds.size > 0
  }

  has({ kind, class: of }: Pick<Finding, 'kind' | 'class'>): boolean {
    if (this.#kinds.has(knownKind(kind))) return true
    return this.#kinds.has('*') && of !== 'injection'
  }
}

/** As policies see it, at its places in the text as it stands. */
class Search {
  /** There may be more of a kind than was told. */
  isCut = false
  readonly #detector: Detector
  readonly #wanted: Wanted

  constructor(detector: Detector, wanted: Wanted) {
    this.#detector = detector
    this.#wanted = wanted
  }

  readonly find = (text: string): Found[] => {
    const plain = foldedWithPlaces(text)
    const found = atOnce(this.#detector.search(plain.text))
    this.isCut ||= found.length >= MAX_OF_KIND
    return found
      .filter((one) => this.#wanted.has(one))
      .map(({ kind, start, end }) => ({
        kind: knownKind(kind),
        start: plain.start(start),
        end: plain.end(end),
      }))
  }
}

/** What is joined of parts, or in base64, is found and stands nowhere: it cannot be taken out. */
function isLeft(bytes: Buffer, wanted: Wanted, detector: Detector): boolean {
  const words = new BodyTextReader()
  atOnce(words.read(JSON.parse(bytes.toString()) as unknown))
  return words
    .end()
    .units.flatMap(({ pieces, joined }) => [...pieces, ...joined])
    .filter(({ who }) => who !== 'program')
    .some(({ text }) =>
      atOnce(detector.search(folded(text))).some((one) => wanted.has(one)),
    )
}
