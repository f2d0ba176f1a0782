/**
 * What a schema cannot say: keys that need, exclude or contradict each other. Pure. Lists may
 * have holes where an entry is already known to be wrong; `forEach` and `some` pass over them.
 */
import { consentProblem } from '../src/policy/consent.js'
import type { ConsentCode } from '../src/policy/consent.js'
import { checkAlerts } from './check-alerts.js'
import { checkBundle, checkFleet } from './check-fleet.js'
import { checkSinks } from './check-sinks.js'
import { checkProcessors, checkWaf } from './check-processors.js'
import { isObject } from './defaults.js'
import type { Path } from './problem.js'
import type { Config } from './schema.js'
import type { Judgement } from './judgement.js'
import { parseHostPort } from './schema-formats.js'

export function checkConfig(config: Config, judgement: Judgement): void {
  checkConsent(config, judgement)
  checkListeners(config, judgement)
  checkFallbacks(config, judgement)
  checkGateway(config, judgement)
  checkClientPairs(config, judgement)
  checkPairs(config, judgement)
  checkAccess(config, judgement)
  checkAllowlist(config, judgement)
  checkPolicies(config, judgement)
  checkHashes(config, judgement)
  checkPeople(config, judgement)
  checkLives(config, judgement)
  checkBounds(config, judgement)
  checkAlerts(config, judgement)
  checkFleet(config, judgement)
  checkSinks(config, judgement)
  checkBundle(config, judgement)
  checkProcessors(config, judgement)
  checkWaf(config, judgement)
}

/** Without consent whatever points to blocking is an error; with it, what is half done a warning. */
function checkConsent({ mode, enforcement }: Config, { report, warn }: Judgement): void {
  const { enabled, consent_accepted } = enforcement
  const code = consentProblem({ mode, enabled, consentAccepted: consent_accepted })
  if (code !== undefined) {
    const { path, wrong, set, or } = CONSENT_WORDS[code]
    report(
      path,
      `${wrong} (${code})`,
      `set ${set} to true to consent: blocking can break applications and automation, and ` +
        `whoever makes YORI fail gets through; or ${or}`,
    )
    return
  }
  if (enabled && mode !== 'enforce') {
    const wrong = `enforcement will not activate: mode is ${mode}`
    warn(['enforcement', 'enabled'], wrong, 'set mode to enforce, or this to false')
  }
  if (!enabled && mode === 'enforce') {
    warn(
      ['mode'],
      'enforcement will not activate: enforcement.enabled is false',
      'set enforcement.enabled to true, or mode to advisory',
    )
  }
}

const CONSENT_WORDS: Readonly<
  Record<ConsentCode, { path: Path; wrong: string; set: string; or: string }>
> = {
  consent_not_accepted: {
    path: ['enforcement', 'consent_accepted'],
    wrong: 'enforcement is on without consent',
    set: 'it',
    or: 'set mode to advisory',
  },
  enforcement_enabled_without_consent: {
    path: ['enforcement', 'enabled'],
    wrong: 'enforcement is enabled without consent',
    set: 'enforcement.consent_accepted',
    or: 'set this to false',
  },
  mode_enforce_without_consent: {
    path: ['mode'],
    wrong: 'mode is enforce without consent',
    set: 'enforcement.consent_accepted',
    or: 'set it to advisory',
  },
}

function checkListeners(config: Config, { report }: Judgement): void {
  const control = parseHostPort(config.control.listen)
  if (control === undefined) return
  config.listen.forEach((text, index) => {
    const proxy = parseHostPort(text)
    if (proxy?.port !== control.port || control.port === 0) return
    if (!overlaps(proxy.host, control.host)) return
    const path = config.listen.length === 1 ? ['listen'] : ['listen', index]
    report(path, `${text} takes the port of control.listen`, 'give them different ports')
  })
}

/** A fallback leads to another door that there is. */
function checkFallbacks({ gateway }: Config, { report, warn }: Judgement): void {
  for (const [name, { fallback, pool, base_url: url }] of Object.entries(
    gateway.providers,
  )) {
    if (pool.length > 0 && url !== undefined)
      warn(
        ['gateway', 'providers', name, 'base_url'],
        'stands beside pool, which counts alone',
        'put it into pool, or leave it out',
      )
    for (const [index, { provider, on, slower_than: slower }] of fallback.entries()) {
      if (on.includes('latency') && slower === undefined && on.length === 1)
        report(
          ['gateway', 'providers', name, 'fallback', index, 'on'],
          'says latency alone, without slower_than',
          'say how slow is too slow: slower_than: 5',
        )
      if (slower !== undefined && !on.includes('latency'))
        warn(
          ['gateway', 'providers', name, 'fallback', index, 'slower_than'],
          'says nothing where `on` has no latency',
          'add latency to on, or leave it out',
        )
      if (provider === name)
        report(
          ['gateway', 'providers', name, 'fallback', index, 'provider'],
          'is the provider itself',
          'expected another',
        )
    }
  }
}

