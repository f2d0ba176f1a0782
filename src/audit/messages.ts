/** What the main thread and the worker say to each other, and what the worker is born with. */
import type { PaidAnswer } from '../policy/paid-answers.js'
import type { UsageRow } from '../policy/usage.js'
import type { PruneRequest, Pruned } from './retention.js'
import type { Row } from './tables.js'
import type { Tally } from './tally.js'

/** Rows that are written in one transaction. */
export interface Batch {
  /** Counts up from 1 within a run; the database remembers the last, so none is written twice. */
  readonly sequence: number
  /** Sent once before, to a worker that died: it may be in the database already. */
  readonly again: boolean
  readonly connections: readonly Row[]
  readonly exchanges: readonly Row[]
  readonly events: readonly Row[]
  /** Exchanges without an end yet; it will come in a later batch. */
  readonly open: readonly Row[]
  /** Rows that were written while open, and will not come: request ids. */
  readonly gone: readonly string[]
  /** To rows that are in the database, or in this batch. */
  readonly changes: readonly EncodedChange[]
  /** Of the counters, what has changed: whole values, so that twice is once. */
  readonly usage?: readonly UsageRow[]
  /** Of the answers that are paid for, what has changed: likewise. */
  readonly answers?: readonly PaidAnswer[]
  /** The household's, by whose days connections are counted; undefined is the system's. */
  readonly zone?: string
}

/** Whole values, so that twice is once. */
export type EncodedChange =
  | {
      readonly kind: 'repeated'
      readonly requestId: string
      readonly repeats: number
      readonly marks: string
    }
  /** `row`: values of `answeredColumns`. */
  | { readonly kind: 'answered'; readonly requestId: string; readonly row: Row }
  | {
      readonly kind: 'sent-by'
      readonly requestId: string
      readonly name: string
      readonly folder: string | null
    }

export type ToWorker =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | ({ readonly kind: 'prune' } & PruneRequest)
  | { readonly kind: 'stop' }

/** Why the database cannot be written just now. */
export type Trouble = 'locked' | 'full' | 'unwritable' | 'corrupt' | 'newer' | 'failed'

export type FromWorker =
  | { readonly kind: 'opened' }
  /** `rejected` rows of the batch could not be written by their nature. */
  | {
      readonly kind: 'written'
      readonly sequence: number
      readonly rejected: Readonly<Tally>
      /** Milliseconds of its transaction. */
      readonly tookMs: number
    }
  | { readonly kind: 'troubled'; readonly trouble: Trouble; readonly reason: string }
  | { readonly kind: 'moved-aside'; readonly to: string }
  /** Somebody took the file away, or put another in its place: a new one is written. */
  | { readonly kind: 'replaced' }
  /** `failed` says why the pruning ended early. */
  | { readonly kind: 'pruned'; readonly pruned: Pruned; readonly failed?: string }

export interface WorkerData {
  readonly database: string
  /** Names this run of the process, over all of its workers. */
  readonly run: string
  /** The first worker of a run closes what an earlier run left open. */
  readonly first: boolean
  readonly placeCheckMs: number
}
