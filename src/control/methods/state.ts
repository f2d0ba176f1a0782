/** How YORI is: for probes, for `yori status`, and the configuration in force without secrets. */
import { formatSocketAddress } from '../../core/address.js'
import { json } from '../answer.js'
import type { Handler, PlainHandler } from '../method.js'
import type { ControlPort } from '../port.js'
import { poolShape } from '../pool-shape.js'
import type { WafStood } from '../../metrics/waf.js'

/** Nothing but this word: everybody may ask. */
export const health: PlainHandler = ({ on }) => json({ status: stateOf(on.port) })

export const status: Handler = ({ on: { port, places } }) => {
  const { appliance, clock, version, startedAt, source } = port
  const { services, config } = appliance.current
  const { kind, ...trouble } = appliance.audit.health
  return json({
    status: stateOf(port),
    version,
    pid: process.pid,
    started_at: new Date(startedAt).toISOString(),
    uptime_seconds: Math.round((clock.now() - startedAt) / 1000),
    mode: config.mode,
    enforcement_enabled: config.enforcement.enabled,
    configuration: source ?? null,
    listen: appliance.addresses.map(formatSocketAddress),
    control: {
      listen: places.listen ?? null,
      url: places.url ?? null,
      socket: places.socket ?? null,
      problem: places.problem ?? null,
    },
    endpoints: services.policy.routes.endpoints.enabled().length,
    ca: services.roots.condition(clock.now()).kind,
    concerns: services.concerns(),
    store: { state: kind, ...trouble, ...appliance.audit.counts },
    sessions: appliance.conversations.counts(),
    waf: wafShape(port.telemetry.waf),
    pools: services.pools.all.map(poolShape),
    ...port.fleet?.shape,
  })
}

/** Secrets read `[redacted]`, as they serialise. */
export const config: PlainHandler = ({ on: { port } }) => {
  const { config: inForce } = port.appliance.current
  const { audit, log } = inForce
  return json({
    source: port.source ?? null,
    config: inForce,
    interceptors: [
      { name: 'metering', enabled: true },
      { name: 'record', enabled: true },
      { name: 'call_events', enabled: audit.call_events },
      { name: 'request_bodies', enabled: audit.bodies !== 'none' },
      { name: 'response_bodies', enabled: audit.bodies === 'both' },
      { name: 'exchange_log', enabled: log.exchanges },
    ],
  })
}

/** The word that `/health` has. */
export function stateOf(port: ControlPort): 'healthy' | 'degraded' {
  const { appliance, clock, telemetry } = port
  const { concerns, roots } = appliance.current.services
  const isUsable = roots.condition(clock.now()).kind !== 'unusable'
  const { state = 'off' } = telemetry.waf ?? {}
  const looks = state === 'off' || state === 'running'
  return isUsable && looks && concerns().length === 0 ? 'healthy' : 'degraded'
}

/** Null where there is to be none. */
function wafShape(stood: WafStood | undefined): object | null {
  if (stood === undefined || stood.state === 'off') return null
  const { state, restarts, version, why, fallback, counts } = stood
  return {
    ...{ state, restarts, version: version ?? null, why: why ?? null },
    ...{ fallback: fallback ?? null, judged: counts?.judged ?? 0 },
    objected: counts?.objected ?? 0,
  }
}
