/**
 * Everything that rooms of the pipeline are given, in one place: assembly alone knows
 * everybody. Each room says in its `port.ts` what it needs; that all of it is here is what the
 * compiler checks.
 */
import type { Dialer } from '../net/dial.js'
import type { Upstream } from '../net/upstream.js'
import type { Pools } from '../pools/pools.js'
import type { AccessGate } from '../policy/access-gate.js'
import type { Processors } from '../processors/processors.js'
import type { Decider } from '../policy/decider.js'
import type { ConnectionPort } from '../proxy/connection/port.js'
import type { DispatchPort } from '../proxy/dispatch/port.js'
import type { ExchangePort } from '../proxy/exchange/port.js'
import type { SitePort } from '../proxy/site/port.js'

/** Who answers requests: the ways to the providers, or what stands in their place. */
export type Provider = Pick<Upstream, 'send' | 'connections' | 'close' | 'destroy'> &
  Partial<Pick<Upstream, 'look' | 'waiting'>>

/** What assembly itself begins and ends, beside what the rooms ask of it. */
interface Ended {
  readonly dialer: Dialer
  readonly upstream: Provider
  readonly pools: Pools
  readonly keys: AccessGate
  readonly processors: Processors
  readonly decider: Pick<
    Decider,
    'begin' | 'subjects' | 'giveUp' | 'policies' | 'lists' | 'monthly'
  >
}

export type Services = ConnectionPort & DispatchPort & ExchangePort & SitePort & Ended
