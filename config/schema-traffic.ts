/** What YORI does with traffic: whom it serves, what it opens, and where it goes on to. */
import {
  KiB,
  MiB,
  GiB,
  choice,
  count,
  dnsServers,
  flag,
  item,
  list,
  seconds,
  section,
  size,
  text,
} from './schema-parts.js'

const DEFAULT_ENDPOINTS = [
  'api.openai.com',
  'api.anthropic.com',
  'gemini.google.com',
  'generativelanguage.googleapis.com',
  'api.mistral.ai',
  'api.cohere.com',
  'api.cohere.ai',
  'api.groq.com',
  'api.deepseek.com',
  'api.x.ai',
  'api.perplexity.ai',
  'api.together.xyz',
  'api.fireworks.ai',
  'openrouter.ai',
] as const

/**
 * Chats and companions of browsers and apps: left unread, since many apps take no other certificate
 * than their own, and counted and refused by name. As the catalogue has them (a test compares).
 */
const DEFAULT_CHATS = [
  'chatgpt.com',
  'chat.openai.com',
  'claude.ai',
  'grok.com',
  'www.grok.com',
  'copilot.microsoft.com',
  'chat.mistral.ai',
  'www.perplexity.ai',
  'perplexity.ai',
  'chat.deepseek.com',
  'character.ai',
  '*.character.ai',
  'replika.com',
  '*.replika.com',
] as const

const endpoint = item('One LLM host.', ['domain'], {
  domain: text({
    format: 'hostname-pattern',
    description: 'Its name, or *.name for every name below it (not the name itself).',
  }),
  enabled: flag(true, 'false leaves its traffic untouched (tunnel).'),
  route: choice({
    enum: ['intercept', 'tunnel', 'refuse', 'by-policy'],
    default: 'intercept',
    description:
      'Decrypt and record, leave untouched, turn away by name, or leave untouched unless a ' +
      'policy that needs no request turns it away.',
  }),
  max_body_bytes: size({
    maximum: 1024 * GiB,
    description: 'Body size limit of this route: a longer request gets 413.',
  }),
  fail_mode: choice({
    enum: ['open', 'closed'],
    description: "When YORI itself fails on an exchange; unless set, the policy's.",
  }),
})

export const endpointsSchema = list({
  maxItems: 1000,
  uniqueBy: 'domain',
  default: [
    ...DEFAULT_ENDPOINTS.map((domain) => ({ domain })),
    ...DEFAULT_CHATS.map((domain) => ({ domain, route: 'by-policy' as const })),
  ],
  description:
    'The LLM hosts. A list in the file takes the place of the whole default list. Chats of browsers ' +
    'and apps are `by-policy` in it; `providers: {openai-web: intercept}` opens those of one provider.',
  items: endpoint,
})

export const endpointsAddSchema = list({
  maxItems: 1000,
  uniqueBy: 'domain',
  default: [],
  description: 'LLM hosts besides those of `endpoints`, whose default list stays.',
  items: endpoint,
})

export const providersSchema = {
  type: 'object',
  propertyNames: { format: 'label' },
  additionalProperties: choice({
    enum: ['intercept', 'tunnel', 'refuse', 'by-policy'],
    description: 'As `endpoints.route`, of all its hosts.',
  }),
  maxProperties: 256,
  default: {},
  description:
    'One switch a provider of the catalogue (`yori providers`), such as openai-web: by-policy. ' +
    'What a list of `endpoints` or `endpoints_add` says of a host decides over it.',
} as const

export const proxySchema = section('The listener itself.', {
  tls_cert: text({
    format: 'path',
    description: "PEM chain for YORI's own site, instead of one by its own CA.",
  }),
  tls_key: text({ format: 'path', description: 'PEM key of `tls_cert`, mode 0600.' }),
  upstream_timeout: seconds({
    description: 'When set, takes the place of `timeouts.response_header`.',
  }),
  max_request_size: size({
    maximum: 1024 * GiB,
    description:
      'Longer requests get 413. Unless set, 10MiB on the direct way and no limit elsewhere.',
  }),
})

export const upstreamSchema = section('Connections to the providers.', {
  extra_ca: list({
    items: text({ format: 'path', description: 'A PEM file.' }),
    maxItems: 64,
    default: [],
    uniqueBy: '',
    description:
      'Roots trusted besides the public ones: those of this Node, and of NODE_EXTRA_CA_CERTS.',
  }),
  resolve: {
    type: 'object',
    propertyNames: { format: 'hostname-pattern' },
    additionalProperties: text({ format: 'ip-port', description: 'ip:port' }),
    maxProperties: 1000,
    default: {},
    description: 'Name or *.suffix, and the ip:port that is dialled for it.',
  },
  dns: dnsServers("DNS servers; none means the system's."),
  connections_per_name: count({
    default: 256,
    maximum: 4096,
    description:
      'Unused connections that are kept for one name; the oldest beyond that are closed. ' +
      'Those in use are bounded by limits.exchanges_per_endpoint.',
  }),
  idle_timeout: seconds({
    default: 60,
    maximum: 3600,
    description: 'How long an unused pooled connection is kept.',
  }),
  dns_stale: seconds({
    default: 3600,
    description: 'How long an outdated answer serves while DNS does not answer.',
  }),
})

