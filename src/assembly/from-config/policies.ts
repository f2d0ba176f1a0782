/**
 * The decider of a configuration: its policies with their settings and params, its lists and
 * its switches. Built once a reload.
 */
import { formatProblem } from '../../../config/problem.js'
import { loadRules } from '../../../config/read-detect.js'
import type { Config } from '../../../config/schema.js'
import { canonicalAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import type { Log } from '../../core/log.js'
import { macText } from '../../core/mac.js'
import type { AuditSink } from '../../core/record.js'
import type { Secret } from '../../core/secret.js'
import type { Detector } from '../../detect/detector.js'
import { parsePasswordHash } from '../../net/password.js'
import type { PasswordHash } from '../../net/password.js'
import { Overrides } from '../../household/overrides.js'
import type { OverrideMemory } from '../../household/overrides.js'
import { AccessGate } from '../../policy/access-gate.js'
import type { AccessMemory, SubjectLimits } from '../../policy/access-gate.js'
import { mayBlock } from '../../policy/consent.js'
import { Decider } from '../../policy/decider.js'
import type { KeptState, PolicyMemory } from '../../policy/decider.js'
import { minutesOf } from '../../policy/local-time.js'
import { UNCONFIGURED } from '../../policy/policy.js'
import type { PolicySetting } from '../../policy/policy.js'
import { EMPTY_STATE } from '../../policy/state.js'
import type { PolicyState } from '../../policy/state.js'
import { milliseconds } from './milliseconds.js'
import { lookersOf } from './processors.js'
import { loadPolicySet, nearestPolicy } from './policy-set.js'
import type { LoadedPolicy } from './policy-set.js'

export interface PolicyEdges {
  readonly kept: KeptState
  readonly policyMemory: PolicyMemory & AccessMemory
  readonly overrideMemory: OverrideMemory
  readonly audit: AuditSink
  readonly clock: Clock
  readonly log: Log
}

/** @throws YORI_CONFIG_INVALID for policies that do not hold, with file, line and cause */
export async function deciderOf(config: Config, edges: PolicyEdges): Promise<Decider> {
  const { enforcement, mode, inspect } = config
  const { enabled, consent_accepted: consentAccepted, timezone } = enforcement
  const { audit, clock, kept, log, policyMemory: memory } = edges
  const { policies, unknown, bundle } = await loadPolicySet(config.policies, clock)
  if (bundle?.kind === 'bad')
    log.warn(
      { reason: bundle.reason },
      'the bundle of policies that was kept is not used',
    )
  for (const policy of unknown) {
    if (config.policies.files[policy]?.enabled === false) continue
    if (bundle !== undefined) {
      log.warn({ policy }, 'no bundle has brought that policy yet: it says nothing')
      continue
    }
    const meant = await nearestPolicy(policy, config.policies)
    log.warn({ policy, meant }, 'no policy of that name: it says nothing')
  }
  return new Decider({
    policies: policies.map(({ policy }) => policy),
    detector: detectorOf(inspect.detect_rules),
    settings: new Map([
      ...(config.gateway.sidecar ? whatTheySay(policies) : []),
      ...settingsOf(config),
    ]),
    mode,
    mayBlock: mayBlock({ mode, enabled, consentAccepted }),
    onUninspectable: inspect.on_uninspectable,
    lookers: lookersOf(config),
    file: listsOf(config),
    kept,
    memory,
    zone: timezone,
    listMode: enforcement.list_mode,
    inFlightWaitMs: milliseconds(config.timeouts.in_flight),
    // Whoever may begin one is asked for a password where it is begun.
    emergencyAllowed: enforcement.emergency_override.enabled !== false,
    clock,
    onSuspended: (entry, device, boundMac) => {
      const details = { entry, ip: device.ip, mac: device.mac ?? null, boundMac }
      const kind = 'allowlist_suspended'
      audit.event({ at: clock.now(), kind, fromIp: device.ip, details })
    },
  })
}

/** What stands in a sidecar's folder means what it says, unless the configuration says less. */
function whatTheySay(
  policies: readonly LoadedPolicy[],
): (readonly [string, PolicySetting])[] {
  return policies.map(({ policy: { name } }) => [
    name,
    { ...UNCONFIGURED, enabled: true, action: 'block' },
  ])
}

/** Who may ask by a key of ours, and for how much. */
export function keysOf(
  config: Config,
  { kept, policyMemory, clock }: PolicyEdges,
): AccessGate {
  return new AccessGate({
    memory: policyMemory,
    keys: () => kept.current.keys,
    limits: config.gateway.limits.map(limitsOf),
    zone: config.enforcement.timezone,
    clock,
  })
}

function limitsOf(one: Config['gateway']['limits'][number]): SubjectLimits {
  const { kind, name, models, monthly_usd: usd } = one
  const { requests_per_minute: requests, tokens_per_minute: tokens } = one
  return {
    ...{ kind, name, models },
    ...(usd === undefined ? {} : { usdPerMonth: usd }),
    ...(requests === undefined ? {} : { requestsPerMinute: requests }),
    ...(tokens === undefined ? {} : { tokensPerMinute: tokens }),
  }
}

/** Undefined: by the rules that come with YORI. */
function detectorOf(file: string | undefined): Detector | undefined {
  if (file === undefined) return undefined
  const loaded = loadRules(file)
  if (loaded.kind === 'ok') return loaded.detector
  const problems = loaded.problems.map(formatProblem)
  throw new YoriError('YORI_CONFIG_INVALID', problems.join('\n'))
}

/** @throws YORI_CONFIG_INVALID for a hash that cannot be checked */
export function overridesOf(config: Config, edges: PolicyEdges): Overrides {
  const { override_enabled, override_password_hash, admin_token_hash, ...rest } =
    config.enforcement
  const { kept, clock } = edges
  const password = hashOf('override_password_hash', override_password_hash)
  const adminToken =
    rest.emergency_override.enabled === false
      ? undefined
      : hashOf('admin_token_hash', admin_token_hash)
  return new Overrides({
    taken: override_enabled ? { password } : undefined,
    adminToken,
    grantMs: rest.grant_seconds * 1000,
    sessionIdleMs: config.timeouts.session_idle * 1000,
    memory: edges.overrideMemory,
    state: {
      get pins() {
        return kept.current.pins
      },
      get grants() {
        return kept.current.grants
      },
      mint: (grant) => kept.mint(grant),
      usePin: (id) => kept.usePin(id),
      activate: (request) => kept.activate(request),
    },
    audit: edges.audit,
    clock,
  })
}

function hashOf(key: string, secret: Secret | undefined): PasswordHash | undefined {
  if (secret === undefined) return undefined
  const hash = parsePasswordHash(secret.reveal())
  if (hash !== undefined) return hash
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    `enforcement.${key}: no hash that can be checked`,
  )
}

