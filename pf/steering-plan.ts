/**
 * What `yori pf apply` leaves for the supervisor: plain `key=value` lines that a shell reads, and
 * the rules of each state. Pure.
 */
import { formatSocketAddress } from '../src/core/address.js'
import { ALIVE_PATH } from '../src/core/own-paths.js'
import type { Config } from '../config/schema.js'
import { DOCTOR_INTERFACE, PROBE, PROBE_INTERFACE } from '../src/core/own-probe.js'
import { renderNftOff, renderNftProbe } from './render-nft.js'
import type { LlmElements } from './render-nft-sets.js'
import { renderSteering } from './render.js'
import { addressesOf, hasAddresses, pageTargets, steeringIn } from './rules.js'
import type { Family, SteerProblem, SteerState, Steering, Target } from './rules.js'
import type { RulesName } from './steering-files.js'

/** Those that can be loaded; the others are texts for other machines and programs. */
export const LOADED_BACKENDS = ['nft-tproxy', 'nft-redirect', 'pf'] as const
export type LoadedBackend = (typeof LOADED_BACKENDS)[number]

export interface PlanFacts {
  readonly backend: LoadedBackend
  readonly steering: Steering
  readonly elements: LlmElements
  /** A name that YORI opens, for the handshake; undefined when there is none. */
  readonly serverName: string | undefined
  /** The root certificate as a file. */
  readonly root: string
  /** Of this apply alone: the plan and its rules say it, so that none is loaded with another's. */
  readonly id?: string
  /** How often, in seconds, clients' way is asked, and in which families it can be; nft's. */
  readonly probe?: { readonly every: number; readonly families: readonly Family[] }
}

/** As clients come, from an interface that no network of the operator's is behind. */
const PROBED: NonNullable<Steering['probe']> = {
  interface: PROBE_INTERFACE,
  dialled: { inet: PROBE.inet.dialled, inet6: PROBE.inet6.dialled },
}

type DeviceTable = 'exempt' | 'blocked' | 'clients'

export type SteeringPlan =
  | {
      readonly kind: 'ok'
      readonly text: string
      readonly rules: ReadonlyMap<RulesName, string>
      /** pf only: what the tables of devices hold. */
      readonly tables: ReadonlyMap<DeviceTable, string>
    }
  | { readonly kind: 'invalid'; readonly problems: readonly SteerProblem[] }

export function steeringPlan(facts: PlanFacts): SteeringPlan {
  const { backend, elements } = facts
  const steering = backend === 'pf' ? facts.steering : withProbes(facts.steering)
  const rules = new Map<RulesName, string>()
  for (const [name, state] of statesOf(steering)) {
    const made = renderSteering(backend, {
      steering: steeringIn(steering, state),
      hosts: [],
      elements,
    })
    if (made.kind === 'invalid') return made
    rules.set(name, marked(facts, made.text))
  }
  rules.set('off', backend === 'pf' ? '' : renderNftOff())
  if (backend !== 'pf') {
    const mode = backend === 'nft-tproxy' ? 'tproxy' : 'redirect'
    rules.set('probe', marked(facts, renderNftProbe(facts.steering, mode, PROBED)))
  }
  const problem = rootProblem(facts.root)
  if (problem !== undefined) return { kind: 'invalid', problems: [problem] }
  return { kind: 'ok', text: planText(facts), rules, tables: tablesOf(facts) }
}

function marked({ id }: PlanFacts, text: string): string {
  return id === undefined ? text : `# plan ${id}\n${text}`
}

/** Interfaces of ours that are steered like the operator's, while they are there. */
function withProbes(steering: Steering): Steering {
  const own = [PROBE_INTERFACE, DOCTOR_INTERFACE].map((name) => ({
    name,
    from: 'steer.probe_every',
  }))
  return { ...steering, interfaces: [...steering.interfaces, ...own], probe: PROBED }
}

function statesOf({ targets, onFailure }: Steering): [RulesName, SteerState][] {
  const states: [RulesName, SteerState][] = targets.map(({ family }) => [
    `on.${family}`,
    family,
  ])
  if (targets.length === 2) states.push(['on.both', 'both'])
  if (onFailure.value === 'closed_llm') states.push(['closed', 'closed'])
  return states
}

