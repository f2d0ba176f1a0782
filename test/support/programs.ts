/** Programs of the machine, curl above all, bounded in time and output. */
import { spawn, spawnSync } from 'node:child_process'
import { PATIENCE_MS } from './patience.js'

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

export interface Ran {
  /** The program's exit status; -1 when a signal ended it. */
  readonly status: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly timeoutMs?: number
  readonly input?: string | Buffer
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** Is there such a program on this machine? Tests skip themselves by name when not. */
export function hasProgram(name: string, versionFlag = '--version'): boolean {
  return spawnSync(name, [versionFlag], { stdio: 'ignore' }).error === undefined
}

/** curl with no proxy from the environment, no progress bar, and errors shown. */
export function curl(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runProgram('curl', ['--silent', '--show-error', ...args], {
    ...options,
    env: options.env ?? withoutProxy(process.env),
  })
}

/** Runs a program to its end; it is killed at the time limit or when it says too much. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const child = spawn(program, args, {
    env: options.env ?? process.env,
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  let size = 0
  const keepIn = (list: Buffer[]) => (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_OUTPUT_BYTES) list.push(chunk)
    else child.kill('SIGKILL')
  }
  child.stdout.on('data', keepIn(output))
  child.stderr.on('data', keepIn(errors))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      resolve({
        status: status ?? -1,
        stdout: Buffer.concat(output),
        stderr: Buffer.concat(errors).toString(),
      })
    })
  })
}

function withoutProxy(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:https?|all|no)_proxy$/i.test(name)),
  )
}
