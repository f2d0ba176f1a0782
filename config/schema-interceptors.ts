/** Observers of exchanges that the operator may have beside the record, in their order. */
import {
  choice,
  count,
  flag,
  item,
  list,
  secret,
  section,
  size,
  text,
  MiB,
} from './schema-parts.js'

export const INTERCEPTORS = [
  'printer',
  'message_logger',
  'event_recorder',
  'http_recorder',
  'trace',
  'cylestio_trace',
  'live_trace',
] as const

const settings = section('What it is set to; each takes those that are meant for it.', {
  log_requests: flag(true, 'Of `printer`: a line for each request.'),
  log_responses: flag(true, 'Of `printer`: a line for each answer.'),
  log_body: flag(false, 'Of `printer`: and what was said, sanitised.'),
  output_dir: text({
    format: 'path',
    description:
      'Of `message_logger`, `event_recorder` and `http_recorder`: the folder of their files, ' +
      'made for their owner alone. Unless set, one of their name in `state_dir`.',
  }),
  include_system_prompts: flag(true, 'Of `message_logger`.'),
  max_body_size: size({
    maximum: 1024 * MiB,
    default: 100 * MiB,
    description: 'Of `http_recorder`: of each body; a longer one is marked as truncated.',
  }),
  max_events_per_file: count({
    maximum: 100_000,
    default: 100,
    description: 'Of `http_recorder`: events in a file, before the next is begun.',
  }),
  endpoint: text({
    format: 'http-url',
    description: 'Of `trace`: the collector, by OTLP/HTTP; /v1/traces is added.',
  }),
  api_url: text({ format: 'http-url', description: 'Of `trace`: as `endpoint`.' }),
  access_key: secret('header-value', 'Of `trace`: sent as a bearer token.'),
  server_port: count({
    maximum: 65_535,
    default: 7100,
    description: 'Of `live_trace`: where the dashboard is on this machine.',
  }),
  auto_open_browser: flag(true, 'Of `live_trace`: open it at the start, at a display.'),
  storage_mode: choice({
    enum: ['memory', 'sqlite'],
    default: 'memory',
    description:
      'Of `live_trace`: events of calls, tools and sessions are kept in the record (sqlite), or ' +
      'are gone once they were shown (memory). Its rows stay as `audit` says, either way.',
  }),
  enable_presidio: flag(
    true,
    'Of `live_trace`: note personal data, by the detectors of YORI.',
  ),
})

export const interceptorsSchema = list({
  maxItems: 16,
  default: [],
  description:
    'Observers of exchanges beside the record, told in their order; off unless named. ' +
    '`cylestio_trace` is `trace`.',
  items: item('One of them.', ['type'], {
    type: choice({ enum: INTERCEPTORS, description: 'Which.' }),
    enabled: flag(true, 'Whether it observes.'),
    config: settings,
  }),
})
