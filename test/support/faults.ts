/**
 * Ways in which YORI fails on a household's router, and how long a client then waits for the
 * server that it means: what the tests judge and the measurement prints.
 */
import { writeFileSync } from 'node:fs'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { packageFile } from '../../src/core/package-root.js'
import { LLM, ORIGIN_CA, PROVIDER, ROUTER } from './household.js'
import type { Family, Household, SteerBackend } from './household.js'
import type { Reached } from './keep-asking.js'
import type { Program } from './namespaces.js'

const support = (name: string): string => packageFile('dist', 'test', 'support', name)

export interface Begun {
  /** When YORI failed, ms since 1970: making it fail takes time, too. */
  readonly at: number
  /** Ends the fault, where it does not end by itself. */
  readonly end?: () => void
}

export interface Fault {
  readonly name: string
  readonly begin: (home: Household) => Promise<Begun>
  /** It is ended only when the log says this: YORI was started in vain. */
  readonly until?: RegExp
}

function signalled(home: Household, signal: 'SIGKILL' | 'SIGSTOP'): number {
  const { node } = home
  const at = Date.now()
  process.kill(node, signal)
  return at
}

const killed: Fault = {
  name: 'kill -9',
  begin: async (home) => ({ at: signalled(home, 'SIGKILL') }),
}

const stopped: Fault = {
  name: 'SIGSTOP',
  begin: async (home) => ({ at: signalled(home, 'SIGSTOP') }),
}

const blocked: Fault = {
  name: 'event loop blocked 30 s',
  begin: async (home) => {
    const words = [support('block-loop.js'), String(home.node), '30']
    const helper = home.machines.spawn('router', process.execPath, words)
    return { at: Number(await helper.line()) }
  },
}

const misconfigured: Fault = {
  name: 'broken configuration',
  until: /YORI_CONFIG_INVALID/,
  begin: async (home) => {
    writeFileSync(home.config, 'listen: [nowhere')
    return { at: signalled(home, 'SIGKILL'), end: () => home.configure() }
  },
}

/** Answers the probe in the clear as YORI would, and takes the port before YORI can. */
const SQUATTER = `
  const { createServer } = require('node:http')
  const answer = (request, response) => response.end('{"status":"healthy"}')
  for (const host of ['0.0.0.0', '::']) {
    const server = createServer(answer)
    const take = () => server.listen({ host, port: 8443, ipv6Only: host === '::' })
    server.on('error', () => setTimeout(take, 5))
    server.on('listening', () => console.log(host))
    take()
  }
  console.log('waiting')`

const squatted: Fault = {
  name: 'port taken',
  until: /YORI_LISTEN_FAILED/,
  begin: async (home) => {
    const squatter = home.machines.spawn('router', process.execPath, ['-e', SQUATTER])
    await squatter.line()
    const end = (): void => void squatter.child.kill('SIGKILL')
    return { at: signalled(home, 'SIGKILL'), end }
  },
}

export const faults = { killed, stopped, blocked, misconfigured, squatted } as const

export interface Outage {
  /** From the fault until a client had an answer of the real server; undefined: it had none. */
  readonly directMs: number | undefined
  /** From the fault, or from its end where it needs one, until YORI opened traffic again. */
  readonly backMs: number
  /** What clients met before either. */
  readonly errors: ReadonlySet<string>
}

