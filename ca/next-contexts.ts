/**
 * TLS contexts for tests of the staged root. Made once in a while however often somebody asks:
 * any device of the house may. None while no root is staged.
 */
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { Authority } from './authority.js'
import type { NextChain } from './next-chain.js'
import type { Clock } from '../src/core/clock.js'

const KEPT_MS = 5 * 60_000

interface Kept {
  readonly name: string
  /** SHA-256 of the staged root. */
  readonly root: string
  readonly until: number
  /** Undefined when its key cannot be used: not asked again for as long. */
  readonly context: SecureContext | undefined
}

export class NextContexts {
  readonly #authority: Pick<Authority, 'staged'>
  readonly #chain: Pick<NextChain, 'mint'>
  readonly #clock: Clock
  /** There is one name that tests ask for. */
  #kept: Kept | undefined
  #making: Promise<void> | undefined

  constructor(
    authority: Pick<Authority, 'staged'>,
    chain: Pick<NextChain, 'mint'>,
    clock: Clock,
  ) {
    this.#authority = authority
    this.#chain = chain
    this.#clock = clock
  }

  /** What is at hand for a canonical host name under the root that is staged now. */
  get(name: string): SecureContext | undefined {
    return this.#fresh(name)?.context
  }

  async contextFor(name: string): Promise<SecureContext | undefined> {
    const { staged } = this.#authority
    if (staged === undefined) return undefined
    if (this.#fresh(name) === undefined) {
      this.#making ??= this.#make(name, staged.fingerprint).finally(() => {
        this.#making = undefined
      })
      await this.#making
    }
    return this.get(name)
  }

  #fresh(name: string): Kept | undefined {
    const kept = this.#kept
    const isFresh =
      kept?.name === name &&
      kept.root === this.#authority.staged?.fingerprint &&
      kept.until > this.#clock.monotonic()
    return isFresh ? kept : undefined
  }

  async #make(name: string, root: string): Promise<void> {
    const minted = await this.#chain.mint(name)
    const context = minted && createSecureContext({ ...minted, minVersion: 'TLSv1.2' })
    const until = this.#clock.monotonic() + KEPT_MS
    this.#kept = { name, root, until, context }
  }
}
