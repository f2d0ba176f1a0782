/** How traffic comes to YORI: which networks and devices the packet filter leads here. */
import {
  choice,
  count,
  dnsServers,
  list,
  seconds,
  section,
  text,
} from './schema-parts.js'

/**
 * Providers on content networks that many share, steered all the same: their names would
 * otherwise pass unseen. Front ends that serve mail, video and search, too, are not among them.
 */
const STEERED_SHARED = [
  'openai',
  'mistral',
  'cohere',
  'groq',
  'deepseek',
  'xai',
  'perplexity',
  'openrouter',
  'together',
  'fireworks',
  'openai-web',
  'mistral-web',
  'xai-web',
  'perplexity-web',
  'deepseek-web',
  'microsoft-copilot',
  'character-ai',
  'replika',
] as const

const interfaceName = (description: string) => text({ format: 'interface', description })

export const steerSchema = section('Which packets the packet filter leads to YORI.', {
  interfaces: list({
    items: interfaceName('An interface, such as em1.'),
    maxItems: 64,
    default: [],
    single: true,
    uniqueBy: '',
    description: 'Those of the local network; no other is touched.',
  }),
  guests: list({
    items: interfaceName('An interface, such as vlan30.'),
    maxItems: 64,
    default: [],
    single: true,
    uniqueBy: '',
    description: 'Those of guests and things, when they are to be steered, too.',
  }),
  families: choice({
    enum: ['both', 'ipv4', 'ipv6'],
    default: 'both',
    description: 'Which addresses are steered; each needs a listener.',
  }),
  transparent: choice({
    enum: ['auto', 'on', 'off'],
    default: 'auto',
    description:
      'Whether listeners take connections by TPROXY (Linux, CAP_NET_RAW, at the start): ' +
      'auto tries and warns when interfaces are steered, on always warns.',
  }),
  exempt: list({
    items: text({
      format: 'device-or-alias',
      description: 'An address, prefix, MAC address or alias.',
    }),
    maxItems: 1000,
    default: [],
    single: true,
    uniqueBy: '',
    description: 'Devices that are never touched, besides `intercept.exempt_devices`.',
  }),
  blocked: list({
    items: text({ format: 'device', description: 'An address, prefix or MAC address.' }),
    maxItems: 1000,
    default: [],
    single: true,
    uniqueBy: '',
    description:
      'Devices that must not reach LLM hosts at all: rules of yours that forbid it are not ' +
      'asked for packets that are steered.',
  }),
  shared: list({
    items: text({
      format: 'label',
      description: 'A provider of the catalogue, or a host.',
    }),
    maxItems: 256,
    default: STEERED_SHARED,
    uniqueBy: '',
    description:
      'Steered although their addresses serve much else, which then passes through YORI ' +
      'unopened. Google front ends (gemini) serve nearly all of Google.',
  }),
  ranges: list({
    items: text({ format: 'ip-or-cidr', description: 'An address or prefix.' }),
    maxItems: 1000,
    default: [],
    uniqueBy: '',
    description:
      'Further LLM addresses; none private, none wider than /12 or /28 (IPv6).',
  }),
  keep: seconds({
    default: 1800,
    minimum: 60,
    description: 'How long an address stays after a resolver last gave it.',
  }),
  dns: dnsServers(
    'The resolver that clients use, so that addresses are the ones they get; none means ' +
      "`upstream.dns`, or the system's.",
  ),
  table_timeout: count({
    unit: 'seconds',
    default: 90,
    minimum: 10,
    maximum: 86_400,
    description:
      'Seconds after which nftables leads nothing here any more unless the supervisor says so.',
  }),
  probe_every: count({
    unit: 'seconds',
    default: 30,
    minimum: 0,
    maximum: 3600,
    description:
      'How often the supervisor asks through the packet filter as a client would (nftables; ' +
      'Linux, network namespaces); 0: never.',
  }),
  address6: text({
    format: 'ip6-or-interface',
    default: 'fd79:6f72:6900::1',
    description:
      'Where pf leads IPv6: an address on lo0, or `interface` for that of the only interface.',
  }),
  tables: section('Names of the tables (aliases) in pf, at most 31 characters.', {
    llm: text({ format: 'table', default: 'yori_llm', description: 'LLM addresses.' }),
    exempt: text({ format: 'table', default: 'yori_exempt', description: 'Left alone.' }),
    blocked: text({ format: 'table', default: 'yori_blocked', description: 'Kept out.' }),
    clients: text({
      format: 'table',
      default: 'yori_clients',
      description: 'Addresses of `access.clients`, from other networks, too.',
    }),
  }),
  appliance: section('When YORI runs on another machine, and this one only steers.', {
    interface: interfaceName('Where it stands: a network of its own.'),
    address: text({ format: 'ip', description: 'Its IPv4 address.' }),
    address6: text({ format: 'ip', description: 'Its IPv6 address.' }),
  }),
  on_failure: choice({
    enum: ['open', 'closed_llm'],
    default: 'open',
    description:
      'While YORI does not answer: LLM traffic goes direct, or is refused (nothing else is).',
  }),
})
