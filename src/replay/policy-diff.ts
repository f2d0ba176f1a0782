/**
 * What a change of the policies would have done to what was recorded. Every row is asked about
 * twice, by the policies of now and by the changed ones, as if blocking were on. Works on the
 * files alone, whether YORI runs or not.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Config } from '../../config/schema.js'
import { openReader } from '../audit/queries.js'
import { parseSince } from '../audit/since.js'
import type { Listed } from '../audit/where.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { settingsOf } from '../assembly/from-config/policies.js'
import type { Effect } from '../policy/combine.js'
import { askedOften } from './asked-policy.js'
import { questionOf } from './diff-question.js'
import type { DiffQuestion } from './diff-question.js'
import { WhatIf } from './what-if.js'
import type { Comparison, RecordedRequest, Side } from './what-if.js'
import { loadPolicySet } from '../assembly/from-config/policy-set.js'
import type { PoliciesConfig } from '../assembly/from-config/policy-set.js'
import { catalogueOf, householdOf } from './recorded-household.js'
import {
  isSince,
  looksBack,
  MONTH_MS,
  RECORDED_COLUMNS,
  Replay,
} from './recorded-input.js'
import type { RecordedInput } from './recorded-input.js'

export interface Flips {
  readonly device: string
  readonly policy: string
  readonly from: Effect
  readonly to: Effect
  count: number
  readonly first: string
  last: string
  /** Of the first. */
  readonly reason: string
}

export interface DiffReport {
  readonly rows: number
  readonly same: number
  readonly flipped: number
  /** Rows that lack what a policy looks at, so that nobody can say. */
  readonly unknown: number
  /** By policy: in how many of these rows it could not be asked. */
  readonly unknownBy: Readonly<Record<string, number>>
  readonly flips: readonly Flips[]
  readonly interrupted: boolean
  readonly milliseconds: number
}

export interface DiffOptions extends DiffQuestion {
  readonly interrupted: () => boolean
  /** Of all rows, those of before that are only counted among them. */
  readonly progress: (rows: number, all: number) => void
  /** Where another run of the same question was interrupted. */
  readonly goOn?: DiffPlace | undefined
}

/** Where it was interrupted, and what was found until then: JSON. */
export interface DiffPlace {
  readonly question: string
  readonly sinceMs: number
  /** The `id` of the last row that was looked at. */
  readonly after: number
  readonly found: TallyState
}

/** Rows between two looks at the clock, the keyboard and others' work. */
const SLICE = 250
/** Devices and policies that are told apart. */
const MAX_FLIPS = 10_000

/** @throws YORI_CONFIG_INVALID, YORI_AUDIT_UNAVAILABLE */
export async function diffPolicies(
  options: DiffOptions,
): Promise<DiffReport & { readonly place?: DiffPlace }> {
  const { config, changed, clock, since } = options
  const startedAt = clock.monotonic()
  const question = await questionOf(options)
  const goOn = options.goOn?.question === question ? options.goOn : undefined
  const sinceMs =
    goOn?.sinceMs ?? parseSince(since, clock.now(), config.enforcement.timezone)
  if (sinceMs === undefined) {
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `--since ${since} is neither 30d nor a date`,
    )
  }
  const sides = await sidesOf(config, changed, clock)
  const household = householdOf(config, clock.now())
  const counts = looksBack([...sides.old.policies, ...sides.new.policies])
  const replay = new Replay({
    ...household,
    counts,
    catalogue: await catalogueOf(config),
    policies: [...new Set([...sides.old.policies, ...sides.new.policies])].map(
      ({ name }) => name,
    ),
  })
  const whatIf = new WhatIf(sides.old, sides.new)
  const tally = new Tally(goOn?.found)
  let seen = 0
  let isInterrupted = false
  using reader = openReader(config.audit.database)
  // Counters of the month are to be right on the first day that is asked about.
  const filter = { sinceMs: counts ? sinceMs - MONTH_MS : sinceMs }
  const passed = goOn?.after ?? 0
  const all = reader.count(filter)
  let last = passed
  for (const row of reader.each(filter, RECORDED_COLUMNS, counts ? 0 : passed)) {
    if (++seen % SLICE === 0) {
      await turn()
      options.progress(seen, all)
      isInterrupted = options.interrupted()
      if (isInterrupted) break
    }
    const id = Number(row['id'])
    last = Math.max(last, id)
    if (row['event_type'] === 'request') continue
    const recorded = replay.next(row, id > passed && isSince(row, sinceMs))
    if (recorded === undefined) continue
    tally.add(row, whatIf.compare(asked(recorded, household.about(recorded))))
  }
  const milliseconds = Math.round(clock.monotonic() - startedAt)
  return {
    ...{ ...tally.report(), interrupted: isInterrupted, milliseconds },
    ...(isInterrupted
      ? { place: { question, sinceMs, after: last, found: tally.state() } }
      : {}),
  }
}

