/**
 * What is known of the providers besides how to read them: hosts, routes, prices. Pure types
 * and lookups; the file and its schema are `config/read-catalogue.ts` and `config/providers.yaml`.
 */
import { isLocalName, matchesHostname } from '../core/hostname.js'
import { costOf, dearestOf, timesAsDear } from './cost.js'
import type { ModelPrice, TokenPrices } from './cost.js'
import { isStandard, mostTimes } from './tier.js'
import type { ClientMark } from './client-marks.js'
import { markOf } from './client-marks.js'
import type { Usage } from './provider.js'

/** A model that has a price. */
export interface CatalogueModel {
  /** In lower case, as `modelIds` gives it. */
  readonly id: string
  readonly price: ModelPrice
  /** Of other tiers than the standard one, as far as they are known. */
  readonly tiers?: Readonly<Record<string, TokenPrices>>
  /** The day on which the price was read, `YYYY-MM-DD`. */
  readonly pricedOn: string
}

/**
 * What is known of one provider: `config/providers.yaml` and the user's own file, merged.
 */
export interface CatalogueEntry {
  readonly name: string
  /** The provider whose reader understands it. */
  readonly speaks: string
  /** Names, and `*.name` for all below it. */
  readonly hosts: readonly string[]
  /** Names to look up where a pattern cannot be. */
  readonly resolve: readonly string[]
  /** Address prefixes that are the provider's own. */
  readonly ranges: readonly string[]
  readonly route: 'intercept' | 'tunnel' | 'refuse'
  /** The addresses serve much else too: steering by address takes other traffic along. */
  readonly shared: 'broad' | 'own'
  /** What the provider needs; nearly all are content with HTTP/1.1. */
  readonly upstream: 'h1' | 'h2'
  /** Applications known to pin their certificates for these hosts. */
  readonly pinnedApps: readonly string[]
  readonly models: readonly CatalogueModel[]
}

/** Whose price is asked for. */
export interface Priced {
  readonly provider: string
  /** A canonical host name, or an address. */
  readonly host: string
  readonly model: string | undefined
  readonly tier?: string | undefined
}

/** What a program is told by, unless the catalogue says otherwise of it. */
const BLOCK_STATUS = 403
const DAY_MS = 86_400_000
/** Names of models of a provider that are looked up once; the first are kept. */
const MAX_ASKED = 128
/** Of a name. */
const MAX_NAME_CHARS = 256

/**
 * Look-ups by host and by model, made ready once from the entries; it does not change.
 */
export class Catalogue {
  readonly entries: readonly CatalogueEntry[]
  readonly #clients: readonly ClientMark[]
  readonly #byHost = new Map<string, CatalogueEntry>()
  readonly #patterns: (readonly [string, CatalogueEntry])[] = []
  readonly #prices = new Map<string, ReadonlyMap<string, CatalogueModel>>()
  /** What was asked for before, by provider and name. */
  readonly #asked = new Map<string, Map<string, CatalogueModel | undefined>>()

  /** Of two entries for one host the later counts: the user's file stands last. */
  constructor(entries: readonly CatalogueEntry[], clients: readonly ClientMark[] = []) {
    this.entries = entries
    this.#clients = clients
    for (const entry of entries) {
      for (const host of entry.hosts) {
        if (host.startsWith('*.')) this.#patterns.unshift([host, entry])
        else this.#byHost.set(host, entry)
      }
      const before = this.#prices.get(entry.name) ?? []
      const models = entry.models.map((model) => [model.id, model] as const)
      this.#prices.set(entry.name, new Map([...before, ...models]))
    }
  }

  /** By a canonical host name; an exact name counts before a pattern. */
  entryFor(host: string): CatalogueEntry | undefined {
    const exact = this.#byHost.get(host)
    if (exact !== undefined) return exact
    return this.#patterns.find(([pattern]) => matchesHostname(pattern, host))?.[1]
  }

