/** What a comparison of policies depends on, beside the record: of another, nothing is gone on with. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readPolicyFolder, SHIPPED_POLICIES } from '../../config/policy-files.js'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { PoliciesConfig } from '../assembly/from-config/policy-set.js'
import { keptState } from './recorded-household.js'

export interface DiffQuestion {
  readonly config: Config
  readonly changed: PoliciesConfig
  /** `30d`, `2026-03-01`. */
  readonly since: string
  readonly clock: Clock
}

/**
 * The same for two runs when settings, texts of policies, lists of the household and prices are.
 *
 * @throws YORI_CONFIG_INVALID for a folder of policies that cannot be read
 */
export async function questionOf(options: DiffQuestion): Promise<string> {
  const { config, changed, since, clock } = options
  const { policies, enforcement, audit, inspect, catalogue } = config
  const asked = [since, changed, policies, enforcement, audit.database]
  const hash = createHash('sha256')
  hash.update(JSON.stringify([...asked, inspect.on_uninspectable]))
  const own = [policies.directory, changed.directory].filter((one) => one !== undefined)
  for (const folder of new Set([SHIPPED_POLICIES, ...own])) {
    const read = await readPolicyFolder(folder)
    const texts = [...read.policies, ...read.lib].map(({ name, text }) => [name, text])
    hash.update(JSON.stringify(texts.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))))
  }
  const state = keptState(config, clock.now())
  const { devices, groups, exceptions, rules, known, people, acts } = state
  hash.update(JSON.stringify([devices, groups, exceptions, rules, known, people, acts]))
  // One that cannot be read has no prices, as in the comparison.
  if (catalogue.file !== undefined)
    hash.update(await readFile(catalogue.file, 'utf8').catch(() => ''))
  return hash.digest('hex')
}
