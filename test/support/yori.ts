/**
 * YORI in this process: a temp folder, a CA of its own, port 0, and what tests ask of it. The
 * configuration goes through the same loader as an operator's file.
 */
import { existsSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import Sqlite from 'better-sqlite3'
import { Pool, ProxyAgent } from 'undici'
import { loadConfig } from '../../config/load.js'
import { formatProblem } from '../../config/problem.js'
import type { Config } from '../../config/schema.js'
import { Appliance } from '../../src/assembly/appliance.js'
import { systemClock } from '../../src/core/clock.js'
import type { Clock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import type { Log } from '../../src/core/log.js'
import type { Provider } from '../../src/assembly/services.js'
import type { ExchangeObserver } from '../../src/proxy/words/observer.js'
import type { Destination } from '../../src/net/original-destination.js'
import { tlsThroughProxy } from './clients.js'
import type { Origin } from './origins.js'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'
import type { TestCa } from './test-ca.js'

// The roots of this machine are none of a test's, and reading them takes 60 ms each time.
delete process.env['NODE_EXTRA_CA_CERTS']

export interface YoriOptions {
  /** Over the defaults of this helper. */
  readonly config?: Record<string, unknown>
  /** Which origin stands for which name. */
  readonly origins?: Record<string, Pick<Origin, 'address'>>
  /** Roots that YORI trusts besides the public ones. */
  readonly trust?: readonly TestCa[]
  readonly clock?: Clock
  readonly log?: Log
  /** Whoever else wants to see exchanges. */
  readonly observers?: readonly ExchangeObserver[]
  /** In the place of the providers. */
  readonly provider?: Provider
  /** Whom clients had dialled, instead of what the kernel says. */
  readonly destination?: (socket: Socket) => Destination
}

/** Of HTTP between a client and YORI. */
export type HttpVersion = 'h1' | 'h2'
export const HTTP_VERSIONS: readonly HttpVersion[] = ['h1', 'h2']

export type Row = Readonly<Record<string, string | number | null>>

export class Yori implements AsyncDisposable {
  readonly appliance: Appliance
  readonly folder: TempFolder
  readonly #options: YoriOptions
  readonly #agents: ProxyAgent[] = []

  private constructor(appliance: Appliance, folder: TempFolder, options: YoriOptions) {
    this.appliance = appliance
    this.folder = folder
    this.#options = options
  }

  static async start(options: YoriOptions = {}): Promise<Yori> {
    const folder = await tempFolder()
    const appliance = new Appliance({
      config: configFrom(folder, options),
      clock: options.clock ?? systemClock,
      log: options.log ?? silentLog,
      observers: options.observers ?? [],
      ...(options.provider === undefined ? {} : { provider: options.provider }),
      ...(options.destination === undefined
        ? {}
        : {
            destinations: { of: options.destination, acceptForeign: () => 'in a test' },
          }),
    })
    try {
      await appliance.start()
    } catch (error) {
      await folder[Symbol.asyncDispose]()
      throw error
    }
    return new Yori(appliance, folder, options)
  }

  /** Another one on the same state; its folder stays this one's. */
  async restart(): Promise<Yori> {
    const options = this.#options
    const appliance = new Appliance({
      config: configFrom(this.folder, options),
      clock: options.clock ?? systemClock,
      log: options.log ?? silentLog,
    })
    await appliance.start()
    const folder = { ...this.folder, [Symbol.asyncDispose]: () => Promise.resolve() }
    return new Yori(appliance, folder, options)
  }

  get port(): number {
    const [first] = this.appliance.addresses
    if (first === undefined) throw new Error('YORI does not listen')
    return first.port
  }

  /** What clients are to trust. */
  get rootPem(): string {
    return this.appliance.current.authority.rootPem
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get database(): string {
    return this.folder.file('state/audit.db')
  }

  /** The root certificate as a file, for programs. */
  get rootFile(): string {
    const file = this.folder.file('root.pem')
    writeFileSync(file, this.rootPem)
    return file
  }

  /**
   * For `fetch` and the SDKs: CONNECT to YORI, TLS that trusts its root. Another loopback
   * address than 127.0.0.1 makes another device of it. `h2` offers HTTP/2 inside.
   */
  dispatcher(localAddress?: string, version: HttpVersion = 'h1'): ProxyAgent {
    const allowH2 = version === 'h2'
    const agent = new ProxyAgent({
      uri: this.url,
      allowH2,
      requestTls: { ca: this.rootPem, allowH2 },
      clientFactory: (origin, options) =>
        new Pool(origin, {
          ...options,
          allowH2: false,
          ...(localAddress === undefined ? {} : { localAddress }),
        }),
    })
    this.#agents.push(agent)
    return agent
  }

  /** TLS by CONNECT, verified against YORI's root unless `ca` says otherwise. */
  tls(
    host: string,
    options: ConnectionOptions & { port?: number } = {},
  ): Promise<TLSSocket> {
    return tlsThroughProxy(this.port, host, { ca: this.rootPem, ...options })
  }

  reload(config: Record<string, unknown>): Promise<void> {
    const merged = { ...this.#options, config: { ...this.#options.config, ...config } }
    return this.appliance.reload(configFrom(this.folder, merged))
  }

  /** Waits until the record has its tables: a thread of its own makes them after the start. */
  async recordMade(): Promise<void> {
    const last = `SELECT 1 FROM sqlite_master WHERE name = 'usage'`
    for (let ms = 1; ; ms = Math.min(2 * ms, 50)) {
      if (existsSync(this.database)) {
        const database = new Sqlite(this.database, { readonly: true })
        try {
          if (database.prepare(last).get() !== undefined) return
        } finally {
          database.close()
        }
      }
      await sleep(ms)
    }
  }

  /** Rows of a table or view in the order of their writing, everything flushed before. */
  async rows(
    table: 'audit_events' | 'audit_log' | 'connections' | 'exchanges',
  ): Promise<Row[]> {
    await this.appliance.audit.flush()
    const database = new Sqlite(this.database, { readonly: true })
    try {
      return database.prepare<[], Row>(`SELECT * FROM ${table} ORDER BY id`).all()
    } finally {
      database.close()
    }
  }

  /** Ends the clients that this helper made, so that connections close and are recorded. */
  async closeClients(): Promise<void> {
    await Promise.all(this.#agents.splice(0).map((agent) => agent.destroy()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeClients()
    await this.appliance.stop()
    await this.folder[Symbol.asyncDispose]()
  }
}

function configFrom(folder: TempFolder, options: YoriOptions): Config {
  const extra = (options.trust ?? []).map((ca, index) => {
    const file = folder.file(`trusted-${index}.pem`)
    writeFileSync(file, ca.certificatePem)
    return file
  })
  const resolve = Object.fromEntries(
    Object.entries(options.origins ?? {}).map(([name, origin]) => [name, origin.address]),
  )
  const { upstream, timeouts, ...rest } = options.config ?? {}
  const file = folder.file('yori.conf')
  const config = {
    listen: '127.0.0.1:0',
    state_dir: folder.file('state'),
    upstream: { extra_ca: extra, resolve, ...(upstream as object | undefined) },
    timeouts: { drain: 1, ...(timeouts as object | undefined) },
    ...rest,
  }
  writeFileSync(file, JSON.stringify(config))
  const loaded = loadConfig({ path: file, env: {}, cwd: folder.path })
  if (loaded.kind === 'invalid') {
    throw new Error(loaded.problems.map(formatProblem).join('\n'))
  }
  return loaded.config
}