  /** The status of a block for the program that sent these fields. */
  blockStatus(rawHeaders: readonly string[]): number {
    return markOf(this.#clients, rawHeaders)?.blockStatus ?? BLOCK_STATUS
  }

  /** By the model's name as asked or answered, or without its date; undefined: not known. */
  model(provider: string, name: string): CatalogueModel | undefined {
    const models = this.#prices.get(provider)
    if (models === undefined) return undefined
    const asked = this.#asked.get(provider) ?? new Map<string, CatalogueModel>()
    const known = asked.get(name)
    if (known !== undefined || asked.has(name)) return known
    const found = modelIds(name).find((id) => models.has(id))
    const model = found === undefined ? undefined : models.get(found)
    if (asked.size < MAX_ASKED && name.length <= MAX_NAME_CHARS) {
      asked.set(name, model)
      this.#asked.set(provider, asked)
    }
    return model
  }

  /**
   * Micro-dollars; undefined when model, price or counts are not known: never a zero, and never
   * the standard price of what was served by another tier.
   */
  costOf(
    provider: string,
    model: string | undefined,
    usage: Usage,
    tier?: string,
  ): number | undefined {
    return costOf(usage, this.#priceOf(provider, model, tier))
  }

  /**
   * The price of a call; where it is not known, the most that it may be: of a tier without a
   * price as many times the standard one as any tier costs, of a model without one the dearest
   * of those of the provider whose names begin alike, else of all of them. Undefined where
   * nothing is paid by the token as far as anybody knows: servers in the house, and providers
   * none of whose models has a price.
   */
  most({ provider, host, model, tier }: Priced): ModelPrice | undefined {
    const exact = this.#priceOf(provider, model, tier)
    if (exact !== undefined) return exact
    const prices = this.#prices.get(provider)
    const entry = isLocalName(host) ? undefined : this.entryFor(host)
    if (prices === undefined || (entry?.models.length ?? 0) === 0) return undefined
    const known = model === undefined ? undefined : this.model(provider, model)
    const times = mostTimes(tier)
    if (known !== undefined) return timesAsDear(known.price, times)
    const like = alike(prices, model).map(({ price }) => price)
    return timesAsDear(dearestOf(like), times)
  }

  #priceOf(
    provider: string,
    model: string | undefined,
    tier: string | undefined,
  ): ModelPrice | undefined {
    const known = model === undefined ? undefined : this.model(provider, model)
    return isStandard(tier) ? known?.price : priceOf(known?.tiers, tier)
  }

  /**
   * Days (`YYYY-MM-DD`, the oldest first) on which prices of an entry were read that lie
   * more than `days` before `nowMs` (milliseconds since the Unix epoch), and of how many
   * models.
   */
  stale(
    entry: CatalogueEntry,
    nowMs: number,
    days: number,
  ): readonly (readonly [string, number])[] {
    const counts = new Map<string, number>()
    for (const { pricedOn } of entry.models)
      if (nowMs - Date.parse(pricedOn) > days * DAY_MS)
        counts.set(pricedOn, (counts.get(pricedOn) ?? 0) + 1)
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** A tier is the provider's word: no name that objects have by themselves is one. */
function priceOf(
  tiers: CatalogueModel['tiers'],
  tier: string | undefined,
): TokenPrices | undefined {
  if (tiers === undefined || tier === undefined) return undefined
  return Object.hasOwn(tiers, tier) ? tiers[tier] : undefined
}

/** Those that have most of the beginning of their names in common with this one. */
function alike(
  models: ReadonlyMap<string, CatalogueModel>,
  name = '',
): readonly CatalogueModel[] {
  const parts = partsOf(modelIds(name).at(-1) ?? '')
  let most = 0
  let best: CatalogueModel[] = []
  for (const model of models.values()) {
    const own = partsOf(model.id)
    let same = 0
    while (same < own.length && same < parts.length && own[same] === parts[same]) same++
    if (same > most) best = []
    most = Math.max(most, same)
    if (same === most) best.push(model)
  }
  return best
}

/** `claude-opus-4.1` is claude, opus, 4 and 1; letters and digits that stand together are one. */
function partsOf(id: string): string[] {
  return id.split(/[-.:@/_]/)
}

/**
 * A name as it stands, without what Bedrock puts around it (`us.`, `-v1:0`), and without
 * the end that says which issue of the model it is: in lower case, each once, the fullest
 * first. Never a mere prefix: `gpt-4o` is not `gpt-4o-audio-preview`. At most 256
 * characters (`MAX_NAME_CHARS`) of it are looked at.
 */
export function modelIds(name: string): string[] {
  const full = name
    .slice(0, MAX_NAME_CHARS)
    .toLowerCase()
    .replace(/^models\//, '')
  const core = full
    .replace(/^(?:us-gov|us|eu|apac|jp|au|ca|global)\./, '')
    .replace(/-v\d{1,2}(?::\d{1,3})?$/, '')
  return [...new Set([full, core, withoutIssue(full), withoutIssue(core)])]
}

/** `-2024-08-06`, `-20250929`, `-0125`, `-001`, `-latest`, `-preview-05-20`, `@20250514`. */
function withoutIssue(name: string): string {
  return name.replace(
    /(?:-preview)?[-@](?:\d{4}-\d\d-\d\d|\d\d-\d\d|\d{8}|\d{4}|\d{3}|latest)$/,
    '',
  )
}
