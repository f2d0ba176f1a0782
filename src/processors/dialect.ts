/** What the ways of speaking to processors have in common. */
import type { Patience } from './patience.js'
import type { Told } from './told.js'
import type { Asked, Introduction, Verdict } from './words.js'

export interface Dialect {
  /** Questions at once, whoever asks. */
  readonly atOnce: number
  /** Connections that the other side has ended so far. */
  readonly losses: number
  /**
   * About one request: its head, then its body, as far as is asked.
   * @throws and rejects with ProcessorFailure
   */
  ask(asked: Asked, patience: Patience): Promise<Verdict>
  /** Of what has happened; its answer changes nothing. Rejects as `ask`. */
  tell(requestId: string, told: Told, patience: Patience): Promise<void>
  /** Nothing more is told of this request. */
  forget(requestId: string): void
  /** Is it there, and who is it? Rejects as `ask`. */
  introduce(patience: Patience): Promise<Introduction>
  /** Ends its connections; what waits fails. */
  close(): void
}
