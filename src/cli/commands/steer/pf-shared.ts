/** What the commands of `yori pf` share: where they print, and what the catalogue says. */
import { loadCatalogue } from '../../../../config/read-catalogue.js'
import { formatProblem } from '../../../../config/problem.js'
import type { Config } from '../../../../config/schema.js'
import type { LlmElements } from '../../../../pf/render-nft-sets.js'
import { tableSettings } from '../../../../pf/settings.js'
import { planTable } from '../../../../pf/table.js'
import type { SteerProblem } from '../../../../pf/rules.js'
import { YoriError } from '../../../core/errors.js'
import type { CatalogueEntry } from '../../../providers/catalogue.js'
import { EXIT } from '../../exit.js'

export interface PfCommandDeps {
  readonly config: (path: string | undefined) => Config
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  /** Sets the exit code of the process. */
  readonly exit: (code: number) => void
}

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

export function refuse(
  deps: PfCommandDeps,
  problems: readonly SteerProblem[],
  { json }: { readonly json?: true },
): void {
  if (json) deps.print(`${JSON.stringify({ problems })}\n`)
  else
    for (const { key, wrong, right } of problems)
      deps.note(`${key}: ${wrong}; ${right}\n`)
  deps.exit(EXIT.config)
}
