/**
 * What a request says whose body is JSON and was read whole. A short one, as nearly all are, is
 * read in one go; what comes of it is the same.
 */
import { atOnce } from '../../core/resting.js'
import type { Resting } from '../../core/resting.js'
import { fieldsIn } from '../../json/fields-in.js'
import { parseBounded } from '../../json/json-bounds.js'
import type { BoundedJson } from '../../json/json-bounds.js'
import { BodyTextReader } from '../../providers/body-text.js'
import type { BodyText } from '../../providers/body-text.js'
import { recogniseBody } from '../../providers/index.js'
import type { Recognised } from '../../providers/index.js'
import { NamedInBody } from '../../providers/named-in-body.js'
import { modelsIn } from '../../providers/offered-tools.js'
import type { RequestFacts } from '../../providers/provider.js'
import { addText } from './body-words.js'
import { factsInSlices, withNames, withNamesAtOnce } from './request-facts.js'
import type { Copy, RequestOptions, RequestRead } from './request-facts.js'

/** Read in one go; what is in it cannot hold the event loop. */
const SHORT_BYTES = 16 * 1024

type Whole = Extract<BoundedJson, { kind: 'whole' }>

/** Whose request it is, by its shape where its path does not say, and what it asks. */
interface Asked {
  readonly recognised: Recognised
  readonly facts: RequestFacts
  readonly shaped: Recognised | undefined
}

/**
 * Undefined: it is long, or its text is wanted, or it is no JSON: `readJson`, or whoever reads
 * what is none, is asked. `copy`: of UTF-8 without a mark, in no coding.
 */
export function readShortJson(
  recognised: Recognised,
  copy: Copy,
  options: RequestOptions,
): RequestRead | undefined {
  if (copy.bytes.length > SHORT_BYTES || options.wantsText) return undefined
  if (options.mindsStructure !== false) return undefined
  const body = parseBounded(copy.bytes, options.json)
  if (body.kind !== 'whole') return undefined
  const asked = atOnce(askedIn(recognised, copy, body.value))
  const named = new NamedInBody()
  named.addAtOnce(body.value)
  const models = modelsIn(body.value)
  const facts = withNamesAtOnce(modelled(asked.facts, models), copy, named)
  const isTwice = body.duplicateKeys.length > 0 || models.length > 1
  const found = { isTwice, within: false, text: undefined }
  return jsonRead({ ...asked, facts }, copy, body, found)
}

export function* readJson(
  recognised: Recognised,
  copy: Copy,
  body: Whole,
  options: RequestOptions,
): Resting<RequestRead> {
  const { value, duplicateKeys } = body
  const asked = yield* askedIn(recognised, copy, value)
  yield
  const named = new NamedInBody()
  yield* named.add(value)
  const models = modelsIn(value)
  const facts = yield* withNames(modelled(asked.facts, models), copy, named)
  const isTwice = duplicateKeys.length > 0 || models.length > 1
  const words = options.wantsText ? yield* wordsOf(value, copy, body) : undefined
  // Which of two counts is whoever's who reads it, further down as well.
  const fields =
    options.mindsStructure === false
      ? body.keys
      : (words?.fields ?? (yield* fieldsIn(value)))
  const text = words && (yield* words.ended())
  const within = fields !== body.keys
  return jsonRead({ ...asked, facts }, copy, body, { isTwice, within, text })
}

/** By the shape of the body, where its path says nothing of it, or another thing than it is. */
function* askedIn(recognised: Recognised, copy: Copy, value: unknown): Resting<Asked> {
  const facts = yield* factsInSlices(recognised, copy, value)
  const { api } = recognised
  const asked = { recognised, facts, shaped: undefined }
  if (api !== 'other' && facts.messages.length > 0) return asked
  const shaped = recogniseBody(value)
  if (shaped === undefined || shaped.api === api) return asked
  const other = yield* factsInSlices(shaped, copy, value)
  if (api !== 'other' && other.messages.length === 0) return asked
  return { recognised: shaped, facts: other, shaped }
}

function modelled(facts: RequestFacts, models: readonly string[]): RequestFacts {
  if (facts.model !== undefined || models.length === 0) return facts
  return { ...facts, model: models[0] }
}

const TWICE = 'a key of its body stands twice'

/** One object, all of whose fields stand here, since one is made for each request. */
function jsonRead(
  { recognised, shaped, facts }: Asked,
  { long }: Copy,
  { value }: Whole,
  found: {
    readonly isTwice: boolean
    readonly within: boolean
    readonly text: BodyText | undefined
  },
): RequestRead {
  const { isTwice, within, text } = found
  const unknown = recognised.api === 'other' ? 'unknown-api' : undefined
  const notText = text?.unreadDocument === true ? 'not-text' : undefined
  const content = {
    body: value,
    state: 'whole',
    uninspectable: isTwice ? TWICE : undefined,
    unstructured: within && !isTwice ? TWICE : undefined,
    model: facts.model,
    modelsNamed: facts.modelsNamed,
    prompt: facts.promptText,
    words: facts.newestWords,
    long,
    promptChars: facts.promptChars,
    toolsOffered: facts.toolsOffered,
    maxTokens: facts.maxTokens,
    choices: facts.choices,
    tier: facts.tier,
    said: undefined,
    session: undefined,
  } as const
  return { facts, content, unread: unknown ?? notText, text, shaped }
}

function* wordsOf(
  value: unknown,
  { bytes, long }: Copy,
  { keys }: Whole,
): Resting<BodyTextReader> {
  const words = new BodyTextReader(long)
  yield* words.read(value)
  // Of two keys of one name the value has one, and the body both.
  if (words.fields !== keys) yield* addText(words, bytes, true)
  return words
}
