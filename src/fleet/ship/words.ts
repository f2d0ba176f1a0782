/** What the daemon and the child that ships say to each other, and what a destination is. */
import type { FeedPiece, FeedPlace } from '../../audit/feed.js'
import type { SinkSettings } from '../sinks/words.js'

/** What a child is born with; secrets among it, so it comes by message. */
export type ShipTask = ServerTask | SinkTask

export interface SinkTask {
  readonly to: SinkSettings['type']
  readonly sink: SinkSettings
  /** Its name. */
  readonly gateway: string
  readonly database: string
  readonly placeFile: string
  /** Of YORI. */
  readonly version: string
}

export interface ServerTask {
  readonly to: 'postgres' | 'clickhouse'
  /** With its name and password, where it has them. */
  readonly url: string
  readonly gateway: string
  /** Read anew at each connection, so that a password can be changed. */
  readonly passwordFile?: string
  /** Roots in the place of the public ones. */
  readonly caFile?: string
  /** The record. */
  readonly database: string
  /** Where a destination that cannot keep our place has it. */
  readonly placeFile: string
}

export interface ShipCounts {
  readonly exchanges: number
  readonly connections: number
  readonly events: number
  /** Statements, or requests, that were acknowledged. */
  readonly batches: number
  /** Times that the server could not be reached or did not take something. */
  readonly failures: number
  /** Rows that the server refuses for what they are. */
  readonly rejected: number
  /** Rows that were pruned before they could be shipped. */
  readonly missed: number
  /** Rows that were deleted there, since they are to be forgotten. */
  readonly forgotten: number
}

export const NO_SHIPPED: ShipCounts = {
  exchanges: 0,
  connections: 0,
  events: 0,
  batches: 0,
  failures: 0,
  rejected: 0,
  missed: 0,
  forgotten: 0,
}

export type ShipState =
  | { readonly kind: 'starting' }
  /** All that is there has been acknowledged, or is on its way. */
  | { readonly kind: 'ok' }
  /** `reason` names no password. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly sinceMs: number }
  | { readonly kind: 'stopped' }

/** What the child tells, once a second at most. */
export interface ShipReport {
  readonly state: ShipState
  readonly counts: ShipCounts
  /** Transactions of the record that are not there yet, and since when the oldest waits. */
  readonly waiting: number
  readonly waitingSinceMs: number | undefined
  /** CPU time of the process that ships. */
  readonly cpuMs?: number
}

export interface Sent {
  readonly exchanges: number
  readonly connections: number
  readonly events: number
  readonly batches: number
  readonly rejected: number
  readonly forgotten: number
}

export interface Destination {
  /**
   * Connects, and brings its tables up to date. Gives how far the record of that name stands
   * there. @throws what the server, or the way to it, says
   */
  open(record: string): Promise<FeedPlace>
  /** Resolves once the server has it for good, with our place behind it. */
  send(piece: FeedPiece): Promise<Sent>
  close(): Promise<void>
}
