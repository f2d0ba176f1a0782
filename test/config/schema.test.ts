import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { FromSchema, SchemaNode, SectionNode } from '../../config/from-schema.js'
import { isMap, isSection } from '../../config/from-schema.js'
import { loadConfig } from '../../config/load.js'
import { configSchema } from '../../config/schema.js'
import type { Config } from '../../config/schema.js'
import { formats } from '../../config/schema-formats.js'
import { allKeys } from '../../config/schema-words.js'
import { packageFile } from '../../src/core/package-root.js'
import type { Secret } from '../../src/core/secret.js'
import { compileSchema } from '../../tools/build/compile-schema.js'
import { accepted } from './support.js'

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Is there a key, at any depth, that no value fits? A mistake in the schema's types. */
type Impossible<T> = [T] extends [never]
  ? true
  : T extends string | number | boolean | Secret | undefined
    ? false
    : T extends readonly (infer I)[]
      ? Impossible<I>
      : true extends { [K in keyof T]-?: Impossible<T[K]> }[keyof T]
        ? true
        : false
/** Fails to compile when the types differ. */
const same = <A, B>(..._: Same<A, B> extends true ? [] : ['the types differ']): void =>
  undefined

const KEYS = allKeys(configSchema)
const defaults = (): Config =>
  accepted(loadConfig({ env: {}, cwd: '/', searched: [] })).config

describe('the configuration schema', () => {
  it('gives types that say which keys are there after load', () => {
    same<Impossible<{ a: readonly { b: never }[] }>, true>()
    same<Impossible<Omit<Config, 'policies'>>, false>()
    same<Config['policies']['files'][string]['order'], number>()
    same<Config['limits']['client_hello_bytes'], number>()
    same<Config['timeouts']['first_bytes'], number>()
    same<Config['ca']['organization'], string>()
    same<Config['mode'], 'observe' | 'advisory' | 'enforce'>()
    same<Config['listen'], readonly string[]>()
    same<Config['audit']['retention_days'], number>()
    same<Config['audit']['database'], string>()
    same<
      Config['proxy'],
      Readonly<{
        tls_cert?: string
        tls_key?: string
        upstream_timeout?: number
        max_request_size?: number
      }>
    >()
    same<
      Config['endpoints'][number],
      Readonly<{
        domain: string
        enabled: boolean
        route: 'intercept' | 'tunnel' | 'refuse' | 'by-policy'
        max_body_bytes?: number
        fail_mode?: 'open' | 'closed'
      }>
    >()
    same<Config['upstream']['resolve'], Readonly<Record<string, string>>>()
    same<
      Config['policies']['files'][string]['params'],
      Readonly<Record<string, unknown>>
    >()
    same<Config['access']['users'][number]['password_hash'], Secret>()
    same<Config['ca']['passphrase'], Secret | undefined>()
    same<FromSchema<{ type: 'array'; items: { type: 'boolean' } }>, readonly boolean[]>()
  })

  it('describes every key in a sentence', () => {
    for (const { key, node } of KEYS) {
      assert.match(node.description, /^\S.{3,}$/, key)
    }
  })

  it('bounds every number, text, list and set of names', () => {
    const unbounded = KEYS.filter(({ node }) => !isBounded(node)).map(({ key }) => key)
    assert.deepEqual(unbounded, [])
  })

  it('has defaults that its own formats and ranges accept', () => {
    for (const { key, node } of KEYS) {
      if (!('default' in node) || node.default === undefined) continue
      assert.equal(misfit(node, node.default), undefined, key)
    }
  })

  it('keeps every duration within a day', () => {
    const longer = KEYS.filter(
      ({ node }) => 'unit' in node && node.unit === 'seconds' && node.maximum > 86_400,
    )
    assert.deepEqual(longer, [])
  })

  it('is the one that the build compiled', () => {
    const built = readFileSync(
      packageFile('dist', 'config', 'validate-config.js'),
      'utf8',
    )
    assert.ok(built === compileSchema(), 'run `npm run build`')
  })
})

