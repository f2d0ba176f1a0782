/**
 * What holders of keys of ours may use: models, requests and tokens a minute, dollars a month, of
 * the key itself and of the app, person, group and tags that it is for. Counts and buckets are
 * given, and outlive a reload; what a call used in the end is told here once. Knows no wire.
 */
import type { Clock } from '../core/clock.js'
import type { ErrorCode } from '../core/errors.js'
import { AccessKeys, allowsModel } from './access-keys.js'
import type { AccessKey, AccessLimits, KeyRefusal } from './access-keys.js'
import type { InFlight, View } from './in-flight.js'
import type { LocalTimes } from './local-time.js'
import { TokenBucket } from './token-bucket.js'
import type { UsageCounters } from './usage.js'

/** Whom a limit is for. */
export type SubjectKind = 'key' | 'app' | 'person' | 'group' | 'tag'

export interface SubjectLimits extends AccessLimits {
  readonly kind: SubjectKind
  readonly name: string
}

/** Whoever asks by a key of ours. */
export interface KeyHolder {
  /** Of the key. */
  readonly name: string
  /** Of the key: SHA-256, in base64url. */
  readonly digest: string
  readonly tags: Readonly<Record<string, string>>
  /** As it is counted: `key app`, `person Mia`. */
  readonly subjects: readonly string[]
  readonly limits: readonly SubjectLimits[]
}

export interface AccessRefusal {
  readonly code: Extract<ErrorCode, `YORI_KEY_${string}`>
  readonly detail: string
  /** Seconds until there is room, where time alone makes some. */
  readonly retryAfterS?: number
}

/** Lasts as long as the process. */
export interface AccessMemory {
  readonly counters: UsageCounters
  readonly inFlight: InFlight
  readonly times: LocalTimes
  readonly rates: Map<string, TokenBucket>
  /** Tokens that were taken from the rates before anybody knew: by request. */
  readonly guessed: Map<string, number>
}

export interface AccessGateOptions {
  readonly memory: AccessMemory
  /** The same array as long as nothing has changed. */
  readonly keys: () => readonly AccessKey[]
  /** Of the configuration: for whom keys are. */
  readonly limits: readonly SubjectLimits[]
  readonly zone: string | undefined
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** What is known of a request that is to go up. */
export interface AccessAsked {
  readonly requestId: string
  /** All that it names. */
  readonly models: readonly string[]
  /** It asks a model for work, as far as anybody knows. */
  readonly isWork: boolean
  /** All of its body was read. */
  readonly isWhole: boolean
}

const MICRO = 1_000_000
/** More rates are not kept: keys, and whom they are for, are a thousand each at most. */
const MAX_RATES = 8192
/** Requests whose tokens were guessed and that have not ended. */
const MAX_GUESSED = 100_000
const SHOWN_CHARS = 64

export class AccessGate {
  readonly #options: AccessGateOptions
  #keys: AccessKeys | undefined
  #of: readonly AccessKey[] | undefined

  constructor(options: AccessGateOptions) {
    this.#options = options
  }

  /** False: there are no keys, and nobody need look for one. */
  get hasKeys(): boolean {
    return this.#options.keys().length > 0
  }

  find(given: string): KeyHolder | KeyRefusal {
    const key = this.#current.find(given, this.#options.clock.now())
    return typeof key === 'string' ? key : holderOf(key, this.#options.limits)
  }

  /** What its key would be told now; undefined: it is good still. Asked while a relay lasts. */
  refuses({ digest }: Pick<KeyHolder, 'digest'>): KeyRefusal | undefined {
    return this.#current.refuses(digest, this.#options.clock.now())
  }

  get #current(): AccessKeys {
    const now = this.#options.keys()
    if (this.#keys === undefined || this.#of !== now) {
      this.#keys = new AccessKeys(now)
      this.#of = now
    }
    return this.#keys
  }

  /** Must its request be read before it goes up? */
  holds({ limits }: KeyHolder): boolean {
    return limits.some(
      ({ models, usdPerMonth, tokensPerMinute }) =>
        models.length > 0 || usdPerMonth !== undefined || tokensPerMinute !== undefined,
    )
  }

  /** One more request of this holder: undefined, and it is counted. */
  request({ limits }: KeyHolder): AccessRefusal | undefined {
    return this.#rate(limits, 'requests', 1)
  }

  /** `tokens`: as many as its prompt is likely to have. What it used is told by `ended`. */
  tokens(
    { limits }: KeyHolder,
    requestId: string,
    tokens: number,
  ): AccessRefusal | undefined {
    const { guessed } = this.#options.memory
    if (guessed.has(requestId)) return undefined
    const limited = limits.filter((one) => one.tokensPerMinute !== undefined)
    if (limited.length === 0) return undefined
    // What is more than a minute's would never pass.
    const least = Math.min(...limited.map((one) => one.tokensPerMinute ?? Infinity))
    const wanted = Math.max(1, Math.min(tokens, least))
    const refused = this.#rate(limited, 'tokens', wanted)
    if (refused === undefined && guessed.size < MAX_GUESSED)
      guessed.set(requestId, wanted)
    return refused
  }

