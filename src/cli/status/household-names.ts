/** What the household calls its devices, for tables of them. */
import { listedId } from '../../core/device-id.js'
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
  for (const listed of listsOf(config).devices) {
    const id = listedId(listed)
    if (id !== undefined) names.set(id, listed.name)
  }
  const file = policyDatabasePath(config.state_dir)
  if (!existsSync(file)) return names
  try {
    using database = new PolicyDatabase(file)
    const { known, devices } = database.state(nowMs)
    // What `yori device name` says counts before what a list calls it.
    for (const listed of [...devices, ...known]) {
      const id = listedId(listed)
      if (id !== undefined && listed.name !== undefined) names.set(id, listed.name)
    }
  } catch {
    // Another user's: the addresses tell as much as before.
  }
  return names
}
