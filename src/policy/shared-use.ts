/** What a gateway that is one of several knows of the others: a port, which the fleet serves. */
import type { LocalTime, LocalTimes } from './local-time.js'
import type { DayUse, Subjects, UsageRow, UsageScope } from './use-words.js'

/** What was counted here alone; see `UsageCounters`. */
export interface OwnCounters {
  own(scope: UsageScope, name: string, time: LocalTime): readonly UsageRow[]
  raise(
    scope: UsageScope,
    name: string,
    least: DayUse & { readonly period: string },
  ): void
}

export interface SharedUse {
  /** Called once, before anything is counted. */
  attach(memory: { readonly counters: OwnCounters; readonly times: LocalTimes }): void
  /** Something was counted here, or is asked about for the first time. */
  changed(scope: UsageScope, name: string): void
  /** What others used in a period, beside what was counted here; undefined: nothing known. */
  more(
    scope: UsageScope,
    name: string,
    period: string,
    own: Readonly<DayUse>,
  ): Readonly<DayUse> | undefined
  /**
   * Resolves once the others can know what was counted for these, and what they have counted is
   * known here, or after a few milliseconds; undefined: there is nothing to wait for. Never rejects.
   */
  told(subjects: Subjects): Promise<void> | undefined
}
