/** Several targets behind one door: how one is chosen, left out, and asked instead of another. */
import {
  choice,
  count,
  item,
  KiB,
  list,
  MiB,
  seconds,
  secret,
  section,
  size,
  text,
} from './schema-parts.js'

const target = item('One server of it.', ['base_url'], {
  base_url: text({
    format: 'http-url',
    description:
      'Where it is, as `base_url` of a provider. In the clear only where this says http.',
  }),
  name: text({
    format: 'door-name',
    description:
      'What it is called in the record, in metrics and in x-yori-upstream; host:port unless set.',
  }),
  weight: count({
    default: 1,
    maximum: 1000,
    description: 'Its share among those of its priority.',
  }),
  priority: count({
    default: 0,
    minimum: 0,
    maximum: 100,
    description:
      'The lowest is asked first; others when none of those is up and has room for one more.',
  }),
  key: secret(
    'header-value',
    'The key that goes there. What the client sent as its own then does not.',
  ),
  client_cert: text({
    format: 'path',
    description:
      'PEM chain that says to it who YORI is (mutual TLS); that of the provider unless set. ' +
      'As `key`, for clients of this machine and who brings a key of YORI.',
  }),
  client_key: text({
    format: 'path',
    description: 'PEM key of `client_cert`, not encrypted, mode 0600.',
  }),
  max_requests: count({
    default: 1000,
    maximum: 100_000,
    description: 'Requests at once; beyond it, others are asked.',
  }),
  max_connections: count({
    default: 1000,
    maximum: 100_000,
    description:
      'Connections at once: of HTTP/1.1 each carries one request, of HTTP/2 up to 100. Those by ' +
      'which it is looked at come beside them.',
  }),
})

export const poolSchema = list({
  maxItems: 64,
  default: [],
  items: target,
  description:
    'Several servers of it, in the place of `base_url`. One that fails is left out for a while.',
})

export const balanceSchema = choice({
  enum: ['round_robin', 'least_requests', 'peak_ewma', 'consistent_hash'],
  default: 'round_robin',
  description:
    'By what one of `pool` is chosen: in turns by weight, by what each has to do, by latency, or ' +
    'the same for all of one conversation (`X-Yori-Session-Id`, else of one device).',
})

export const fallbackSchema = list({
  maxItems: 16,
  default: [],
  items: item('One that is asked.', ['provider'], {
    provider: text({
      format: 'door-name',
      description:
        'Its name in /llm/NAME. It is asked where it speaks the API that was asked for; ' +
        'nothing is translated.',
    }),
    match: text({
      format: 'label',
      description: 'For which models; one * stands for any text. All unless set.',
    }),
    model: text({
      format: 'label',
      description:
        'What it is called there; * is what that of `match` stood for. As asked unless set.',
    }),
    prefer: {
      type: 'boolean',
      default: false,
      description:
        'Asked before the provider itself, while it is up: such as one at home.',
    },
    on: list({
      maxItems: 3,
      minItems: 1,
      default: ['error', 'latency'],
      items: choice({
        enum: ['error', 'budget', 'latency'],
        description:
          'error: after the provider has failed. budget: where the budget of the key, or ' +
          '`budget` and `cost_limit` of the policies, is spent, and it costs nothing there. ' +
          'latency: while the provider is slower than `slower_than`.',
      }),
      description: 'What it is asked for.',
    }),
    slower_than: seconds({
      description:
        'Asked before the provider itself while answers of that begin later than this.',
    }),
  }),
  description:
    'Who is asked in its place, in order: after no connection, 429, 502, 503, 504 or 529. ' +
    "The client's own key never goes there: only one that is configured for it.",
})

const share = (value: number, description: string) =>
  ({ type: 'number', minimum: 0, maximum: 1, default: value, description }) as const

export const poolsSchema = section('What holds for the targets of every `pool`.', {
  eject_after: count({
    default: 5,
    maximum: 1000,
    description:
      'Failures in a row after which a target is left out: no connection, no answer, one that ' +
      'is cut off, or a status of 5xx. At most half of a pool is left out.',
  }),
  eject_time: seconds({
    default: 30,
    description: 'For how long, the first time; the n-th time in a row n times as long.',
  }),
  eject_time_most: seconds({
    default: 300,
    description: 'The longest.',
  }),
  breaker_share: share(
    0.5,
    'The share of failures by which it is left out, too, though never that many in a row.',
  ),
  breaker_requests: count({
    default: 20,
    minimum: 2,
    maximum: 10_000,
    description: 'The least answers by which that is judged.',
  }),
  breaker_window: seconds({
    default: 10,
    maximum: 3600,
    description: 'Of how long ago.',
  }),
  slow_start: seconds({
    default: 30,
    maximum: 3600,
    description: 'In this time one that is back grows from a tenth of its weight to all.',
  }),
  health_interval: {
    type: 'number',
    unit: 'seconds',
    minimum: 0,
    maximum: 3600,
    default: 10,
    description:
      'How often a connection is opened to each (TCP, and TLS where it speaks it), unless it ' +
      'has just answered; 0: never.',
  },
  health_failures: count({
    default: 3,
    maximum: 100,
    description: 'Such connections in a row that fail before it counts as down.',
  }),
  retries: count({
    default: 2,
    minimum: 0,
    maximum: 10,
    description:
      'Further targets that a request may go to before an answer has begun: after no ' +
      'connection, 502, 503, 504, or 429 with a `Retry-After` within `retry_after`.',
  }),
  retry_share: share(
    0.2,
    'Of the requests under way, the share that may be retries at once.',
  ),
  retries_at_least: count({
    default: 3,
    minimum: 0,
    maximum: 1000,
    description: 'Retries that may be under way whatever the share.',
  }),
  retry_after: seconds({
    default: 10,
    maximum: 3600,
    description: 'The longest `Retry-After` of a 429 with which another target is asked.',
  }),
  wait: seconds({
    default: 5,
    maximum: 600,
    description:
      'How long a request waits where each target has all the requests or connections that it ' +
      'may have; then it goes to a fallback, or fails with 503.',
  }),
  waiting: count({
    default: 100,
    minimum: 0,
    maximum: 10_000,
    description:
      'Requests that wait so at one pool; one more does not wait. 0: none does.',
  }),
  body_bytes: size({
    default: 4 * MiB,
    minimum: 64 * KiB,
    maximum: 100 * MiB,
    description:
      'A body up to this is read whole before it goes up, so that it can go up again; of a ' +
      'longer one, and of one of unknown length, as much as is kept for reading.',
  }),
})
