/**
 * What a row still knows of what was asked, and what it lacks. Its text is searched only once
 * somebody looks at it: few policies do, and it costs more than all the rest.
 */
import type { Listed } from '../audit/where.js'
import { Recent } from '../core/recent.js'
import { atOnce } from '../core/resting.js'
import type { InputFacts, SaidFacts } from '../policy/input.js'
import type { FindingInput } from '../policy/policy.js'
import { BodyTextReader } from '../providers/body-text.js'
import { recognise } from '../providers/index.js'
import type { Unit } from '../providers/body-text.js'
import { SAID_LIMITS, saidOf } from '../proxy/reading/said.js'
import type { Said, SaidLimits } from '../proxy/reading/said.js'
import { count, names, optional, parsed, text } from './recorded-row.js'

type Facts = Pick<
  InputFacts,
  'body' | 'bodyState' | 'model' | 'prompt' | 'promptChars' | 'toolsOffered'
>

export interface RecordedContent {
  readonly facts: Facts
  /** Paths of the input whose values are not held; the same set for the same paths. */
  readonly lacks: ReadonlySet<string>
  /** Its words, not searched; undefined: not all of them are there. */
  readonly said: () => SaidFacts | undefined
  readonly findings: () => readonly FindingInput[]
}

/** All paths that some row lacks. */
export const MAY_LACK = [
  'mcp',
  'calls',
  'request.headers',
  'request.body',
  'request.body_state',
  'request.tools',
  'prompt',
  'prompt_end',
  'prompt_chars',
  'text',
  'said',
  'said_chars',
  'findings',
  'estimate',
] as const

/** A record of names that is as long may have been cut. */
const MOST_NAMES = 24
const CHARS_PER_TOKEN = 4
/** Texts whose reading is kept: agents say the same again and again. */
const MOST_TEXTS = 1024

const TEXT_PATHS = ['text', 'said', 'said_chars'] as const
const NO_FINDINGS: readonly FindingInput[] = []
const nothingSaid = (): undefined => undefined
const nothingFound = (): readonly FindingInput[] => NO_FINDINGS

export function contentOf(row: Listed): RecordedContent {
  const again = fromBody(row)
  if (again !== undefined) return again
  const model = optional(row, 'model')
  const nothing = { body: undefined, bodyState: 'absent', model } as const
  if (count(row, 'request_bytes') === 0) {
    const facts = { prompt: '', promptChars: undefined, toolsOffered: undefined }
    return {
      facts: { ...nothing, ...facts },
      lacks: lacking([['mcp', isMcp(row)]]),
      said: nothingSaid,
      findings: nothingFound,
    }
  }
  const chars = count(row, 'prompt_chars')
  const preview = text(row, 'prompt_preview')
  const tools = names(row, 'tools_offered')
  const tokens = count(row, 'prompt_tokens')
  // The preview is the newest message: all of the prompt when it is as long.
  const isWhole = chars !== undefined && preview.length === chars
  const noted = findingsOf(row)
  const lacks = lacking([
    ['mcp', isMcp(row)],
    ['calls', true],
    ['request.body', true],
    ['request.body_state', true],
    ['prompt', !isWhole],
    ['prompt_end', !isWhole],
    ['findings', noted === undefined && !isWhole],
    ...TEXT_PATHS.map((path) => [path, !isWhole] as const),
    ['request.tools', chars === undefined || tools?.length === MOST_NAMES],
    ['prompt_chars', chars === undefined],
    ['estimate', chars === undefined && tokens === undefined],
  ])
  const estimated = tokens === undefined ? undefined : tokens * CHARS_PER_TOKEN
  const said = isWhole ? () => wordsAlone(preview) : nothingSaid
  return {
    facts: {
      ...nothing,
      prompt: preview,
      promptChars: chars ?? estimated,
      toolsOffered: chars === undefined ? undefined : (tools ?? []),
    },
    lacks,
    said,
    findings: () => noted ?? (isWhole ? foundAlone(preview) : NO_FINDINGS),
  }
}

/** What was called is known from the body alone. */
function isMcp(row: Listed): boolean {
  return text(row, 'provider').startsWith('mcp')
}

const sets = new Map<string, ReadonlySet<string>>()

/** No row has its headers. Few combinations there are: each is one object. */
function lacking(
  paths: readonly (readonly [(typeof MAY_LACK)[number], boolean])[],
): ReadonlySet<string> {
  let key = ''
  for (const [path, isLacking] of paths) if (isLacking) key += `${path} `
  let known = sets.get(key)
  if (known === undefined) {
    known = new Set(`request.headers ${key}`.trimEnd().split(' '))
    sets.set(key, known)
  }
  return known
}

const words = new Recent<string, SaidFacts>({ max: MOST_TEXTS })
const found = new Recent<string, readonly FindingInput[]>({ max: MOST_TEXTS })

/** A prompt that is known and nothing beside it: the person's. */
function wordsAlone(given: string): SaidFacts {
  return kept(words, given, () => atOnce(saidOf(unitsOf(given), undefined, UNSEARCHED)))
}

function foundAlone(given: string): readonly FindingInput[] {
  return kept(found, given, () => atOnce(saidOf(unitsOf(given))).findings)
}

function kept<T extends NonNullable<unknown>>(
  all: Recent<string, T>,
  given: string,
  make: () => T,
): T {
  let known = all.get(given)
  if (known === undefined) {
    known = make()
    all.set(given, known)
  }
  return known
}

function unitsOf(given: string): readonly Unit[] {
  const reader = new BodyTextReader()
  reader.plain(given)
  return reader.end().units
}

/** The dearest part is left out: nobody asks what is in the words. */
const UNSEARCHED = { ...SAID_LIMITS, detector: { find: () => [] } }

/** The body was kept, whole: it is read again. */
function fromBody(row: Listed): RecordedContent | undefined {
  const whole = optional(row, 'request_body')
  if (whole === undefined || Buffer.byteLength(whole) !== count(row, 'request_bytes'))
    return undefined
  try {
    const body: unknown = JSON.parse(whole)
    const path = text(row, 'http_path')
    const host = text(row, 'endpoint_domain')
    const api = recognise({ host, method: text(row, 'http_method'), path })
    if (api === undefined) return undefined
    const { promptText, promptChars, toolsOffered, model } = api.provider.readRequest(
      body,
      { api: api.api, path },
    )
    const prompt = { prompt: promptText, promptChars, toolsOffered }
    return {
      facts: { body, bodyState: 'whole', model, ...prompt },
      lacks: lacking([['mcp', isMcp(row)]]),
      said: once(() => saidIn(body, UNSEARCHED)),
      findings: once(() => saidIn(body, SAID_LIMITS).findings),
    }
  } catch {
    return undefined
  }
}

function saidIn(body: unknown, limits: SaidLimits): Said {
  const reader = new BodyTextReader()
  atOnce(reader.read(body))
  return atOnce(saidOf(reader.end().units, undefined, limits))
}

/** Made when it is asked for, and then the same. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function findingsOf(row: Listed): FindingInput[] | undefined {
  const noted = optional(row, 'findings')
  if (noted === undefined) return undefined
  const counts = parsed(noted)
  if (typeof counts !== 'object' || counts === null) return undefined
  return Object.entries(counts).map(([kind, of]) => ({
    kind,
    count: Number(of),
    who: 'person' as const,
  }))
}
