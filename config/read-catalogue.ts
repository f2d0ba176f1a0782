/**
 * Reads the provider catalogue: `config/providers.yaml` of the package, and over it the
 * operator's own file of the same form. Says every problem with file and line; with a problem
 * in the operator's file the package's alone is no fallback, so that nothing is half known.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../src/core/package-root.js'
import { Catalogue } from '../src/providers/catalogue.js'
import type { CatalogueEntry, CatalogueModel } from '../src/providers/catalogue.js'
import type { ClientMark } from '../src/providers/client-marks.js'
import type { TokenPrices } from '../src/providers/cost.js'
import { providerNamed } from '../src/providers/index.js'
import { checkNode } from './check-node.js'
import { withDefaults } from './defaults.js'
import { formatKey } from './problem.js'
import type { Path, Problem } from './problem.js'
import { readValue } from './read-values.js'
import { readYaml } from './read-yaml.js'
import { catalogueSchema } from './schema-catalogue.js'
import type { CatalogueFile, ModelItem, ProviderItem } from './schema-catalogue.js'
import { whyUnread } from './why-unread.js'

export const CATALOGUE_FILE: string = packageFile('config', 'providers.yaml')

/**
 * The same as JSON, which the build writes beside this module: parsing the YAML would hold
 * the event loop for tens of milliseconds. Run from source, there is none.
 */
const COMPILED_FILE = fileURLToPath(new URL('providers.json', import.meta.url))

export type LoadedCatalogue =
  | { readonly kind: 'ok'; readonly catalogue: Catalogue }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** Longest catalogue file, in bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Never rejects for what an operator can get wrong. `own`: the path of a second file. */
export async function loadCatalogue(own?: string): Promise<LoadedCatalogue> {
  const problems: Problem[] = []
  const files = [await readShipped(problems)]
  if (own !== undefined) files.push(await readFrom(own, problems))
  if (problems.length > 0) return { kind: 'invalid', problems }
  const whole = files.filter((file) => file !== undefined)
  const catalogue = new Catalogue(mergeCatalogues(whole), mergeClients(whole))
  return { kind: 'ok', catalogue }
}

async function readShipped(problems: Problem[]): Promise<CatalogueFile | undefined> {
  let compiled: string
  try {
    compiled = await readFile(COMPILED_FILE, 'utf8')
  } catch {
    return readFrom(CATALOGUE_FILE, problems)
  }
  return withDefaults(catalogueSchema, JSON.parse(compiled)) as CatalogueFile
}

async function readFrom(
  path: string,
  problems: Problem[],
): Promise<CatalogueFile | undefined> {
  const source = await readSource(path, problems)
  return source === undefined ? undefined : parseCatalogue(source, path, problems)
}

async function readSource(
  path: string,
  problems: Problem[],
): Promise<string | undefined> {
  try {
    const bytes = await readFile(path)
    if (bytes.length <= MAX_FILE_BYTES) return bytes.toString()
    const wrong = `is longer than ${MAX_FILE_BYTES} bytes`
    problems.push({ file: path, key: '', wrong, right: 'name the catalogue file' })
  } catch (cause) {
    const wrong = whyUnread(cause)
    problems.push({ file: path, key: '', wrong, right: 'check path and permissions' })
  }
  return undefined
}

/** The file's value with defaults; undefined, and problems added, when it does not fit. */
export function parseCatalogue(
  source: string,
  file: string,
  problems: Problem[],
): CatalogueFile | undefined {
  const { value, places, faults } = readYaml(source)
  const before = problems.length
  for (const fault of faults) problems.push({ file, ...fault })
  const report = (path: Path, wrong: string, right: string): void => {
    const key = formatKey(path)
    const place = places.values.get(key) ?? places.keys.get(key)
    const at = place === undefined ? {} : { line: place.line, column: place.column }
    problems.push({ file, ...at, key, wrong, right })
  }
  const reading = { env: {}, base: '/', report, warn: () => undefined }
  const read = readValue(catalogueSchema, value, [], reading)
  if (faults.length === 0) checkNode(catalogueSchema, read, [], report)
  if (problems.length > before) return undefined
  const whole = withDefaults(catalogueSchema, read) as CatalogueFile
  checkMeaning(whole, report)
  return problems.length > before ? undefined : whole
}

