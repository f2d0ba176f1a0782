/** Checks of names: does the resolver know the endpoints, and does it help clients around us? */
import { matchesHostname } from '../core/hostname.js'
import { OwnAddresses } from '../net/own-addresses.js'
import { Resolver } from '../net/resolver.js'
import { askHttpsRecord } from '../net/https-record.js'
import { bad, good, notice } from './doctor-check.js'
import type { Check, Finding, Patient } from './doctor-check.js'

/** Of the endpoints, this many are asked for. */
const MOST_NAMES = 5
const WAIT_MS = 3_000
/** Browsers ask for it: an address in answer lets them use a resolver of their own. */
const CANARY = 'use-application-dns.net'

export const resolverCheck: Check = {
  name: 'resolver',
  async look(patient) {
    const { config } = patient
    const names = endpointNames(patient)
    const resolver = resolverOf(patient)
    const own = new OwnAddresses({ clock: patient.clock })
    try {
      return await Promise.all(
        names.map(async (name): Promise<Finding> => {
          const written = writtenAddress(config.upstream.resolve, name)
          if (written !== undefined)
            return good(`${name} is ${written}, by upstream.resolve`)
          const addresses = await resolver.lookup(name).catch(() => undefined)
          if (addresses === undefined)
            return bad(
              `${name} is not found`,
              'set upstream.dns to a server that answers',
            )
          const loop = addresses.find((address) => own.has(address))
          if (loop === undefined)
            return good(`${name} is ${addresses.slice(0, 3).join(', ')}`)
          return bad(
            `${name} is ${loop}, this machine: YORI would ask itself`,
            'set upstream.dns to a server that does not override the name',
          )
        }),
      )
    } finally {
      resolver.close()
    }
  },
}

/** As it is dialled: the name itself, else the first `*.suffix` that it is of. */
function writtenAddress(
  resolve: Readonly<Record<string, string>>,
  name: string,
): string | undefined {
  const all = Object.entries(resolve)
  const exact = all.find(([pattern]) => pattern.toLowerCase() === name)
  const [, address] =
    exact ?? all.find(([pattern]) => matchesHostname(pattern.toLowerCase(), name)) ?? []
  return address
}

export const hintsCheck: Check = {
  name: 'hints',
  async look(patient) {
    const { config, machine } = patient
    if (config.steer.interfaces.length === 0) return []
    const server =
      config.upstream.dns[0] ?? systemServer(machine.read('/etc/resolv.conf'))
    if (server === undefined) return [notice('no DNS server is known to ask for hints')]
    const findings: Finding[] = []
    for (const name of endpointNames(patient)) {
      const record = await askHttpsRecord(server, name, WAIT_MS)
      if (record === undefined) {
        findings.push(notice(`${server} did not say what it offers for ${name}`))
        continue
      }
      const offered = [record.ech ? 'ECH' : '', record.h3 ? 'HTTP/3' : '']
        .filter((word) => word !== '')
        .join(' and ')
      if (offered !== '')
        findings.push(
          notice(
            `the resolver offers ${offered} for ${name}: clients may hide the name or use UDP`,
            'yori pf generate --backend unbound (or dnsmasq), for your resolver',
          ),
        )
    }
    const resolver = resolverOf(patient)
    const canary = await resolver.lookup(CANARY).catch(() => undefined)
    resolver.close()
    if (canary !== undefined)
      findings.push(
        notice(
          `${CANARY} has an address: browsers may ask another resolver over HTTPS`,
          `answer NXDOMAIN for ${CANARY} in your resolver`,
        ),
      )
    return findings.length > 0 ? findings : [good('no ECH, HTTP/3 or DoH is offered')]
  },
}

function endpointNames({ config }: Patient): string[] {
  return config.endpoints
    .filter(({ enabled, domain }) => enabled && !domain.startsWith('*'))
    .slice(0, MOST_NAMES)
    .map(({ domain }) => domain)
}

function resolverOf({ config, clock }: Patient): Resolver {
  return new Resolver({
    servers: config.upstream.dns,
    staleMs: 0,
    timeoutMs: WAIT_MS,
    maxNames: MOST_NAMES + 1,
    clock,
  })
}

function systemServer(resolvConf: string | undefined): string | undefined {
  for (const line of resolvConf?.split('\n') ?? []) {
    const [word, address] = line.trim().split(/\s+/)
    if (word === 'nameserver') return address
  }
  return undefined
}
