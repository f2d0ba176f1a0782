/** Redis of Debian on a port of loopback, which keeps nothing on disk. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, serverUser } from './postgres-server.js'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'

export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: TempFolder
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  private constructor(folder: TempFolder, port: number, args: readonly string[]) {
    this.#folder = folder
    this.port = port
    this.#args = args
  }

  /** `files`: by name, to be named by arguments with their place in front. */
  static async start(
    args: readonly string[] = [],
    files: Readonly<Record<string, string>> = {},
  ): Promise<RedisServer> {
    const folder = await tempFolder('yori-redis-')
    const user = serverUser('redis')
    const own = (path: string): void => {
      if (user !== undefined) chownSync(path, user.uid, user.gid)
    }
    own(folder.path)
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(folder.file(name), text, { mode: 0o600 })
      own(folder.file(name))
    }
    const placed = args.map((arg) => arg.replaceAll('{folder}', folder.path))
    const server = new RedisServer(folder, await freePort(), placed)
    await server.up()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async up(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '']
    const child = spawn('redis-server', [...options, ...this.#args], {
      ...serverUser('redis'),
      cwd: this.#folder.path,
      stdio: 'ignore',
    })
    this.#child = child
    const end = (): void => void child.kill('SIGKILL')
    process.prependOnceListener('exit', end)
    child.once('exit', () => process.off('exit', end))
    for (;;) {
      if (child.exitCode !== null) throw new Error(`redis ended: ${child.exitCode}`)
      if (await answers(this.port)) return
      await sleep(20)
    }
  }

  /** It forgets everything. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** It answers nobody, and ends no connection. */
  stall(): void {
    this.#child?.kill('SIGSTOP')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.#folder[Symbol.asyncDispose]()
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
