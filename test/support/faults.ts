/**
 * Ways in which YORI fails on a household's router, and how long a client then waits for the
 * server that it means: what the tests judge and the measurement prints.
 */
import { writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { LLM, ORIGIN_CA, PROVIDER } from './household.js'
import type { Family, Household } from './household.js'
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

async function next(
  asking: Program,
  fits: (reached: Reached) => boolean,
  first?: Reached,
): Promise<Reached> {
  for (let reached = first; ; reached = JSON.parse(await asking.line()) as Reached)
    if (reached !== undefined && fits(reached)) return reached
}