/** A certificate of ours has a key, and is shown in TLS alone. */
function checkClientPairs({ gateway }: Config, { report }: Judgement): void {
  for (const [name, provider] of Object.entries(gateway.providers))
    for (const [index, named] of [provider, ...provider.pool].entries()) {
      const path = ['gateway', 'providers', name]
      const at = index === 0 ? path : [...path, 'pool', index - 1]
      const { client_cert: chain, client_key: key, base_url: url } = named
      if ((chain === undefined) !== (key === undefined)) {
        const [has, lacks] =
          key === undefined
            ? (['client_cert', 'client_key'] as const)
            : (['client_key', 'client_cert'] as const)
        report([...at, has], `is given without ${lacks}`, 'give both or neither')
      }
      if (chain === undefined || url?.startsWith('http:') !== true) continue
      const wrong = 'is for https: a server in the clear asks for none'
      report([...at, 'client_cert'], wrong, 'write https in base_url, or leave it out')
    }
}

/** Whoever reaches an open gateway would spend the operator's key. */
function checkGateway({ gateway, listen }: Config, { report }: Judgement): void {
  const { default: name, providers } = gateway
  for (const [each, { key, aws }] of Object.entries(providers))
    if (key !== undefined && aws !== undefined)
      report(
        ['gateway', 'providers', each, 'aws'],
        'is given beside key',
        'give key for a bearer token, or aws to sign by',
      )
  const own = name === undefined ? undefined : providers[name]
  if (name === undefined || own === undefined) return
  const given = (['key', 'aws'] as const).find((key) => own[key] !== undefined)
  if (given === undefined || gateway.require_key !== 'never') return
  const open = listen.filter((text) => !isLoopback(parseHostPort(text)?.host ?? ''))
  if (open.length === 0) return
  report(
    ['gateway', 'providers', name, given],
    `would be sent for whoever reaches ${open.join(', ')}`,
    'listen on 127.0.0.1, set gateway.require_key: beyond_loopback so that others bring a ' +
      'key of `yori key create`, or leave the key out and let clients send their own',
  )
}

