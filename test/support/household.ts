/**
 * A household on the wire, with the supervisor on its router: a client with three addresses, a
 * tablet, and a provider's address on the internet that serves another name, too. Rules are
 * made and loaded by the command line alone.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import {
  SUPERVISOR,
  steeringFiles,
  supervisorArguments,
} from '../../pf/steering-files.js'
import type { SteeringFiles } from '../../pf/steering-files.js'
import { packageFile } from '../../src/core/package-root.js'
import type { Answered, Ask } from './ask-tls.js'
import type { Dial } from './dial-each.js'
import { Namespaces } from './namespaces.js'
import type { Program } from './namespaces.js'
import { openMain, openTemp } from './open-package.js'
import { PATIENCE_MS } from './patience.js'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'
import { TestCa } from './test-ca.js'

export const YORI = packageFile('dist', 'src', 'cli', 'main.js')
const support = (name: string): string => packageFile('dist', 'test', 'support', name)

export const LLM = 'api.openai.com'
export const OTHER = 'www.example.org'
export const ORIGIN_CA = 'Origin Test CA'
/** The provider's address, which serves `OTHER` as well; all of it documentation ranges. */
export const PROVIDER = { inet: '203.0.113.7', inet6: '2001:db8:9::42' } as const
export const CLIENT = { inet: '10.77.0.2', inet6: 'fd77::2' } as const
export const EXEMPT = { inet: '10.77.0.3', inet6: 'fd77::3' } as const
export const BLOCKED = { inet: '10.77.0.4', inet6: 'fd77::4' } as const
export const ROUTER = { inet: '10.77.0.1', inet6: 'fd77::1' } as const
export const FAMILIES = ['inet', 'inet6'] as const
export const YORI_PORT = 8443

export type Family = (typeof FAMILIES)[number]
export type SteerBackend = 'nft-tproxy' | 'nft-redirect'

export interface HouseholdOptions {
  /** Over what this helper configures. */
  readonly config?: Record<string, unknown>
  readonly steer?: Record<string, unknown>
  /** Whose process YORI is, below the supervisor; root's own unless given. */
  readonly user?: string
}

const NETS = [
  {
    machine: 'client',
    lan: 'lan0',
    net4: '10.77.0',
    net6: 'fd77:0:0:0',
    hosts: [2, 3, 4],
  },
  { machine: 'tablet', lan: 'lan1', net4: '10.77.1', net6: 'fd77:0:0:1', hosts: [2] },
] as const

/** Sooner than on a router, and patient: how busy this machine is must not matter. */
export const SOONER = {
  YORI_PROBE_EVERY: '0.2',
  YORI_PROBE_GOOD: '1',
  YORI_PROBE_SECONDS: '20',
}

export class Household implements AsyncDisposable {
  readonly machines = new Namespaces(['client', 'tablet', 'router', 'internet'])
  readonly folder: TempFolder
  readonly #options: HouseholdOptions
  #supervisor: Program | undefined

  private constructor(folder: TempFolder, options: HouseholdOptions) {
    this.folder = folder
    this.#options = options
  }

  static async open(options: HouseholdOptions = {}): Promise<Household> {
    const within = options.user === undefined ? undefined : openTemp()
    const home = new Household(await tempFolder('yori-', within), options)
    try {
      home.#wire()
      await home.#serve()
      home.configure(options.config)
      return home
    } catch (error) {
      await home[Symbol.asyncDispose]()
      throw error
    }
  }

  get stateDir(): string {
    return this.folder.file('state')
  }

  get files(): SteeringFiles {
    return steeringFiles(this.stateDir)
  }

  get config(): string {
    return this.folder.file('yori.conf')
  }

