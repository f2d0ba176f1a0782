/** The last blocked requests, so that a program can name one by its id alone. Bounded. */
import type { OverrideClaims } from '../policy/override-token.js'

const MAX_BLOCKS = 512

export class RecentBlocks {
  readonly #byId = new Map<string, OverrideClaims>()

  add(claims: OverrideClaims): void {
    const [oldest] = this.#byId.keys()
    if (this.#byId.size >= MAX_BLOCKS && oldest !== undefined) this.#byId.delete(oldest)
    this.#byId.set(claims.requestId, claims)
  }

  find(requestId: string, nowMs: number): OverrideClaims | undefined {
    const claims = this.#byId.get(requestId)
    return claims !== undefined && nowMs < claims.expiresAt ? claims : undefined
  }
}
