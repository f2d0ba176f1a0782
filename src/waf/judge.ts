/**
 * One request, judged: a transaction of the engine for all that may block, and one for each piece
 * of text, which gives a score and no block. What is known of a piece is kept: conversations say
 * the same again with each request.
 */
import { createHash } from 'node:crypto'
import { piecesOf, shownOf } from './bodies.js'
import type { EngineRequest, Rules } from './libmodsecurity.js'
import type { RuleAbout, RuleSet } from './rule-set.js'
import { readSaid } from './said.js'
import type { Hit, Said } from './said.js'
import type { WafSettings } from './settings.js'

/** Pieces of text whose score is remembered. */
const MAX_REMEMBERED = 1024
/** Rules that say where, in one row. */
const MAX_PLACES = 11

/**
 * Which content type it has, and that its host is an address: providers take types of their own,
 * and models are served on addresses. These are noted, and do not count towards a block.
 */
export const ADVISORY: ReadonlySet<number> = new Set([920_350, 920_420, 920_470])

/** A request as a processor is shown it. */
export interface JudgedHead {
  readonly method: string
  readonly uri: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface Judgement {
  readonly blocks: boolean
  /** Of what may block; rules by which it is over the threshold included. */
  readonly hits: readonly Hit[]
  readonly score: number
  readonly textHits: readonly Hit[]
  readonly textScore: number
  /** Text that is still to be scored. */
  readonly later: readonly Buffer[]
  readonly isCut: boolean
}

export class Judge {
  readonly set: RuleSet
  readonly #rules: Rules
  readonly #settings: WafSettings
  readonly #codeArguments: ReadonlySet<string>
  readonly #about: ReadonlyMap<number, RuleAbout>
  readonly #known = new Map<string, Said>()

  constructor(
    rules: Rules,
    set: RuleSet,
    about: ReadonlyMap<number, RuleAbout>,
    settings: WafSettings,
  ) {
    this.set = set
    this.#rules = rules
    this.#about = about
    this.#settings = settings
    this.#codeArguments = new Set(settings.codeArguments)
  }

  get ruleCount(): number {
    return this.#about.size
  }

