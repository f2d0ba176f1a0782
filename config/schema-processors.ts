/** Other programs that look at exchanges: where they are, what they are shown, how long it may take. */
import { choice, count, flag, item, list, secret, size, text } from './schema-parts.js'
import { MiB } from './schema-parts.js'

export const PROCESSOR_DIALECTS = ['uds', 'ext_proc', 'webhook'] as const

export const processorRoute = item(
  'What an exchange must be; all that is given counts.',
  [],
  {
    endpoint: text({
      format: 'hostname-pattern',
      description: 'Its host, or a pattern: *.example.com.',
    }),
    provider: text({
      format: 'door-name',
      description: 'The provider, by its name in the catalogue or of /llm/NAME.',
    }),
    path: text({ maxLength: 1024, description: 'The beginning of its path.' }),
    device: text({
      maxLength: 128,
      description: 'An IP address, a prefix, a MAC address, or a name of the household.',
    }),
  },
)

const processor = item('One program that looks.', ['name', 'address'], {
  name: text({
    format: 'door-name',
    description: 'By which its word stands in the record, as that of a policy.',
  }),
  enabled: flag(true, 'Off: it is not asked.'),
  dialect: choice({
    enum: PROCESSOR_DIALECTS,
    default: 'uds',
    description:
      'How it is spoken to: agent protocol v2 over a Unix socket, external processing of ' +
      'Envoy (gRPC), or a guardrail over HTTP.',
  }),
  address: text({
    maxLength: 2048,
    description: 'uds: the path of its socket; ext_proc: host:port; webhook: a URL.',
  }),
  tls: flag(false, 'ext_proc: TLS in place of HTTP/2 in the clear.'),
  shape: choice({
    enum: ['litellm', 'portkey'],
    default: 'litellm',
    description:
      'webhook: the generic guardrail API of LiteLLM, or the guardrail webhook of Portkey.',
  }),
  token: secret('header-value', 'ext_proc, webhook: sent to it as a bearer token.'),
  events: list({
    items: choice({
      enum: [
        'request_headers',
        'request_body',
        'response_headers',
        'response_body',
        'websocket',
        'complete',
        'log',
      ],
      description: 'A moment of an exchange.',
    }),
    maxItems: 7,
    default: [],
    single: true,
    uniqueBy: '',
    description:
      'What it is asked about: request_headers, request_body, websocket (uds: each message of ' +
      'a client); and what it is told afterwards: response_body, of uds and ext_proc ' +
      'response_headers, of uds complete. Unless set, request_headers; of a webhook, request_body.',
  }),
  routes: list({
    items: processorRoute,
    maxItems: 256,
    default: [],
    description: 'Which exchanges it is for, any of these; none: all.',
  }),
  headers: list({
    items: text({ format: 'header-name', description: 'A field, or a parameter.' }),
    maxItems: 64,
    default: [],
    uniqueBy: '',
    description:
      'Credentials that it is shown and may write, such as authorization; it is shown no others.',
  }),
  timeout_ms: {
    type: 'integer',
    unit: 'ms',
    minimum: 10,
    maximum: 60_000,
    description: 'The longest wait for it; `timeouts.processor` unless set.',
  },
  fail_mode: choice({
    enum: ['open', 'closed'],
    default: 'open',
    description:
      'Where it does not answer: go on, or answer 503, and 504 where it is late.',
  }),
  action: choice({
    enum: ['allow', 'alert', 'block'],
    default: 'block',
    description: 'The most that its word may lead to.',
  }),
  order: count({
    minimum: 0,
    maximum: 100_000,
    default: 100,
    description: 'Of several opinions of one strength, the lowest has its way.',
  }),
  sees: choice({
    enum: ['redacted', 'original'],
    default: 'redacted',
    description: 'A body as policies left it, or as it came.',
  }),
  over_limit: choice({
    enum: ['fail', 'partial'],
    default: 'fail',
    description:
      'Of a body over the limit: nothing, by its fail_mode (closed answers 413); or the ' +
      'beginning of it.',
  }),
  body_bytes: size({
    maximum: 64 * MiB,
    description: 'Body bytes that it is shown; `limits.processor_body_bytes` unless set.',
  }),
  content_types: list({
    items: text({ maxLength: 128, description: 'A media type, or text/*.' }),
    maxItems: 64,
    default: [
      'application/json',
      'application/x-ndjson',
      'application/x-www-form-urlencoded',
      'application/xml',
      'multipart/form-data',
      'text/*',
    ],
    description: 'Bodies that it is shown.',
  }),
  connections: count({
    default: 4,
    maximum: 256,
    description: 'uds: connections to it, each with one call at a time.',
  }),
  concurrency: count({
    default: 100,
    maximum: 10_000,
    description: 'ext_proc, webhook: calls at once.',
  }),
})

export const processorsSchema = list({
  items: processor,
  maxItems: 64,
  default: [],
  uniqueBy: 'name',
  description: 'Other programs that look at exchanges, beside the policies.',
})