export const inspectSchema = section('How much of an exchange is looked at.', {
  max_body_bytes: size({
    default: 8 * MiB,
    minimum: 1 * KiB,
    maximum: 64 * MiB,
    description:
      'Bytes of a body that are inspected. Of what is longer the first part and the newest are, ' +
      'it is partly unseen: its row says so, and `inspect.on_uninspectable` decides.',
  }),
  prompt_preview_chars: count({
    default: 200,
    minimum: 0,
    maximum: 10_000,
    description:
      'Characters that are recorded of the end of the newest words of a person; 0 records none.',
  }),
  json_depth: count({
    default: 64,
    minimum: 4,
    maximum: 1000,
    description: 'Nesting of a JSON body; deeper is not read.',
  }),
  json_values: count({
    default: 20_000,
    minimum: 100,
    maximum: 1_000_000,
    description: 'Values in a JSON body; more is not read.',
  }),
  detect_rules: text({
    format: 'path',
    description:
      'Rules of your own for what is found in texts (docs/DETECT.md), over those that YORI ' +
      'brings; one of the same id takes the place of it.',
  }),
  on_uninspectable: choice({
    enum: ['allow', 'block'],
    description:
      'What the client made unreadable, and what opens a conversation that takes another ' +
      'way (WebRTC, SIP, ephemeral keys). Unless set: allow in observe and advisory; ' +
      'block in enforce when a blocking policy reads content.',
  }),
})

export const interceptSchema = section('What is never decrypted.', {
  never: list({
    items: text({ format: 'hostname-pattern', description: 'A name or *.name.' }),
    maxItems: 1000,
    default: [],
    uniqueBy: '',
    description: 'Names that are always tunnelled, even when an endpoint matches.',
  }),
  exempt_devices: list({
    items: text({ format: 'device', description: 'An address, prefix or MAC address.' }),
    maxItems: 1000,
    default: [],
    uniqueBy: '',
    description: 'Devices whose traffic is never decrypted.',
  }),
})

export const accessSchema = section(
  'Who may use YORI as an explicit proxy or call it directly. Redirected traffic is not meant.',
  {
    clients: list({
      items: text({
        format: 'cidr-or-interface',
        description: 'An address, prefix or interface.',
      }),
      maxItems: 256,
      default: [],
      single: true,
      uniqueBy: '',
      description: 'Besides loopback, these clients.',
    }),
    trust_page: choice({
      enum: ['lan', 'clients'],
      default: 'lan',
      description:
        'Who may read the page that explains how to trust the CA: every device of a private network that this machine is on, or `clients` only.',
    }),
    trust_page_port: count({
      minimum: 1,
      maximum: 65_535,
      description:
        'A further port of that page, such as 80, for the steered networks: the packet filter leads ' +
        'it to the listener while steering is on (`yori pf apply`), and YORI itself opens none. ' +
        'Whatever else listens there on this machine is hidden from them.',
    }),
    relay: choice({
      enum: ['endpoints', 'all'],
      default: 'endpoints',
      description: 'Where other clients than loopback may go: endpoints, or every host.',
    }),
    ports: list({
      items: count({ maximum: 65_535, description: 'A port.' }),
      maxItems: 64,
      default: [443],
      uniqueBy: '',
      description: 'Ports that CONNECT reaches.',
    }),
    plain_ports: list({
      items: count({ maximum: 65_535, description: 'A port.' }),
      maxItems: 64,
      default: [80],
      uniqueBy: '',
      description: 'Ports that a plain HTTP request reaches.',
    }),
    allow_destinations: list({
      items: text({ format: 'ip-or-cidr', description: 'An address or prefix.' }),
      maxItems: 256,
      default: [],
      uniqueBy: '',
      description: 'Private or special addresses that may be dialled all the same.',
    }),
    own_names: list({
      items: text({ format: 'hostname', description: 'A host name.' }),
      maxItems: 64,
      default: [],
      single: true,
      uniqueBy: '',
      description: 'Names under which this machine is called, besides its host name.',
    }),
    users: list({
      items: item('One proxy user.', ['name', 'password_hash'], {
        name: text({
          format: 'label',
          description: 'As in Proxy-Authorization; without a colon.',
        }),
        password_hash: {
          type: 'string',
          secret: true,
          maxLength: 4096,
          format: 'password-hash',
          description: 'A hash, never the password.',
        },
      }),
      maxItems: 256,
      default: [],
      uniqueBy: 'name',
      description: 'With users, clients other than loopback must name one (basic).',
    }),
  },
)
