/** Counts of rows by kind, as the record has three of them. */
export interface Tally {
  connections: number
  exchanges: number
  events: number
}

export const KINDS = ['connections', 'exchanges', 'events'] as const

export const noRows = (): Tally => ({ connections: 0, exchanges: 0, events: 0 })

export const total = (tally: Readonly<Tally>): number =>
  tally.connections + tally.exchanges + tally.events
