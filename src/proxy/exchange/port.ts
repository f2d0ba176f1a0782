/** What an exchange needs, with what the rooms need that it walks through. */
import type { Log } from '../../core/log.js'
import type { Memory } from '../../learned/memory.js'
import type { ProviderClocks } from '../../net/provider-clocks.js'
import type { Upstream } from '../../net/upstream.js'
import type { AccessGate } from '../../policy/access-gate.js'
import type { Decider } from '../../policy/decider.js'
import type { Recognised } from '../../providers/index.js'
import type { ExchangeHead } from '../../providers/provider.js'
import type { AnswerCache } from '../../pools/answer-cache.js'
import type { Admission } from '../bounds/admission.js'
import type { JudgingPort } from '../judging/port.js'
import type { WebsocketPort } from '../websocket/port.js'
import type { Observers } from '../words/observer.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/** Of the generation by which the exchange began, to its end. */
export interface ExchangePort extends JudgingPort, WebsocketPort {
  readonly policy: PolicySnapshot
  readonly log: Log
  /** What keys of ours are good for. */
  readonly keys: JudgingPort['keys'] & Pick<AccessGate, 'holds' | 'request' | 'refuses'>
  /** Who sees exchanges. */
  readonly observers: Observers
  /** What time it is for providers. */
  readonly clocks: Pick<ProviderClocks, 'saw'>
  /** Exchanges under way: `limits.exchanges`, and of each endpoint and device. */
  readonly admission: Admission
  /** Throws nothing: the exchange is its handler. */
  readonly upstream: Pick<Upstream, 'send'>
  /**
   * A provider that asks its client for a certificate cannot be intercepted: remembered.
   */
  readonly memory: Pick<Memory, 'wantsClientCertificate'>
  readonly catalogue: WebsocketPort['catalogue']
  /** Undefined: no answers are kept. */
  readonly answers: AnswerCache | undefined
  readonly overrides: JudgingPort['overrides'] & WebsocketPort['overrides']
  readonly processors: JudgingPort['processors'] & WebsocketPort['processors']
  readonly decider: JudgingPort['decider'] &
    WebsocketPort['decider'] &
    Pick<Decider, 'holdsFor' | 'giveUp'>
  /**
   * The provider at a host and which of its APIs, by method and path; `speaks` says whose a
   * host is that nobody here owns.
   */
  readonly recognise: (head: ExchangeHead, speaks?: string) => Recognised | undefined
}