function planText(facts: PlanFacts): string {
  const { backend, steering, serverName, root } = facts
  const { targets, tables, address6, onFailure } = steering
  const onPf = backend === 'pf'
  const hasAlias = steering.exempt.some(({ kind }) => kind === 'alias')
  const lines: [string, string][] = [
    ['backend', backend],
    ...targets.map((target): [string, string] => [target.family, probeAddress(target)]),
    ['sni', serverName ?? ''],
    ['root', root],
    ['probe_path', ALIVE_PATH],
    ['on_failure', onFailure.value],
  ]
  if (!onPf)
    lines.push(['interfaces', steering.interfaces.map(({ name }) => name).join(' ')])
  lines.push(...probeLines(facts))
  if (facts.id !== undefined) lines.push(['id', facts.id])
  if (onPf) {
    lines.push(['llm_table', tables.llm])
    if (!hasAlias) lines.push(['exempt_table', tables.exempt])
    if (steering.blocked.length > 0) lines.push(['blocked_table', tables.blocked])
    if (hasAddresses(steering.direct)) lines.push(['clients_table', tables.clients])
    const v6 = targets.find(({ family }) => family === 'inet6')
    if (v6 !== undefined && v6.address === undefined && address6.address !== undefined)
      lines.push(['address6', address6.address])
  }
  return lines.map(([key, value]) => `${key}=${value}\n`).join('')
}

function probeLines({
  backend,
  probe,
  steering,
  serverName,
}: PlanFacts): [string, string][] {
  if (backend === 'pf' || probe === undefined || probe.every === 0) return []
  if (serverName === undefined) return []
  const families = steering.targets
    .map(({ family }) => family)
    .filter((family) => probe.families.includes(family))
  const page = pageOf(steering, families)
  return [
    ...(page === undefined ? [] : [['page', page] as [string, string]]),
    ['probe_every', String(probe.every)],
    ...families.map((family): [string, string] => {
      const { router, device, dialled, length } = PROBE[family]
      return [`probe_${family}`, `${router} ${device} ${dialled} ${length}`]
    }),
  ]
}

/** Where a device of the probe's network finds the page; IPv4 first. */
function pageOf(steering: Steering, families: readonly Family[]): string | undefined {
  const [at] = pageTargets(steering).filter(({ family }) => families.includes(family))
  if (at === undefined) return undefined
  const address = steering.page === undefined ? at.address : undefined
  return `http://${formatSocketAddress({
    address: address ?? PROBE[at.family].router,
    port: steering.page?.port ?? at.port,
  })}${ALIVE_PATH}`
}

/** Where the machine itself reaches the listener. */
function probeAddress({ family, address, port }: Target): string {
  const loopback = family === 'inet' ? '127.0.0.1' : '::1'
  return formatSocketAddress({ address: address ?? loopback, port })
}

function tablesOf({ backend, steering }: PlanFacts): Map<DeviceTable, string> {
  const tables = new Map<DeviceTable, string>()
  if (backend !== 'pf') return tables
  const { exempt, blocked, direct } = steering
  for (const [name, devices] of [
    ['exempt', exempt],
    ['blocked', blocked],
    ['clients', direct],
  ] as const) {
    const addresses = [...addressesOf(devices, 'inet'), ...addressesOf(devices, 'inet6')]
    tables.set(name, addresses.map((line) => `${line}\n`).join(''))
  }
  return tables
}

/** The shell that reads the plan takes no quoting. */
function rootProblem(root: string): SteerProblem | undefined {
  if (/^[\w./@%+, -]+$/.test(root)) return undefined
  return {
    key: 'state_dir',
    wrong: 'the path has characters that the supervisor does not take',
    right: 'use letters, digits and _ . / @ % + , - only',
  }
}

/** The first name that YORI would open for any client. */
export function probeName({
  endpoints,
  intercept,
}: Pick<Config, 'endpoints' | 'intercept'>): string | undefined {
  const never = new Set(intercept.never.map((pattern) => pattern.toLowerCase()))
  const covered = (name: string): boolean =>
    [...never].some(
      (pattern) =>
        pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))),
    )
  return endpoints
    .filter(({ enabled, route }) => enabled && route === 'intercept')
    .map(({ domain }) => domain.toLowerCase())
    .find((name) => !name.startsWith('*.') && !covered(name))
}
