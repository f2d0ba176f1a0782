/**
 * Names to addresses, A and AAAA, with a cache that outlives a broken DNS server. Asks the
 * servers it is given, else the system (`/etc/hosts` included). Judges no address: that is the
 * guard's part.
 */
import { lookup as systemLookup, promises as dns } from 'node:dns'
import { canonicalAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { Recent } from '../core/recent.js'

/** Whom it asks, and for how long what they say holds. */
export interface ResolverOptions {
  /** `address` or `address:port`; none: the system's resolver. */
  readonly servers: readonly string[]
  /** How long after its expiry an answer may still be given when a look-up fails. */
  readonly staleMs: number
  /** The longest wait for an answer. */
  readonly timeoutMs: number
  /** Names remembered, the least recently used go first; also how many are asked at once. */
  readonly maxNames: number
  readonly clock: Clock
}

const MIN_TTL_MS = 5_000
const MAX_TTL_MS = 3_600_000
/** The system's resolver tells no TTL. */
const SYSTEM_TTL_MS = 30_000
const NEGATIVE_TTL_MS = 2_000
/** How long one address family waits for the other once it has answers. */
const OTHER_FAMILY_MS = 250
/** Of one name; far more than any provider announces. */
const MAX_ADDRESSES = 64

interface Answer {
  readonly addresses: readonly string[]
  readonly ttlMs: number
}

/** Times are of the monotonic clock. */
interface Remembered {
  readonly addresses: readonly string[]
  readonly freshUntil: number
  readonly staleUntil: number
  /** The last look-up failed: until then nobody asks again. */
  readonly failure: { readonly error: YoriError; readonly until: number } | undefined
}

/**
 * What servers answer holds for its TTL, from 5 s (`MIN_TTL_MS`) to an hour; what the
 * system answers, which tells none, for 30 s; a failure for 2 s. A name is asked for
 * once, however many wait. Of one name the first 64 addresses count.
 */
export class Resolver {
  readonly #options: ResolverOptions
  readonly #servers: dns.Resolver | undefined
  readonly #remembered: Recent<string, Remembered>
  readonly #inFlight = new Map<string, Promise<readonly string[]>>()

  /** @throws YORI_CONFIG_INVALID when a server is no address */
  constructor(options: ResolverOptions) {
    this.#options = options
    this.#remembered = new Recent({ max: options.maxNames })
    this.#servers = options.servers.length === 0 ? undefined : serversOf(options)
  }

  /**
   * Canonical addresses of a canonical name, at least one; from servers IPv4 first, from
   * the system in its order. When nobody answers, those of before, up to `staleMs` after
   * their time.
   * @throws YORI_UPSTREAM_UNRESOLVED, also when `maxNames` look-ups are under way
   */
  async lookup(name: string): Promise<readonly string[]> {
    const now = this.#options.clock.monotonic()
    const known = this.#remembered.get(name)
    if (known !== undefined && now < known.freshUntil) return known.addresses
    if (known?.failure !== undefined && now < known.failure.until)
      return staleOrThrow(known, known.failure.error, now)
    const running = this.#inFlight.get(name)
    if (running !== undefined) return running
    if (this.#inFlight.size >= this.#options.maxNames)
      throw unresolved(name, 'too many look-ups are under way')
    const asking = this.#refresh(name, known).finally(() => this.#inFlight.delete(name))
    this.#inFlight.set(name, asking)
    return asking
  }

  /** Ends what is asked of servers; its callers see YORI_UPSTREAM_UNRESOLVED. */
  close(): void {
    this.#servers?.cancel()
  }

  async #refresh(name: string, old: Remembered | undefined): Promise<readonly string[]> {
    const { clock, staleMs, timeoutMs } = this.#options
    const asking =
      this.#servers === undefined ? askSystem(name) : askServers(this.#servers, name)
    try {
      const { addresses, ttlMs } = await withDeadline(asking, timeoutMs)
      const freshUntil = clock.monotonic() + ttlMs
      const staleUntil = freshUntil + staleMs
      this.#remembered.set(name, {
        addresses,
        freshUntil,
        staleUntil,
        failure: undefined,
      })
      return addresses
    } catch (cause) {
      const now = clock.monotonic()
      const failed: Remembered = {
        addresses: old?.addresses ?? [],
        freshUntil: old?.freshUntil ?? now,
        staleUntil: old?.staleUntil ?? now,
        failure: {
          error: unresolved(name, reasonOf(cause), cause),
          until: now + NEGATIVE_TTL_MS,
        },
      }
      this.#remembered.set(name, failed)
      return staleOrThrow(failed, unresolved(name, reasonOf(cause), cause), now)
    }
  }
}

