/** What telling requests apart needs, with what those rooms need to which they are led. */
import type { Overrides } from '../../household/overrides.js'
import type { Memory } from '../../learned/memory.js'
import type { TrustLedger } from '../../learned/trust-ledger.js'
import type { ExchangePort } from '../exchange/port.js'
import type { SitePort } from '../site/port.js'
import type { UsersPort } from '../words/known-user.js'

/**
 * Of the generation that serves the request, mostly the newest: it need not be its
 * connection's. A request goes on to an exchange or to our own site, and so do these.
 */
export interface DispatchPort
  extends Omit<ExchangePort, 'memory'>, Omit<SitePort, 'memory'>, UsersPort {
  readonly memory: Pick<Memory, 'accepted'> & ExchangePort['memory'] & SitePort['memory']
  readonly trust: Pick<TrustLedger, 'accepted'>
  readonly overrides: Overrides
}