describe('the defaults', () => {
  // Kept beside the code on purpose: other parts and the documentation count on these values.
  const expected: Readonly<Record<string, unknown>> = {
    config_version: 1,
    mode: 'observe',
    listen: ['0.0.0.0:8443', '[::]:8443'],
    state_dir: '/var/db/yori',
    endpoints_add: [],
    processors: [],
    waf: {
      enabled: false,
      rules: '/usr/share/modsecurity-crs',
      action: 'block',
      fail_mode: 'open',
      routes: [],
      headers: [],
      paranoia: 1,
      threshold: 5,
      text_bytes: 16_384,
      later_bytes: 262_144,
      body_bytes: 8_388_608,
      memory_bytes: 268_435_456,
      code_arguments: [
        ...['command', 'cmd', 'commands', 'script', 'code', 'source', 'content'],
        ...['contents', 'file_text', 'new_str', 'old_str', 'new_string', 'old_string'],
        ...[
          'insert_text',
          'patch',
          'diff',
          'edits',
          'regex',
          'pattern',
          'sql',
          'function',
        ],
        ...['new_source', 'old_text', 'new_text', 'patch_text', 'code_edit'],
        ...['apply_patch', 'chars', 'description', 'explanation', 'justification'],
        ...['instruction', 'instructions', 'prompt', 'question', 'text', 'body'],
        ...['message', 'title', 'thought', 'fact', 'todos', 'plan', 'observations'],
      ],
      exclusions: [],
    },
    providers: {},
    control: { listen: '127.0.0.1:8088', people: [], language: 'auto' },
    otel: { headers: {}, traces: true, metrics: true, interval: 60, content: false },
    proxy: {},
    upstream: {
      extra_ca: [],
      resolve: {},
      dns: [],
      connections_per_name: 256,
      idle_timeout: 60,
      dns_stale: 3600,
    },
    gateway: {
      providers: {},
      sidecar: false,
      require_key: 'never',
      limits: [],
      models: [],
      cache: {
        enabled: false,
        ttl: 3600,
        entries: 1000,
        bytes: 64 * 1024 * 1024,
        answer_bytes: 1024 * 1024,
        request_bytes: 256 * 1024,
      },
      pools: {
        body_bytes: 4 * 1024 * 1024,
        breaker_requests: 20,
        breaker_share: 0.5,
        breaker_window: 10,
        eject_after: 5,
        eject_time: 30,
        eject_time_most: 300,
        health_failures: 3,
        health_interval: 10,
        retries: 2,
        retries_at_least: 3,
        retry_after: 10,
        retry_share: 0.2,
        slow_start: 30,
        wait: 5,
        waiting: 100,
      },
    },
    inspect: {
      max_body_bytes: 8_388_608,
      prompt_preview_chars: 200,
      json_depth: 64,
      json_values: 20_000,
    },
    intercept: { never: [], exempt_devices: [] },
    access: {
      clients: [],
      relay: 'endpoints',
      trust_page: 'lan',
      ports: [443],
      plain_ports: [80],
      allow_destinations: [],
      own_names: [],
      users: [],
    },
    catalogue: {},
    steer: {
      interfaces: [],
      guests: [],
      families: 'both',
      exempt: [],
      blocked: [],
      shared: [
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
      ],
      transparent: 'auto',
      ranges: [],
      keep: 1800,
      dns: [],
      table_timeout: 90,
      address6: 'fd79:6f72:6900::1',
      tables: {
        llm: 'yori_llm',
        exempt: 'yori_exempt',
        blocked: 'yori_blocked',
        clients: 'yori_clients',
      },
      appliance: {},
      on_failure: 'open',
      probe_every: 30,
    },
    audit: {
      database: '/var/db/yori/audit.db',
      retention_days: 365,
      max_bytes: 1_073_741_824,
      bodies: 'none',
      body_bytes: 65_536,
      call_events: false,
      tunnel_names: false,
      ship: { to: 'postgres' },
      sinks: {},
      batch_rows: 10,
      batch_ms: 100,
      prune_at: '03:00',
    },
    fleet: { counters: { name: 'yori', gateways: 2 } },
    policies: {
      default: 'home_default.rego',
      bundle: { poll_seconds: 60, roots: ['yori'], file: '/var/db/yori/bundle.yori' },
      files: {},
    },
    enforcement: {
      enabled: false,
      consent_accepted: false,
      allowlist: { devices: [], groups: [], time_exceptions: [] },
      list_mode: 'allowlist',
      emergency_override: { require_password: true },
      override_enabled: false,
      hold_seconds: 55,
      grant_seconds: 1800,
    },
    alerts: {
      inbox: false,
      sinks: {},
      rules: {},
      answer_within: 3600,
      cooldown: 900,
      quiet_hours: [],
      days: 30,
    },
    ca: {
      directory: '/var/db/yori/ca',
      name_constraints: 'list',
      permitted: [],
      organization: 'YORI',
      leaf_days: 90,
      issuing_days: 90,
      root_days: 3650,
    },
    limits: {
      client_hello_bytes: 65_536,
      undecided: 1024,
      undecided_per_client: 64,
      connections: 4096,
      connections_per_client: 512,
      connections_per_endpoint: 1024,
      connections_per_device: 768,
      exchanges: 1024,
      exchanges_per_endpoint: 512,
      exchanges_per_device: 384,
      header_bytes: 32_768,
      header_count: 200,
      header_name_bytes: 256,
      header_value_bytes: 16_384,
      held_for_approval: 64,
      held_body_bytes: 67_108_864,
      held_body_bytes_per_client: 25_165_824,
      decompression_ratio: 100,
      decompressed_bytes: 10_485_760,
      processor_queue: 100,
      processor_body_bytes: 1_048_576,
      processor_reply_bytes: 1_048_576,
      h2_streams: 100,
      h2_stream_window_bytes: 262_144,
      h2_connection_window_bytes: 1_048_576,
      h2_session_bytes: 10_485_760,
      h2_resets_per_second: 20,
      h2_controls_per_second: 100,
      leaf_contexts: 500,
      sessions: 10_000,
      audit_queue_rows: 10_000,
      dns_names: 1000,
    },
    timeouts: {
      first_bytes: 1,
      client_hello: 5,
      client_read: 300,
      client_tls: 10,
      connect: 10,
      upstream_tls: 10,
      dns: 5,
      request_header: 30,
      request_body: 60,
      response_header: 900,
      response_body: 900,
      keep_alive: 120,
      h2_idle: 120,
      in_flight: 120,
      tcp_keep_alive: 60,
      tunnel_idle: 7200,
      websocket_idle: 3600,
      processor: 1,
      session_idle: 3600,
      drain: 30,
    },
    log: { level: 'info', exchanges: false },
    interceptors: [],
    mcp: { gateway: { scheme: 'Bearer' }, servers: {} },
  }

  it('are these', () => {
    const { endpoints, ...rest } = defaults()
    assert.deepEqual(rest, expected)
    assert.ok(endpoints.every(({ enabled }) => enabled))
    const named = (route: string): string[] =>
      endpoints.filter((one) => one.route === route).map(({ domain }) => domain)
    assert.deepEqual(named('by-policy'), [
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
    ])
    assert.equal(named('intercept').length + named('by-policy').length, endpoints.length)
    assert.deepEqual(named('intercept'), [
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
    ])
  })

  it('cover each kind of limit and deadline that an operator must be able to set', () => {
    const { limits, timeouts } = configSchema.properties
    const sections: readonly SectionNode[] = [limits, timeouts]
    const text = sections
      .flatMap(({ properties }) => Object.values(properties))
      .map(({ description }) => description)
      .join('\n')
    for (const kind of [
      'Header size',
      'Header count',
      'Body size, global',
      'one per route',
      'Decompression ratio',
      'Decompression size',
      'In-flight requests: in this process',
      'Processor queue',
      'Connections per client',
      'Connections per route',
      'Connect:',
      'TLS handshake, client side',
      'TLS handshake, upstream side',
      'Request header',
      'Request body',
      'Upstream response header',
      'Upstream response body',
      'Processor call: every event',
    ]) {
      assert.ok(text.includes(kind), kind)
    }
  })
})