/** Would the second of two sockets on one port fail? The two families do not meet. */
function overlaps(a: string, b: string): boolean {
  if (a === b) return true
  return a.includes(':') === b.includes(':') && [a, b].some((host) => WILDCARDS.has(host))
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

const GATEWAY_KEYS = ['url', 'agent_id', 'key_file'] as const

function checkPairs({ proxy, ca, timeouts, mcp }: Config, judgement: Judgement): void {
  const { report, warn, given } = judgement
  const halves = [
    ['tls_cert', 'tls_key'],
    ['tls_key', 'tls_cert'],
  ] as const
  for (const [has, lacks] of halves) {
    if (proxy[has] !== undefined && !given(['proxy', lacks])) {
      report(['proxy', has], `is given without ${lacks}`, 'give both or neither')
    }
  }
  const lacking = GATEWAY_KEYS.filter((key) => mcp.gateway[key] === undefined)
  if (lacking.length > 0 && lacking.length < GATEWAY_KEYS.length) {
    const wrong = `is given without ${lacking.join(' and ')}`
    report(['mcp', 'gateway'], wrong, 'give all of url, agent_id and key_file, or none')
  }
  if (ca.passphrase !== undefined && ca.passphrase_file !== undefined) {
    report(['ca', 'passphrase'], 'is given beside passphrase_file', 'give one of them')
  }
  const timeout = proxy.upstream_timeout
  if (
    timeout !== undefined &&
    given(['timeouts', 'response_header']) &&
    timeout !== timeouts.response_header
  ) {
    warn(
      ['timeouts', 'response_header'],
      `gives way to proxy.upstream_timeout (${timeout} s)`,
      'give one of them',
    )
  }
}

function checkAccess({ access }: Config, { report, warn }: Judgement): void {
  access.users.forEach(({ name }, index) => {
    if (!name.includes(':')) return
    const path = ['access', 'users', index, 'name']
    report(
      path,
      'holds a colon, which ends a user name (RFC 7617)',
      'choose another name',
    )
  })
  access.clients.forEach((client, index) => {
    if (!client.endsWith('/0') || access.relay !== 'all' || access.users.length > 0)
      return
    warn(
      ['access', 'clients', index],
      'with access.relay: all this is an open proxy for everyone who can reach it',
      'name your own networks, add access.users, or leave relay at endpoints',
    )
  })
}

function checkAllowlist({ enforcement }: Config, { report, warn }: Judgement): void {
  const at: Path = ['enforcement', 'allowlist']
  const { devices, groups, time_exceptions } = enforcement.allowlist
  const known = (name: string): boolean => groups.some((group) => group.name === name)
  const checkGroup = (name: string, path: Path): void => {
    if (!known(name)) {
      warn(
        path,
        `${JSON.stringify(name)} is not a group of this file`,
        'add it to groups',
      )
    }
  }
  devices.forEach((device, index) => {
    const path = [...at, 'devices', index]
    if (device.ip === undefined && device.mac === undefined) {
      report(path, 'has neither ip nor mac', 'give one of them, or both')
    }
    if (device.group !== undefined) checkGroup(device.group, [...path, 'group'])
  })
  time_exceptions.forEach((exception, index) => {
    const path = [...at, 'time_exceptions', index]
    if (exception.start_time === exception.end_time) {
      const right = "give another end_time; for a whole day, '00:00' to '23:59'"
      report([...path, 'end_time'], 'is the same as start_time: no time at all', right)
    }
    exception.groups.forEach((name, n) => checkGroup(name, [...path, 'groups', n]))
  })
}

/** A name that no policy bears would leave that policy at its default without a word. */
function checkPolicies({ policies }: Config, { report }: Judgement): void {
  for (const name of Object.keys(policies.files)) {
    if (!name.endsWith('.rego')) continue
    const right = `write ${name.slice(0, -'.rego'.length)}`
    report(['policies', 'files', name], 'is a file name, not a policy name', right)
  }
}

function checkHashes({ enforcement, access }: Config, { warn }: Judgement): void {
  const { emergency_override, override_password_hash, admin_token_hash } = enforcement
  const check = (path: Path, text: string | undefined): void => {
    if (text?.startsWith('sha256:') !== true) return
    warn(path, 'is an unsalted SHA-256, quick to guess', 'set the password anew (scrypt)')
  }
  const at = 'enforcement'
  check(
    [at, 'emergency_override', 'password_hash'],
    textOf(emergency_override.password_hash),
  )
  check([at, 'override_password_hash'], textOf(override_password_hash))
  check([at, 'admin_token_hash'], textOf(admin_token_hash))
  access.users.forEach((user, index) =>
    check(['access', 'users', index, 'password_hash'], textOf(user.password_hash)),
  )
}

function checkPeople({ control }: Config, { report, warn }: Judgement): void {
  control.people.forEach((person, index) => {
    const path = ['control', 'people', index]
    if (person.password_hash === undefined && person.pin_hash === undefined)
      report(path, 'has neither password_hash nor pin_hash', 'give one of them, or both')
    if (person.role === 'admin' && person.password_hash === undefined)
      warn(
        path,
        'is admin with a PIN alone, which is household at most',
        'add a password',
      )
  })
}

/** Secrets are wrapped only after the checks; until then they are text. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined
}

function checkLives({ ca }: Config, { report }: Judgement): void {
  if (ca.leaf_days > ca.issuing_days) {
    const wrong = `${ca.leaf_days} days outlive issuing_days (${ca.issuing_days})`
    report(['ca', 'leaf_days'], wrong, 'a leaf ends before its issuer')
  }
  if (ca.issuing_days > ca.root_days) {
    const wrong = `${ca.issuing_days} days outlive root_days (${ca.root_days})`
    report(['ca', 'issuing_days'], wrong, 'the issuing CA ends before the root')
  }
}

/** A part that was given and is larger than its whole never takes effect. */
function checkBounds({ limits, inspect }: Config, { given, warn }: Judgement): void {
  const pairs = [
    ['undecided_per_client', 'undecided'],
    ['connections_per_client', 'connections'],
    ['connections_per_endpoint', 'connections'],
    ['exchanges_per_endpoint', 'exchanges'],
    ['held_body_bytes_per_client', 'held_body_bytes'],
    ['header_value_bytes', 'header_bytes'],
  ] as const
  for (const [part, whole] of pairs) {
    if (limits[part] <= limits[whole] || !given(['limits', part])) continue
    warn(['limits', part], `is more than limits.${whole} (${limits[whole]})`, 'lower it')
  }
  if (
    inspect.max_body_bytes > limits.held_body_bytes_per_client &&
    given(['inspect', 'max_body_bytes'])
  ) {
    warn(
      ['inspect', 'max_body_bytes'],
      `is more than limits.held_body_bytes_per_client (${limits.held_body_bytes_per_client})`,
      'raise that limit: in enforce a body is held while it is inspected',
    )
  }
}

/** Does the tree hold a value there? */
export function holds(tree: unknown, path: Path): boolean {
  let value = tree
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step] as unknown
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step]
    else return false
  }
  return value !== undefined
}
