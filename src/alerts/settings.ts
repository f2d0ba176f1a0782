/** From the configuration to what the worker is told: seconds become milliseconds, names sinks. Pure. */
import { ALERT_RULES } from '../../config/schema-alerts.js'
import type { AlertRule } from '../../config/schema-alerts.js'
import type { Config } from '../../config/schema.js'
import { parseHostPort } from '../../config/schema-formats.js'
import { HOME_NAME } from '../core/own-paths.js'
import { windowOf } from './quiet-hours.js'
import { QUIET_RULES } from './rules/rule.js'
import type { PostSettings, RuleSettings, SinkSettings } from './words.js'

const DAY_MS = 86_400_000

export type AlertsConfig = Pick<Config, 'access' | 'alerts' | 'control' | 'enforcement'>

/** Is there anybody to tell? */
export function isOn({ alerts }: Pick<Config, 'alerts'>): boolean {
  return alerts.inbox || Object.values(alerts.sinks).some(({ enabled }) => enabled)
}

/**
 * Where an ask can be answered from its message: `alerts.answer_url`, else the control plane by
 * name where it listens beyond this machine. Undefined: nowhere.
 */
export function answerUrlOf({
  access,
  alerts,
  control,
}: Pick<AlertsConfig, 'access' | 'alerts' | 'control'>): string | undefined {
  if (alerts.answer_url !== undefined) return alerts.answer_url.replace(/\/+$/, '')
  const listen = parseHostPort(control.listen)
  if (listen === undefined || listen.port === 0) return undefined
  if (/^(?:localhost$|127\.|::1$)/.test(listen.host)) return undefined
  return `https://${access.own_names[0] ?? HOME_NAME}:${listen.port}`
}

export function settingsOf(config: AlertsConfig): PostSettings {
  const { alerts, enforcement } = config
  const answerUrl = answerUrlOf(config)
  const sinks = Object.entries(alerts.sinks)
    .filter(([, { enabled }]) => enabled)
    .map(([name, sink]) => sinkOf(name, sink))
  const names = sinks.map(({ name }) => name)
  const rules = ALERT_RULES.map((rule) => [rule, ruleOf(alerts, rule, names)] as const)
  return {
    sinks,
    rules: Object.fromEntries(rules) as Record<AlertRule, RuleSettings>,
    timezone: enforcement.timezone,
    keepMs: alerts.days * DAY_MS,
    answerWithinMs: alerts.answer_within * 1000,
    ...(answerUrl === undefined ? {} : { answerUrl }),
  }
}

type Sink = Config['alerts']['sinks'][string]

/** The one place where secrets of sinks are read. */
export function sinkOf(name: string, sink: Sink): SinkSettings {
  const { type, url, secret, token, topic, host, port, user, password, from } = sink
  const { to, starttls, tls_ca: tlsCa, transport } = sink
  return {
    name,
    type,
    to,
    starttls,
    transport,
    ...defined({ topic, host, port, user, from, tlsCa }),
    ...defined({
      url: url?.reveal(),
      secret: secret?.reveal(),
      token: token?.reveal(),
      password: password?.reveal(),
    }),
  }
}

type Defined<T> = { [K in keyof T]?: NonNullable<T[K]> }

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>
}

/** Who asks is told of as a block is, unless there is a rule for it. */
function ruleOf(
  alerts: Config['alerts'],
  rule: AlertRule,
  names: readonly string[],
): RuleSettings {
  const own = alerts.rules[rule] ?? (rule === 'ask' ? alerts.rules['blocked'] : undefined)
  if (own === undefined)
    return {
      enabled: true,
      sinks: QUIET_RULES.has(rule) ? [] : names,
      cooldownMs: alerts.cooldown * 1000,
      quiet: alerts.quiet_hours.map(windowOf),
      escalateTo: [],
    }
  const spans = own.quiet_hours.length > 0 ? own.quiet_hours : alerts.quiet_hours
  const there = (list: readonly string[]): string[] =>
    names.filter((name) => list.includes('*') || list.includes(name))
  return {
    enabled: own.enabled,
    sinks: there(own.sinks),
    cooldownMs: (own.cooldown ?? alerts.cooldown) * 1000,
    quiet: own.urgent ? [] : spans.map(windowOf),
    escalateTo: there(own.escalate_to),
    ...(own.escalate_after === undefined
      ? {}
      : { escalateAfterMs: own.escalate_after * 1000 }),
  }
}
