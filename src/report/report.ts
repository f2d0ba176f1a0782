/**
 * A report: who asked AI services for how long, which, at what cost, what was refused and asked
 * for, and what was not seen. These are its words; how it is read is `gather.ts`, how it is
 * shown `page.ts` and `plain-report.ts`.
 */
import type { CoverageGroup } from '../core/coverage.js'
import type { Topic } from './topics.js'

/** A device as the household knows it; one of `ip` and `mac`. */
export interface HouseholdDevice {
  readonly ip?: string
  readonly mac?: string
  readonly name?: string
  readonly person?: string
  /** Its groups are free of the policy `budget`. */
  readonly isExempt?: boolean
}

/** US dollars a month. */
export interface Budget {
  /** Of each device, by the policy `budget`; undefined: there is none. */
  readonly policyUsd?: number
  /** Of people by their name. */
  readonly people: Readonly<Record<string, number>>
}

/** Times: Unix milliseconds. */
export interface ReportAsked {
  readonly sinceMs: number
  /** Not included. */
  readonly untilMs: number
  /** IANA name; undefined: the system's. */
  readonly timezone?: string
  readonly household: readonly HouseholdDevice[]
  readonly budget: Budget
  /** Only theirs. */
  readonly person?: string
}

export interface Amount {
  /** Calls to a model. */
  readonly messages: number
  /** Minutes of the clock in which there was one. */
  readonly minutes: number
  readonly costUsd: number
  /** Beyond `costUsd`, at most: of answers whose price is known as a bound alone. */
  readonly atMostUsd: number
  /** Answers at a price that is not known. */
  readonly unpriced: number
  readonly blocked: number
}

export interface Counted<Name extends string = string> {
  readonly name: Name
  readonly count: number
}

export interface PersonLine extends Amount {
  readonly name: string
  readonly isPerson: boolean
  readonly devices: readonly string[]
  readonly services: readonly Counted[]
  readonly topics: readonly Counted<Topic>[]
  /** Of the month that the report ends in. */
  readonly budget?: { readonly usd: number; readonly spentUsd: number }
}

export interface Blocked {
  readonly who: string
  readonly policy: string
  readonly reason: string
  readonly count: number
  readonly lastMs: number
}

export interface Asked {
  readonly atMs: number
  readonly who: string
  readonly policy: string
  readonly said: 'yes' | 'no'
  readonly by: string
}

export interface NotSeen {
  /** First day of which connections are counted, whole days alone; null: there are no counts. */
  readonly since: string | null
  /** Connections to any service, as far as they passed here. */
  readonly connections: number
  readonly seen: number
  /** Why, the most frequent first; `says` is for people. */
  readonly reasons: readonly {
    readonly group: CoverageGroup
    readonly reason: string
    readonly says: string
    readonly count: number
  }[]
  /** Exchanges that passed and could not be read. */
  readonly unread: readonly Counted[]
  /** Rows that the record had to drop. */
  readonly dropped: number
}

export interface Report {
  readonly sinceMs: number
  readonly untilMs: number
  readonly timezone: string
  readonly person: string | null
  readonly total: Amount
  readonly people: readonly PersonLine[]
  /** Local days, oldest first, each that there was. */
  readonly days: readonly {
    readonly date: string
    readonly minutes: number
    readonly messages: number
  }[]
  /** Messages by the hour of the local day. */
  readonly hours: readonly number[]
  readonly services: readonly Counted[]
  readonly topics: readonly Counted<Topic>[]
  readonly blocked: readonly Blocked[]
  readonly asked: readonly Asked[]
  readonly notSeen: NotSeen
  /** Limits that were met: the report says less than there was. */
  readonly cut: readonly string[]
}
