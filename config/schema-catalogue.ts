/** What the provider catalogue may say, and the form of the operator's own. Pure. */
import type { FromSchema, NumberNode } from './from-schema.js'
import { choice, count, item, list, text } from './schema-parts.js'

/** Dollars for a million tokens; the dearest model so far costs 600. */
const dollars = <const D extends string>(description: D) =>
  ({
    type: 'number',
    minimum: 0,
    maximum: 100_000,
    description,
  }) as const satisfies NumberNode

const prices = {
  input: dollars('For a million input tokens.'),
  cached: dollars("For a million read from the provider's cache; as input unless set."),
  cache_write: dollars('For a million written to that cache; as input unless set.'),
  cache_write_hour: dollars(
    'For a million kept there an hour; as cache_write unless set.',
  ),
  output: dollars('For a million output tokens, reasoning among them.'),
} as const

const day = (description: string) => text({ description: `${description} YYYY-MM-DD.` })

const modelItem = item('One model and its price.', ['id', 'input', 'output'], {
  id: text({
    description:
      'As the provider names it; without a date at its end it stands for every date.',
  }),
  ...prices,
  priced_on: day('When this price was read, where not with the others:'),
  long: item(
    'Prices for all tokens of a long prompt.',
    ['from_tokens', 'input', 'output'],
    {
      from_tokens: count({
        maximum: 100_000_000,
        description: 'Prompts of more tokens than this.',
      }),
      ...prices,
    },
  ),
  tiers: list({
    maxItems: 16,
    default: [],
    uniqueBy: 'name',
    items: item('Prices of another service tier.', ['name', 'input', 'output'], {
      name: text({
        format: 'label',
        description: 'As answers name it: flex, priority, batch, fast.',
      }),
      ...prices,
    }),
    description:
      'Prices of other tiers than the standard one. What a tier without a price served has ' +
      'no known cost.',
  }),
})

const providerItem = item('One provider.', ['name'], {
  name: text({ format: 'label', description: 'As it stands in the records.' }),
  speaks: text({
    format: 'label',
    description: 'The provider whose API it speaks; the one of its own name unless set.',
  }),
  hosts: list({
    maxItems: 500,
    default: [],
    uniqueBy: '',
    items: text({
      format: 'hostname-pattern',
      description: 'A name, or *.name for every name below it.',
    }),
    description: 'Where it answers.',
  }),
  resolve: list({
    maxItems: 500,
    default: [],
    uniqueBy: '',
    items: text({ format: 'hostname', description: 'A name to look up.' }),
    description: 'Names to look up for steering by address, where a pattern cannot be.',
  }),
  ranges: list({
    maxItems: 500,
    default: [],
    uniqueBy: '',
    items: text({ format: 'ip-or-cidr', description: 'An address or prefix.' }),
    description: "Addresses that are the provider's own.",
  }),
  route: choice({
    enum: ['intercept', 'tunnel', 'refuse'],
    description: 'What is done when nothing else is said; intercept unless set.',
  }),
  shared: choice({
    enum: ['broad', 'own'],
    description: 'broad, unless set: its addresses serve much else too.',
  }),
  upstream: choice({
    enum: ['h1', 'h2'],
    description:
      'h2 where it needs HTTP/2 up to the provider: clients that offer nothing else are ' +
      'inspected then. h1 unless set.',
  }),
  pinned_apps: list({
    maxItems: 100,
    default: [],
    items: text({ description: 'An application.' }),
    description: 'Applications known to pin its certificates.',
  }),
  models: list({
    maxItems: 5000,
    default: [],
    uniqueBy: 'id',
    items: modelItem,
    description: 'What its models cost, in US dollars for a million tokens.',
  }),
})

const clientItem = item('A program that repeats or misreads a 403.', ['name'], {
  name: text({ format: 'label', description: 'What it is called.' }),
  user_agent: list({
    maxItems: 100,
    default: [],
    items: text({ description: 'How its User-Agent begins, in any case.' }),
    description: 'It is known by one of these,',
  }),
  headers: list({
    maxItems: 100,
    default: [],
    items: text({ description: 'The name of a field.' }),
    description: 'or by one of these fields, whatever its User-Agent.',
  }),
  block_status: count({
    default: 403,
    minimum: 400,
    maximum: 499,
    description: 'The status by which it is told that a policy blocks.',
  }),
})

export const catalogueSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['providers'],
  description: 'A catalogue of providers.',
  properties: {
    priced_on: day('When the prices were read:'),
    providers: list({
      maxItems: 500,
      default: [],
      uniqueBy: 'name',
      items: providerItem,
      description: 'The providers.',
    }),
    clients: list({
      maxItems: 500,
      default: [],
      uniqueBy: 'name',
      items: clientItem,
      description: 'Programs that are told of a block in another way than by 403.',
    }),
  },
} as const

export type CatalogueFile = Readonly<FromSchema<typeof catalogueSchema>>
export type ProviderItem = CatalogueFile['providers'][number]
export type ClientItem = CatalogueFile['clients'][number]
export type ModelItem = ProviderItem['models'][number]
