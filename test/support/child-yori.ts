/**
 * `yori run` as a process of its own, and what the system says of it: open descriptors, memory,
 * CPU time. Linux only where it asks `/proc`.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import Sqlite from 'better-sqlite3'
import { Cli } from './cli.js'
import { tlsThroughProxy } from './clients.js'
import type { Origin } from './origins.js'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'
import type { TestCa } from './test-ca.js'
import type { Row } from './yori.js'

const KIB = 1024
/** As the shipped command has them. */
const NODE_FLAGS = [
  '--max-semi-space-size=4',
  '--max-old-space-size=128',
  '--v8-pool-size=1',
]
/** Of `times` in proc(5): Linux reports them in hundredths of a second everywhere. */
const MS_PER_TICK = 10

export interface ChildOptions {
  readonly config?: Record<string, unknown>
  readonly origins?: Record<string, Pick<Origin, 'address'>>
  readonly trust?: readonly TestCa[]
  /** A program before it, such as `prlimit` with its arguments. */
  readonly under?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export class ChildYori implements AsyncDisposable {
  readonly cli: Cli
  readonly port: number
  readonly folder: TempFolder
  readonly rootPem: string

  private constructor(cli: Cli, port: number, folder: TempFolder) {
    this.cli = cli
    this.port = port
    this.folder = folder
    this.rootPem = readFileSync(folder.file('state', 'yori-root.pem'), 'utf8')
  }

  static async start(options: ChildOptions = {}): Promise<ChildYori> {
    const folder = await tempFolder()
    const file = writeConfig(folder, options)
    const args = ['run', '--config', file]
    const cli = new Cli(args, {
      cwd: folder.path,
      nodeFlags: NODE_FLAGS,
      under: options.under ?? [],
      ...(options.env === undefined ? {} : { env: options.env }),
    })
    try {
      const [, port] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
      await cli.printed(/YORI is running/)
      return new ChildYori(cli, Number(port), folder)
    } catch (error) {
      await cli[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
      throw error
    }
  }

  get running(): boolean {
    return this.cli.child.exitCode === null && this.cli.child.signalCode === null
  }

  /** Open sockets. */
  sockets(): number {
    return this.descriptors().filter((target) => target.startsWith('socket:')).length
  }

  /** What each open descriptor is. */
  descriptors(): string[] {
    const folder = `/proc/${this.#pid}/fd`
    return readdirSync(folder).flatMap((fd) => {
      try {
        return [readlinkSync(`${folder}/${fd}`)]
      } catch {
        return [] // closed since
      }
    })
  }

  /** Bytes of resident memory. */
  rss(): number {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(this.#proc('status'))
    return Number(found?.[1]) * KIB
  }

  /** User and system time so far, in milliseconds. */
  cpuMs(): number {
    // After the name in parentheses: state is the first, utime the 12th, stime the 13th.
    const fields = this.#proc('stat').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
  }

  tls(host: string): Promise<TLSSocket> {
    return tlsThroughProxy(this.port, host, { ca: this.rootPem })
  }

  /** What has been written so far; the writer is a little behind. */
  rows(table: 'connections' | 'exchanges' | 'events'): Row[] {
    const file = this.folder.file('state', 'audit.db')
    const database = new Sqlite(file, { readonly: true })
    try {
      return database.prepare<[], Row>(`SELECT * FROM ${table} ORDER BY id`).all()
    } finally {
      database.close()
    }
  }

  /** The lines of its log from this level on: 40 warnings, 50 errors. */
  logged(level: number): Record<string, unknown>[] {
    return this.cli.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => Number(line['level']) >= level)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli[Symbol.asyncDispose]()
    await this.folder[Symbol.asyncDispose]()
  }

  get #pid(): number {
    const { pid } = this.cli.child
    if (pid === undefined || !this.running) throw new Error('YORI does not run')
    return pid
  }

  #proc(name: string): string {
    return readFileSync(`/proc/${this.#pid}/${name}`, 'utf8')
  }
}

function writeConfig(folder: TempFolder, options: ChildOptions): string {
  const extra = (options.trust ?? []).map((ca, index) => {
    const pem = folder.file(`trusted-${index}.pem`)
    writeFileSync(pem, ca.certificatePem)
    return pem
  })
  const resolve = Object.fromEntries(
    Object.entries(options.origins ?? {}).map(([name, { address }]) => [name, address]),
  )
  const { upstream, ...rest } = options.config ?? {}
  const config = {
    listen: '127.0.0.1:0',
    state_dir: folder.file('state'),
    upstream: { extra_ca: extra, resolve, ...(upstream as object | undefined) },
    ...rest,
  }
  const file = folder.file('yori.conf')
  writeFileSync(file, JSON.stringify(config))
  return file
}
