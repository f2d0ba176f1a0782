/**
 * `yori policy suggest`: which of the ready-made policies the household's own history calls
 * for. Each is asked, with its defaults, about what was recorded; one that would have spoken
 * often enough is proposed, with when, on which device and why. What people wrote is not
 * told.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Config } from '../../../../config/schema.js'
import { openReader } from '../../../audit/queries.js'
import { parseSince } from '../../../audit/since.js'
import type { Listed } from '../../../audit/where.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import { looksAt } from '../../../policy/rego-reads.js'
import { loadPolicySet } from '../../../assembly/from-config/policy-set.js'
import type {
  LoadedPolicy,
  PoliciesConfig,
} from '../../../assembly/from-config/policy-set.js'
import { askedOften } from '../../../replay/asked-policy.js'
import type { AskedPolicy } from '../../../replay/asked-policy.js'
import { catalogueOf, householdOf } from '../../../replay/recorded-household.js'
import {
  isSince,
  MONTH_MS,
  RECORDED_COLUMNS,
  Replay,
} from '../../../replay/recorded-input.js'
import type { RecordedInput } from '../../../replay/recorded-input.js'

export interface Suggestion {
  readonly policy: string
  readonly description: string
  /** Requests on which it would have spoken, and those it would have denied. */
  readonly requests: number
  readonly denied: number
  readonly days: number
  /** By device, the most first. */
  readonly devices: readonly { readonly name: string; readonly count: number }[]
  readonly first: string
  readonly last: string
  /** What it would have said the most often. */
  readonly reason: string
  /** Rows that did not hold what it looks at. */
  readonly unknown: number
}

export interface SuggestReport {
  readonly rows: number
  readonly suggestions: readonly Suggestion[]
  /** Configured already, and on. */
  readonly inForce: readonly string[]
}

/** Those that say something sensible without being told anything. */
const CANDIDATES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  bedtime: {},
  high_usage: {},
  privacy: {},
  homework_helper: {},
  cost_limit: { daily_usd: 1 },
  budget: {},
  prompt_length: {},
  tool_guard: {},
  agent_governor: {},
}

/** Less often than this is no habit; a denial for privacy is enough alone. */
const LEAST_REQUESTS = 3
const SLICE = 250
const MAX_DEVICES = 1000

export interface SuggestOptions {
  readonly config: Config
  readonly since: string
  readonly clock: Clock
  readonly interrupted: () => boolean
}

/** @throws YORI_CONFIG_INVALID, YORI_AUDIT_UNAVAILABLE */
export async function suggestPolicies(options: SuggestOptions): Promise<SuggestReport> {
  const { config, since, clock } = options
  const sinceMs = parseSince(since, clock.now(), config.enforcement.timezone)
  if (sinceMs === undefined) {
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `--since ${since} is neither 30d nor a date`,
    )
  }
  const { files } = config.policies
  const inForce = Object.keys(CANDIDATES).filter((name) => files[name]?.enabled === true)
  const { policies } = await loadPolicySet(candidates(config.policies, inForce), clock)
  const household = householdOf(config, clock.now())
  const names = policies.map(({ policy }) => policy.name)
  const catalogue = await catalogueOf(config)
  const replay = new Replay({ ...household, catalogue, policies: names })
  const cases = policies.map((loaded) => new Case(loaded))
  let seen = 0
  let rows = 0
  using reader = openReader(config.audit.database)
  for (const row of reader.each({ sinceMs: sinceMs - MONTH_MS }, RECORDED_COLUMNS)) {
    if (++seen % SLICE === 0) {
      await turn()
      if (options.interrupted()) break
    }
    if (row['event_type'] === 'request') continue
    const recorded = replay.next(row, isSince(row, sinceMs))
    if (recorded === undefined) continue
    rows++
    for (const one of cases) one.look(row, recorded)
  }
  const suggestions = cases
    .map((one) => one.suggestion())
    .filter((one) => one !== undefined)
    .sort((a, b) => b.requests - a.requests)
  return { rows, suggestions, inForce }
}

/** Those that come with YORI. */
function candidates(
  config: PoliciesConfig,
  inForce: readonly string[],
): Omit<PoliciesConfig, 'bundle'> {
  const setting = {
    enabled: true,
    action: 'block',
    fail_mode: 'open',
    order: 100,
  } as const
  const files = Object.entries(CANDIDATES)
    .filter(([name]) => !inForce.includes(name))
    .map(([name, params]) => [name, { ...setting, params }] as const)
  return { default: config.default, files: Object.fromEntries(files) }
}

class Case {
  readonly #loaded: LoadedPolicy
  readonly #asked: AskedPolicy
  readonly #devices = new Map<string, number>()
  readonly #days = new Set<string>()
  readonly #reasons = new Map<string, number>()
  #requests = 0
  #denied = 0
  #unknown = 0
  #first = ''
  #last = ''

  constructor(loaded: LoadedPolicy) {
    this.#loaded = loaded
    this.#asked = askedOften(loaded.policy)
  }

  look(row: Listed, { input, nowMs, lacks }: RecordedInput): void {
    const { policy } = this.#loaded
    if ([...lacks].some((path) => looksAt(policy.reads, path))) {
      this.#unknown++
      return
    }
    const opinion = this.#asked.judge(input, { nowMs })
    if (opinion?.kind !== 'deny' && opinion?.kind !== 'alert') return
    const at = String(row['timestamp'])
    this.#requests++
    if (opinion.kind === 'deny') this.#denied++
    if (this.#first === '') this.#first = at
    this.#last = at
    this.#days.add(input.context.date)
    const name = input.device.name ?? input.device.hostname ?? input.device.ip
    count(this.#devices, name)
    count(this.#reasons, opinion.message ?? `policy ${policy.name}`)
  }

  suggestion(): Suggestion | undefined {
    const { policy } = this.#loaded
    const grave = policy.name === 'privacy' && this.#denied > 0
    if (this.#requests < LEAST_REQUESTS && !grave) return undefined
    const [reason = ''] = byCount(this.#reasons).map(({ name }) => name)
    return {
      policy: policy.name,
      description: policy.description,
      requests: this.#requests,
      denied: this.#denied,
      days: this.#days.size,
      devices: byCount(this.#devices),
      first: this.#first,
      last: this.#last,
      reason,
      unknown: this.#unknown,
    }
  }
}

function count(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < MAX_DEVICES ? name : 'others'
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function byCount(counts: ReadonlyMap<string, number>): { name: string; count: number }[] {
  return [...counts]
    .map(([name, of]) => ({ name, count: of }))
    .sort((a, b) => b.count - a.count)
}
