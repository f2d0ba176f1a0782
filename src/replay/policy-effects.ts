/**
 * What each policy alone would have done to what was recorded, had it been on and allowed to
 * block: those of the configuration, on or off, and those that ship with YORI, by their
 * defaults. What devices are let past counts for nothing here either.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { readPolicyFolder, SHIPPED_POLICIES } from '../../config/policy-files.js'
import type { Config } from '../../config/schema.js'
import { BadPolicies, loadPolicySet } from '../assembly/from-config/policy-set.js'
import type { LoadedPolicy, PoliciesConfig } from '../assembly/from-config/policy-set.js'
import { openReader } from '../audit/queries.js'
import type { Listed } from '../audit/where.js'
import type { Clock } from '../core/clock.js'
import type { Effect } from '../policy/combine.js'
import { UNCONFIGURED } from '../policy/policy.js'
import { catalogueOf, householdOf } from './recorded-household.js'
import { isSince, MONTH_MS, RECORDED_COLUMNS, Replay } from './recorded-input.js'
import { askedOften } from './asked-policy.js'
import { WhatIf } from './what-if.js'
import type { Side } from './what-if.js'

export interface PolicyEffect {
  readonly name: string
  /** As it is set now: off, or not named at all, is false. */
  readonly enabled: boolean
  /** Rows by what it would have done. */
  readonly block: number
  readonly redact: number
  readonly alert: number
  /** Rows that lack what it looks at, so that nobody can say. */
  readonly unknown: number
  /** By device, the most first. */
  readonly devices: readonly { readonly name: string; readonly count: number }[]
  /** Of the newest on which it would have done something. */
  readonly examples: readonly string[]
  readonly first: string | null
  readonly last: string | null
  /** What it would have said at first. */
  readonly reason: string | null
}

export interface EffectsReport {
  readonly rows: number
  /** Rows of before and after that were not asked about: there were too many. */
  readonly truncated: boolean
  readonly policies: readonly PolicyEffect[]
  /** Policies that could not be loaded, a line each. */
  readonly problems: readonly string[]
}

export interface EffectsOptions {
  readonly config: Config
  readonly sinceMs: number
  readonly clock: Clock
  readonly mostRows: number
  readonly progress: (rows: number) => void
}

const SLICE = 250
const MOST_DEVICES = 100
const SHOWN_DEVICES = 20
const EXAMPLES = 5

/** @throws YORI_AUDIT_UNAVAILABLE, YORI_CONFIG_INVALID for a folder that cannot be read */
export async function policyEffects(options: EffectsOptions): Promise<EffectsReport> {
  const { config, sinceMs, clock, mostRows } = options
  const { loaded, problems } = await everyPolicy(config.policies, clock)
  const household = householdOf(config, clock.now())
  const replay = new Replay({
    ...household,
    catalogue: await catalogueOf(config),
    policies: loaded.map(({ policy }) => policy.name),
  })
  const alone = loaded.map((one) => new Alone(one, config.policies))
  let [seen, rows, isTruncated] = [0, 0, false]
  using reader = openReader(config.audit.database)
  for (const row of reader.each({ sinceMs: sinceMs - MONTH_MS }, RECORDED_COLUMNS)) {
    if (++seen % SLICE === 0) {
      options.progress(seen)
      await turn()
    }
    if (seen > mostRows) {
      isTruncated = true
      break
    }
    if (row['event_type'] === 'request') continue
    const recorded = replay.next(row, isSince(row, sinceMs))
    if (recorded === undefined) continue
    rows++
    const { isPast } = household.about(recorded)
    const request = { ...recorded, uninspectable: false, fixed: [], isPast }
    for (const one of alone) one.ask(row, request)
  }
  const policies = alone.map((one) => one.effect()).sort(byWeight)
  return { rows, truncated: isTruncated, policies, problems }
}

