/** How much of the month's budget is spent, against the policy `budget` as it is configured. Pure. */
import type { Config } from '../../../config/schema.js'
import type { Device } from '../../core/record.js'
import type { Spent } from '../../policy/usage.js'
import { alertDevice } from './rule.js'
import type { Happened } from './rule.js'

export interface BudgetSettings {
  readonly monthlyUsd: number
  readonly scope: 'device' | 'group'
  /** None: every group. */
  readonly groups: readonly string[]
  readonly exemptGroups: readonly string[]
}

/** What the policy takes when nothing is given: see `config/policies/budget.rego`. */
const DEFAULT_USD = 50
const DEFAULT_EXEMPT = ['admin', 'parent', 'parents', 'adult', 'adults']

/** Undefined: there is no budget. */
export function budgetOf({
  policies,
}: Pick<Config, 'policies'>): BudgetSettings | undefined {
  const policy = policies.files['budget']
  if (policy?.enabled !== true) return undefined
  const { monthly_usd, scope, groups, exempt_groups } = policy.params
  return {
    monthlyUsd: typeof monthly_usd === 'number' ? monthly_usd : DEFAULT_USD,
    scope: scope === 'group' ? 'group' : 'device',
    groups: names(groups) ?? [],
    exemptGroups: names(exempt_groups) ?? DEFAULT_EXEMPT,
  }
}

function names(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
}

export interface Monthly {
  readonly device: Readonly<Spent>
  readonly groups: Readonly<Record<string, Readonly<Spent>>>
}

export interface BudgetAsked {
  readonly device: Device
  readonly monthly: Monthly
  /** `2026-03`. */
  readonly month: string
  readonly percents: readonly number[]
}

/** The highest share that has been reached by whoever the device counts for, once each a month. */
export function aboutBudget(settings: BudgetSettings, asked: BudgetAsked): Happened[] {
  const { monthly, month, percents, device } = asked
  const groups = Object.keys(monthly.groups)
  const isMeant =
    settings.groups.length === 0 || groups.some((name) => settings.groups.includes(name))
  if (!isMeant || groups.some((name) => settings.exemptGroups.includes(name))) return []
  const shares =
    settings.scope === 'device'
      ? [{ name: undefined, spent: monthly.device }]
      : Object.entries(monthly.groups)
          .filter(([name]) => settings.groups.includes(name))
          .map(([name, spent]) => ({ name, spent }))
  return shares.flatMap(({ name, spent }) => {
    const usd = (spent.microUsd + spent.atMostMicroUsd) / 1e6
    const share = settings.monthlyUsd === 0 ? 0 : (usd / settings.monthlyUsd) * 100
    const reached = percents.filter((percent) => share >= percent)
    if (reached.length === 0) return []
    const percent = Math.max(...reached)
    const whose = name === undefined ? '' : ` of the group ${name}`
    return [
      {
        rule: 'budget',
        ...(name === undefined ? { device: alertDevice(device) } : {}),
        policy: 'budget',
        once: `${name ?? ''} ${month} ${percent}`,
        reason: `${percent} % of the month's budget${whose} is spent: $${usd.toFixed(2)} of $${settings.monthlyUsd.toFixed(2)}`,
        metadata: {
          percent,
          month,
          spent_usd: Math.round(usd * 100) / 100,
          budget_usd: settings.monthlyUsd,
          ...(name === undefined ? {} : { group: name }),
        },
      } satisfies Happened,
    ]
  })
}
