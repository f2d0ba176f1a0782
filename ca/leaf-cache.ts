/**
 * TLS contexts by host name, for the handshake. A hit is synchronous; a miss mints once
 * however many ask, one name each turn of the event loop, so that a burst of new names holds
 * nobody else up.
 *
 * Bounded in truth: a context costs 36 KB outside the JavaScript heap, where the garbage
 * collector does not feel it (8,000 names through 500 places grew RSS by 300 MB). So a full
 * cache does not drop the context that was not used for longest, but writes the new leaf into
 * it, which also costs a quarter of a new one.
 */
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import type { Clock } from '../src/core/clock.js'
import { YoriError } from '../src/core/errors.js'
import { Recent } from '../src/core/recent.js'

/** What the cache needs of an authority. */
export interface LeafSource {
  readonly leafKeyPem: string
  readonly generation: number
  mint(
    name: string,
    nowMs: number,
  ): { leafPem: string; certPem: string; notAfterMs: number }
}

export interface LeafContextsOptions {
  readonly authority: LeafSource
  readonly clock: Clock
  /** Most contexts held: `limits.leaf_contexts`. */
  readonly max: number
  /** Most names being minted at once; further ones are refused. */
  readonly maxPending?: number
  /** For every context: `minVersion`, `ticketKeys`, ... */
  readonly contextOptions?: SecureContextOptions
}

interface Entry {
  readonly context: SecureContext
  /** From here on the leaf is minted anew. */
  readonly staleAtMs: number
}

/** Node's own side of a context, in 20, 22 and 24. It is not documented, so it may be missing. */
interface NativeContext {
  setCert?: (pem: string) => void
}

const RENEW_BEFORE_MS = 3_600_000
const DEFAULT_MAX_PENDING = 1_024

export class LeafContexts {
  readonly #options: LeafContextsOptions
  readonly #cache: Recent<string, Entry>
  readonly #pending = new Map<string, Promise<SecureContext>>()
  /** The last mint that was asked for: the next waits for it. */
  #turn: Promise<void> = Promise.resolve()
  #generation: number
  #minted = 0
  #hits = 0
  #evicted = 0

  constructor(options: LeafContextsOptions) {
    this.#options = options
    this.#generation = options.authority.generation
    this.#cache = new Recent<string, Entry>({ max: options.max })
  }

  /**
   * The context of a canonical host name, when there is a fresh one. Hand it to the handshake
   * in the same turn: later it may be another name's.
   */
  get(name: string): SecureContext | undefined {
    this.#forgetOldAuthority()
    const entry = this.#cache.get(name)
    if (entry === undefined || this.#options.clock.now() >= entry.staleAtMs)
      return undefined
    this.#hits += 1
    return entry.context
  }

  /**
   * The context of a canonical host name, minted when need be; use it at once, as with `get`.
   * Rejects as `Authority.mint` throws, and with YORI_TOO_MANY_CONNECTIONS when too many
   * names wait. A failure is not kept: the next one to ask tries again.
   */
  async contextFor(name: string): Promise<SecureContext> {
    const held = this.get(name)
    if (held !== undefined) return held
    const pending = this.#pending.get(name)
    if (pending !== undefined) {
      this.#hits += 1
      return pending
    }
    if (this.#pending.size >= (this.#options.maxPending ?? DEFAULT_MAX_PENDING))
      throw new YoriError('YORI_TOO_MANY_CONNECTIONS', 'too many new names at once')
    const minted = this.#nextTurn().then(() => this.#mint(name))
    const settled = minted.finally(() => this.#pending.delete(name))
    this.#pending.set(name, settled)
    return settled
  }

  get size(): number {
    return this.#cache.size
  }

  /** Names minted, contexts handed out without minting, names pushed out by the bound. */
  get counters(): { minted: number; hits: number; evicted: number } {
    return { minted: this.#minted, hits: this.#hits, evicted: this.#evicted }
  }

  #nextTurn(): Promise<void> {
    const turn = this.#turn.then(
      () => new Promise<void>((resolve) => setImmediate(resolve)),
    )
    this.#turn = turn
    return turn
  }

  #mint(name: string): SecureContext {
    this.#forgetOldAuthority()
    const { authority, clock, contextOptions } = this.#options
    const nowMs = clock.now()
    const { leafPem, certPem, notAfterMs } = authority.mint(name, nowMs)
    const context =
      rewritten(this.#spare(name), leafPem) ??
      createSecureContext({ ...contextOptions, key: authority.leafKeyPem, cert: certPem })
    // An issuing CA near its end gives short leaves: half their life, not a mint each request.
    const halfway = nowMs + (notAfterMs - nowMs) / 2
    const staleAtMs = Math.max(notAfterMs - RENEW_BEFORE_MS, halfway)
    this.#cache.set(name, { context, staleAtMs })
    this.#minted += 1
    return context
  }

  /** The context that this name had, or when the cache is full the least recently used one. */
  #spare(name: string): SecureContext | undefined {
    const own = this.#cache.peek(name)
    if (own !== undefined) return own.context
    if (this.#cache.size < this.#options.max) return undefined
    this.#evicted += 1
    return this.#cache.pop()?.context
  }

  /** Old contexts carry the old issuing certificate and cannot be written again. */
  #forgetOldAuthority(): void {
    const { generation } = this.#options.authority
    if (generation === this.#generation) return
    this.#generation = generation
    this.#cache.clear()
  }
}

/**
 * The same context with another leaf for the same key; connections that are open keep theirs.
 * The issuing certificate stays beside it from when the context was made. Undefined when this
 * Node cannot.
 */
function rewritten(
  context: SecureContext | undefined,
  leafPem: string,
): SecureContext | undefined {
  if (context === undefined) return undefined
  const native = context.context as NativeContext
  if (typeof native.setCert !== 'function') return undefined
  try {
    native.setCert(leafPem)
    return context
  } catch {
    return undefined
  }
}
