/**
 * The phases of one exchange, in the words that code, record and metrics share, and the table
 * of what may happen in each. What waits (a body that is read, policies, a password, whatever
 * looks before the provider does) waits in `held`: another wait is another step there, not
 * another phase. Pure.
 */

export const PHASES = [
  /** Its head is known. */
  'received',
  /** There is room for it, and its head is one that is served. */
  'admitted',
  /** Where a policy may block: nothing goes up yet. */
  'held',
  /** It may go up. */
  'judged',
  /** It is going up; nothing has come back. */
  'sent',
  /** The provider's head has come. */
  'answering',
  /** The protocols were switched: it ends with its sockets. */
  'switched',
  /** What became of it is settled; what is heard later changes nothing. */
  'closed',
] as const

export type Phase = (typeof PHASES)[number]

export interface PhaseRow {
  /** Where it may go on to. */
  readonly next: readonly Phase[]
  /** One that was not judged before is judged on entering, beside the traffic. */
  readonly judges: boolean
  /** A place among the exchanges of its endpoint is taken. */
  readonly holdsPlace: boolean
  /** A request can be sent once more, over a new connection. */
  readonly mayRetry: boolean
  /** What the provider says is passed on. */
  readonly hears: boolean
}

const NOTHING = { judges: false, holdsPlace: false, mayRetry: false, hears: false }
const PLACED = { ...NOTHING, holdsPlace: true }

export const PHASE_TABLE: Readonly<Record<Phase, PhaseRow>> = {
  received: { ...NOTHING, next: ['admitted', 'closed'] },
  admitted: { ...PLACED, next: ['held', 'sent', 'closed'] },
  held: { ...PLACED, next: ['judged', 'closed'] },
  judged: { ...PLACED, next: ['sent', 'closed'] },
  sent: {
    ...{ ...PLACED, mayRetry: true, hears: true },
    next: ['sent', 'answering', 'switched', 'closed'],
  },
  answering: { ...PLACED, hears: true, judges: true, next: ['closed'] },
  switched: { ...PLACED, next: ['closed'] },
  closed: { ...NOTHING, judges: true, next: [] },
}

/** Where one exchange stands. */
export class Course {
  #phase: Phase = 'received'

  get phase(): Phase {
    return this.#phase
  }

  get row(): PhaseRow {
    return PHASE_TABLE[this.#phase]
  }

  /** False, and nothing has changed: from here it does not go there. */
  enter(phase: Phase): boolean {
    if (!this.row.next.includes(phase)) return false
    this.#phase = phase
    return true
  }
}