  /** May it have this model? */
  model({ limits }: KeyHolder, asked: AccessAsked): AccessRefusal | undefined {
    const listed = limits.filter(({ models }) => models.length > 0)
    if (listed.length === 0) return undefined
    if (asked.isWork && !asked.isWhole)
      return refusal('YORI_KEY_MODEL_REFUSED', 'its model cannot be read for sure')
    if (asked.models.length === 0 && !asked.isWork) return undefined
    const models = asked.models.length === 0 ? [undefined] : asked.models
    for (const model of models)
      for (const one of listed)
        if (!allowsModel(one, model)) {
          const shown =
            model === undefined ? 'a request that names no model' : show(model)
          return refusal('YORI_KEY_MODEL_REFUSED', `${shown} is not for ${textOf(one)}`)
        }
    return undefined
  }

  /** Does anything of this holder's money bound what it may ask for? */
  isBudgeted({ limits }: KeyHolder): boolean {
    return limits.some(({ usdPerMonth }) => usdPerMonth !== undefined)
  }

  /** Is the month's money spent, beside what is in flight or alone? */
  budget(
    { limits }: KeyHolder,
    requestId: string,
    view: View | undefined,
  ): AccessRefusal | undefined {
    const { memory, clock, zone } = this.#options
    const time = memory.times.at(clock.now(), zone)
    for (const one of limits) {
      if (one.usdPerMonth === undefined) continue
      const name = subjectName(one)
      const counted = memory.counters.read('access', name, time)
      const seen = { scope: 'access', name, usage: counted } as const
      const { month } =
        view === undefined ? counted : memory.inFlight.seenBy(requestId, view, seen, time)
      if (month.microUsd + month.atMostMicroUsd < one.usdPerMonth * MICRO) continue
      const usd = one.usdPerMonth.toFixed(2)
      return refusal(
        'YORI_KEY_BUDGET_SPENT',
        `the month's $${usd} of ${textOf(one)} are spent`,
      )
    }
    return undefined
  }

  /** What it used: what was guessed is set right. Call once, at its end. */
  ended(
    { subjects }: Pick<KeyHolder, 'subjects'>,
    requestId: string,
    used: number,
  ): void {
    const { memory, clock } = this.#options
    const guessed = memory.guessed.get(requestId) ?? 0
    memory.guessed.delete(requestId)
    for (const subject of subjects)
      memory.rates.get(`tokens ${subject}`)?.used(used - guessed, clock.monotonic())
  }

  #rate(
    limits: readonly SubjectLimits[],
    what: 'requests' | 'tokens',
    amount: number,
  ): AccessRefusal | undefined {
    const now = this.#options.clock.monotonic()
    const buckets: TokenBucket[] = []
    for (const one of limits) {
      const most = what === 'requests' ? one.requestsPerMinute : one.tokensPerMinute
      if (most === undefined) continue
      const bucket = this.#bucket(`${what} ${subjectName(one)}`, most, now)
      const waitMs = bucket.wait(amount, now)
      if (waitMs > 0)
        return {
          code: 'YORI_KEY_RATE_LIMITED',
          detail: `${most} ${what} a minute are what ${textOf(one)} has`,
          retryAfterS: Math.ceil(waitMs / 1000),
        }
      buckets.push(bucket)
    }
    for (const bucket of buckets) bucket.used(amount, now)
    return undefined
  }

  /** A rate that was changed begins anew. */
  #bucket(name: string, perMinute: number, now: number): TokenBucket {
    const { rates } = this.#options.memory
    const known = rates.get(name)
    if (known?.perMinute === perMinute) return known
    const [oldest] = rates.keys()
    if (rates.size >= MAX_RATES && oldest !== undefined) rates.delete(oldest)
    const bucket = new TokenBucket(perMinute, now)
    rates.set(name, bucket)
    return bucket
  }
}

/** With the limits of all whom a key is for. */
export function holderOf(key: AccessKey, limits: readonly SubjectLimits[]): KeyHolder {
  const { name, app = name, person, group, tags = [] } = key
  const whom: (readonly [SubjectKind, string])[] = [
    ['key', name],
    ['app', app],
    ...(person === undefined ? [] : [['person', person] as const]),
    ...(group === undefined ? [] : [['group', group] as const]),
    ...tags.map((tag) => ['tag', tag] as const),
  ]
  const own: SubjectLimits = { ...key, kind: 'key' }
  const others = limits.filter((one) =>
    whom.some(([kind, of]) => kind === one.kind && of === one.name),
  )
  return {
    name,
    digest: key.digest,
    tags: Object.fromEntries(tags.map(pairOf)),
    subjects: whom.map(([kind, of]) => subjectName({ kind, name: of })),
    limits: [own, ...others],
  }
}

/** `name:value` by its first colon, as clients write tags. */
function pairOf(tag: string): readonly [string, string] {
  const at = tag.indexOf(':')
  return at < 0 ? [tag, ''] : [tag.slice(0, at), tag.slice(at + 1)]
}

export function subjectName({
  kind,
  name,
}: Pick<SubjectLimits, 'kind' | 'name'>): string {
  return `${kind} ${name}`
}

function textOf({ kind, name }: SubjectLimits): string {
  return `the ${kind} ${show(name)}`
}

function show(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, SHOWN_CHARS)
}

function refusal(code: AccessRefusal['code'], detail: string): AccessRefusal {
  return { code, detail }
}
