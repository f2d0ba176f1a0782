/**
 * Steering as text of FreeBSD's pf: the anchor's content, the lines of the main `pf.conf` that
 * lead to it, and the rule that sends traffic to an appliance on another machine. Tables stand
 * in the main file: an anchor without an active table of the name uses that one. Redirected
 * packets are tagged and passed late, so that the operator's own rules come first. Pure.
 */
import { comment, page } from './render-words.js'
import type { Rendered } from './render-words.js'
import {
  STEERED_PORT,
  addressesOf,
  hasAddresses,
  interfaceProblems,
  isLoopback,
  sources,
  steeringRules,
} from './rules.js'
import type {
  Device,
  Family,
  SteerProblem,
  SteerRule,
  Steering,
  Target,
} from './rules.js'
import { unreachable } from '../src/core/unreachable.js'

const ANCHOR = 'yori'
const TAG = 'YORI'
/** Anchors stand one in another for each of them, and pfctl takes 64 (`PFCTL_ANCHOR_STACK_DEPTH`). */
const MAX_INTERFACES = 56

/** Content for `pfctl -a yori -f FILE`. Translation lines first, then filter lines. */
export function renderPfAnchor(steering: Steering): Rendered {
  const problems = pfProblems(steering)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const { exempt, interfaces } = steering
  const left = exempt.filter(({ kind }) => kind !== 'mac')
  const names = interfaces.map(({ name }) => name).join(' ')
  const rules = steeringRules(steering).flatMap((rule) =>
    ruleLines(rule, steering).map((line) => ({ line, from: rule.from })),
  )
  const isTranslation = ({ line }: { line: string }): boolean => line.startsWith('rdr ')
  const inOrder = [
    ...rules.filter(isTranslation),
    ...rules.filter((rule) => !isTranslation(rule)),
  ]
  return {
    kind: 'ok',
    text: page([
      comment(`content of the anchor "${ANCHOR}": pfctl -a ${ANCHOR} -f FILE`),
      comment(`one step off: pfctl -a ${ANCHOR} -f /dev/null`),
      comment('tables are declared in the main file, not here'),
      ...(left.length === 0 ? [] : [comment(`left alone: ${sources(left)}`)]),
      comment(sources(interfaces)),
      `lan_if = "{ ${names} }"`,
      ...inOrder.flatMap(({ line, from }) => [comment(from), line]),
      ...guardLines(steering),
    ]),
  }
}

/** What the main `pf.conf` needs, in the order in which pf wants it. */
export function renderPfConf(steering: Steering): Rendered {
  const problems = pfProblems(steering)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const { interfaces, targets } = steering
  const open = steering.listeners.filter((listener) => !isLoopback(listener))
  const ports = [...new Set(targets.map(({ port }) => port))].map(String)
  const port = ports.length === 1 ? ports[0] : `{ ${ports.join(' ')} }`
  return {
    kind: 'ok',
    text: page([
      comment('tables: filled by YORI, kept over reloads'),
      ...tableLines(steering),
      comment('among the translation rules, after nat'),
      `rdr-anchor "${ANCHOR}"`,
      comment('the first of the filter rules'),
      `anchor "${ANCHOR}"`,
      comment(`the last of the filter rules, after your own: ${sources(targets)}`),
      comment(
        'who is allowed by none of yours, and stands in no such network, is not let in',
      ),
      // A default deny stays one for whoever is not of that network.
      ...interfaces.map(
        ({ name }) =>
          `pass in quick on ${name} proto tcp from (${name}:network) to any port ${port} tagged ${TAG} keep state label "yori-pass"`,
      ),
      comment(`the page with the certificate, /health and the proxy: ${sources(open)}`),
      ...interfaces.flatMap(({ name }) => pageLines(name, open)),
    ]),
  }
}

