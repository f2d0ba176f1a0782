/**
 * What people decide, over several gateways: attempts at passwords count together, a PIN is used
 * once, and a grant that one gateway made holds at all of them within a second. While the server
 * is away each decides for itself; afterwards they are of one mind again.
 */
import type { Elsewhere, GrantsHere } from '../../household/elsewhere.js'
import { ATTEMPT_LIMITS } from '../../policy/attempts.js'
import type { Grant } from '../../policy/state.js'
import type { Reply } from './resp.js'
import { ATTEMPT } from './scripts.js'
import { REFRESH_MS, WAIT_MS } from './shared-counters.js'

/** Grants that stand there at once; more are not shared. */
export const MOST_GRANTS = 512
const MOST_GRANT_CHARS = 2_048
/** That one is gone is known so long after its end. */
const GONE_KEPT_MS = 3_600_000
const PIN_KEPT_S = 31 * 86_400

export interface DecisionsOptions {
  readonly name: string
  readonly id: string
  /** Undefined: the server is away. */
  readonly ask: (args: readonly string[]) => Promise<Reply> | undefined
  /** How far the clock of the server is ahead of ours. */
  readonly skewMs: () => number
  readonly now: () => number
}

/** As it stands there; `until` is by the clock of the server. */
type Kept =
  | { readonly kind: 'grant'; readonly grant: Grant; readonly until: number }
  | { readonly kind: 'gone'; readonly until: number }

export class SharedDecisions implements Elsewhere {
  readonly #options: DecisionsOptions
  /** Grants that were here, with their end: one that is missing was used, or taken back. */
  readonly #had = new Map<string, number>()
  #grants: GrantsHere | undefined
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #serial = 0

  constructor(options: DecisionsOptions) {
    this.#options = options
  }

  attach(grants: GrantsHere): void {
    this.#grants = grants
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), REFRESH_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  attempt(device: string, token: string | undefined): () => Promise<boolean> {
    const { PER_TOKEN, PER_DEVICE, DEVICE_MS, IN_ALL, ALL_MS } = ATTEMPT_LIMITS
    const { id } = this.#options
    const once = `${id} ${++this.#serial} ${this.#options.now()}`
    const asked = this.#ask([
      ...['EVAL', ATTEMPT, '2', this.#key('attempts'), this.#key('cleared')],
      ...[device, token ?? '', once],
      ...[PER_TOKEN, PER_DEVICE, DEVICE_MS, IN_ALL, ALL_MS].map(String),
    ])
    return () => within(asked.then((reply) => reply !== 0))
  }

  succeeded(device: string): void {
    const { ALL_MS } = ATTEMPT_LIMITS
    const script = `local t = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[2])`
    void this.#ask(['EVAL', script, '1', this.#key('cleared'), device, String(ALL_MS)])
  }

  usePin(id: string): Promise<boolean> {
    const asked = this.#ask([
      ...[
        'SET',
        this.#key(`pin:${id}`),
        this.#options.id,
        'NX',
        'EX',
        String(PIN_KEPT_S),
      ],
    ])
    return within(asked.then((reply) => reply !== null))
  }

  /** Once a second: what is here, and what is there. Never rejects. */
  async look(): Promise<void> {
    const here = this.#grants
    if (here === undefined || this.#isLooking) return
    this.#isLooking = true
    const reply = await this.#ask(['HGETALL', this.#key('grants')])
    if (Array.isArray(reply)) this.#compare(here, keptIn(reply as readonly Reply[]))
    this.#isLooking = false
  }

  #compare(here: GrantsHere, there: ReadonlyMap<string, Kept>): void {
    const { now, skewMs } = this.#options
    const nowThere = now() + skewMs()
    const own = new Map(here.current.grants.map((grant) => [grant.id, grant]))
    for (const [id, kept] of there) {
      if (kept.until + GONE_KEPT_MS < nowThere) this.#tell('HDEL', id)
      else if (kept.kind === 'gone') {
        if (own.has(id)) here.spend(id)
        own.delete(id)
      } else if (own.has(id) || kept.until <= nowThere) continue
      else if (this.#had.has(id))
        this.#tell('HSET', id, JSON.stringify({ kind: 'gone', until: kept.until }))
      else {
        const grant = { ...kept.grant, until: kept.until - skewMs() }
        here.mint(grant)
        this.#had.set(id, grant.until)
      }
    }
    let left = MOST_GRANTS - there.size
    for (const [id, grant] of own) {
      this.#had.set(id, grant.until)
      // Digests of what was said are by a key of this machine.
      if (there.has(id) || grant.found !== undefined || grant.until <= now()) continue
      if (left-- <= 0) break
      const kept: Kept = { kind: 'grant', grant, until: grant.until + skewMs() }
      this.#tell('HSET', id, JSON.stringify(kept))
    }
    for (const [id, until] of this.#had)
      if (until + GONE_KEPT_MS < now()) this.#had.delete(id)
  }

  #tell(command: 'HSET' | 'HDEL', ...args: readonly string[]): void {
    void this.#ask([command, this.#key('grants'), ...args])
  }

  /** Undefined: the server is away, or did not take it. */
  async #ask(args: readonly string[]): Promise<Reply | undefined> {
    try {
      return await this.#options.ask(args)
    } catch {
      return undefined
    }
  }

  #key(what: string): string {
    return `{${this.#options.name}}:${what}`
  }
}

/** Others write there, too: what is no grant is passed over. */
function keptIn(items: readonly Reply[]): ReadonlyMap<string, Kept> {
  const kept = new Map<string, Kept>()
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [id, text] = [items[at], items[at + 1]]
    if (typeof id !== 'string' || typeof text !== 'string') continue
    const one = text.length > MOST_GRANT_CHARS ? undefined : keptOf(id, text)
    if (one !== undefined) kept.set(id, one)
  }
  return kept
}

function keptOf(id: string, text: string): Kept | undefined {
  try {
    const { kind, until, grant } = JSON.parse(text) as Record<string, unknown>
    if (typeof until !== 'number' || !Number.isFinite(until)) return undefined
    if (kind === 'gone') return { kind, until }
    if (kind !== 'grant' || typeof grant !== 'object' || grant === null) return undefined
    const given = grant as Record<string, unknown>
    const { policy, once } = given
    if (given['id'] !== id || typeof policy !== 'string' || typeof once !== 'boolean')
      return undefined
    const words = ['ip', 'mac', 'endpoint', 'request'] as const
    const texts = words.flatMap((word): [string, string][] => {
      const value = given[word]
      return typeof value === 'string' ? [[word, value]] : []
    })
    // Without a device it would hold for all of them.
    if (texts.every(([word]) => word !== 'ip' && word !== 'mac')) return undefined
    return {
      kind,
      until,
      grant: { id, policy, once, until, ...Object.fromEntries(texts) },
    }
  } catch {
    return undefined
  }
}

/** Yes, unless the answer is there in time and says no. */
function within(answer: Promise<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(true), WAIT_MS)
    void answer.then((said) => {
      clearTimeout(late)
      resolve(said)
    })
  })
}
