/** What a report is told of the household: whose devices they are, and their budgets. Pure. */
import type { Config } from '../../config/schema.js'
import { budgetOf } from '../alerts/rules/budget.js'
import type { PolicyState } from '../policy/state.js'
import type { Budget, HouseholdDevice } from './report.js'

export interface ReportHousehold {
  readonly household: readonly HouseholdDevice[]
  readonly budget: Budget
}

export function reportHousehold(
  config: Config,
  { devices, known, people }: Pick<PolicyState, 'devices' | 'known' | 'people'>,
): ReportHousehold {
  const settings = budgetOf(config)
  const groupOf = new Map(people.map(({ name, group }) => [name, group]))
  const isExempt = (groups: readonly (string | undefined)[]): boolean => {
    if (settings === undefined) return false
    const { groups: meant, exemptGroups } = settings
    const isIn = (list: readonly string[]): boolean =>
      groups.some((group) => group !== undefined && list.includes(group))
    return isIn(exemptGroups) || (meant.length > 0 && !isIn(meant))
  }
  const place = ({ ip, mac, name }: HouseholdDevice): HouseholdDevice => ({
    ...(ip === undefined ? {} : { ip }),
    ...(mac === undefined ? {} : { mac }),
    ...(name === undefined ? {} : { name }),
  })
  const listed = devices.map((device) => ({
    ...place(device),
    isExempt: isExempt([device.group]),
  }))
  // What `yori device` says counts before what a list says.
  const named = known.map((device) => {
    const { person, group } = device
    const groups = [group, person, person === undefined ? undefined : groupOf.get(person)]
    return {
      ...place(device),
      ...(person === undefined ? {} : { person }),
      isExempt: isExempt(groups),
    }
  })
  const budgets = people.flatMap(({ name, usd }) =>
    usd === undefined ? [] : [[name, usd] as const],
  )
  const policyUsd = settings?.scope === 'device' ? settings.monthlyUsd : undefined
  return {
    household: [...listed, ...named],
    budget: {
      people: Object.fromEntries(budgets),
      ...(policyUsd === undefined ? {} : { policyUsd }),
    },
  }
}
