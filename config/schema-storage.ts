/** What YORI keeps, signs and says. */
import { shipSchema } from './schema-fleet.js'
import { recordSinksSchema } from './schema-sinks.js'
import {
  GiB,
  KiB,
  MiB,
  choice,
  count,
  flag,
  item,
  list,
  secret,
  seconds,
  section,
  size,
  text,
} from './schema-parts.js'

export const controlSchema = section('Dashboard, health, metrics and API.', {
  listen: text({
    format: 'listen-or-off',
    default: '127.0.0.1:8088',
    description:
      'Where they are served, besides STATE_DIR/control.sock. Beyond loopback it is TLS from ' +
      'the own CA, as https://yori.home.arpa (or one of access.own_names); whoever opens an ' +
      'address is led to the name. An address that is taken keeps nothing else from running.',
  }),
  language: choice({
    enum: ['auto', 'en', 'de', 'es', 'fr'],
    default: 'auto',
    description: 'Of the dashboard. auto: what each browser asks for, else English.',
  }),
  people: list({
    items: item('One person who may log in.', ['name'], {
      name: text({ format: 'label', description: 'As typed at the login.' }),
      password_hash: secret('password-hash', 'A hash, never the password.'),
      pin_hash: secret(
        'password-hash',
        'The hash of 6 to 12 digits, for a phone: with them household at most.',
      ),
      role: choice({
        enum: ['view', 'household', 'admin'],
        default: 'view',
        description:
          'view looks, household also pauses, approves and names, admin also changes settings.',
      }),
    }),
    maxItems: 64,
    default: [],
    uniqueBy: 'name',
    description:
      'Who may log in by name and password or PIN; `yori hash-password` makes the hash.',
  }),
})

export const otelSchema = section(
  'Traces and metrics for a collector, by OTLP/HTTP in JSON.',
  {
    endpoint: text({
      format: 'http-url',
      description:
        'Where the collector is, such as http://127.0.0.1:4318; /v1/traces and /v1/metrics are ' +
        'added. Unless set, nothing is sent.',
    }),
    headers: {
      type: 'object',
      propertyNames: { format: 'header-name' },
      additionalProperties: secret('header-value', 'What it says.'),
      maxProperties: 32,
      default: {},
      description: 'Fields of each request, such as authorization.',
    },
    traces: flag(true, 'Whether a span is sent for each call to a model.'),
    metrics: flag(true, 'Whether metrics are sent.'),
    interval: seconds({
      default: 60,
      minimum: 1,
      maximum: 3600,
      description: 'How often metrics are sent.',
    }),
    content: flag(false, 'Whether spans hold the end of what a person wrote.'),
  },
)

export const auditSchema = section('The record of what happened.', {
  database: text({
    format: 'path',
    derived: '<state_dir>/audit.db',
    description: 'The SQLite file.',
  }),
  retention_days: count({
    default: 365,
    maximum: 3650,
    description: 'Days that rows are kept.',
  }),
  max_bytes: size({
    default: 1 * GiB,
    minimum: 16 * MiB,
    maximum: 1024 * GiB,
    description: 'Size of the store; beyond it the oldest rows go first.',
  }),
  bodies: choice({
    enum: ['none', 'request', 'both'],
    default: 'none',
    description: 'Whether bodies are kept, after redaction. They hold what people wrote.',
  }),
  body_bytes: size({
    default: 64 * KiB,
    maximum: 16 * MiB,
    description: 'Bytes kept of one body.',
  }),
  call_events: flag(
    false,
    'Whether calls, tool use and sessions are also kept as events, one row each.',
  ),
  tunnel_names: flag(false, 'Whether names of traffic that is not LLM are kept.'),
  batch_rows: count({
    default: 10,
    maximum: 10_000,
    description: 'Rows in one transaction.',
  }),
  batch_ms: {
    type: 'integer',
    unit: 'ms',
    default: 100,
    minimum: 1,
    maximum: 60_000,
    description: 'The longest that a row waits for its transaction, in milliseconds.',
  },
  prune_at: text({
    format: 'time-of-day',
    default: '03:00',
    description: 'Local time of the daily clean-up.',
  }),
  ship: shipSchema,
  sinks: recordSinksSchema,
})

export const catalogueSection = section(
  'What is known of providers besides their hosts.',
  {
    file: text({
      format: 'path',
      description:
        'A second catalogue, of the form of config/providers.yaml: hosts and prices to add.',
    }),
  },
)

export const caSchema = section("YORI's certificate authority.", {
  directory: text({
    format: 'path',
    derived: '<state_dir>/ca',
    description: 'Its keys and certificates, mode 0700.',
  }),
  name_constraints: choice({
    enum: ['list', 'off'],
    default: 'list',
    description:
      'list: the CA can sign for listed names only. off: a stolen key signs all.',
  }),
  permitted: list({
    items: text({ format: 'hostname', description: 'A host name.' }),
    maxItems: 256,
    default: [],
    uniqueBy: '',
    description: "Names that a new root permits besides the vendors' own.",
  }),
  organization: text({
    format: 'label',
    maxLength: 64,
    default: 'YORI',
    description: 'Shown on devices as the owner of the root (at most 64 characters).',
  }),
  passphrase: secret(
    'passphrase',
    'Encrypts the root key. Give `passphrase_file` or ${VAR} instead of plain text.',
  ),
  passphrase_file: text({
    format: 'path',
    description: 'File whose first line is the passphrase, mode 0600; read at load.',
  }),
  leaf_days: count({
    default: 90,
    maximum: 90,
    description: 'Life of a leaf; it begins two days back.',
  }),
  issuing_days: count({
    default: 90,
    minimum: 7,
    maximum: 398,
    description: 'Life of the issuing CA that renews itself; it begins two days back.',
  }),
  root_days: count({ default: 3650, maximum: 7300, description: 'Life of the root.' }),
})

export const logSchema = section('The running log: JSON lines.', {
  level: choice({
    enum: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    description: 'The least important message that is written.',
  }),
  file: text({
    format: 'path',
    description:
      'Where to, mode 0640; standard error when left out. Opened anew within 10 seconds when it was moved away, so that it can be rotated without a signal.',
  }),
  exchanges: flag(false, 'One info line for each exchange.'),
})
