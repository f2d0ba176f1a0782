/** What stands behind each door of the gateway: the catalogue, and the configuration over it. */
import type { NamesCertificate } from '../../../config/client-certificates.js'
import type { Config } from '../../../config/schema.js'
import { DoorTable } from '../../policy/doors.js'
import type { AwsCredentials } from '../../http/aws-signature.js'
import type { Door, DoorPool, DoorTarget } from '../../policy/door.js'
import type { ModelRoute } from '../../policy/model-routes.js'
import type { Catalogue, CatalogueEntry } from '../../providers/catalogue.js'
import { providerNamed } from '../../providers/index.js'
import { targetOf, withIdentity } from './door-target.js'
import { milliseconds } from './milliseconds.js'
import { fallbacksOf, poolOf, poolOfOne } from './pools.js'

type Settings = Config['gateway']['providers'][string]

/** Servers that stand wherever their owner put them, and whose API they speak. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['azure', 'azure-openai'],
  ['vllm', 'openai'],
  ['lmstudio', 'openai'],
  // Its hosts are those of regions.
  ['bedrock', 'bedrock'],
])

/** The certificate of ours that these files are, by its id. */
export type IdentityOf = (named: NamesCertificate) => string | undefined

export function doorsOf(
  config: Config,
  catalogue: Catalogue,
  identityOf: IdentityOf,
): DoorTable {
  const doors = new Map<string, Door>()
  for (const [name, speaks] of ELSEWHERE) doors.set(name, closed(name, speaks))
  for (const entry of catalogue.entries) {
    const host = entry.hosts.find((one) => !one.startsWith('*.'))
    if (ELSEWHERE.has(entry.name) || entry.route !== 'intercept' || host === undefined)
      continue
    doors.set(entry.name, { ...closed(entry.name, speaksOf(entry)), target: at(host) })
  }
  const { providers, pools } = config.gateway
  const isH2 = ({ host, plain }: DoorTarget): boolean =>
    !plain && catalogue.entryFor(host)?.upstream === 'h2'
  for (const [name, settings] of Object.entries(providers)) {
    const identity = identityOf(settings)
    const door = configured(doors.get(name) ?? closed(name, 'openai'), settings, identity)
    const identities = settings.pool.map((one) => identityOf(one) ?? identity)
    doors.set(name, pooled(door, poolOf(name, settings, pools, { identities, isH2 })))
  }
  for (const [name, settings] of Object.entries(providers)) {
    const fallbacks = fallbacksOf(settings)
    if (fallbacks.length === 0) continue
    for (const one of [name, ...fallbacks.map(({ provider }) => provider)]) {
      const door = doors.get(one)
      const { target, pool } = door ?? {}
      if (door !== undefined && target !== undefined && pool === undefined)
        doors.set(one, { ...door, pool: poolOfOne(one, target, pools, isH2) })
    }
    const door = doors.get(name)
    if (door !== undefined) doors.set(name, { ...door, fallbacks })
  }
  return new DoorTable(
    [...doors.values()],
    config.gateway.models.map(routeOf),
    config.gateway.default,
  )
}

function routeOf({
  match,
  provider,
  model,
}: Config['gateway']['models'][number]): ModelRoute {
  return { match, provider, ...(model === undefined ? {} : { model }) }
}

function closed(name: string, speaks: string): Door {
  return {
    name,
    speaks,
    target: undefined,
    key: undefined,
    fields: () => [],
    headTimeoutMs: undefined,
  }
}

function speaksOf({ speaks }: CatalogueEntry): string {
  return providerNamed(speaks) === undefined ? 'openai' : speaks
}

function at(host: string): DoorTarget {
  return { host, port: 443, plain: false, isWritten: false, prefix: '' }
}

function configured(door: Door, settings: Settings, identity: string | undefined): Door {
  const { base_url: url, api, key, aws, headers, timeout } = settings
  const own = aws === undefined ? door.target : at(bedrockHost(aws.region))
  const target = url === undefined ? own : targetOf(new URL(url))
  return {
    ...door,
    speaks: api ?? (aws === undefined ? door.speaks : 'bedrock'),
    target: target && withIdentity(target, identity),
    key: key === undefined ? undefined : () => key.reveal(),
    aws: aws && ((host) => credentialsFor(aws, host)),
    fields: () =>
      Object.entries(headers).flatMap(([name, value]) => [name, value.reveal()]),
    headTimeoutMs: timeout === undefined ? undefined : milliseconds(timeout),
  }
}

/** AWS has names of its own for what is in China. */
function bedrockHost(region: string): string {
  const top = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return `bedrock-runtime.${region}.${top}`
}

const REGIONAL = /^bedrock-[a-z-]+\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/

/** Read when a request goes: a target of a pool may stand in another region. */
function credentialsFor(aws: NonNullable<Settings['aws']>, host: string): AwsCredentials {
  const { region, service, access_key_id: id, secret_access_key: secret } = aws
  return {
    region: REGIONAL.exec(host)?.[1] ?? region,
    service,
    accessKeyId: id.reveal(),
    secretAccessKey: secret.reveal(),
    sessionToken: aws.session_token?.reveal(),
  }
}

/** Its path is said by that target which is asked before the others. */
function pooled(door: Door, pool: DoorPool | undefined): Door {
  if (pool === undefined) return door
  const { targets: settings } = pool.settings
  const least = Math.min(...settings.map(({ priority }) => priority))
  const first = settings.findIndex(({ priority }) => priority === least)
  return { ...door, pool, target: pool.targets[first]?.target }
}