/** What the record lacks is worked out for policies that look at its content alone. */
function asked(
  recorded: RecordedInput,
  { fixed, isPast }: Pick<RecordedRequest, 'fixed' | 'isPast'>,
): RecordedRequest {
  const { input, nowMs, uninspectable } = recorded
  const lacks = (): ReadonlySet<string> => recorded.lacks
  return {
    ...{ input, nowMs, uninspectable, fixed, isPast },
    get lacks() {
      return lacks()
    },
  }
}

/** The two sets; a policy that is the same in both is one object. */
async function sidesOf(
  config: Config,
  changed: PoliciesConfig,
  clock: Clock,
): Promise<{ old: Side; new: Side }> {
  const before = await loadPolicySet(config.policies, clock)
  const after = await loadPolicySet(changed, clock)
  const known = new Map(
    before.policies.map((one) => [one.identity, askedOften(one.policy)]),
  )
  const onUninspectable = config.inspect.on_uninspectable
  return {
    old: {
      policies: [...known.values()],
      settings: settingsOf(config),
      onUninspectable,
    },
    new: {
      policies: after.policies.map(
        ({ identity, policy }) => known.get(identity) ?? askedOften(policy),
      ),
      settings: settingsOf({ policies: changed }),
      onUninspectable,
    },
  }
}

interface TallyState {
  readonly rows: number
  readonly same: number
  readonly unknown: number
  readonly unknownBy: readonly (readonly [string, number])[]
  readonly flips: readonly (readonly [string, Flips])[]
}

class Tally {
  #rows: number
  #same: number
  #unknown: number
  readonly #unknownBy: Map<string, number>
  readonly #flips: Map<string, Flips>

  constructor(state?: TallyState) {
    this.#rows = state?.rows ?? 0
    this.#same = state?.same ?? 0
    this.#unknown = state?.unknown ?? 0
    this.#unknownBy = new Map(state?.unknownBy)
    this.#flips = new Map(state?.flips)
  }

  state(): TallyState {
    return {
      ...{ rows: this.#rows, same: this.#same, unknown: this.#unknown },
      ...{ unknownBy: [...this.#unknownBy], flips: [...this.#flips] },
    }
  }

  add(row: Listed, compared: Comparison): void {
    this.#rows++
    switch (compared.kind) {
      case 'same':
        this.#same++
        return
      case 'unknown':
        this.#unknown++
        for (const policy of compared.policies) {
          this.#unknownBy.set(policy, (this.#unknownBy.get(policy) ?? 0) + 1)
        }
        return
      case 'flip':
        return this.#flip(row, compared)
    }
  }

  report(): Omit<DiffReport, 'interrupted' | 'milliseconds'> {
    const flips = [...this.#flips.values()].sort((a, b) => b.count - a.count)
    return {
      rows: this.#rows,
      same: this.#same,
      flipped: flips.reduce((sum, { count }) => sum + count, 0),
      unknown: this.#unknown,
      unknownBy: Object.fromEntries([...this.#unknownBy].sort()),
      flips,
    }
  }

  #flip(
    row: Listed,
    { from, to, policy, reason }: Extract<Comparison, { kind: 'flip' }>,
  ) {
    const name = row['device_hostname'] ?? row['device_mac'] ?? row['device_ip']
    const device = this.#flips.size < MAX_FLIPS ? String(name) : 'others'
    const key = JSON.stringify([device, policy, from, to])
    const last = String(row['timestamp'])
    const known = this.#flips.get(key)
    if (known === undefined) {
      this.#flips.set(key, {
        device,
        policy,
        from,
        to,
        count: 1,
        first: last,
        last,
        reason,
      })
      return
    }
    known.count++
    known.last = last
  }
}