function staleOrThrow(known: Remembered, error: YoriError, now: number) {
  if (known.addresses.length > 0 && now < known.staleUntil) return known.addresses
  throw error
}

function unresolved(name: string, reason: string, cause?: unknown): YoriError {
  return new YoriError('YORI_UPSTREAM_UNRESOLVED', `${name} did not resolve: ${reason}`, {
    cause,
  })
}

function serversOf(options: ResolverOptions): dns.Resolver {
  const resolver = new dns.Resolver({ timeout: options.timeoutMs, tries: 1 })
  try {
    resolver.setServers(options.servers)
  } catch (cause) {
    const detail = `a DNS server is not address or address:port: ${options.servers.join(', ')}`
    throw new YoriError('YORI_CONFIG_INVALID', detail, { cause })
  }
  return resolver
}

async function askSystem(name: string): Promise<Answer> {
  const found = await new Promise<readonly { address: string }[]>((resolve, reject) => {
    systemLookup(name, { all: true }, (error, all) =>
      error === null ? resolve(all) : reject(error),
    )
  })
  return answer(found.map(({ address }) => ({ address, ttl: SYSTEM_TTL_MS / 1000 })))
}

interface Found {
  readonly address: string
  /** Seconds. */
  readonly ttl: number
}

/** Both families at once; one that is slow or broken does not hold up the other's answers. */
async function askServers(servers: dns.Resolver, name: string): Promise<Answer> {
  const families: Promise<Found[]>[] = [
    servers.resolve4(name, { ttl: true }),
    servers.resolve6(name, { ttl: true }),
  ]
  const found: Found[][] = [[], []]
  const errors: unknown[] = []
  await new Promise<void>((resolve) => {
    let pending = families.length
    let grace: NodeJS.Timeout | undefined
    const settled = (): void => {
      pending--
      if (pending === 0) {
        clearTimeout(grace)
        resolve()
      } else if (found.some((records) => records.length > 0)) {
        grace = setTimeout(resolve, OTHER_FAMILY_MS)
      }
    }
    families.forEach((family, index) => {
      family
        .then((records) => void (found[index] = records))
        .catch((error: unknown) => void errors.push(error))
        .finally(settled)
    })
  })
  const all = found.flat()
  // A family without records says ENODATA; a real fault of the other one tells more.
  if (all.length === 0)
    throw errors.find((error) => codeOf(error) !== 'ENODATA') ?? errors[0]
  return answer(all)
}

function answer(found: readonly Found[]): Answer {
  const addresses = new Set<string>()
  for (const { address } of found.slice(0, MAX_ADDRESSES)) {
    const canonical = canonicalAddress(address)
    if (canonical !== undefined) addresses.add(canonical)
  }
  if (addresses.size === 0) throw Object.assign(new Error('no data'), { code: 'ENODATA' })
  const ttlMs = Math.min(...found.map(({ ttl }) => ttl * 1000))
  return {
    addresses: [...addresses],
    ttlMs: Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlMs)),
  }
}

async function withDeadline<T>(asking: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error('no answer in time'), { code: 'ETIMEOUT' })
    timer = setTimeout(() => reject(error), timeoutMs)
  })
  try {
    return await Promise.race([asking, late])
  } finally {
    clearTimeout(timer)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ENODATA: 'the name has no address',
  ENONAME: 'no such name',
  ETIMEOUT: 'no answer in time',
  EAI_AGAIN: 'no answer for now',
  ESERVFAIL: 'the DNS server failed',
  EREFUSED: 'the DNS server refused to answer',
  ECONNREFUSED: 'no DNS server is there',
  EBADRESP: 'the DNS server answered nonsense',
  EBADNAME: 'no valid name',
  ECANCELLED: 'the look-up was cancelled',
}

function reasonOf(cause: unknown): string {
  const code = codeOf(cause)
  return REASONS[code] ?? (code === '' ? 'the look-up failed' : code)
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}