  /** What supervisor and YORI say. */
  get log(): string {
    const file = this.folder.file('log')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  /** Writes the configuration of YORI on the router. */
  configure(more: Record<string, unknown> = {}): void {
    const config = {
      state_dir: this.stateDir,
      log: { level: 'warn' },
      endpoints: [{ domain: LLM }],
      upstream: { extra_ca: [this.folder.file('origin.pem')] },
      timeouts: { drain: 1 },
      steer: {
        interfaces: ['lan0', 'lan1'],
        ranges: Object.values(PROVIDER),
        exempt: Object.values(EXEMPT),
        blocked: Object.values(BLOCKED),
        ...this.#options.steer,
      },
      ...more,
    }
    writeFileSync(this.config, JSON.stringify(config))
  }

  /** `yori ...` on the router; its exit code and what it printed. */
  yori(...words: readonly string[]): {
    readonly status: number | null
    readonly stdout: string
    readonly stderr: string
  } {
    const inside = this.machines.words('router', process.execPath, YORI, ...words)
    return spawnSync('ip', [...inside, '--config', this.config], { encoding: 'utf8' })
  }

  /** Steering on, by the command. */
  apply(backend: SteerBackend, ...more: readonly string[]): void {
    const { status, stdout, stderr } = this.yori(
      'pf',
      'apply',
      '--backend',
      backend,
      ...more,
    )
    assert.equal(status, 0, `${stdout}${stderr}${this.log}`)
  }

  remove(): void {
    const { status, stdout, stderr } = this.yori('pf', 'remove')
    assert.equal(status, 0, `${stdout}${stderr}`)
  }

  /** The supervisor with YORI; resolves when YORI answers. `env`: its times. */
  async supervise(env: Record<string, string> = SOONER): Promise<void> {
    const { user } = this.#options
    const yori = user === undefined ? YORI : openMain()
    const command = [process.execPath, yori, 'run', '--config', this.config]
    const words = supervisorArguments(this.stateDir, {
      command,
      ...(user === undefined ? {} : { user }),
    })
    if (user !== undefined) {
      chmodSync(this.folder.path, 0o755)
      mkdirSync(this.stateDir, { recursive: true, mode: 0o700 })
      execFileSync('chown', [user, this.stateDir])
    }
    const times = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    this.#supervisor = this.machines.spawn('router', 'env', [
      ...times,
      'sh',
      '-c',
      'exec "$@" 2>>"$0"',
      this.folder.file('log'),
      SUPERVISOR,
      ...words,
    ])
    await this.until('YORI answers', () => this.healthy('inet'))
    const root = execFileSync(process.execPath, [
      ...[YORI, 'ca', 'export', '--config', this.config],
    ])
    const origin = readFileSync(this.folder.file('origin.pem'))
    writeFileSync(this.folder.file('roots.pem'), Buffer.concat([origin, root]))
  }

  /** Does YORI answer its router? */
  healthy(family: Family): boolean {
    const host = family === 'inet' ? '127.0.0.1' : '[::1]'
    const inside = this.machines.words('router', 'curl', '-sgm', '1')
    const { status } = spawnSync('ip', [...inside, `http://${host}:${YORI_PORT}/health`])
    return status === 0
  }

  /** The supervisor's word for what is loaded. */
  get holds(): string | undefined {
    return this.says('holds')
  }

  /** A line of the supervisor's status. */
  says(key: string): string | undefined {
    try {
      const status = readFileSync(this.files.status, 'utf8')
      return new RegExp(`^${key}=(.*)$`, 'm').exec(status)?.[1]
    } catch {
      return undefined
    }
  }

  /** YORI's process id. */
  get node(): number {
    return Number(readFileSync(`${this.files.directory}/node.pid`, 'utf8'))
  }

  /** YORI's process, and others that were started by the same command. */
  yoris(): number[] {
    return [...this.#processes()]
      .filter(([, words]) => words[1] === YORI && words[2] === 'run')
      .map(([pid]) => pid)
  }

  /** Does a program run on the router with these words? */
  runs(program: string, words: string): boolean {
    return [...this.#processes().values()].some(
      (all) =>
        all.some((word) => word.endsWith(program)) && all.join(' ').includes(words),
    )
  }

  #processes(): Map<number, string[]> {
    const words = ['netns', 'pids', this.machines.name('router')]
    const { stdout } = spawnSync('ip', words, { encoding: 'utf8' })
    const found = new Map<number, string[]>()
    for (const pid of stdout.split('\n').filter(Boolean)) {
      try {
        found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))
      } catch {
        // It has ended meanwhile.
      }
    }
    return found
  }

  /** Waits for a state of the machine that no event tells of. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<number> {
    const began = performance.now()
    while (!(await holds())) {
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`waited in vain: ${what}\n${this.log}`)
      await after(50)
    }
    return performance.now() - began
  }

  async stopSupervisor(): Promise<void> {
    await this.#endSupervisor('SIGTERM')
  }

  /** What it started goes on. */
  async killSupervisor(): Promise<void> {
    await this.#endSupervisor('SIGKILL')
  }

  async #endSupervisor(signal: NodeJS.Signals): Promise<void> {
    const child = this.#supervisor?.child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  async ask(asks: readonly Ask[], machine = 'client'): Promise<Answered[]> {
    const program = this.asker(asks, machine)
    const answers: Answered[] = []
    for (let n = 0; n < asks.length; n++) answers.push(await answerOf(program))
    return answers
  }

  asker(asks: readonly Ask[], machine = 'client'): Program {
    const roots = this.folder.file('roots.pem')
    const words = [support('ask-tls.js'), roots, JSON.stringify(asks)]
    return this.machines.spawn(machine, process.execPath, words)
  }

  async dial(dials: readonly Dial[], machine = 'client'): Promise<string[]> {
    const words = [support('dial-each.js'), JSON.stringify(dials)]
    const program = this.machines.spawn(machine, process.execPath, words)
    const answers: string[] = []
    for (let n = 0; n < dials.length; n++) answers.push(await program.line())
    return answers
  }

  macOf(machine: string): string {
    const [link] = JSON.parse(this.machines.run(machine, 'ip -j link show eth0')) as [
      { address: string },
    ]
    return link.address
  }

  #wire(): void {
    const { machines } = this
    for (const { machine, lan, net4, net6, hosts } of NETS) {
      machines.link({
        from: {
          machine,
          name: 'eth0',
          addresses: hosts.flatMap((host) => [
            `${net4}.${host}/24`,
            `${net6}::${host}/64`,
          ]),
        },
        to: {
          machine: 'router',
          name: lan,
          addresses: [`${net4}.1/24`, `${net6}::1/64`],
        },
      })
      machines.run(machine, `ip route add default via ${net4}.1`)
      machines.run(machine, `ip -6 route add default via ${net6}::1 src ${net6}::2`)
    }
    machines.link({
      from: {
        machine: 'router',
        name: 'wan0',
        addresses: ['198.51.100.1/24', 'fd78::1/64'],
      },
      to: {
        machine: 'internet',
        name: 'eth0',
        addresses: [
          '198.51.100.254/24',
          'fd78::fe/64',
          `${PROVIDER.inet}/32`,
          `${PROVIDER.inet6}/128`,
        ],
      },
    })
    machines.run('router', 'ip route add default via 198.51.100.254')
    machines.run('router', 'ip -6 route add default via fd78::fe')
    machines.run('internet', 'ip route add default via 198.51.100.1')
    machines.run('internet', 'ip -6 route add default via fd78::1')
    const forward = 'net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1'
    machines.run('router', `sysctl -qw ${forward}`)
  }

  /** The provider, and the other site at its address. */
  async #serve(): Promise<void> {
    const ca = new TestCa(ORIGIN_CA)
    const pairs: Record<string, { key: string; cert: string }> = {}
    for (const name of [LLM, OTHER]) {
      const { keyPem, certificatePem } = ca.issue({ names: [name] })
      pairs[name] = { key: keyPem, cert: certificatePem }
    }
    writeFileSync(this.folder.file('pairs.json'), JSON.stringify(pairs))
    writeFileSync(this.folder.file('origin.pem'), ca.certificatePem)
    writeFileSync(this.folder.file('roots.pem'), ca.certificatePem)
    const words = [support('named-server.js'), '443', this.folder.file('pairs.json')]
    const server = this.machines.spawn('internet', process.execPath, words)
    assert.equal(await server.line(), 'listening')
    const quic = this.machines.spawn('internet', process.execPath, [
      support('real-server.js'),
      'udp',
      ...['443', PROVIDER.inet, PROVIDER.inet6],
    ])
    assert.equal(await quic.line(), 'listening')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopSupervisor()
    await this.machines[Symbol.asyncDispose]()
    await this.folder[Symbol.asyncDispose]()
  }
}

export async function answerOf(program: Program): Promise<Answered> {
  return JSON.parse(await program.line()) as Answered
}