/** A client that asks all the time, before, during and after the fault. */
export async function outage(
  home: Household,
  family: Family,
  fault: Fault,
): Promise<Outage> {
  const roots = home.folder.file('roots.pem')
  const asking = home.machines.spawn('client', process.execPath, [
    ...[support('keep-asking.js'), roots, PROVIDER[family], LLM],
  ])
  try {
    await next(asking, ({ issuer }) => issuer?.startsWith('YORI') === true)
    const node = home.node
    const { at: began, end } = await fault.begin(home)
    const errors = new Set<string>()
    const reached = await next(asking, ({ at, issuer, error }) => {
      if (at < began) return false
      if (error !== undefined) errors.add(error)
      return issuer === ORIGIN_CA || (issuer !== undefined && home.node !== node)
    })
    const { until } = fault
    if (until !== undefined) await home.until(fault.name, () => until.test(home.log))
    const ended = end === undefined ? began : Date.now()
    end?.()
    const back = await next(
      asking,
      ({ issuer }) => issuer?.startsWith('YORI') === true && home.node !== node,
      reached,
    )
    return {
      directMs: reached.issuer === ORIGIN_CA ? reached.at - began : undefined,
      backMs: back.at - ended,
      errors,
    }
  } finally {
    asking.child.kill('SIGKILL')
  }
}

/** What another program of the router does to steering, and what the record calls it. */
export interface Interference {
  readonly name: string
  /** For `ip netns exec`, one after the other. */
  readonly commands: readonly string[]
  /** On the other side of the line, before those. */
  readonly beyond?: readonly string[]
  /** Of the record; none: steering goes on. */
  readonly cause?: string
  /** What ends it, where it does not end by itself. */
  readonly mend?: readonly string[]
  /** Without us clients do not reach the server either. */
  readonly hides?: true
  /** One backend's alone. */
  readonly only?: SteerBackend
}

/** Of one family, where it can be. */
export function interferences(family: Family): Interference[] {
  const flag = family === 'inet' ? '-4' : '-6'
  const nfproto = family === 'inet' ? 'ipv4' : 'ipv6'
  const of = `meta nfproto ${nfproto}`
  const chain =
    'add table inet fw; add chain inet fw input { type filter hook input priority 0; policy accept; }'
  const dropped = (only: SteerBackend, led: string): Interference => ({
    name: 'an input rule drops what is led here',
    commands: [`nft ${chain}`, `nft insert rule inet fw input ${of} ${led} drop`],
    ...{ cause: 'not-let-in', mend: ['nft delete table inet fw'], only },
  })
  const routes = { cause: 'no-route', only: 'nft-tproxy' } as const
  return [
    { name: 'nft flush ruleset', commands: ['nft flush ruleset'], cause: 'flushed' },
    {
      name: 'a chain emptied',
      commands: ['nft flush chain inet yori llm'],
      cause: 'changed',
    },
    {
      name: 'rule of routing removed',
      ...{ commands: [`ip ${flag} rule del fwmark 0x796f`], ...routes },
    },
    {
      name: 'route removed',
      ...{ commands: [`ip ${flag} route flush table 796`], ...routes },
    },
    dropped('nft-tproxy', 'meta mark 0x796f'),
    dropped('nft-redirect', 'ct status dnat'),
    {
      name: 'another redirection of port 443, before ours',
      commands: [
        'nft add table inet other',
        'nft add chain inet other pre { type nat hook prerouting priority -160; }',
        `nft add rule inet other pre ${of} iifname { "lan0", "yori-probe" } tcp dport 443 redirect to :9`,
      ],
      ...{ cause: 'not-let-in', mend: ['nft delete table inet other'], hides: true },
      only: 'nft-redirect',
    },
    {
      name: 'the interface is renamed',
      commands: [
        ...['lan0 down', 'lan0 name lan7', 'lan7 up'].map((one) => `ip link set ${one}`),
        // It went with the link; who renames gives it back.
        `ip address add ${ROUTER.inet6}/64 dev lan7 nodad`,
      ],
      cause: 'renamed',
      mend: [
        ...['lan7 down', 'lan7 name lan0', 'lan0 up'].map((one) => `ip link set ${one}`),
        // It went with the link.
        `ip address add ${ROUTER.inet6}/64 dev lan0 nodad`,
      ],
    },
    lineChanged(family),
    {
      name: 'rp_filter set to 1',
      commands: [`sysctl -qw net.ipv4.conf.all.rp_filter=1`],
    },
  ]
}

