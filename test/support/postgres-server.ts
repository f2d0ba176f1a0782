/** PostgreSQL of Debian in a folder of its own, as a user of its own where tests run as root. */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'

const VERSIONS = '/usr/lib/postgresql'

/** The folder of its programs; undefined: it is not installed. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  return readdirSync(VERSIONS)
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: TempFolder
  readonly #programs: string
  #child: ChildProcess | undefined

  private constructor(folder: TempFolder, programs: string, port: number) {
    this.#folder = folder
    this.#programs = programs
    this.port = port
  }

  /** `files`: by name, to be named by settings with their place in front. */
  static async start(
    settings: readonly string[] = [],
    files: Readonly<Record<string, string>> = {},
  ): Promise<PostgresServer> {
    const programs = postgresPrograms()
    if (programs === undefined) throw new Error('PostgreSQL is not installed')
    const folder = await tempFolder('yori-pg-')
    const user = serverUser('postgres')
    if (user !== undefined) chownSync(folder.path, user.uid, user.gid)
    const server = new PostgresServer(folder, programs, await freePort())
    try {
      const data = ['--pgdata', folder.file('data'), '--username', 'yori']
      execFileSync(
        join(programs, 'initdb'),
        [...data, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
        { ...user, cwd: folder.path, stdio: 'pipe' },
      )
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(folder.file(name), text, { mode: 0o600 })
        if (user !== undefined) chownSync(folder.file(name), user.uid, user.gid)
      }
      await server.up(settings.map((one) => one.replaceAll('{folder}', folder.path)))
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  get url(): string {
    return `postgres://yori@127.0.0.1:${this.port}/postgres`
  }

  /** Of its data and its certificates. */
  file(name: string): string {
    return this.#folder.file(name)
  }

  async up(settings: readonly string[] = []): Promise<void> {
    const options = [
      ...['-D', this.#folder.file('data'), '-k', this.#folder.path],
      ...['-h', '127.0.0.1', '-p', String(this.port)],
      // What is killed is the process, never the machine.
      ...['-c', 'fsync=off'],
      ...settings.flatMap((setting) => ['-c', setting]),
    ]
    const child = spawn(join(this.#programs, 'postgres'), options, {
      ...serverUser('postgres'),
      cwd: this.#folder.path,
      stdio: 'ignore',
    })
    this.#child = child
    const ready = ['-h', '127.0.0.1', '-p', String(this.port), '-t', '0', '-q']
    for (;;) {
      if (child.exitCode !== null) throw new Error(`postgres ended: ${child.exitCode}`)
      try {
        execFileSync(join(this.#programs, 'pg_isready'), ready)
        return
      } catch {
        await sleep(50)
      }
    }
  }

  /** As a power cut: it has to recover when it is up again. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return
    const gone = once(child, 'exit')
    // Immediate shutdown: its own children end, and nothing is written down.
    child.kill('SIGQUIT')
    await gone
  }

  /** What `psql` answers: rows of text cells. */
  ask(sql: string): string[][] {
    const text = execFileSync(
      join(this.#programs, 'psql'),
      ['-X', '-q', '-A', '-t', '-F', '\u001f', '-R', '\u001e', '-d', this.url, '-c', sql],
      { encoding: 'utf8', env: { PGTZ: 'UTC' }, maxBuffer: 64 * 2 ** 20 },
    )
    return text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\u001e')
          .map((row) => row.split('\u001f'))
  }

  single(sql: string): string {
    return this.ask(sql)[0]?.[0] ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.#folder[Symbol.asyncDispose]()
  }
}

/** Of the package; PostgreSQL refuses to run as root. Undefined: tests do not run as root. */
export function serverUser(
  name: string,
): { readonly uid: number; readonly gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined) throw new Error(`there is no user ${name}`)
  return { uid: Number(uid), gid: Number(gid) }
}
