/** What the household calls its devices, for tables of them. */
import { existsSync } from 'node:fs'
import type { Config } from '../../../config/schema.js'
import { listsOf } from '../../assembly/from-config/policies.js'
import { PolicyDatabase, policyDatabasePath } from '../../household/policy-database.js'

/** By MAC or address. Empty where nothing is named, or this user may not know. */
export function householdNames(
  config: Config,
  nowMs: number,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { ip, mac, name } of listsOf(config).devices) {
    const id = mac ?? ip
    if (id !== undefined) names.set(id, name)
  }
  const file = policyDatabasePath(config.state_dir)
  if (!existsSync(file)) return names
  try {
    using database = new PolicyDatabase(file)
    const { known, devices } = database.state(nowMs)
    // What `yori device name` says counts before what a list calls it.
    for (const { ip, mac, name } of [...devices, ...known]) {
      const id = mac ?? ip
      if (id !== undefined && name !== undefined) names.set(id, name)
    }
  } catch {
    // Another user's: the addresses tell as much as before.
  }
  return names
}
