/** What the catalogue and the configuration say of steered hosts and ranges. */
import { loadCatalogue } from '../../../config/catalogue.js'
import { formatProblem } from '../../../config/problem.js'
import type { Config } from '../../../config/schema.js'
import type { LlmElements } from '../../../pf/render-nft-sets.js'
import { tableSettings } from '../../../pf/settings.js'
import { planTable } from '../../../pf/table.js'
import { YoriError } from '../../core/errors.js'
import type { CatalogueEntry } from '../../providers/catalogue.js'

/** @throws YORI_CONFIG_INVALID */
export async function catalogueEntries({
  catalogue,
}: Config): Promise<readonly CatalogueEntry[]> {
  const loaded = await loadCatalogue(catalogue.file)
  if (loaded.kind === 'ok') return loaded.catalogue.entries
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    loaded.problems.map((problem) => formatProblem(problem)).join('\n'),
  )
}

/** Ranges that need no look-up: what the sets hold before YORI has resolved anything. */
export async function fixedElements(config: Config): Promise<LlmElements> {
  const { ranges } = planTable(tableSettings(config), await catalogueEntries(config))
  return {
    inet: ranges.filter((text) => !text.includes(':')),
    inet6: ranges.filter((text) => text.includes(':')),
  }
}