/** Lines for a pf that only steers to an appliance, which sees the packets unchanged. */
export function renderRouteTo(steering: Steering): Rendered {
  const problems = pfProblems(steering)
  const { appliance, interfaces, exempt, blocked, tables } = steering
  const addresses = appliance?.addresses ?? []
  if (appliance === undefined || addresses.length === 0)
    problems.push({
      key: 'steer.appliance',
      wrong: 'no appliance is named',
      right: 'set steer.appliance.interface and steer.appliance.address',
    })
  for (const { name, from } of interfaces)
    if (name === appliance?.interface)
      problems.push({
        key: from,
        wrong: `${name} is where the appliance stands`,
        right: 'give the appliance a network of its own: answers would not find back',
      })
  if (problems.length > 0 || appliance === undefined) return { kind: 'invalid', problems }
  const lines = interfaces.flatMap(({ name, from }) => {
    const blocks =
      blocked.length === 0 ? [] : [comment(sources(blocked)), blockRouted(name, steering)]
    const passes = addresses.flatMap(({ family, address, from: by }) => {
      const source = exempt.length === 0 ? `(${name}:network)` : exemptFrom(steering)
      return [
        comment(`${from}, ${by}`),
        `pass in quick on ${name} route-to (${appliance.interface} ${address}) ${family} proto tcp from ${source} to <${tables.llm}> port ${STEERED_PORT} keep state label "yori-steer"`,
      ]
    })
    const families = addresses.map(({ family }) => family)
    const family = families.length === 2 ? '' : `${families[0]} `
    const source = exempt.length === 0 ? 'any' : exemptFrom(steering)
    return [
      ...blocks,
      ...passes,
      comment(from),
      `block return in quick on ${name} ${family}proto udp from ${source} to <${tables.llm}> port ${STEERED_PORT} label "yori-quic"`,
    ]
  })
  return {
    kind: 'ok',
    text: page([
      comment(
        'policy routing to the appliance; after your own block rules, before your pass rules',
      ),
      ...tableLines(steering),
      ...lines,
    ]),
  }
}

function blockRouted(name: string, { tables }: Steering): string {
  return `block return in quick on ${name} proto { tcp udp } from <${tables.blocked}> to <${tables.llm}> port ${STEERED_PORT} label "yori-blocked"`
}

function ruleLines(rule: SteerRule, steering: Steering): string[] {
  const { tables } = steering
  const on = 'on $lan_if'
  switch (rule.kind) {
    case 'redirect': {
      const { family, port } = rule.target
      const to = pfTarget(rule.target, steering)
      return [
        `rdr ${on} ${family} proto tcp from ${exemptFrom(steering)} to <${tables.llm}> port ${STEERED_PORT} tag ${TAG} -> ${to} port ${port}`,
      ]
    }
    case 'page': {
      const { target, port } = rule
      const to = pfTarget(target, steering)
      // Untagged: it is no LLM traffic, and whom the operator blocked may read the page.
      return [
        `rdr ${on} ${target.family} proto tcp from any to (self) port ${port} -> ${to} port ${target.port}`,
      ]
    }
    case 'guard':
      // All together: see `guardLines`.
      return []
    case 'block':
      return [
        `block return in quick ${on} ${af(rule.family)}proto tcp from <${tables.blocked}> to any tagged ${TAG} label "yori-blocked"`,
        // Those that are not led here: exempt ones, and QUIC.
        `block return in quick ${on} ${af(rule.family)}proto { tcp udp } from <${tables.blocked}> to <${tables.llm}> port ${STEERED_PORT} label "yori-blocked"`,
      ]
    case 'refuse-quic':
      return [
        `block return in quick ${on} ${af(rule.family)}proto udp from ${exemptFrom(steering)} to <${tables.llm}> port ${STEERED_PORT} label "yori-quic"`,
      ]
    case 'refuse-llm':
      return ['tcp', 'udp'].map(
        (proto) =>
          `block return in quick ${on} ${af(rule.family)}proto ${proto} from ${exemptFrom(steering)} to <${tables.llm}> port ${STEERED_PORT} label "yori-closed"`,
      )
    default:
      return unreachable(rule)
  }
}

function af(family: Family | 'both'): string {
  return family === 'both' ? '' : `${family} `
}

function pfTarget(
  { family, address }: Target,
  { address6, interfaces }: Steering,
): string {
  if (address !== undefined) return address
  if (family === 'inet') return '127.0.0.1'
  // `:0` leaves link-local addresses out; more than one interface needs the address on lo0.
  return address6.address ?? `(${interfaces[0]?.name}:0)`
}

/**
 * The listeners, refused on every interface that is neither steered nor named by
 * `access.clients`. A rule knows one interface that it is not for, so anchors stand in anchors;
 * in those a table of the main file is found, one of this anchor would not be.
 */