/** One policy beside none. */
class Alone {
  readonly #name: string
  readonly #enabled: boolean
  readonly #whatIf: WhatIf
  readonly #counts: Record<Effect, number> = { allow: 0, alert: 0, redact: 0, block: 0 }
  readonly #devices = new Map<string, number>()
  #examples: string[] = []
  #unknown = 0
  #first: string | null = null
  #last: string | null = null
  #reason: string | null = null

  constructor({ policy }: LoadedPolicy, { files }: PoliciesConfig) {
    const { name } = policy
    this.#name = name
    this.#enabled = files[name]?.enabled ?? false
    const settings = new Map([
      [name, { ...UNCONFIGURED, enabled: true, action: 'block' as const }],
    ])
    const side: Side = {
      policies: [askedOften(policy)],
      settings,
      onUninspectable: 'allow',
    }
    this.#whatIf = new WhatIf({ ...side, policies: [], settings: new Map() }, side)
  }

  ask(row: Listed, request: Parameters<WhatIf['compare']>[0]): void {
    const compared = this.#whatIf.compare(request)
    if (compared.kind === 'same') return
    if (compared.kind === 'unknown') {
      this.#unknown++
      return
    }
    this.#counts[compared.to]++
    const device = String(row['device_hostname'] ?? row['device_mac'] ?? row['device_ip'])
    const isKnown = this.#devices.has(device) || this.#devices.size < MOST_DEVICES
    const name = isKnown ? device : 'others'
    this.#devices.set(name, (this.#devices.get(name) ?? 0) + 1)
    this.#examples = [String(row['request_id']), ...this.#examples].slice(0, EXAMPLES)
    this.#last = String(row['timestamp'])
    this.#first ??= this.#last
    this.#reason ??= compared.reason
  }

  effect(): PolicyEffect {
    const { alert, redact, block } = this.#counts
    const devices = [...this.#devices].map(([name, count]) => ({ name, count }))
    return {
      ...{ name: this.#name, enabled: this.#enabled, block, redact, alert },
      unknown: this.#unknown,
      devices: devices.sort((a, b) => b.count - a.count).slice(0, SHOWN_DEVICES),
      examples: this.#examples,
      ...{ first: this.#first, last: this.#last, reason: this.#reason },
    }
  }
}

function byWeight(a: PolicyEffect, b: PolicyEffect): number {
  const weight = ({ block, redact, alert }: PolicyEffect): number =>
    block + redact + alert
  return weight(b) - weight(a) || (a.name < b.name ? -1 : 1)
}

/** Those of the household as one set; of ours, one that cannot be loaded keeps no other back. */
async function everyPolicy(
  config: PoliciesConfig,
  clock: Clock,
): Promise<{ loaded: readonly LoadedPolicy[]; problems: readonly string[] }> {
  const { directory, files } = config
  const own = directory === undefined ? [] : await namesIn(directory)
  const named = [...new Set([...Object.keys(files), ...own])]
  const shipped = (await namesIn(SHIPPED_POLICIES)).filter((one) => !named.includes(one))
  const sets: PoliciesConfig[] = [
    {
      ...config,
      files: Object.fromEntries(named.map((name) => [name, on(files[name])])),
    },
    ...shipped.map((name): PoliciesConfig => {
      const { directory: _own, ...rest } = config
      return { ...rest, files: { [name]: on(undefined) } }
    }),
  ]
  const loaded: LoadedPolicy[] = []
  const problems: string[] = []
  for (const set of sets) {
    try {
      loaded.push(...(await loadPolicySet(set, clock)).policies)
    } catch (cause) {
      if (!(cause instanceof BadPolicies)) throw cause
      problems.push(...cause.problems)
    }
  }
  return { loaded, problems: [...new Set(problems)] }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readPolicyFolder(directory)).policies.map(({ stem }) => stem)
}

type Setting = PoliciesConfig['files'][string]

function on(setting: Setting | undefined): Setting {
  return { ...UNNAMED, ...setting, enabled: true }
}

const UNNAMED: Setting = {
  enabled: true,
  action: 'block',
  fail_mode: 'open',
  order: 100,
  params: {},
}
