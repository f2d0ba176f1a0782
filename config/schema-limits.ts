/**
 * Every bound and every deadline. Each description opens with the kind of limit that it is,
 * so that a reader can check that no kind is missing.
 */
import { KiB, MiB, count, seconds, section, size } from './schema-parts.js'

export const limitsSchema = section(
  'Bounds. At a limit the client gets 413, 429, 431 or 503, and a counter counts it.',
  {
    client_hello_bytes: size({
      default: 64 * KiB,
      minimum: 1 * KiB,
      maximum: 1 * MiB,
      description: 'Handshake size: bytes read of a ClientHello; more is tunnelled.',
    }),
    undecided: count({
      default: 1024,
      maximum: 65_536,
      description:
        'Connections: those not yet routed, in all. Beyond it a new one waits; what ' +
        'has sent too little for over a second then makes room.',
    }),
    undecided_per_client: count({
      default: 64,
      maximum: 65_536,
      description: 'Connections per client: those not yet routed; likewise.',
    }),
    connections: count({
      default: 4096,
      maximum: 1_000_000,
      description: 'Connections: in all. Beyond it a new one is closed.',
    }),
    connections_per_client: count({
      default: 512,
      maximum: 1_000_000,
      description: 'Connections per client.',
    }),
    connections_per_endpoint: count({
      default: 1024,
      maximum: 1_000_000,
      description: 'Connections per route: intercepted ones for one endpoint.',
    }),
    connections_per_device: count({
      default: 768,
      maximum: 1_000_000,
      description:
        'Connections per device: by its MAC, whatever addresses it has; behind another ' +
        'router by address or /64. Beyond it a new one is closed.',
    }),
    exchanges: count({
      default: 1024,
      maximum: 100_000,
      description: 'In-flight requests: in this process. Beyond it 429.',
    }),
    exchanges_per_endpoint: count({
      default: 512,
      maximum: 100_000,
      description: 'In-flight requests per route. Beyond it 429.',
    }),
    exchanges_per_device: count({
      default: 384,
      maximum: 100_000,
      description:
        'In-flight requests per device, likewise: so that no device takes an endpoint from ' +
        'the others. Beyond it 429.',
    }),
    held_for_approval: count({
      default: 64,
      maximum: 1000,
      description:
        'In-flight requests that wait for the word of an adult. Beyond it they are refused.',
    }),
    header_bytes: size({
      default: 32 * KiB,
      minimum: 1 * KiB,
      maximum: 1 * MiB,
      description: 'Header size: a whole request or response head. Beyond it 431.',
    }),
    header_count: count({
      default: 200,
      minimum: 10,
      maximum: 2000,
      description: 'Header count: fields in one head. Beyond it 431.',
    }),
    header_name_bytes: size({
      default: 256,
      minimum: 32,
      maximum: 64 * KiB,
      description: 'Header size: one field name. Beyond it 431.',
    }),
    header_value_bytes: size({
      default: 16 * KiB,
      minimum: 256,
      maximum: 1 * MiB,
      description: 'Header size: one field value. Beyond it 431.',
    }),
    request_body_bytes: size({
      maximum: 1024 * 1024 * MiB,
      description:
        'Body size, global: any request body. Beyond it 413. Unless set, there is none; ' +
        '`endpoints[].max_body_bytes` is the one per route.',
    }),
    held_body_bytes: size({
      default: 64 * MiB,
      minimum: 64 * KiB,
      maximum: 1024 * MiB,
      description:
        'Body size: request bytes kept to be looked at, in all. Who is held waits for room. ' +
        'With the defaults YORI takes some 320 MB where they are filled.',
    }),
    held_body_bytes_per_client: size({
      default: 24 * MiB,
      minimum: 64 * KiB,
      maximum: 1024 * MiB,
      description:
        'Body size per device: request bytes kept to be looked at. In enforce its requests ' +
        'wait in line for room, up to `timeouts.request_body`.',
    }),
    decompression_ratio: count({
      default: 100,
      minimum: 2,
      maximum: 10_000,
      description: 'Decompression ratio: plain bytes to one compressed byte.',
    }),
    decompressed_bytes: size({
      default: 10 * MiB,
      minimum: 1 * KiB,
      maximum: 256 * MiB,
      description: 'Decompression size: plain bytes of one body.',
    }),
    processor_queue: count({
      default: 100,
      maximum: 10_000,
      description:
        'Processor queue: calls that wait for one processor; what is beyond goes by its ' +
        '`fail_mode` at once.',
    }),
    processor_body_bytes: size({
      default: 1 * MiB,
      maximum: 64 * MiB,
      description:
        'Processor call size: body bytes that a processor is shown. Of a longer body it is ' +
        'shown nothing, or its beginning: `processors[].over_limit`.',
    }),
    processor_reply_bytes: size({
      default: 1 * MiB,
      maximum: 64 * MiB,
      description:
        'Processor reply size: bytes read of one answer; beyond it its connection is ended.',
    }),
    h2_streams: count({
      default: 100,
      maximum: 10_000,
      description: 'In-flight requests per connection: HTTP/2 streams at once.',
    }),
    h2_stream_window_bytes: size({
      default: 256 * KiB,
      minimum: 64 * KiB,
      maximum: 64 * MiB,
      description: 'Body size: bytes of one HTTP/2 stream that wait to be read.',
    }),
    h2_connection_window_bytes: size({
      default: 1 * MiB,
      minimum: 64 * KiB,
      maximum: 256 * MiB,
      description: 'Body size: bytes of one HTTP/2 connection that wait to be read.',
    }),
    h2_session_bytes: size({
      default: 10 * MiB,
      minimum: 1 * MiB,
      maximum: 1024 * MiB,
      description: 'Memory: one HTTP/2 connection; beyond it new streams are reset.',
    }),
    h2_resets_per_second: count({
      default: 20,
      maximum: 100_000,
      description:
        'Rate: HTTP/2 streams that a client breaks off; ten seconds at once, then it is closed.',
    }),
    h2_controls_per_second: count({
      default: 100,
      maximum: 100_000,
      description:
        'Rate: PING and SETTINGS of an HTTP/2 client; ten seconds at once, then it is closed.',
    }),
    leaf_contexts: count({
      default: 500,
      maximum: 10_000,
      description: 'Cache: TLS contexts of minted leaves (about 19 KB each).',
    }),
    sessions: count({
      default: 10_000,
      minimum: 10,
      maximum: 1_000_000,
      description:
        'Cache: conversations that a request may belong to; the idlest goes first.',
    }),
    audit_queue_rows: count({
      default: 10_000,
      minimum: 10,
      maximum: 1_000_000,
      description:
        'Audit queue: rows that wait for the store; more are dropped and counted.',
    }),
    dns_names: count({
      default: 1000,
      maximum: 100_000,
      description: 'Cache: names that the resolver remembers.',
    }),
  },
)

