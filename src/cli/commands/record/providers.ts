/** `yori providers`: what YORI knows of providers, and whether a file of one's own holds. */
import { Command } from '../../commander.js'
import { loadCatalogue } from '../../../../config/read-catalogue.js'
import { formatProblem } from '../../../../config/problem.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { YoriError } from '../../../core/errors.js'
import type { Catalogue, CatalogueEntry } from '../../../providers/catalogue.js'
import { cell, table } from '../../print-table.js'

export interface ProvidersCommandDeps {
  /** The second catalogue that the configuration at this path names, and its endpoints. */
  readonly settings: (configPath: string | undefined) => {
    readonly file: string | undefined
    readonly endpoints: readonly string[]
  }
  readonly print: (text: string) => void
  /** For tests: milliseconds since the epoch. */
  readonly now?: () => number
}

/** A price that was read longer ago may not hold any more. */
export const STALE_DAYS = 90

interface Flags {
  readonly config?: string
  readonly json?: boolean
}

export function providersCommand(deps: ProvidersCommandDeps): Command {
  const command = new Command('providers').description('what YORI knows of providers')
  common(command.command('list'))
    .description('providers, their hosts and how many models have a price')
    .action((flags: Flags) => list(deps, flags))
  common(command.command('check'))
    .description(
      'whether the catalogue holds, what it does not know, and which prices are old',
    )
    .argument('[file]', 'a second catalogue, instead of catalogue.file')
    .action((file: string | undefined, flags: Flags) => check(deps, file, flags))
  return command
}

const common = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration that names a second catalogue')
    .option('--json', 'for programs')

async function list(deps: ProvidersCommandDeps, flags: Flags): Promise<void> {
  const { entries } = await catalogueAt(deps.settings(flags.config).file)
  if (flags.json === true) return deps.print(`${jsonLine(entries)}\n`)
  const head = ['provider', 'speaks', 'route', 'models', 'priced on', 'hosts']
  for (const line of table(head, entries.map(cells))) deps.print(line)
}

function cells(entry: CatalogueEntry): string[] {
  const days = entry.models.map(({ pricedOn }) => pricedOn).sort()
  return [
    cell(entry.name),
    cell(entry.speaks),
    entry.route,
    String(entry.models.length),
    cell(days[0]),
    printable(entry.hosts.join(' ')),
  ]
}

async function check(
  deps: ProvidersCommandDeps,
  file: string | undefined,
  flags: Flags,
): Promise<void> {
  const settings = deps.settings(flags.config)
  const catalogue = await catalogueAt(file ?? settings.file)
  const { entries } = catalogue
  const models = entries.reduce((sum, entry) => sum + entry.models.length, 0)
  const unknown = settings.endpoints.filter((name) => !knows(catalogue, name))
  const nowMs = deps.now?.() ?? Date.now()
  const stale = entries.flatMap((entry) =>
    catalogue
      .stale(entry, nowMs, STALE_DAYS)
      .map(([pricedOn, prices]) => ({ provider: entry.name, prices, pricedOn })),
  )
  if (flags.json === true)
    return deps.print(
      `${jsonLine({ providers: entries.length, models, unknown, stale })}\n`,
    )
  deps.print(`${entries.length} providers and ${models} prices hold\n`)
  for (const name of unknown)
    deps.print(
      `${printable(name)}: no provider here; read by its paths, at no known cost\n`,
    )
  for (const { provider, prices, pricedOn } of stale)
    deps.print(
      `${printable(provider)}: ${prices} prices are of ${pricedOn}, over ${STALE_DAYS} days ago\n`,
    )
}

/** A pattern is known when the catalogue has it, or any name below it. */
function knows(catalogue: Catalogue, endpoint: string): boolean {
  if (catalogue.entryFor(endpoint.replace(/^\*\./, 'any.')) !== undefined) return true
  return catalogue.entries.some(({ hosts }) => hosts.includes(endpoint))
}

/** @throws YORI_CONFIG_INVALID with every problem, one a line */
async function catalogueAt(file: string | undefined): Promise<Catalogue> {
  const loaded = await loadCatalogue(file)
  if (loaded.kind === 'ok') return loaded.catalogue
  const lines = loaded.problems.map(formatProblem)
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    `the provider catalogue is not valid\n${lines.join('\n')}`,
  )
}
