/** What reading a request and its answer needs. */
import type { Clock } from '../../core/clock.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { Decider } from '../../policy/decider.js'
import type { PaidAnswers } from '../../policy/paid-answers.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { Observers } from '../words/observer.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/**
 * What bounds reading (`policy`), whether anybody wants it (`decider`), and who is told.
 */
export interface ReadingPort {
  readonly policy: Pick<
    PolicySnapshot,
    'json' | 'promptPreviewChars' | 'bodies' | 'coding'
  >
  readonly decider: Pick<
    Decider,
    'redacts' | 'readsText' | 'readsFindings' | 'mindsStructure' | 'detector'
  >
  readonly catalogue: Catalogue
  /** Where a request belongs: sessions, and calls of tools that are answered later. */
  readonly conversations: Conversations
  /** In which row an answer is paid that is told of more than once. */
  readonly paidAnswers: PaidAnswers
  readonly clock: Clock
  readonly observers: Pick<Observers, 'requestRead' | 'responseRead'>
}
