/** The processors of a configuration, each with its dialect and its bounds. Built once a reload. */
import { readFileSync } from 'node:fs'
import { parseHostPort } from '../../../config/schema-formats.js'
import type { Config } from '../../../config/schema.js'
import { parsePrefix, Prefixes } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import { matchesHostname } from '../../core/hostname.js'
import type { Log } from '../../core/log.js'
import { macText } from '../../core/mac.js'
import { packageFile } from '../../core/package-root.js'
import type { Looker } from '../../policy/decider.js'
import type { Dialect } from '../../processors/dialect.js'
import { ExtProcDialect } from '../../processors/ext-proc.js'
import { Processor } from '../../processors/processor.js'
import type { ProcessorRoute, RoutedDevice } from '../../processors/processor.js'
import { Processors } from '../../processors/processors.js'
import { UdsDialect } from '../../processors/uds.js'
import { WebhookDialect } from '../../processors/webhook.js'
import type { ProcessorEvent } from '../../processors/words.js'
import { milliseconds } from './milliseconds.js'
import { withWaf } from './waf.js'

type Entry = Config['processors'][number]
type Parts = Pick<Config, 'processors' | 'waf' | 'state_dir' | 'limits' | 'timeouts'>

export interface ProcessorEdges {
  readonly clock: Clock
  readonly log: Log
}

export function processorsOf(config: Parts, edges: ProcessorEdges): Processors {
  return new Processors(
    withWaf(config)
      .filter(({ enabled }) => enabled)
      .map((entry) => processorOf(entry, config, edges)),
  )
}

/** Those whose word may lead to something before a request goes up. */
export function lookersOf(
  config: Pick<Config, 'processors' | 'waf' | 'state_dir'>,
): Looker[] {
  return withWaf(config)
    .filter(
      (entry) =>
        entry.enabled &&
        entry.action !== 'allow' &&
        eventsOf(entry).some((event) => ASKED_AT.has(event)),
    )
    .map(({ name, action }) => ({ name, blocks: action === 'block' }))
}

const ASKED_AT: ReadonlySet<ProcessorEvent> = new Set([
  'request_headers',
  'request_body',
  'websocket',
])

function eventsOf({ events, dialect }: Entry): readonly ProcessorEvent[] {
  if (events.length > 0) return events
  return [dialect === 'webhook' ? 'request_body' : 'request_headers']
}

export function processorOf(
  entry: Entry,
  { limits, timeouts }: Pick<Parts, 'limits' | 'timeouts'>,
  edges: ProcessorEdges,
): Processor {
  return new Processor({
    name: entry.name,
    events: new Set(eventsOf(entry)),
    action: entry.action,
    order: entry.order,
    failMode: entry.fail_mode,
    timeoutMs: entry.timeout_ms ?? milliseconds(timeouts.processor),
    queue: limits.processor_queue,
    named: new Set(entry.headers.map((name) => name.toLowerCase())),
    seesOriginal: entry.sees === 'original',
    bodyBytes: entry.body_bytes ?? limits.processor_body_bytes,
    isPartialFine: entry.over_limit === 'partial',
    contentTypes: entry.content_types.map((type) => type.toLowerCase()),
    routes: entry.routes.map(routeOf),
    dialect: dialectOf(entry, limits.processor_reply_bytes),
    clock: edges.clock,
    log: edges.log,
  })
}

function dialectOf(entry: Entry, replyBytes: number): Dialect {
  const { address, connections } = entry
  const token = entry.token?.reveal()
  switch (entry.dialect) {
    case 'uds':
      return new UdsDialect({
        path: address,
        replyBytes,
        version: ownVersion(),
        connections,
      })
    case 'ext_proc': {
      const { host = '', port = 0 } = parseHostPort(address) ?? {}
      const { tls, concurrency } = entry
      return new ExtProcDialect({ host, port, tls, token, replyBytes, concurrency })
    }
    case 'webhook': {
      const { shape, concurrency } = entry
      return new WebhookDialect({ url: address, shape, token, replyBytes, concurrency })
    }
  }
}

/** Ours, for handshakes. */
function ownVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function routeOf(route: Entry['routes'][number]): ProcessorRoute {
  const { endpoint, provider, path, device } = route
  return {
    endpoint: endpoint === undefined ? undefined : endpointOf(endpoint),
    provider,
    path,
    device: device === undefined ? undefined : deviceOf(device),
  }
}

function endpointOf(pattern: string): (host: string) => boolean {
  const lower = pattern.toLowerCase()
  return (host) => matchesHostname(lower, host)
}

/** An address or a prefix, a MAC, or what the household calls it. */
function deviceOf(text: string): (device: RoutedDevice) => boolean {
  const mac = macText(text)
  if (mac !== undefined) return (device) => device.mac === mac
  if (parsePrefix(text) === undefined)
    return ({ name }) => name === text || name?.startsWith(`${text} (`) === true
  const prefixes = new Prefixes([text])
  return ({ ip }) => prefixes.has(ip)
}
