/**
 * The one source of the configuration: types, defaults, limits and documentation all come
 * from here. Reading, expanding and judging are elsewhere (`load.ts`).
 */
import type { FromSchema, SectionNode } from './from-schema.js'
import { alertsSchema } from './schema-alerts.js'
import { enforcementSchema, policiesSchema } from './schema-enforcement.js'
import { fleetSchema } from './schema-fleet.js'
import { gatewaySchema } from './schema-gateway.js'
import { mcpSchema } from './schema-mcp.js'
import { limitsSchema, timeoutsSchema } from './schema-limits.js'
import { choice, list, text } from './schema-parts.js'
import { processorsSchema } from './schema-processors.js'
import { wafSchema } from './schema-waf.js'
import {
  auditSchema,
  caSchema,
  catalogueSection,
  controlSchema,
  logSchema,
  otelSchema,
} from './schema-storage.js'
import { interceptorsSchema } from './schema-interceptors.js'
import { steerSchema } from './schema-steer.js'
import {
  accessSchema,
  endpointsAddSchema,
  endpointsSchema,
  inspectSchema,
  interceptSchema,
  providersSchema,
  proxySchema,
  upstreamSchema,
} from './schema-traffic.js'

/** The version of this format; `migrations.ts` leads older ones to it. */
export const CONFIG_VERSION = 1

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'The configuration of YORI.',
  properties: {
    config_version: {
      type: 'integer',
      minimum: 1,
      maximum: CONFIG_VERSION,
      default: CONFIG_VERSION,
      description: 'The version of this format; a file that does not say is of 1.',
    },
    mode: choice({
      enum: ['observe', 'advisory', 'enforce'],
      default: 'observe',
      description: 'observe records, advisory also alerts, enforce may also block.',
    }),
    listen: list({
      items: text({ format: 'listen', description: 'host:port' }),
      minItems: 1,
      maxItems: 16,
      default: ['0.0.0.0:8443', '[::]:8443'],
      single: true,
      uniqueBy: '',
      description: 'Where clients arrive; port 0 lets the system choose.',
    }),
    state_dir: text({
      format: 'path',
      default: '/var/db/yori',
      description: 'Folder of everything that YORI keeps.',
    }),
    endpoints: endpointsSchema,
    endpoints_add: endpointsAddSchema,
    providers: providersSchema,
    control: controlSchema,
    proxy: proxySchema,
    upstream: upstreamSchema,
    inspect: inspectSchema,
    intercept: interceptSchema,
    access: accessSchema,
    gateway: gatewaySchema,
    mcp: mcpSchema,
    steer: steerSchema,
    alerts: alertsSchema,
    otel: otelSchema,
    audit: auditSchema,
    fleet: fleetSchema,
    catalogue: catalogueSection,
    policies: policiesSchema,
    processors: processorsSchema,
    waf: wafSchema,
    enforcement: enforcementSchema,
    ca: caSchema,
    limits: limitsSchema,
    timeouts: timeoutsSchema,
    log: logSchema,
    interceptors: interceptorsSchema,
  },
} as const satisfies SectionNode

/** A configuration as the parts receive it: valid, whole, frozen, file keys kept. */
export type Config = FromSchema<typeof configSchema>
