/** What a WebSocket that is relayed and read needs. */
import type { Conversations } from '../../conversations/conversations.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { Decider } from '../../policy/decider.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { ByteBudget } from '../bounds/byte-budget.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

export interface WebsocketPort {
  readonly policy: Pick<PolicySnapshot, 'timeouts' | 'promptPreviewChars'>
  readonly deadlines: Deadlines
  readonly held: ByteBudget
  readonly decider: Pick<Decider, 'redacts'>
  readonly catalogue: Catalogue
  readonly conversations: Conversations
}