export const timeoutsSchema = section('Deadlines, in seconds. Fractions are read.', {
  first_bytes: seconds({
    default: 1,
    maximum: 60,
    description: 'The first byte of a connection; then a redirected one is tunnelled.',
  }),
  client_hello: seconds({
    default: 5,
    maximum: 120,
    description:
      'TLS handshake, client side: a whole ClientHello, from its first byte, on every way.',
  }),
  client_tls: seconds({
    default: 10,
    maximum: 600,
    description: 'TLS handshake, client side: from ClientHello to finished.',
  }),
  connect: seconds({
    default: 10,
    maximum: 600,
    description: 'Connect: a TCP connection to the provider or tunnel target.',
  }),
  upstream_tls: seconds({
    default: 10,
    maximum: 600,
    description: 'TLS handshake, upstream side; of HTTP/2 also until its first SETTINGS.',
  }),
  dns: seconds({
    default: 5,
    maximum: 120,
    description: 'Resolving one name.',
  }),
  request_header: seconds({
    default: 30,
    maximum: 3600,
    description: 'Request header: a whole request head, from its first byte.',
  }),
  request_body: seconds({
    default: 60,
    maximum: 3600,
    description: 'Request body: silence inside it.',
  }),
  in_flight: seconds({
    default: 120,
    maximum: 3600,
    description:
      'Budget: how long a call to a model waits that fits into what is left, but not beside ' +
      'the most that those may use which are being answered. Beyond it, it is refused.',
  }),
  response_header: seconds({
    default: 900,
    description:
      'Upstream response header: from the request to the response head. ' +
      '`proxy.upstream_timeout` takes its place when set.',
  }),
  response_body: seconds({
    default: 900,
    description: 'Upstream response body: silence inside it.',
  }),
  keep_alive: seconds({
    default: 120,
    maximum: 3600,
    description: 'An idle HTTP/1.1 client connection.',
  }),
  client_read: seconds({
    default: 300,
    maximum: 3600,
    description:
      'A client that takes nothing of what it is sent; then it is cut off. ' +
      'HTTP/2: each stream as well. Tunnels have `tunnel_idle`.',
  }),
  h2_idle: seconds({
    default: 120,
    maximum: 3600,
    description: 'An HTTP/2 client connection without streams.',
  }),
  tcp_keep_alive: seconds({
    default: 60,
    maximum: 7200,
    description:
      'TCP keep-alive: silence after which a client and a provider are asked whether they ' +
      'are still there; a change takes effect for clients at the next start.',
  }),
  tunnel_idle: seconds({
    default: 7200,
    description: 'A tunnel without a byte in either direction.',
  }),
  websocket_idle: seconds({
    default: 3600,
    description: 'A WebSocket without a byte in either direction.',
  }),
  processor: seconds({
    default: 1,
    maximum: 60,
    description:
      'Processor call: every event of one phase, its wait for a turn included; then ' +
      'its `fail_mode` decides. `processors[].timeout_ms` takes its place when set.',
  }),
  session_idle: seconds({
    default: 3600,
    minimum: 1,
    description:
      'A conversation without a request; then it has ended. A restart ends all of them.',
  }),
  drain: seconds({
    default: 30,
    maximum: 3600,
    description: 'Exchanges under way at a stop or reload, before they are cut.',
  }),
})