export function settingsOf(config: {
  readonly policies: Pick<Config['policies'], 'files'>
}): Map<string, PolicySetting> {
  return new Map(
    Object.entries(config.policies.files).map(
      ([name, { enabled, action, fail_mode: failMode, order, message }]) => [
        name,
        {
          ...{ enabled, action, failMode, order },
          ...(message === undefined ? {} : { message }),
        },
      ],
    ),
  )
}

/** What the file itself lists. Its texts have been checked when it was loaded. */
export function listsOf(config: Config): PolicyState {
  const { devices, groups, time_exceptions } = config.enforcement.allowlist
  return {
    ...EMPTY_STATE,
    devices: devices.map(({ name, ip, mac, enabled, permanent, exempt, ...rest }) => ({
      name,
      enabled: enabled && exempt,
      permanent: permanent && exempt,
      ...(ip === undefined ? {} : { ip: canonicalAddress(ip) ?? ip }),
      ...(mac === undefined ? {} : { mac: macText(mac) ?? mac }),
      ...(rest.group === undefined ? {} : { group: rest.group }),
      ...(rest.notes === undefined ? {} : { notes: rest.notes }),
      ...(rest.expires_at === undefined
        ? {}
        : { expiresAt: Date.parse(rest.expires_at) }),
    })),
    groups: groups.map(({ name, enabled, exempt, device_ips, device_macs }) => ({
      name,
      enabled,
      ...(exempt ? {} : { namesOnly: true }),
      ips: device_ips.map((ip) => canonicalAddress(ip) ?? ip),
      macs: device_macs.map((mac) => macText(mac) ?? mac),
    })),
    exceptions: time_exceptions.map((exception) => ({
      name: exception.name,
      enabled: exception.enabled,
      days: exception.days,
      start: minutesOf(exception.start_time) ?? 0,
      end: minutesOf(exception.end_time) ?? 0,
      ips: exception.device_ips.map((ip) => canonicalAddress(ip) ?? ip),
      macs: [],
      groups: exception.groups,
      ...(exception.timezone === undefined ? {} : { zone: exception.timezone }),
    })),
  }
}