function guardLines(steering: Steering): string[] {
  const { interfaces, direct, directInterfaces, tables } = steering
  const guards = steeringRules(steering).filter((rule) => rule.kind === 'guard')
  if (guards.length === 0) return []
  const open = [...new Set([...interfaces, ...directInterfaces].map(({ name }) => name))]
  const from = hasAddresses(direct) ? `! <${tables.clients}>` : 'any'
  const rules = guards.flatMap(({ target: { family, address, port }, from: by }) => [
    comment(by),
    `block return in quick ${family} proto tcp from ${from} to ${address ?? '(self)'} port ${port} label "yori-guard"`,
  ])
  return [
    comment(sources([...interfaces, ...directInterfaces, ...direct])),
    ...['lo0', ...open].reduceRight<string[]>(
      (inner, name) => [
        `anchor in on ! ${name} {`,
        ...inner.map((line) => `  ${line}`),
        '}',
      ],
      rules,
    ),
  ]
}

/** Late, so that a default deny does not keep the household from the certificate. */
function pageLines(name: string, listeners: readonly Target[]): string[] {
  const seen = new Set(
    listeners.map(
      ({ family, address, port }) =>
        `pass in quick on ${name} ${family} proto tcp from (${name}:network) to ${address ?? '(self)'} port ${port} keep state label "yori-page"`,
    ),
  )
  return [...seen]
}

/** `! <yori_exempt>`, or the alias that stands for it. */
function exemptFrom({ exempt, tables }: Steering): string {
  const alias = exempt.find(({ kind }) => kind === 'alias')
  return `! <${alias?.text ?? tables.exempt}>`
}

function tableLines({ tables, exempt, blocked, direct }: Steering): string[] {
  const lines = [`table <${tables.llm}> persist`]
  if (!exempt.some(({ kind }) => kind === 'alias'))
    lines.push(...table(tables.exempt, exempt))
  if (blocked.length > 0) lines.push(...table(tables.blocked, blocked))
  if (hasAddresses(direct)) lines.push(...table(tables.clients, direct))
  return lines
}

function table(name: string, devices: readonly (Device & { from: string })[]): string[] {
  const addresses = [...addressesOf(devices, 'inet'), ...addressesOf(devices, 'inet6')]
  if (addresses.length === 0) return [`table <${name}> persist`]
  return [comment(sources(devices)), `table <${name}> persist { ${addresses.join(' ')} }`]
}

/** What pf cannot say. */
function pfProblems(steering: Steering): SteerProblem[] {
  const { exempt, blocked, targets, address6, interfaces, directInterfaces } = steering
  const problems = interfaceProblems(steering)
  const [tooMany] = [...interfaces, ...directInterfaces].slice(MAX_INTERFACES)
  if (tooMany !== undefined)
    problems.push({
      key: tooMany.from,
      wrong: `more than ${MAX_INTERFACES} interfaces, steered ones and those of access.clients`,
      right: 'name prefixes in access.clients in place of interfaces',
    })
  for (const device of [...exempt, ...blocked]) {
    if (device.kind === 'mac' && !device.from.startsWith('intercept.'))
      problems.push({
        key: device.from,
        wrong: `pf does not see MAC addresses (${device.text})`,
        right: 'name an alias of type MAC (OPNsense), or give the device a fixed address',
      })
  }
  if (
    exempt.some(({ kind }) => kind === 'alias') &&
    exempt.filter(({ kind }) => kind !== 'mac').length > 1
  )
    problems.push({
      key: sources(exempt),
      wrong: 'an alias beside other exempt devices',
      right: 'name one alias that holds them all',
    })
  for (const device of blocked)
    if (device.kind === 'alias')
      problems.push({
        key: device.from,
        wrong: `${device.text} is an alias`,
        right: 'block it by a rule of your own, or set steer.tables.blocked to its name',
      })
  for (const { address, from } of targets)
    if (address === '::1')
      problems.push({
        key: from,
        wrong: '[::1] is never reached from another interface',
        right: 'listen on [::]:8443',
      })
  const needsInterface = targets.some(
    ({ family, address }) => family === 'inet6' && address === undefined,
  )
  if (address6.address === undefined && needsInterface && interfaces.length > 1)
    problems.push({
      key: address6.from,
      wrong: 'the word interface with more than one interface',
      right: 'give an address on lo0, such as fd79:6f72:6900::1',
    })
  return problems
}
