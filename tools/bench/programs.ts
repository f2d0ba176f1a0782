/** The programs of a bench run: pinned apart where `taskset` is there, gone with their scope. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { packageFile } from '../../src/core/package-root.js'
import { hasProgram } from '../../test/support/programs.js'
import type { Job, LoadResult, Target } from './jobs.js'

const ANSWER_MARGIN_MS = 60_000

export type Side = 'proxy' | 'load'

/** What goes before a command to keep it on its side: the proxy alone on the last core. */
export function pinned(side: Side): readonly string[] {
  const cores = availableParallelism()
  if (!canPin || cores < 2) return []
  return ['taskset', '-c', side === 'proxy' ? `${cores - 1}` : `0-${cores - 2}`]
}

const canPin = hasProgram('taskset')

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** The next line that it prints, read as JSON. */
  line(timeoutMs?: number): Promise<unknown>
  write(text: string): void
}

/** One of the bench's own programs. It is expected to end when its input does. */
export function startProgram(side: Side, file: string, ...args: string[]): Program {
  const [command = '', ...rest] = [
    ...pinned(side),
    process.execPath,
    packageFile('dist/tools/bench', file),
    ...args,
  ]
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on(
    'data',
    (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)),
  )
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })
  return {
    pid: child.pid ?? 0,
    write: (text) => child.stdin.write(text),
    line: async (timeoutMs = ANSWER_MARGIN_MS) => {
      const signal = AbortSignal.timeout(Math.round(timeoutMs))
      const ended = async (): Promise<never> => {
        await once(child, 'close', { signal })
        throw new Error(`${file} ended: ${errors.trim()}`)
      }
      const [text] = (await Promise.race([once(lines, 'line', { signal }), ended()])) as [
        string,
      ]
      return JSON.parse(text) as unknown
    },
    [Symbol.asyncDispose]: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.stdin?.end()
  const patience = setTimeout(() => child.kill('SIGKILL'), 5000)
  await closed
  clearTimeout(patience)
}

/** Runs one job in a load generator of its own. */
export async function load(target: Target, job: Job): Promise<LoadResult> {
  await using program = startProgram('load', 'load/main.js')
  program.write(`${JSON.stringify({ target, job })}\n`)
  const seconds = 'seconds' in job ? job.seconds : 0
  return (await program.line(seconds * 1000 + ANSWER_MARGIN_MS)) as LoadResult
}