  /** `body`: undefined where there is none, or none is shown. */
  judge(head: JudgedHead, body: Buffer | undefined): Judgement {
    const type = head.headers['content-type']?.[0] ?? ''
    const provider = typeof head.metadata['route_id'] === 'string'
    const bounds = { ...this.#settings, codeArguments: this.#codeArguments }
    const shown = body && shownOf(body, type, provider, bounds)
    const said = readSaid(this.#rules.check(requestOf(head, body, shown?.blocks)))
    const { now, later } = piecesOf(shown?.texts ?? Buffer.alloc(0), this.#settings)
    const scored = now.map((piece) => this.score(piece))
    return {
      blocks: said.isStopped && this.#counts(said),
      hits: said.hits,
      score: said.score,
      textHits: scored.flatMap(({ hits }) => hits),
      textScore: Math.max(0, ...scored.map(({ score }) => score)),
      later,
      isCut: shown?.isCut ?? false,
    }
  }

  /** What a rule stops by itself counts, and a score that is high enough without what is spared. */
  #counts({ hits, score }: Said): boolean {
    const { threshold } = this.#settings
    const spared = hits.filter(({ rule }) => ADVISORY.has(rule))
    const points = spared.map(({ rule }) => this.#about.get(rule)?.points ?? 0)
    const left = points.reduce((sum, some) => sum - some, score)
    return score < threshold || left >= threshold
  }

  /** Of a piece of text. */
  score(piece: Buffer): Said {
    const key = createHash('sha256').update(piece).digest('base64')
    const known = this.#known.get(key)
    if (known !== undefined) {
      this.#known.delete(key)
      this.#known.set(key, known)
      return known
    }
    const said = readSaid(this.#rules.check(textRequest(piece)))
    // What only says that it is over the threshold is no rule about a text.
    const score = { ...said, hits: said.hits.filter(({ rule }) => rule !== OVER) }
    if (this.#known.size >= MAX_REMEMBERED) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(key, score)
    return score
  }

  /** Why, for people. */
  reason({ hits, score }: Pick<Judgement, 'hits' | 'score'>): string {
    const first = hits.find(({ rule }) => !ADVISORY.has(rule)) ?? hits[0]
    if (first === undefined) return `a rule of the firewall stops it (score ${score})`
    const about = this.#about.get(first.rule)?.message || 'a rule of the firewall matches'
    const where = first.where === '' ? '' : ` in ${first.where}`
    return `${about} (rule ${first.rule}${where})`
  }

  /** What stands in the row; nothing where no rule matched. */
  note(judgement: Judgement): {
    readonly ruleIds: readonly string[]
    readonly tags: readonly string[]
    readonly reasons: readonly string[]
  } {
    const { hits, score, textHits, textScore, later, isCut } = judgement
    const all = [...new Set([...hits, ...textHits].map(({ rule }) => rule))]
    if (all.length === 0) return { ruleIds: [], tags: [], reasons: [] }
    const { threshold } = this.#settings
    const places = [
      ...hits
        .filter(({ rule }) => rule !== OVER)
        .map(({ rule, where }) => `${rule} in ${where || 'the request'}`),
      ...new Set(textHits.map(({ rule }) => `${rule} in text`)),
    ]
    return {
      ruleIds: all.map(String),
      tags: this.tagsOf(all),
      reasons: [
        `crs ${this.set.version}`,
        ...(hits.length > 0 ? [`score ${score} of ${threshold}`] : []),
        ...(textHits.length > 0 ? [`text score ${textScore}`] : []),
        ...(later.length > 0 ? ['more text is scored later'] : []),
        ...(isCut ? ['not all of the body was looked at'] : []),
        ...places.slice(0, MAX_PLACES),
      ],
    }
  }

  /** `attack-sqli`, ...: what rules are about. */
  tagsOf(rules: readonly number[]): string[] {
    const tags = rules.flatMap((rule) => this.#about.get(rule)?.tags ?? [])
    return [...new Set(tags.filter((tag) => tag.startsWith('attack-')))]
  }
}

/** The rule that says that the sum is over its threshold. */
export const OVER = 949_110

/** `whole`: what came; `shown`: what of it the engine is given. */
function requestOf(
  { method, uri, headers, metadata }: JudgedHead,
  whole: Buffer | undefined,
  shown: Buffer | undefined,
): EngineRequest {
  // Whom it is for, and how long it is, are not shown: they stand once, as they go up.
  const fields = ['host', textIn(metadata['server_name'], '')]
  for (const [name, values] of Object.entries(headers)) {
    // Bodies are shown without their coding.
    if (name === 'content-encoding' || name === 'host' || name === 'content-length')
      continue
    for (const value of values) fields.push(name, value)
  }
  const length = whole?.length ?? 0
  if (length > 0 || (method !== 'GET' && method !== 'HEAD'))
    fields.push('content-length', String(length))
  const protocol = textIn(metadata['protocol'], 'HTTP/1.1')
  return {
    method,
    uri,
    version: protocol.replace(/^HTTP\//, ''),
    clientAddress: textIn(metadata['client_ip'], '127.0.0.1'),
    clientPort: Number(metadata['client_port'] ?? 0) || 0,
    fields,
    body: shown,
  }
}

function textIn(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function textRequest(piece: Buffer): EngineRequest {
  const body = Buffer.from(JSON.stringify({ text: piece.toString() }))
  const fields = [
    ...['host', 'localhost', 'user-agent', 'yori', 'accept', '*/*'],
    ...['content-type', 'application/json', 'content-length', String(body.length)],
  ]
  const client = { clientAddress: '127.0.0.1', clientPort: 0 }
  return { method: 'POST', uri: '/', version: '1.1', ...client, fields, body }
}
