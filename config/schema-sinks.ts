/** Where the record goes as it is written, line by line; what belongs together is `check-sinks.ts`. */
import { choice, count, secret, text } from './schema-parts.js'

export const RECORD_SINK_TYPES = [
  'file',
  'syslog',
  'splunk',
  'datadog',
  'elastic',
] as const
export type RecordSinkType = (typeof RECORD_SINK_TYPES)[number]

/** What each cannot do without. */
export const RECORD_SINK_KEYS = {
  file: ['path'],
  syslog: ['host'],
  splunk: ['url', 'token'],
  datadog: ['url', 'token'],
  elastic: ['url'],
} as const satisfies Readonly<Record<RecordSinkType, readonly string[]>>

const sinkSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  description: 'One place where the record goes.',
  properties: {
    type: choice({
      enum: RECORD_SINK_TYPES,
      description:
        'file: a document a line. syslog: RFC 5424. splunk: the HTTP Event Collector. ' +
        'datadog: its logs API. elastic: the bulk API of Elasticsearch and OpenSearch.',
    }),
    format: choice({
      enum: ['yori', 'ecs', 'ocsf', 'cef'],
      description:
        'How an exchange is written: yori has every column but bodies. Unless set, ecs for ' +
        'elastic, cef for syslog, else yori.',
    }),
    path: text({
      format: 'path',
      description: 'file: where, mode 0600; rotate it as you like.',
    }),
    url: text({
      format: 'http-url',
      description:
        'splunk, datadog and elastic: the server, such as https://splunk.example:8088; the path ' +
        'of its interface is added where there is none.',
    }),
    token: secret('header-value', 'splunk, datadog and elastic: the token or API key.'),
    token_file: text({
      format: 'path',
      description:
        'File whose first line is the token, mode 0600; read at each connection.',
    }),
    index: text({ format: 'label', description: 'elastic and splunk: the index.' }),
    host: text({ format: 'host', description: 'syslog: the server.' }),
    port: count({ maximum: 65_535, description: 'syslog: 514; 6514 by TLS.' }),
    transport: choice({
      enum: ['udp', 'tcp', 'tls'],
      default: 'tls',
      description:
        'syslog: how (RFC 5426, RFC 6587 with counted octets, RFC 5425). udp tells nobody ' +
        'whether it came through.',
    }),
    tls_ca: text({
      format: 'path',
      description:
        'PEM file of the authority to trust there, in place of the public ones.',
    }),
  },
} as const

export const recordSinksSchema = {
  type: 'object',
  propertyNames: { format: 'label' },
  additionalProperties: sinkSchema,
  maxProperties: 8,
  default: {},
  description:
    'Where exchanges, and the signed heads of the record, go as they are written: at least once ' +
    'each. Whatever is not taken waits in the record. A process each.',
} as const
