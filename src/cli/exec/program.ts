/** A program as a child of ours: our terminal, our signals, its exit code. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { EXIT } from '../exit.js'
import { usageError } from '../usage.js'

/** Between asking it to end and ending it. */
const GRACE_MS = 5_000

export interface Running {
  readonly pid: number
  /** The exit code, or as shells have it 128 and the number of the signal that ended it. */
  readonly ended: Promise<number>
  /** Asks it to end, and ends it when it has not in time. */
  end(): void
}

/** @throws usageError when there is no such program, or it cannot be started */
export async function startProgram(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Running> {
  const child = spawn(program, args, { stdio: 'inherit', env })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  const ended = endOf(child).finally(() => {
    for (const signal of signals) process.off(signal, forward)
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause: NodeJS.ErrnoException) => {
      for (const signal of signals) process.off(signal, forward)
      const why = cause.code === 'ENOENT' ? 'there is no such program' : cause.message
      reject(usageError(`yori: cannot run ${program}: ${why}`, EXIT.environment))
    })
  })
  return { pid: child.pid as number, ended, end: () => endSoon(child) }
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    )
  })
}

function endSoon(child: ChildProcess): void {
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  child.once('exit', () => clearTimeout(late))
}
