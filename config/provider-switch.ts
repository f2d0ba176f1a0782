/**
 * The endpoints that are meant by `endpoints`, `endpoints_add` and the switches of `providers`
 * together. Reads the catalogue only where a switch names a provider of it.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Remark } from './judge.js'
import { readYaml } from './read-yaml.js'
import type { Config } from './schema.js'
import { packageFile } from '../src/core/package-root.js'

type Endpoints = Config['endpoints']
type Switch = Config['providers'][string]

export type Switched =
  | { readonly kind: 'ok'; readonly endpoints: Endpoints }
  | { readonly kind: 'fault'; readonly remark: Remark }

/** Of which providers the hosts are known: name to names and patterns. */
type Hosts = ReadonlyMap<string, readonly string[]>

/** `isListed`: somebody wrote the list `endpoints`, which then decides over the switches. */
export function switchedEndpoints(
  { endpoints, endpoints_add: added, providers, catalogue }: Config,
  isListed: boolean,
): Switched {
  const switches = Object.entries(providers)
  if (switches.length === 0 && added.length === 0) return { kind: 'ok', endpoints }
  const hosts = switches.length === 0 ? new Map() : hostsOf(catalogue.file)
  const meant = new Map<string, Endpoints[number]>()
  const say = (list: Endpoints): void =>
    list.forEach((one) => meant.set(one.domain.toLowerCase(), one))
  if (!isListed) say(endpoints)
  for (const [name, wanted] of switches) {
    const own = (hosts as Hosts).get(name)
    if (own === undefined) return { kind: 'fault', remark: unknown(name, hosts as Hosts) }
    say(own.map((domain) => endpointOf(domain, wanted)))
  }
  if (isListed) say(endpoints)
  say(added)
  return { kind: 'ok', endpoints: Object.freeze([...meant.values()]) }
}

/** What is left untouched is switched off: no policy speaks of it. */
function endpointOf(domain: string, wanted: Switch): Endpoints[number] {
  return Object.freeze({ domain, enabled: wanted !== 'tunnel', route: wanted })
}

function unknown(name: string, hosts: Hosts): Remark {
  return {
    path: ['providers', name],
    atKey: true,
    wrong: 'is no provider of the catalogue',
    right: `expected one of ${[...hosts.keys()].sort().join(', ')}`,
  }
}

/** Of the package, and over it of the operator's file; a file that cannot be read adds none. */
function hostsOf(own: string | undefined): Hosts {
  const hosts = new Map(namedIn(shipped()))
  if (own !== undefined)
    for (const [name, more] of namedIn(parsed(own)))
      hosts.set(name, [...new Set([...(hosts.get(name) ?? []), ...more])])
  return hosts
}

function shipped(): unknown {
  try {
    // As the build writes it beside this module; run from source, there is none.
    const file = fileURLToPath(new URL('providers.json', import.meta.url))
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch {
    return parsed(packageFile('config', 'providers.yaml'))
  }
}

function parsed(file: string): unknown {
  try {
    return readYaml(readFileSync(file, 'utf8')).value
  } catch {
    return undefined
  }
}

function* namedIn(file: unknown): Iterable<[string, readonly string[]]> {
  const { providers } = (file ?? {}) as { providers?: unknown }
  if (!Array.isArray(providers)) return
  for (const one of providers as readonly unknown[]) {
    const { name, hosts } = (one ?? {}) as { name?: unknown; hosts?: unknown }
    if (typeof name !== 'string' || !Array.isArray(hosts)) continue
    yield [name, hosts.filter((host) => typeof host === 'string')]
  }
}
