/** What other gateways know of attempts, PINs and grants: a port, which the fleet serves. */
import type { Grant } from '../policy/state.js'

/** Of this gateway; see `LivePolicyState`. */
export interface GrantsHere {
  readonly current: { readonly grants: readonly Grant[] }
  mint(grant: Grant): void
  spend(grantId: string): void
}

export interface Elsewhere {
  /** Called once: grants are shared from then on. */
  attach(grants: GrantsHere): void
  /**
   * Counts an attempt with all others. What is returned gives the answer, or after a few
   * milliseconds what this gateway alone would say: yes. Neither rejects.
   */
  attempt(device: string, token: string | undefined): () => Promise<boolean>
  succeeded(device: string): void
  /** False: it was used at another gateway. As `attempt`. */
  usePin(id: string): Promise<boolean>
}
