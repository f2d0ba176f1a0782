/** What telling requests apart needs, with what those rooms need to which they are led. */
import type { Overrides } from '../../household/overrides.js'
import type { Memory } from '../../learned/memory.js'
import type { ToolPins } from '../../learned/tool-pins.js'
import type { TrustLedger } from '../../learned/trust-ledger.js'
import type { AccessGate } from '../../policy/access-gate.js'
import type { Pools } from '../../pools/pools.js'
import type { Decider } from '../../policy/decider.js'
import type { ExchangePort } from '../exchange/port.js'
import type { SitePort } from '../site/port.js'
import type { UsersPort } from '../words/known-user.js'

/**
 * Of the generation that serves the request, mostly the newest: it need not be its
 * connection's. A request goes on to an exchange or to our own site, and so do these.
 */
export interface DispatchPort
  extends
    Omit<ExchangePort, 'memory' | 'keys' | 'decider'>,
    Omit<SitePort, 'memory'>,
    UsersPort {
  readonly memory: Pick<Memory, 'accepted'> & ExchangePort['memory'] & SitePort['memory']
  readonly trust: Pick<TrustLedger, 'accepted'>
  /** How tools of MCP servers described themselves. */
  readonly toolPins: Pick<ToolPins, 'saw' | 'changed' | 'accept'>
  readonly overrides: Overrides
  readonly decider: ExchangePort['decider'] &
    Pick<Decider, 'isGoverned' | 'approved' | 'markKey' | 'spend'>
  readonly keys: ExchangePort['keys'] & Pick<AccessGate, 'hasKeys' | 'find'>
  /** Of doors that have several targets, by the name of the door. */
  readonly pools: Pick<Pools, 'find'>
  /** Undefined: there is no control plane. */
  readonly openAnswers: () => OpenAnswers | undefined
}

/**
 * What the control plane answers to programs of this machine at the listener of a gateway;
 * undefined: it answers nothing at that path.
 */
export type OpenAnswers = (asked: {
  readonly verb: string
  readonly path: string
  readonly host: string | undefined
  readonly from: string | undefined
  readonly origin?: string | undefined
  readonly site?: string | undefined
}) => Promise<
  | {
      readonly status: number
      readonly fields: Readonly<Record<string, string>>
      readonly body: string
    }
  | undefined
>
