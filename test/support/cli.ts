/** The built command line as a child process, in a folder of its own. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { packageFile } from '../../src/core/package-root.js'

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')
const MAX_OUTPUT_CHARS = 4 * 1024 * 1024

export interface CliOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** A program that runs it, with its arguments. It must become Node, as `prlimit` does. */
  readonly under?: readonly string[]
  readonly nodeFlags?: readonly string[]
  /** Another copy of it, such as that of `openPackage`. */
  readonly main?: string
}

/** Ended with its scope, whatever it was doing. */
export class Cli implements AsyncDisposable {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  /** The exit status; -1 when a signal ended it. */
  readonly exited: Promise<number>
  readonly #waiting = new Set<() => void>()

  constructor(args: readonly string[], options: CliOptions) {
    // Several run at once, and the usual port is one machine's.
    const port = args[0] === 'run' ? { YORI_CONTROL_LISTEN: '127.0.0.1:0' } : {}
    const env = { PATH: process.env['PATH'], HOME: options.cwd, ...port, ...options.env }
    const node = [process.execPath, ...(options.nodeFlags ?? []), options.main ?? MAIN]
    const command = [...(options.under ?? []), ...node, ...args]
    this.child = spawn(command[0] as string, command.slice(1), {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
      this.#changed()
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
      this.#changed()
    })
    // A test that ran out of time has no end of its scope. First of all: whoever runs the tests
    // waits a second for this process.
    const end = (): void => void this.child.kill('SIGKILL')
    process.prependOnceListener('exit', end)
    this.child.once('close', () => process.off('exit', end))
    this.exited = new Promise((resolve) => {
      this.child.once('close', (status) => {
        resolve(status ?? -1)
        this.#changed()
      })
    })
  }

  /** Resolves when it has printed such text; rejects when it ends without. */
  async printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = text.exec(this.stdout) ?? text.exec(this.stderr)
      if (found !== null) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without ${String(text)}: ${this.stdout}${this.stderr}`)
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL')
    }
    await this.exited
  }

  #changed(): void {
    if (this.stdout.length + this.stderr.length > MAX_OUTPUT_CHARS) {
      this.child.kill('SIGKILL')
    }
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

export interface CliRan {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs it to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions,
): Promise<CliRan> {
  await using cli = new Cli(args, options)
  const status = await cli.exited
  return { status, stdout: cli.stdout, stderr: cli.stderr }
}