/** What no schema says: days are days, a foreign provider's API is one that is known. */
function checkMeaning(
  file: CatalogueFile,
  report: (path: Path, wrong: string, right: string) => void,
): void {
  const day = (text: string | undefined, path: Path): void => {
    if (text !== undefined && !/^\d{4}-\d\d-\d\d$/.test(text))
      report(path, `${text} is not a day`, 'expected YYYY-MM-DD')
  }
  day(file.priced_on, ['priced_on'])
  file.providers.forEach((provider, index) => {
    const { speaks } = provider
    if (speaks !== undefined && providerNamed(speaks) === undefined)
      report(
        ['providers', index, 'speaks'],
        `${speaks} is not an API that YORI reads`,
        'expected openai, anthropic, gemini, mistral, cohere, ollama or bedrock',
      )
    provider.models.forEach((model, place) => {
      const path = ['providers', index, 'models', place]
      day(model.priced_on, [...path, 'priced_on'])
      if (model.priced_on === undefined && file.priced_on === undefined)
        report(path, 'has a price without a day', 'add priced_on to it or to the file')
    })
  })
}

/** Entries of one name are joined: lists are added, a model or a set key replaces. */
export function mergeCatalogues(files: readonly CatalogueFile[]): CatalogueEntry[] {
  const entries = new Map<string, CatalogueEntry>()
  for (const file of files) {
    for (const item of file.providers) {
      const before = entries.get(item.name)
      // Set again, so that the later entry of a host stands after the former.
      entries.delete(item.name)
      entries.set(item.name, merged(before, item, file.priced_on ?? ''))
    }
  }
  return [...entries.values()]
}

/** Of two with one name the later counts. */
function mergeClients(files: readonly CatalogueFile[]): ClientMark[] {
  const marks = new Map<string, ClientMark>()
  for (const item of files.flatMap(({ clients }) => clients)) {
    marks.delete(item.name)
    marks.set(item.name, {
      name: item.name,
      userAgents: item.user_agent.map((start) => start.toLowerCase()),
      headers: item.headers.map((name) => name.toLowerCase()),
      blockStatus: item.block_status,
    })
  }
  return [...marks.values()]
}

function merged(
  before: CatalogueEntry | undefined,
  item: ProviderItem,
  pricedOn: string,
): CatalogueEntry {
  const models = new Map(before?.models.map((model) => [model.id, model]))
  for (const model of item.models) {
    const id = model.id.toLowerCase()
    models.set(id, modelOf(id, model, pricedOn))
  }
  const speaks = item.speaks ?? before?.speaks ?? ownApi(item.name)
  return Object.freeze({
    name: item.name,
    speaks,
    hosts: joined(before?.hosts, item.hosts),
    resolve: joined(before?.resolve, item.resolve),
    ranges: joined(before?.ranges, item.ranges),
    route: item.route ?? before?.route ?? 'intercept',
    shared: item.shared ?? before?.shared ?? 'broad',
    upstream: item.upstream ?? before?.upstream ?? 'h1',
    pinnedApps: joined(before?.pinnedApps, item.pinned_apps),
    models: [...models.values()],
  })
}

/** Its own, where YORI has a reader of that name; else the one that most speak. */
function ownApi(name: string): string {
  return providerNamed(name)?.name ?? 'openai'
}

function joined(
  before: readonly string[] | undefined,
  more: readonly string[],
): readonly string[] {
  return [...new Set([...(before ?? []), ...more])]
}

function modelOf(id: string, model: ModelItem, pricedOn: string): CatalogueModel {
  const { long } = model
  return {
    id,
    pricedOn: model.priced_on ?? pricedOn,
    tiers: Object.fromEntries(
      model.tiers.map((tier) => [tier.name.toLowerCase(), tokenPrices(tier)]),
    ),
    price: {
      ...tokenPrices(model),
      long:
        long === undefined
          ? undefined
          : { fromTokens: long.from_tokens, ...tokenPrices(long) },
    },
  }
}

type Dollars = Pick<
  ModelItem,
  'input' | 'output' | 'cached' | 'cache_write' | 'cache_write_hour'
>

function tokenPrices(dollars: Dollars): TokenPrices {
  return {
    input: micro(dollars.input),
    output: micro(dollars.output),
    cached: maybeMicro(dollars.cached),
    cacheWrite: maybeMicro(dollars.cache_write),
    cacheWriteHour: maybeMicro(dollars.cache_write_hour),
  }
}

/** Dollars to whole micro-dollars: what a decimal of six places means, exactly. */
function micro(dollars: number): number {
  return Math.round(dollars * 1e6)
}

function maybeMicro(dollars: number | undefined): number | undefined {
  return dollars === undefined ? undefined : micro(dollars)
}