function isBounded(node: SchemaNode): boolean {
  switch (node.type) {
    case 'string':
      return node.enum !== undefined || node.maxLength !== undefined
    case 'integer':
    case 'number':
      return Number.isFinite(node.minimum) && Number.isFinite(node.maximum)
    case 'boolean':
      return true
    case 'array':
      return node.maxItems > 0 && isBounded(node.items)
    case 'object':
      return !isMap(node) || node.maxProperties > 0
  }
}

/** An own, small reading of the schema: what of it the value breaks. */
function misfit(node: SchemaNode, value: unknown): string | undefined {
  switch (node.type) {
    case 'string': {
      if (typeof value !== 'string') return 'no text'
      if (node.enum !== undefined && !node.enum.includes(value)) return 'not in enum'
      return node.format === undefined ? undefined : formats[node.format].check(value)
    }
    case 'integer':
    case 'number': {
      if (typeof value !== 'number') return 'no number'
      if (node.type === 'integer' && !Number.isInteger(value)) return 'not whole'
      return value < node.minimum || value > node.maximum ? 'out of range' : undefined
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'no boolean'
    case 'array': {
      if (!Array.isArray(value)) return 'no list'
      if (value.length > node.maxItems) return 'too long'
      const entries: readonly unknown[] = value
      return entries.map((item) => misfit(node.items, item)).find((wrong) => wrong)
    }
    case 'object': {
      if (typeof value !== 'object' || value === null) return 'no object'
      if (!isSection(node)) return undefined
      return Object.entries(value)
        .map(([key, item]) => {
          const child = node.properties[key]
          return child === undefined ? `unknown ${key}` : misfit(child, item)
        })
        .find((wrong) => wrong)
    }
  }
}