/**
 * The line goes down and comes back with another address or prefix; what comes from the former
 * one is answered no more, as by a provider of internet.
 */
export function lineChanged(family: Family): Interference {
  const name = 'the line comes back with another address'
  const anew = ['ip -6 address replace fd78::1/64 dev wan0 nodad']
  if (family === 'inet')
    return {
      name,
      beyond: [
        'ip address add 198.18.9.254/24 dev eth0',
        'ip route add blackhole 198.51.100.1/32',
        'ip route replace default via 198.18.9.1',
      ],
      commands: [
        'ip link set wan0 down',
        'ip address del 198.51.100.1/24 dev wan0',
        'ip address add 198.18.9.1/24 dev wan0',
        'ip link set wan0 up',
        'ip route replace default via 198.18.9.254',
        ...anew,
        'ip -6 route replace default via fd78::fe',
      ],
    }
  return {
    name,
    beyond: [
      'ip -6 address add fd79::fe/64 dev eth0 nodad',
      'ip -6 route add blackhole fd78::1/128',
      'ip -6 route replace default via fd79::1',
    ],
    commands: [
      'ip -6 address del fd78::1/64 dev wan0',
      'ip -6 address add fd79::1/64 dev wan0 nodad',
      'ip -6 route replace default via fd79::fe',
    ],
  }
}

export interface Interfered {
  /** From the event until a client was answered by the real server; undefined: never. */
  readonly directMs: number | undefined
  /** From the event, or from what ended it, until YORI answered again, and did from then on. */
  readonly backMs: number
  readonly errors: ReadonlySet<string>
}

/** So many answers of YORI in a row are an end of it. */
const STEADY = 10

/** A client that asks all the time while another program interferes. */
export async function interfered(
  home: Household,
  family: Family,
  { commands, beyond = [], cause, mend = [], hides }: Interference,
): Promise<Interfered> {
  const roots = home.folder.file('roots.pem')
  const asking = home.machines.spawn('client', process.execPath, [
    ...[support('keep-asking.js'), roots, PROVIDER[family], LLM],
  ])
  const isOurs = ({ issuer }: Reached): boolean => issuer?.startsWith('YORI') === true
  const ended = (): number =>
    parseOffPeriods(readOptional(home.files.offPeriods) ?? '').filter(
      (period) => period.cause === cause && period.toMs !== undefined,
    ).length
  try {
    await next(asking, isOurs)
    const before = ended()
    let since = Date.now()
    for (const command of beyond) home.machines.run('internet', command)
    for (const command of commands) home.machines.run('router', command)
    const errors = new Set<string>()
    let directMs: number | undefined
    let toMend = mend
    let steady: Reached[] = []
    while (steady.length < STEADY || (cause !== undefined && ended() === before)) {
      const reached = await next(asking, ({ at }) => at >= since)
      const isHidden = hides === true && toMend.length > 0 && home.says('why') === cause
      if ((reached.issuer === ORIGIN_CA && directMs === undefined) || isHidden) {
        if (hides !== true) directMs = reached.at - since
        // What is there to see of it is seen; who can be helped is helped now.
        if (toMend.length > 0) {
          if (cause === 'renamed')
            await home.until('it is told', () => home.says('link') === cause)
          since = Date.now()
          for (const command of toMend) home.machines.run('router', command)
          toMend = []
        }
      }
      if (reached.error !== undefined) errors.add(reached.error)
      steady =
        isOurs(reached) && toMend.length === 0 ? [...steady, reached].slice(-1000) : []
    }
    return { directMs, backMs: (steady[0]?.at ?? 0) - since, errors }
  } finally {
    asking.child.kill('SIGKILL')
  }
}

async function next(
  asking: Program,
  fits: (reached: Reached) => boolean,
  first?: Reached,
): Promise<Reached> {
  for (let reached = first; ; reached = JSON.parse(await asking.line()) as Reached)
    if (reached !== undefined && fits(reached)) return reached
}
