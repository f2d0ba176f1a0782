/**
 * The built command `yori run` as a process of its own, in a folder that the caller owns:
 * what the demo, the bench and whole-system tests put between a client and a simulator.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { stringify } from 'yaml'
import { packageFile } from '../../src/core/package-root.js'
import { runProgram } from '../../test/support/programs.js'
import type { Ran } from '../../test/support/programs.js'

const START_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 35_000
const POLL_MS = 25
const MAX_OUTPUT_CHARACTERS = 64 * 1024

export interface YoriOptions {
  /** Configuration and state go here. */
  readonly folder: string
  /** PEM of the roots that the simulated providers chain to. */
  readonly extraCaPem?: string
  /** Name to `ip:port`. */
  readonly resolve?: Readonly<Record<string, string>>
  /** What goes before the command, to pin it to a core for instance. */
  readonly launcher?: readonly string[]
  /** More of the configuration file, by its own keys. */
  readonly config?: Readonly<Record<string, unknown>>
}

export class YoriProcess implements AsyncDisposable {
  readonly port: number
  readonly configFile: string
  readonly #child: ChildProcess
  #output = ''

  private constructor(child: ChildProcess, port: number, configFile: string) {
    this.#child = child
    this.port = port
    this.configFile = configFile
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-MAX_OUTPUT_CHARACTERS)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
  }

  /** Resolves when `/health` answers; rejects with what YORI said when it does not. */
  static async start(options: YoriOptions): Promise<YoriProcess> {
    const port = await freePort()
    const configFile = await writeConfig(options, port)
    const [command = '', ...args] = [
      ...(options.launcher ?? []),
      ...[yoriCommand, 'run', '--config', configFile],
    ]
    const child = spawn(command, args, {
      cwd: options.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const yori = new YoriProcess(child, port, configFile)
    try {
      await yori.#healthy()
    } catch (cause) {
      child.kill('SIGKILL')
      throw cause
    }
    return yori
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The newest of what it wrote to both streams. */
  get output(): string {
    return this.#output
  }

  /** Another `yori` command with the same configuration. */
  command(...args: string[]): Promise<Ran> {
    return runProgram(yoriCommand, [...args, '--config', this.configFile])
  }

  /** The PEM of the root that clients are to trust. */
  async caPem(): Promise<string> {
    const { status, stdout, stderr } = await this.command(
      'ca',
      'export',
      '--format',
      'pem',
    )
    if (status !== 0) throw new Error(`yori ca export: ${stderr}`)
    return stdout.toString()
  }

  /** SIGTERM, then the exit code; null when it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#child
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close')
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      child.kill('SIGTERM')
      await closed
      clearTimeout(patience)
    }
    return child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #healthy(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS
    for (;;) {
      if (this.#child.exitCode !== null || this.#child.pid === undefined) {
        throw new Error(`yori run ended with ${this.#child.exitCode}:\n${this.#output}`)
      }
      if (await isHealthy(this.port)) return
      if (performance.now() > deadline) {
        throw new Error(`yori run did not become healthy:\n${this.#output}`)
      }
      await delay(POLL_MS)
    }
  }
}

const yoriCommand = packageFile('dist', 'src', 'cli', 'main.js')

async function isHealthy(port: number): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/health`)
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  }
}

async function writeConfig(options: YoriOptions, port: number): Promise<string> {
  const state = join(options.folder, 'state')
  await mkdir(state, { recursive: true, mode: 0o700 })
  const extraCa = join(options.folder, 'extra-ca.pem')
  await writeFile(extraCa, options.extraCaPem ?? '')
  const file = join(options.folder, 'yori.conf')
  const upstream = {
    resolve: options.resolve ?? {},
    ...(options.extraCaPem === undefined ? {} : { extra_ca: [extraCa] }),
  }
  const config = {
    mode: 'observe',
    listen: `127.0.0.1:${port}`,
    state_dir: state,
    control: { listen: '127.0.0.1:0' },
    upstream,
    ...options.config,
  }
  await writeFile(file, stringify(config), { mode: 0o600 })
  return file
}

/** A port that was free a moment ago: the process cannot tell us which one it was given. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
