/** Bundles in words: what one is, what it would change, and what that means. Pure. */
import type { Bundle } from '../../../../config/bundles.js'
import {
  actionIn,
  blocks,
  bundleChanges,
  wakened,
} from '../../../../config/bundle-changes.js'
import type { BundleChange } from '../../../../config/bundle-changes.js'
import type { Config } from '../../../../config/schema.js'
import { printable } from '../../../audit/printable.js'
import { CONSENT_RISK } from '../../../policy/consent.js'

export type InForce = 'yes' | 'partly' | 'no'

/** Partly: one of its policies is in force, and something is otherwise. */
export function inForce(bundle: Bundle, config: Config): InForce {
  if (bundleChanges(bundle, config).length === 0) return 'yes'
  const { files } = config.policies
  const some = Object.keys(bundle.policies).some((name) => files[name]?.enabled === true)
  return some ? 'partly' : 'no'
}

/** What it does, policy by policy, and for whom. */
export function bundleText(bundle: Bundle): string {
  const { name, title, about, policies, groups } = bundle
  const action = (policy: string): string =>
    actionIn(bundle, policy) === 'block' ? 'blocks' : 'notes'
  const lines = Object.entries(policies).map(
    ([policy, does]) => `  ${policy} (${action(policy)}): ${does}\n`,
  )
  const whom = Object.entries(groups).map(
    ([group, who]) =>
      `  ${group}: ${who} (yori device group DEVICE ${group}, or yori person set NAME --group ${group})\n`,
  )
  return [
    `${title} (${name}). ${about}\n`,
    ...lines,
    ...(whom.length === 0
      ? []
      : ['For devices in these groups, where it says so:\n', ...whom]),
  ].join('')
}

/** What stands in the file that the bundle leaves alone, and what it wakes. */
export function planText(
  bundle: Bundle,
  config: Config,
  changes: readonly BundleChange[],
): string {
  const { files } = config.policies
  const isSet = (name: string): boolean =>
    changes.some(({ key }) => key.startsWith(`policies.files.${name}.`))
  const kept = Object.keys(files).filter((name) => !isSet(name))
  const woken = wakened(bundle, config)
  const zone = config.enforcement.timezone
  const times =
    zone === undefined
      ? "Hours are those of this system's clock; `enforcement.timezone` names another zone.\n"
      : `Hours are those of ${printable(zone)}.\n`
  return [
    ...changes.map((change) => `  ${changeText(change)}\n`),
    ...(kept.length === 0 ? [] : [`Stays as it is: ${printable(kept.join(', '))}.\n`]),
    ...(woken.length === 0
      ? []
      : [
          `Begins to block, since the file says so already: ${printable(woken.join(', '))}.\n`,
        ]),
    times,
    ...(blocks(bundle) ? [`${CONSENT_RISK}\n`] : []),
  ].join('')
}

function changeText({ key, from, to }: BundleChange): string {
  const was = from === undefined ? '' : `, instead of ${valueText(from)}`
  return `${printable(key)}: ${valueText(to)}${was}`
}

function valueText(value: unknown): string {
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map(valueText).join(', ')
  return printable(typeof value === 'string' ? value : JSON.stringify(value))
}
