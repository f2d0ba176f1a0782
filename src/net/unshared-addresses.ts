/**
 * The addresses that serve an endpoint and nothing else: the providers' own ranges, and what
 * the names resolve to that are not known to share their addresses. Looked up when asked; the
 * resolver keeps the answers.
 */
import { canonicalAddress } from '../core/address.js'
import type { Prefixes } from '../core/address.js'
import type { Dialer } from './dial.js'

/** What is known to be the endpoints' own. */
export interface UnsharedAddressesOptions {
  /** Names of endpoints whose addresses nobody else shares; only the first `MAX_NAMES`. */
  readonly names: readonly string[]
  /** Of the providers alone. */
  readonly ranges: Pick<Prefixes, 'has'>
  readonly dialer: Pick<Dialer, 'candidates'>
}

/** Looked up for one address; resolvers have a cache and a deadline of their own. */
export const MAX_NAMES = 64

/** Keeps no answers. Only the first `MAX_NAMES` (64) names count. */
export class UnsharedAddresses {
  readonly names: readonly string[]
  readonly #options: UnsharedAddressesOptions

  constructor(options: UnsharedAddressesOptions) {
    this.#options = options
    this.names = options.names.slice(0, MAX_NAMES)
  }

  /**
   * May look names up, at port 443; one that cannot be is nobody's address. Never
   * rejects.
   */
  async has(text: string): Promise<boolean> {
    const address = canonicalAddress(text) ?? text
    if (this.#options.ranges.has(address)) return true
    const all = await Promise.all(this.names.map((name) => this.#isOf(name, address)))
    return all.includes(true)
  }

  async #isOf(host: string, address: string): Promise<boolean> {
    try {
      const found = await this.#options.dialer.candidates({ host, port: 443 })
      return found.some((one) => canonicalAddress(one.address) === address)
    } catch {
      return false
    }
  }
}
