/**
 * What is told to whom when something happens. Which keys a type of sink needs stands in
 * `SINK_KEYS`; that rules name sinks which exist is `check-alerts.ts`.
 */
import {
  choice,
  count,
  flag,
  list,
  secret,
  seconds,
  section,
  text,
} from './schema-parts.js'

export const SINK_TYPES = [
  'webhook',
  'email',
  'ntfy',
  'gotify',
  'pushover',
  'slack',
  'discord',
  'teams',
  'homeassistant',
  'syslog',
] as const

export type SinkType = (typeof SINK_TYPES)[number]

/** What may be told, each by its name in `alerts.rules`. */
export const ALERT_RULES = [
  'blocked',
  'ask',
  'alerted',
  'finding',
  'budget',
  'unusual',
  'new_device',
  'new_service',
  'coverage_drop',
  'untrusted',
  'steering_off',
  'disk',
  'ca',
  'audit_loss',
  'runaway',
] as const

export type AlertRule = (typeof ALERT_RULES)[number]

/** Which keys a type is nothing without; each may also come from the key with `_file`. */
export const SINK_KEYS: Readonly<Record<SinkType, readonly string[]>> = {
  webhook: ['url'],
  email: ['host', 'from', 'to'],
  ntfy: ['url'],
  gotify: ['url', 'token'],
  pushover: ['token', 'user'],
  slack: ['url'],
  discord: ['url'],
  teams: ['url'],
  homeassistant: ['url'],
  syslog: ['host'],
}

/** Secrets of a sink that a file may hold. */
export const SINK_SECRETS = ['url', 'secret', 'token', 'password'] as const

const quietHours = (description: string) =>
  list({
    items: text({ format: 'time-span', description: 'From and to, local time.' }),
    maxItems: 16,
    default: [],
    single: true,
    uniqueBy: '',
    description,
  })

const inFile = (what: string) =>
  text({
    format: 'path',
    description: `File whose first line is the ${what}, mode 0600; read at load.`,
  })

const sinkSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  description: 'One place where people read.',
  properties: {
    type: choice({ enum: SINK_TYPES, description: 'What is spoken there.' }),
    enabled: flag(true, 'false sends nothing there.'),
    url: secret(
      'sink-url',
      'Where to post. Of many services it is a secret by itself, so it is never shown; ' +
        '`${VAR}` or `url_file` keep it out of this file. ntfy and Gotify: their server. ' +
        'Redirects are not followed.',
    ),
    url_file: inFile('URL'),
    secret: secret(
      'webhook-secret',
      'webhook: what messages are signed with, `whsec_` and 24 to 64 bytes in Base64 ' +
        '(Standard Webhooks); without it they are not.',
    ),
    secret_file: inFile('secret'),
    token: secret(
      'header-value',
      'ntfy, Gotify and Pushover: the access token or application token.',
    ),
    token_file: inFile('token'),
    topic: text({
      format: 'topic',
      description: 'ntfy: the topic; unless set, the last part of `url`.',
    }),
    host: text({ format: 'host', description: 'email and syslog: the server.' }),
    port: count({
      maximum: 65_535,
      description:
        'email: 587 (465 with `starttls: implicit`); syslog: 514 (6514 by TLS).',
    }),
    user: text({
      format: 'label',
      description: 'email: the login. Pushover: the user or group key.',
    }),
    password: secret('passphrase', 'email: the password of `user`.'),
    password_file: inFile('password'),
    from: text({ format: 'mailbox', description: 'email: the sender.' }),
    to: list({
      items: text({ format: 'mailbox', description: 'An address.' }),
      maxItems: 16,
      default: [],
      single: true,
      uniqueBy: '',
      description: 'email: who gets it.',
    }),
    starttls: choice({
      enum: ['required', 'implicit', 'off'],
      default: 'required',
      description:
        'email: required sends nothing unless STARTTLS is offered and the certificate is ' +
        'right, implicit begins with TLS, off is for a relay on this machine.',
    }),
    tls_ca: text({
      format: 'path',
      description:
        'PEM file of the authority to trust there, in place of the public ones.',
    }),
    transport: choice({
      enum: ['udp', 'tcp', 'tls'],
      default: 'udp',
      description: 'syslog: how (RFC 5426, RFC 6587, RFC 5425).',
    }),
  },
} as const

const ruleSchema = section('One rule.', {
  enabled: flag(true, 'false: nobody is told, and the inbox does not have it.'),
  sinks: list({
    items: text({ format: 'label', description: 'The name of a sink.' }),
    maxItems: 32,
    default: ['*'],
    single: true,
    uniqueBy: '',
    description: '`*` is every sink; none: the inbox alone.',
  }),
  cooldown: seconds({
    description: 'As `alerts.cooldown`, for this rule.',
  }),
  quiet_hours: quietHours(
    'As `alerts.quiet_hours`, for this rule; none: those of all rules.',
  ),
  urgent: flag(false, 'true: told in quiet hours, too.'),
  escalate_after: seconds({
    minimum: 1,
    description:
      'Unless somebody has acknowledged it by then, `escalate_to` is told, too.',
  }),
  escalate_to: list({
    items: text({ format: 'label', description: 'The name of a sink.' }),
    maxItems: 32,
    default: [],
    single: true,
    uniqueBy: '',
    description: 'Whom to tell then, at any hour.',
  }),
  percent: list({
    items: count({ maximum: 100, description: 'Per cent.' }),
    maxItems: 8,
    default: [50, 80, 95],
    single: true,
    description: "budget: the shares of a month's budget at which to tell.",
  }),
  calls: count({
    maximum: 1_000_000,
    default: 120,
    description: 'runaway: calls of one conversation within `within` that are too many.',
  }),
  within: seconds({
    minimum: 1,
    default: 600,
    description: 'runaway: see `calls`.',
  }),
})

export const alertsSchema = section(
  'Who is told when it matters. Unless `rules` says otherwise, every rule tells every sink.',
  {
    inbox: flag(
      false,
      'Whether alerts are kept for `yori alert list` also while no sink is named.',
    ),
    sinks: {
      type: 'object',
      propertyNames: { format: 'label' },
      additionalProperties: sinkSchema,
      maxProperties: 32,
      default: {},
      description: 'Places where people read, by a name of your choice.',
    },
    rules: {
      type: 'object',
      propertyNames: { format: 'label' },
      additionalProperties: ruleSchema,
      maxProperties: 32,
      default: {},
      description: `What to tell, by rule: ${ALERT_RULES.join(', ')}.`,
    },
    cooldown: seconds({
      default: 900,
      description:
        'The same rule, device and policy is told once within it; what comes on top is counted.',
    }),
    answer_url: text({
      format: 'http-url',
      description:
        'Where phones reach the control plane, such as https://yori.home.arpa:8088: an ask can ' +
        'then be answered from its message. Unless set, the name of YORI and the port of ' +
        '`control.listen` where that is beyond loopback; else nothing can be.',
    }),
    answer_within: seconds({
      minimum: 1,
      default: 3600,
      description: 'For how long a link in a message answers, once it was sent.',
    }),
    quiet_hours: quietHours(
      'Local time (`enforcement.timezone`) in which messages wait, such as 22:00-07:00.',
    ),
    days: count({
      default: 30,
      maximum: 365,
      description: 'How long alerts are kept.',
    }),
  },
)
