/** The doors by which programs reach providers with a base URL, and what stands behind each. */
import { cacheSchema } from './schema-cache.js'
import { balanceSchema, fallbackSchema, poolSchema, poolsSchema } from './schema-pools.js'
import {
  choice,
  count,
  flag,
  item,
  list,
  seconds,
  secret,
  section,
  text,
  fieldsSet,
} from './schema-parts.js'

/** Whose API a server may be said to speak: the readers that know it by its paths alone. */
const APIS = [
  'openai',
  'anthropic',
  'gemini',
  'mistral',
  'cohere',
  'ollama',
  'azure-openai',
  'bedrock',
] as const

const aws = item(
  'Credentials of AWS by which each request is signed anew (Signature Version 4), as `key` ' +
    'is sent: Bedrock takes them. A request that its client has signed gets 400.',
  ['region', 'access_key_id', 'secret_access_key'],
  {
    region: text({
      format: 'door-name',
      description:
        'Such as eu-central-1; of a server whose name says another, that. Unless `base_url` ' +
        'is set, its bedrock-runtime is asked.',
    }),
    access_key_id: secret('header-value', 'Its name. Give ${VAR} instead of plain text.'),
    secret_access_key: secret('header-value', 'Give ${VAR} instead of plain text.'),
    session_token: secret('header-value', 'Of credentials that are good for a while.'),
    service: text({
      format: 'door-name',
      default: 'bedrock',
      description: 'The name by which its service signs.',
    }),
  },
)

const provider = item('One provider: of the catalogue, or of your own.', [], {
  pool: poolSchema,
  balance: balanceSchema,
  fallback: fallbackSchema,
  base_url: text({
    format: 'http-url',
    description:
      "Where it is; what follows its name in a request's path is added. Unless set, the " +
      'host of the catalogue. In the clear only where this says http. An address that is ' +
      'written here, or localhost, is dialled even where it is private.',
  }),
  api: choice({
    enum: APIS,
    description: 'Whose API it speaks; by its name in the catalogue, else openai.',
  }),
  key: secret(
    'header-value',
    'Sent where a client of this machine sends none. Give ${VAR} instead of plain text.',
  ),
  aws,
  client_cert: text({
    format: 'path',
    description:
      'PEM chain that says to its server who YORI is (mutual TLS), also to those of `pool`. ' +
      'For clients of this machine and who brings a key of YORI; others get 401.',
  }),
  client_key: text({
    format: 'path',
    description: 'PEM key of `client_cert`, not encrypted, mode 0600.',
  }),
  headers: fieldsSet,
  timeout: seconds({
    description:
      'The longest wait for its answer to begin; `timeouts.response_header` unless set.',
  }),
})

export const gatewaySchema = section(
  'The doors for programs that take a base URL: /llm/NAME/... on the listener.',
  {
    providers: {
      type: 'object',
      propertyNames: { format: 'door-name' },
      additionalProperties: provider,
      maxProperties: 256,
      default: {},
      description:
        'What a name of /llm/NAME stands for. Providers of the catalogue need no entry.',
    },
    pools: poolsSchema,
    cache: cacheSchema,
    sidecar: flag(
      false,
      'The doors are those of a sidecar: 503 while there is no policy, `input.event` for ' +
        'policies, and bodies that are no JSON object pass and are counted as ungoverned.',
    ),
    require_key: choice({
      enum: ['never', 'beyond_loopback', 'always'],
      default: 'never',
      description:
        'Who must bring a key of `yori key create` to be served there: nobody, clients beyond ' +
        'this machine, or everybody.',
    }),
    limits: list({
      maxItems: 1000,
      default: [],
      items: item(
        'What all keys together have that are for one app, person, group or tag.',
        ['kind', 'name'],
        {
          kind: choice({
            enum: ['app', 'person', 'group', 'tag'],
            description: 'By what word of `yori key create` they are for it.',
          }),
          name: text({ format: 'label', description: 'Its name there.' }),
          models: list({
            maxItems: 256,
            default: [],
            items: text({
              format: 'label',
              description: 'A model; one * stands for any text.',
            }),
            description: 'Which models they may have; none: all.',
          }),
          monthly_usd: {
            type: 'number',
            minimum: 0,
            maximum: 10_000_000,
            description: 'US dollars a month; what is in flight counts with it.',
          },
          requests_per_minute: count({
            minimum: 1,
            maximum: 10_000_000,
            description: 'Requests a minute.',
          }),
          tokens_per_minute: count({
            minimum: 1,
            maximum: 1_000_000_000,
            description: 'Tokens a minute, of prompts and answers.',
          }),
        },
      ),
      description: 'Limits beside those of each key; they hold in every mode.',
    }),
    default: text({
      format: 'door-name',
      description:
        'The provider to which every request in our own name goes that nothing here answers: ' +
        'this listener is its gateway. With a key for it, on this machine alone.',
    }),
    models: list({
      maxItems: 1000,
      default: [],
      uniqueBy: 'match',
      items: item('Whom a model means.', ['match', 'provider'], {
        match: text({
          format: 'label',
          description: "A model's name as clients write it; one * stands for any text.",
        }),
        provider: text({
          format: 'door-name',
          description: 'The provider that is asked, by its name of /llm/NAME.',
        }),
        model: text({
          format: 'label',
          description:
            'What it is called there; * is what that of `match` stood for. As asked unless set.',
        }),
      }),
      description:
        'For requests to /v1/... of our own host: names and patterns of models, in order. A ' +
        'model called NAME/... of a provider goes there without being here.',
    }),
  },
)
